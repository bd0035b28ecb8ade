// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "slices"

func personDones() []string {
	return []string{
		"saved", "off", "on", "signed-out", "forgotten", "forgotten-all", "ended", "withdrawn", "reset", "asked", "link", "mute", "own", "itonly", "stale",
	}
}

func personProblemKinds() []string {
	return []string{"address", "account", "invited", "twice", "group", "groups", "roles", "name", "language", "itonly", "formula", "cells", "quotes", ""}
}

func fullPerson(f Frame) ConsolePerson {
	return ConsolePerson{
		Console: consoleFrame(f), ID: "p1", Person: "b.example@example.com", Name: "B. Example", CompanyName: "Example", Emails: []string{"b@example.com"},
		Groups: []string{"Lawyers", "Admins"}, Roles: []string{"partner"}, Admin: "company", State: "on", Touch: true, Created: someday(),
		Authenticators: []AccountAuthenticator{{ID: "a", Kind: "totp", Added: someday(), Used: someday()}, {ID: "b", Kind: "passkey", Name: "Key"}},
		RecoveryLeft:   8, Devices: []AccountDevice{{ID: "d", Label: "Firefox", First: someday(), Last: someday(), End: someday()}},
		Sessions: []AccountSession{{ID: "s", Label: "Chrome", Started: someday(), Last: someday()}, {ID: "t"}},
		Apps:     []ConsolePersonApp{{ID: "cases", Name: "Cases", Since: someday()}, {ID: "other", Name: "Other"}},
	}
}

func peopleVariants(f Frame) []variant {
	rows := []ConsolePersonRow{
		{ID: "1", Account: "b.example@example.com", Name: "B. Example", State: "skipped", Skips: 2, Most: 3, Groups: []string{"Lawyers", "Admins"}, Created: someday()},
		{ID: "2", Account: "c.example@example.com", State: "skipped", Skips: 1},
		{ID: "3", Account: "d.example@example.com", State: "on", Disabled: true, Company: "Other"},
		{ID: "4", Account: "e.example@example.com", State: "off"},
		{ID: "5", Account: "f.example@example.com", State: "reset"},
		{ID: "6", Account: "g.example@example.com", State: "never"},
	}
	list := ConsolePeople{
		Console: consoleFrame(f), Rows: rows, All: 182, Set: 148, Without: 34, Remind: 34, Show: "without", Next: "/admin/people?after=x",
		Groups: [][2]string{{"lawyers", "Lawyers"}}, Group: "lawyers",
	}
	it, none := list, ConsolePeople{Console: consoleFrame(f), All: 1}
	it.IT, it.Companies, it.Of, it.Query, it.Show = true, [][2]string{{"other", "Other Legal"}}, "other", "b", "with"
	searched := none
	searched.Query = "x"
	off, reset, bare := fullPerson(f), fullPerson(f), fullPerson(f)
	off.Disabled, off.Locked, off.Pending = true, true, &ConsolePending{Name: "a@example.com", At: someday(), After: someday(), Another: true}
	reset.State, reset.Own, reset.Pending = "reset", true, &ConsolePending{At: someday()}
	bare.Touch, bare.State, bare.Admin, bare.Name, bare.Devices, bare.Sessions, bare.Apps = false, "never", "it", "", nil, nil, nil
	all := []variant{
		{"console-people", list},
		{"console-people/it", it},
		{"console-people/none", none},
		{"console-people/searched", searched},
		{"console-person/turned-off", off},
		{"console-person/reset", reset},
		{"console-person/bare", bare},
	}
	for _, d := range []string{"reminded", "nobody", "mute", "unasked", "deleted"} {
		list.Done = d
		all = append(all, variant{"console-people/" + d, list})
	}
	for _, d := range append(personDones(), "") {
		p := fullPerson(f)
		p.Done = d
		all = append(all, variant{"console-person/" + d, p})
	}
	return slices.Concat(all, personActVariants(f), personFormVariants(f))
}

func personActVariants(f Frame) []variant {
	act := ConsolePersonAct{Console: consoleFrame(f), Kind: "reset", Action: "/admin/people/1/reset", Back: "/admin/people/1", Person: "b@example.com"}
	link := act
	act.Has, act.Admins, act.Hours, act.Emails = true, 2, 24, []string{"b@example.com"}
	act.Pending = &ConsolePending{Name: "a@example.com", At: someday(), After: someday(), Another: true}
	gone := link
	gone.Kind = "delete"
	return []variant{{"console-person-act/reset", act}, {"console-person-act/link", link}, {"console-person-act/delete", gone}}
}

func personFormVariants(f Frame) []variant {
	form := ConsolePersonForm{
		Console: consoleFrame(f), Action: "/admin/people/1/edit", Cancel: "/admin/people/1", Person: "b@example.com", Admins: []string{"", "company", "it"},
		Groups: []ConsoleTick{{ID: "lawyers", Name: "Lawyers", On: true}, {ID: "clerks", Name: "Clerks"}},
	}
	stale, proof, wrong := form, form, form
	stale.Problem, proof.Problem, stale.Groups, stale.Admins = "stale", "proof", nil, nil
	for _, field := range []string{"name", "groups", "roles", "admin"} {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: field, Kind: "name"})
	}
	for _, kind := range personProblemKinds() {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: "roles", Kind: kind, Text: "must not be so"})
	}
	return []variant{
		{"console-person-form", form},
		{"console-person-form/stale", stale},
		{"console-person-form/proof", proof},
		{"console-person-form/wrong", wrong},
	}
}
