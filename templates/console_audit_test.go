// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

func auditVariants(f Frame, companies [][2]string) []variant {
	c := consoleFrame(f)
	c.Section = "audit"
	page := ConsoleAudit{
		Console: c, Events: []string{"client.changed", "login.rejected"}, CSV: "/admin/audit/export?format=csv", JSON: "/admin/audit/export?format=jsonl",
		First: "/admin/audit", Next: "/admin/audit?after=1-1",
		Rows: []ConsoleEvent{
			{
				At: someday(), Event: "client.changed", Who: ConsoleParty{"a1", "a.example@example.com", "/admin/people/a1"}, Whom: ConsoleParty{"a2", "a2", ""},
				Client: "example-cases", Company: "example", Source: "192.0.2.17", RequestID: "r", Detail: [][2]string{{"by", "account"}},
			},
			{At: someday(), Event: "login.rejected", Result: "wait", Browser: "Firefox"},
		},
	}
	it, none, notFound, short, wrong := page, page, page, page, page
	it.IT, it.Companies, it.Of, it.Later, it.In.Event = true, companies, "other", true, "login.rejected"
	none.Rows, none.Next = nil, ""
	notFound.Rows, notFound.Next, notFound.In.Account = nil, "", "x"
	short.Rows, short.Short, short.Back = nil, true, someday()
	wrong.Problems = []ConsoleProblem{{Field: "from", Kind: "day"}, {Field: "until", Kind: "order"}}
	return []variant{
		{"console-audit", page},
		{"console-audit/it", it},
		{"console-audit/none", none},
		{"console-audit/notfound", notFound},
		{"console-audit/short", short},
		{"console-audit/wrong", wrong},
	}
}
