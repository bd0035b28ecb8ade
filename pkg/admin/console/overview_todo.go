// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"net/url"
	"slices"
	"sort"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/templates"
)

// maxMissing is how many companies have an entry of their own among what is to be done.
const maxMissing = 5

// todo is what somebody should do: factors that were locked in days, people without a factor whose company asks for one,
// and secrets that are about to end.
func (v *visit) todo(days []audit.Day) ([]templates.ConsoleTodo, error) {
	missing, err := v.missing()
	if err != nil {
		return nil, err
	}
	ending, err := v.endingSecrets()
	if err != nil {
		return nil, err
	}
	return slices.Concat(v.locked(days), missing, ending), nil
}

// locked leads to the factors that were locked in days. Who of them has had a reset since, their pages say.
func (v *visit) locked(days []audit.Day) []templates.ConsoleTodo {
	n := 0
	for _, d := range days {
		n += d.Counts[audit.FigureLocked]
	}
	if n == 0 {
		return nil
	}
	q := url.Values{"event": {audit.FactorLocked}, "from": {days[0].Day.Format("2006-01-02")}}
	if v.it && v.of != "" {
		q.Set("company", v.of)
	}
	return []templates.ConsoleTodo{{Kind: "locked", N: n, URL: auditPage + "?" + q.Encode()}}
}

// missing are the companies whose people have yet to set a factor up: those with the most people by themselves, and how
// many more there are.
func (v *visit) missing() ([]templates.ConsoleTodo, error) {
	list, err := v.clerk.Missing(v.r.Context(), v.of)
	if err != nil {
		return nil, err
	}
	var out []templates.ConsoleTodo
	for _, m := range list[:min(len(list), maxMissing)] {
		t := templates.ConsoleTodo{Kind: "people", N: m.People, Some: m.Some, URL: v.without(m.Company.ID)}
		if t.URL == "" {
			t.URL = policyPage
		}
		if v.of == "" {
			t.Name = cmp.Or(m.Company.Name, m.Company.ID)
		}
		if m.Company.From.After(v.cfg.Now()) {
			t.Day = m.Company.From.UTC()
		}
		out = append(out, t)
	}
	if more := len(list) - maxMissing; more > 0 {
		out = append(out, templates.ConsoleTodo{Kind: "companies", N: more, URL: companies})
	}
	return out, nil
}

// maxTodo bounds the clients that are looked at for secrets to end.
const maxTodo = 200

// endingSecrets are the secrets that end soon, the first to end first.
func (v *visit) endingSecrets() ([]templates.ConsoleTodo, error) {
	list, err := v.clerk.ListClients(v.r.Context(), admin.ClientQuery{Company: v.of, Limit: maxTodo})
	if err != nil {
		return nil, err
	}
	uses, err := v.clerk.UsesOf(v.r.Context(), list.Clients)
	if err != nil {
		return nil, err
	}
	var out []templates.ConsoleTodo
	for _, c := range list.Clients {
		shown, _ := secrets(c, uses[c.ID], v.cfg.Now())
		for i, s := range shown {
			if !s.Soon || c.Disabled {
				continue
			}
			t := templates.ConsoleTodo{Kind: "secret", N: s.Days, Name: cmp.Or(c.Name, c.ID), Used: s.Used, URL: clientPage(c.ID) + "#secrets"}
			// One that was used since the newest was made is in some server still.
			t.Still = !s.Used.IsZero() && (i == 0 || !s.Used.Before(shown[0].Made))
			out = append(out, t)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].N < out[j].N })
	return out, nil
}
