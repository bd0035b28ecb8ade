// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

// groupField is what the name of a group's tick box begins with: a form has no field twice.
const groupField = "group."

// personInput is what was typed.
func personInput(f url.Values) templates.ConsolePersonInput {
	in := templates.ConsolePersonInput{
		Tag: f.Get("tag"), Name: strings.TrimSpace(f.Get("name")), Email: strings.TrimSpace(f.Get("email")), Lang: f.Get("language"),
		Roles: f.Get("roles"), Admin: f.Get("admin"),
	}
	for name := range f {
		if id, ok := strings.CutPrefix(name, groupField); ok {
			in.Groups = append(in.Groups, id)
		}
	}
	slices.Sort(in.Groups)
	return in
}

// groupTicks are the company's groups with those that are chosen.
func groupTicks(co company.Company, chosen []string) []templates.ConsoleTick {
	var out []templates.ConsoleTick
	for _, g := range co.Groups {
		out = append(out, templates.ConsoleTick{ID: g.ID, Name: g.Title(), On: slices.Contains(chosen, g.ID)})
	}
	return out
}

// roles are those that whoever looks may give.
func (v *visit) roles(co company.Company, now authn.AdminRole) []string {
	if !v.it && now == authn.AdminIT {
		return nil
	}
	out := []string{string(authn.AdminNone)}
	if co.ID != "" {
		out = append(out, string(authn.AdminCompany))
	}
	if v.it {
		out = append(out, string(authn.AdminIT))
	}
	return out
}

// serveEditPerson shows what is said of a person, to be changed.
func serveEditPerson(v *visit) error {
	r, co, err := v.whose()
	if err != nil {
		return err
	}
	if !v.touches(r) {
		return v.acted("", "", admin.ErrForbidden)
	}
	if kept := v.draft(); kept != nil {
		return v.personForm(r, co, personInput(kept), "proof")
	}
	return v.personForm(r, co, templates.ConsolePersonInput{
		Tag: admin.PersonTag(r), Name: r.Contact.Person, Roles: strings.Join(r.Roles, "\n"), Admin: string(r.Admin), Groups: r.Groups,
	}, "")
}

func (v *visit) personForm(r authn.Record, co company.Company, in templates.ConsolePersonInput, problem string, wrong ...templates.ConsoleProblem) error {
	page := templates.ConsolePersonForm{
		Console: v.frame("people"), Action: personPage(r.ID) + "/edit", Cancel: personPage(r.ID), Person: r.Name, In: in, Problem: problem,
		Problems: wrong, Groups: groupTicks(co, in.Groups),
	}
	var err error
	if page.Declared, page.DeclaredTotal, err = v.offered(); err != nil {
		return err
	}
	if r.ID != v.Account.ID {
		// Nobody gives or takes the own role: the console would have one admin less, and perhaps none.
		page.Admins = v.roles(co, r.Admin)
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	return v.page(page)
}

// submitEditPerson changes what is said of a person. Of two who change it at once the second is told, and may look.
func submitEditPerson(v *visit) error {
	r, co, err := v.whose()
	if err != nil {
		return err
	}
	in := personInput(v.form)
	if !v.touches(r) {
		return v.acted("", "", admin.ErrForbidden)
	}
	if in.Tag == "" {
		return v.acted("", "", admin.ErrStale)
	}
	e, err := v.personEdit(r, co, in)
	if err == nil {
		_, err = v.clerk.EditPerson(v.r.Context(), r.ID, in.Tag, e)
	}
	switch {
	case err == nil:
		return v.acted("saved", "", nil)
	case errors.Is(err, admin.ErrStale):
		in.Tag = admin.PersonTag(r)
		return v.personForm(r, co, in, "stale")
	}
	wrong, err := personProblems(err)
	if err != nil {
		return v.acted("", "", err)
	}
	return v.personForm(r, co, in, "", wrong...)
}

// personEdit is the change that a form makes of a person.
func (v *visit) personEdit(r authn.Record, co company.Company, in templates.ConsolePersonInput) (admin.PersonEdit, error) {
	if len(in.Name) > 200 || strings.ContainsFunc(in.Name, unicode.IsControl) {
		return admin.PersonEdit{}, &client.FieldError{Field: "name", Problem: "must be at most 200 characters without control characters"}
	}
	roles, groups := entries(in.Roles), in.Groups
	// Groups of before that the company has no more are not on the form: they go.
	e := admin.PersonEdit{Roles: &roles, Groups: &groups}
	if in.Name != r.Contact.Person {
		e.Claims = maps.Clone(r.Profile.Claims)
		if e.Claims == nil {
			e.Claims = map[string]any{}
		}
		delete(e.Claims, "name")
		if in.Name != "" {
			e.Claims["name"] = in.Name
		}
	}
	role := authn.AdminRole(in.Admin)
	if v.form.Has("admin") && r.ID != v.Account.ID && slices.Contains(v.roles(co, r.Admin), in.Admin) {
		e.Admin = &role
	}
	return e, nil
}

// personProblems are the problems of a person's fields; an error that names none is the caller's.
func personProblems(err error) ([]templates.ConsoleProblem, error) {
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		if p := personProblem(f); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// personProblem says what is wrong with a person by a kind that the pages have words for.
func personProblem(f *client.FieldError) templates.ConsoleProblem {
	p := templates.ConsoleProblem{Field: f.Field, Text: f.Field + " " + f.Problem}
	for _, k := range [][3]string{
		{"email", "must be an e-mail", "address"},
		{"email", "has an account", "account"},
		{"email", "is invited", "invited"},
		{"email", "stands in line", "twice"},
		{"groups", "no group", "group"},
		{"groups", "", "groups"},
		{"roles", "", "roles"},
		{"name", "", "name"},
		{"language", "", "language"},
		{"admin", "", "itonly"},
		{"line", "formula", "formula"},
		{"line", "cells", "cells"},
		{"line", "quotes", "quotes"},
	} {
		if k[0] == f.Field && strings.Contains(f.Problem, k[1]) {
			p.Kind, p.Text = k[2], ""
			return p
		}
	}
	return p
}
