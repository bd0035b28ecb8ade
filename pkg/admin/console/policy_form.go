// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

const always = flow.FactorAlways

// Whom a policy is for, as the form says it.
const (
	whoNobody   = "nobody"
	whoGroups   = "groups"
	whoEveryone = "everyone"
)

// policyInput is what was typed.
func policyInput(f url.Values) templates.ConsolePolicyInput {
	one := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	return templates.ConsolePolicyInput{
		Tag: one("tag"), Seen: one("seen"), Who: one("who"), Groups: f["group"], From: one("from"), Skips: one("skips"),
		Remember: f.Has("remember"), Days: one("days"), Setup: one("setup"), Admins: one("admins"), Wait: one("wait"),
	}
}

// policyWritten is a company's policy as the form shows it.
func policyWritten(co company.Company) templates.ConsolePolicyInput {
	in := templates.ConsolePolicyInput{
		Tag: admin.CompanyTag(co), Who: whoNobody, Groups: co.FactorGroups, Skips: strconv.Itoa(co.Skips), Remember: true,
		Admins: strconv.Itoa(max(1, co.ResetAdmins)), Wait: strconv.Itoa(co.ResetWait),
	}
	if co.SecondFactor.Wanted() {
		in.Who = whoEveryone
		if len(co.FactorGroups) > 0 {
			in.Who = whoGroups
		}
	}
	if !co.From.IsZero() {
		in.From = co.From.UTC().Format(time.DateOnly)
	}
	if co.RememberDays != nil {
		if in.Remember = *co.RememberDays > 0; in.Remember {
			in.Days = strconv.Itoa(*co.RememberDays)
		}
	}
	if co.SetupDays != nil {
		in.Setup = strconv.Itoa(*co.SetupDays)
	}
	return in
}

// wished is the company with the policy that the form says; what the form has no field for stays.
func wished(in templates.ConsolePolicyInput, before company.Company) (company.Company, error) {
	co := before
	var problems []error
	wrong := func(is bool, field, problem string) {
		if is {
			problems = append(problems, &client.FieldError{Field: field, Problem: problem})
		}
	}
	number := func(field, text string) *int {
		if text == "" {
			return nil
		}
		n, err := strconv.Atoi(text)
		wrong(err != nil, field, "must be a number")
		return &n
	}
	wrong(!asked(&co, in), "second_factor", "must be nobody, groups or everyone")
	wrong(in.Who == whoGroups && len(co.FactorGroups) == 0, "second_factor_groups", "is empty")
	var err error
	co.From, err = firstDay(in.From, before.From)
	wrong(err != nil, "second_factor_from", "must be a day")
	co.Skips = value(number("second_factor_skips", in.Skips))
	co.RememberDays = new(int)
	if in.Remember {
		co.RememberDays = number("remember_days", in.Days)
		wrong(in.Days == "0", "remember_days", "must be within 1 and 365")
	}
	co.SetupDays = number("setup_days", in.Setup)
	wrong(in.Admins != "1" && in.Admins != "2", "reset_admins", "must be one or two")
	if in.Admins != strconv.Itoa(max(1, before.ResetAdmins)) {
		co.ResetAdmins = value(number("reset_admins", in.Admins))
	}
	co.ResetWait = value(number("reset_wait_hours", in.Wait))
	return co, errors.Join(problems...)
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

// asked sets whom the second factor is asked of, and says whether the form says so.
func asked(co *company.Company, in templates.ConsolePolicyInput) bool {
	mode := flow.FactorRequired
	if co.SecondFactor == always {
		// The form has no field for it: a company that wants a code at every sign-in goes on wanting it.
		mode = always
	}
	switch in.Who {
	case whoNobody:
		if co.SecondFactor.Wanted() {
			co.SecondFactor = flow.FactorOptional
		}
		co.FactorGroups = in.Groups
	case whoGroups:
		co.SecondFactor, co.FactorGroups = mode, in.Groups
	case whoEveryone:
		co.SecondFactor, co.FactorGroups = mode, nil
	default:
		return false
	}
	return true
}

// firstDay is the beginning of a day in UTC. A day that was not changed stays as exact as it was.
func firstDay(text string, before time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if !before.IsZero() && text == before.UTC().Format(time.DateOnly) {
		return before, nil
	}
	return time.Parse(time.DateOnly, text)
}

// groupsOf are the groups of a company to choose from, and what else its policy names: groups that are gone, and roles.
func groupsOf(co company.Company, ticked []string) []templates.ConsoleGroup {
	var out []templates.ConsoleGroup
	known := map[string]bool{}
	for _, g := range co.Groups {
		known[g.ID] = true
		out = append(out, templates.ConsoleGroup{ID: g.ID, Name: g.Title(), Ticked: slices.Contains(ticked, g.ID)})
	}
	for _, id := range co.FactorGroups {
		if !known[id] {
			out = append(out, templates.ConsoleGroup{ID: id, Name: id, Ticked: slices.Contains(ticked, id), Other: true})
		}
	}
	return out
}

// skipChoices are how often a set-up may be put off, with the number that is set.
func skipChoices(set string) []string {
	out := []string{"0", "1", "2", "3", "5", "10"}
	if n, err := strconv.Atoi(set); err == nil && !slices.Contains(out, set) {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// policySteps is what will happen, in the order of time.
func policySteps(co company.Company, now time.Time) []templates.ConsoleStep {
	if !co.SecondFactor.Wanted() {
		return nil
	}
	const day = 24 * time.Hour
	days := 14
	if co.SetupDays != nil {
		days = *co.SetupDays
	}
	later := co.From.After(now)
	var out []templates.ConsoleStep
	switch {
	case later && co.Skips > 0:
		out = append(out, templates.ConsoleStep{Kind: "until", Day: co.From.Add(-time.Second).UTC(), N: co.Skips})
	case co.From.IsZero() && co.Skips > 0:
		out = append(out, templates.ConsoleStep{Kind: "skips", N: co.Skips})
	default:
		// Without a skip the date puts nothing off.
		out = append(out, templates.ConsoleStep{Kind: "now"})
	}
	if later && co.Skips > 0 {
		out = append(out, templates.ConsoleStep{Kind: "from", Day: co.From.UTC()})
	}
	closes := cmp.Or(co.From, now).Add(time.Duration(days) * day)
	if co.From.IsZero() || !closes.After(now) {
		return append(out, templates.ConsoleStep{Kind: "closed", N: days})
	}
	return append(out, templates.ConsoleStep{Kind: "closes", Day: closes.UTC(), N: days})
}

// policyProblems are the problems of an error at the fields of the form; an error that names none is the caller's.
func policyProblems(err error) ([]templates.ConsoleProblem, error) {
	names := map[string]string{
		"second_factor": "who", "second_factor_groups": "groups", "second_factor_from": "from", "second_factor_skips": "skips",
		"remember_days": "days", "setup_days": "setup", "reset_admins": "admins", "reset_wait_hours": "wait",
	}
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		p := templates.ConsoleProblem{Field: names[f.Field], Kind: names[f.Field]}
		if p.Field == "" {
			p = templates.ConsoleProblem{Field: "who", Text: f.Field + " " + f.Problem}
		}
		if f.Field == "second_factor_groups" && f.Problem != "is empty" {
			p.Kind, p.Text = "", f.Field+" "+f.Problem
		}
		if !slices.ContainsFunc(out, func(have templates.ConsoleProblem) bool { return have.Field == p.Field }) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}
