// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

func policyVariants(f Frame, companies [][2]string) []variant {
	c := consoleFrame(f)
	c.Section = "policy"
	page := ConsolePolicy{
		Console: c, Mails: true, Skips: []string{"0", "3"}, PeopleURL: "/admin/people",
		In:     ConsolePolicyInput{Who: "groups", From: "2026-12-01", Skips: "3", Remember: true, Admins: "1", Wait: "0"},
		Groups: []ConsoleGroup{{ID: "lawyers", Name: "Lawyers", Ticked: true}, {ID: "gone", Name: "gone", Other: true}},
		Preview: &ConsolePreview{Wanted: true, More: true, Concerned: 182, Set: 148, Without: 34, Steps: []ConsoleStep{
			{Kind: "until", Day: someday(), N: 3}, {Kind: "from", Day: someday()}, {Kind: "closes", Day: someday(), N: 14},
		}},
	}
	it, nobody, everyone := page, page, page
	it.IT, it.Of, it.Tightens, it.In.Seen = true, "other", true, "x"
	nobody.In.Who, nobody.Preview, nobody.Groups, nobody.In.Admins = "nobody", &ConsolePreview{}, nil, "2"
	everyone.In.Who, everyone.Always, everyone.Mails, everyone.Tightens = "everyone", true, false, true
	everyone.Preview = &ConsolePreview{Wanted: true, Concerned: 1, Set: 0, Without: 1, Steps: []ConsoleStep{
		{Kind: "skips", N: 1}, {Kind: "now"}, {Kind: "closed", N: 1},
	}}
	done := everyone
	done.Preview = &ConsolePreview{Wanted: true, Concerned: 1, Set: 1}
	all := []variant{
		{"console-choose", ConsoleChoose{Console: c, Action: "/admin/policy", Companies: companies}},
		{"console-policy", page},
		{"console-policy/it", it},
		{"console-policy/nobody", nobody},
		{"console-policy/everyone", everyone},
		{"console-policy/nobody-to-tell", done},
	}
	for _, d := range []string{"saved", "told", "mute", "partly"} {
		page.Done, page.Told = d, 2
		all = append(all, variant{"console-policy/" + d, page})
	}
	page.Done = ""
	for _, p := range []string{"look", "stale", "proof"} {
		page.Problem = p
		all = append(all, variant{"console-policy/" + p, page})
	}
	page.Problem, page.Preview = "", nil
	for _, field := range []string{"who", "groups", "from", "skips", "days", "setup", "admins", "wait"} {
		page.Problems = append(page.Problems, ConsoleProblem{Field: field, Kind: field})
	}
	wrong := page
	wrong.Problems = []ConsoleProblem{{Field: "who", Text: "must not be so"}}
	return append(all, variant{"console-policy/wrong", page}, variant{"console-policy/other", wrong})
}
