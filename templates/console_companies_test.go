// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

func companyVariants(f Frame) []variant {
	list := ConsoleCompanies{
		Console: consoleFrame(f), Total: 4, Next: "/admin/companies?after=d", Done: "removed",
		Rows: []ConsoleCompanyRow{{"a", "A Legal", "off", 1, 0}, {"b", "B Legal", "required", 12, 1}, {"c", "C Legal", "always", 2, 2}, {"d", "d", "", 0, 0}},
	}
	one := ConsoleCompany{
		Console: consoleFrame(f), IT: true, ID: "a", Name: "A Legal", Email: "help@example.com", Phone: "020", AdminEmails: []string{"a@example.com"}, All: 12,
		Without: 3, Groups: []ConsoleTick{{ID: "lawyers", Name: "Lawyers"}, {ID: "clerks", Name: "clerks"}},
	}
	bare := ConsoleCompany{Console: consoleFrame(f), ID: "a", Name: "A Legal", All: 1}
	wrong := one
	wrong.Problems = []ConsoleProblem{{Field: "group-id", Kind: "id"}, {Field: "group-name", Kind: "name"}}
	taken := bare
	taken.Problems = []ConsoleProblem{{Field: "group-id", Kind: "taken"}}
	all := []variant{
		{"console-companies", list},
		{"console-companies/none", ConsoleCompanies{Console: consoleFrame(f)}},
		{"console-companies/notfound", ConsoleCompanies{Console: consoleFrame(f), Query: "x"}},
		{"console-company/bare", bare},
		{"console-company/wrong", wrong},
		{"console-company/taken", taken},
		{"console-company-remove", ConsoleCompanyRemove{Console: consoleFrame(f), Action: "/admin/companies/a/remove", Back: "/admin/companies/a", Name: "A Legal"}},
	}
	for _, d := range []string{"", "added", "saved", "stale", "group-added", "group-renamed", "group-removed", "used-policy", "used-people", "kept"} {
		one.Done = d
		all = append(all, variant{"console-company/" + d, one})
	}
	form := ConsoleCompanyForm{Console: consoleFrame(f), Action: "/admin/companies/new", Cancel: "/admin/companies", IT: true}
	stale, proof, bad := form, form, form
	stale.Problem, proof.Problem, stale.Name, stale.IT = "stale", "proof", "A Legal", false
	for _, field := range []string{"id", "name", "help_email", "admin_emails"} {
		bad.Problems = append(bad.Problems, ConsoleProblem{Field: field, Kind: field})
	}
	bad.Problems = append(bad.Problems, ConsoleProblem{Field: "id", Kind: "taken"}, ConsoleProblem{Field: "name", Text: "must not be so"})
	return append(all, variant{"console-company-form", form}, variant{"console-company-form/stale", stale}, variant{"console-company-form/proof", proof},
		variant{"console-company-form/wrong", bad})
}
