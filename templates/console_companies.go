// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleCompanies lists the companies, for IT teams.
type ConsoleCompanies struct {
	Console
	Query string
	Total int
	Rows  []ConsoleCompanyRow
	Next  string
	// Done is "" or "removed".
	Done string
}

// Template implements Page.
func (ConsoleCompanies) Template() string { return "console-companies" }

// ConsoleCompanyRow is one company in the list. Factor is the mode of the second factor; All and Without count people.
type ConsoleCompanyRow struct {
	ID, Name, Factor string
	All, Without     int
}

// ConsoleCompany is a company's page.
type ConsoleCompany struct {
	Console
	IT                          bool
	ID, Name, Email, Phone, Tag string
	AdminEmails                 []string
	All, Without                int
	Groups                      []ConsoleTick
	// Domains are the mail domains that were shown to be the company's own.
	Domains []string
	// GroupID and GroupName are what was typed for a new group that has Problems.
	GroupID, GroupName string
	Problems           []ConsoleProblem
	// Done is "" or one of those in console-company.html.
	Done string
}

// Template implements Page.
func (ConsoleCompany) Template() string { return "console-company" }

// Wrong returns the problems of a field of the form for a group.
func (f ConsoleCompany) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// ConsoleCompanyInput is what was typed about a company. Admins are one a line.
type ConsoleCompanyInput struct {
	Tag, ID, Name, Email, Phone, Admins string
}

// ConsoleCompanyForm adds or changes a company. Name is how it is called now; empty: a new one. Only the IT team changes
// the name.
type ConsoleCompanyForm struct {
	Console
	Action, Cancel, Name string
	IT                   bool
	In                   ConsoleCompanyInput
	// Problem is "" or "stale", "proof", as in ConsoleClientForm.
	Problem  string
	Problems []ConsoleProblem
}

// Template implements Page.
func (ConsoleCompanyForm) Template() string { return "console-company-form" }

// Wrong returns the problems of a field of the form.
func (f ConsoleCompanyForm) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// ConsoleCompanyRemove asks whether to remove a company.
type ConsoleCompanyRemove struct {
	Console
	Action, Back, Name, Tag string
}

// Template implements Page.
func (ConsoleCompanyRemove) Template() string { return "console-company-remove" }

// ConsoleDomain adds a mail domain to a company. Record and Value are those of the TXT record to set for Domain; without
// them the page asks for the domain, and Domain is what was typed.
type ConsoleDomain struct {
	Console
	Action, Back, Name    string
	Domain, Record, Value string
	// Problem is "", a reason of admin.DomainError, or "wait" with Wait.
	Problem string
	Wait    time.Duration
}

// Template implements Page.
func (ConsoleDomain) Template() string { return "console-domain" }

// ConsoleDomainRemove asks whether to take a mail domain from a company.
type ConsoleDomainRemove struct {
	Console
	Action, Back, Name, Domain string
}

// Template implements Page.
func (ConsoleDomainRemove) Template() string { return "console-domain-remove" }
