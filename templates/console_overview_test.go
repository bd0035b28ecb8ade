// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "strconv"

func overviewVariants(f Frame, companies [][2]string) []variant {
	c := consoleFrame(f)
	c.Section = "overview"
	page := ConsoleOverview{
		Console: c, Today: someday(), All: 182, Set: 148, Percent: 81, Refused: 107, PeopleURL: "/admin/people", AuditURL: "/admin/audit",
		Todo: []ConsoleTodo{
			{Kind: "people", N: 34, Day: someday(), URL: "/admin/people"},
			{Kind: "secret", N: 9, Name: "Example Cases", Used: someday(), Still: true, URL: "/admin/clients/x#secrets"},
		},
		Refusals: []ConsoleRefusal{{"password", 61, 100}, {"code", 34, 56}, {"used", 9, 15}, {"tries", 3, 5}},
		SignIns:  ConsoleChart{Total: 420, Top: 40},
	}
	for i := range 14 {
		page.SignIns.Bars = append(page.SignIns.Bars, ConsoleBar{someday(), 30, strconv.Itoa(20*i + 3), "40", "60"})
	}
	page.SignIns.Most = page.SignIns.Bars[0]
	it, none := page, page
	it.IT, it.Companies, it.Of = true, companies, "other"
	it.Todo = []ConsoleTodo{
		{Kind: "locked", N: 2, URL: "/admin/audit?event=factor.locked"},
		{Kind: "people", N: 1, URL: "/admin/policy"},
		{Kind: "people", Name: "Other Legal", N: 3, Day: someday(), Some: true, URL: "/admin/people?company=other"},
		{Kind: "companies", N: 7, URL: "/admin/companies"},
		{Kind: "secret", N: 1, Name: "x", URL: "/admin/clients/x#secrets"},
	}
	none.Todo, none.All, none.Set, none.Percent, none.SignIns, none.Refusals = nil, 0, 0, 0, ConsoleChart{Top: 2, Bars: []ConsoleBar{{Day: someday()}}}, nil
	return []variant{{"console-overview", page}, {"console-overview/it", it}, {"console-overview/none", none}}
}
