// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

func companyVariants(f Frame) []variant {
	list := ConsoleCompanies{
		Console: consoleFrame(f), Total: 4, Next: "/admin/companies?after=d", Done: "removed",
		Rows: []ConsoleCompanyRow{{"a", "A Legal", "off", 1, 0}, {"b", "B Legal", "required", 12, 1}, {"c", "C Legal", "always", 2, 2}, {"d", "d", "", 0, 0}},
	}
	one := ConsoleCompany{
		Console: consoleFrame(f), IT: true, ID: "a", Name: "A Legal", Email: "help@example.com", Phone: "020", AdminEmails: []string{"a@example.com"}, All: 12,
		Without: 3, Groups: []ConsoleTick{{ID: "lawyers", Name: "Lawyers"}, {ID: "clerks", Name: "clerks"}},
		Domains: []string{"example.com", "mail.example.com"},
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
	for _, d := range []string{"", "added", "saved", "stale", "group-added", "group-renamed", "group-removed", "used-policy", "used-people", "kept", "domain-added", "domain-there", "domain-removed"} {
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
	all = append(all, domainVariants(f)...)
	return append(all, variant{"console-company-form", form}, variant{"console-company-form/stale", stale}, variant{"console-company-form/proof", proof},
		variant{"console-company-form/wrong", bad})
}

func domainVariants(f Frame) []variant {
	ask := ConsoleDomain{Console: consoleFrame(f), Action: "/admin/companies/a/domains", Back: "/admin/companies/a", Name: "A Legal"}
	record := ask
	record.Domain, record.Record, record.Value = "example.com", "_lychgate.example.com", "lychgate-domain=0123456789abcdef"
	drop := ConsoleDomainRemove{Console: consoleFrame(f), Action: "/admin/companies/a/domains/remove", Back: "/admin/companies/a", Name: "A Legal", Domain: "example.com"}
	all := []variant{{"console-domain", record}, {"console-domain/ask", ask}, {"console-domain-remove", drop}}
	for _, problem := range []string{"form", "letters"} {
		ask.Problem = problem
		all = append(all, variant{"console-domain/" + problem, ask})
	}
	for _, problem := range []string{"missing", "silent", "taken", "full", "wait"} {
		record.Problem, record.Wait = problem, 2*time.Minute
		all = append(all, variant{"console-domain/" + problem, record})
	}
	for _, wait := range []time.Duration{time.Second, time.Hour} {
		record.Wait = wait
		all = append(all, variant{"console-domain/" + wait.String(), record})
	}
	return all
}
