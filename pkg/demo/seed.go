// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import "github.com/lychgate/lychgate/templates"

// Organisation is a company of the demo.
type Organisation struct {
	ID, Name, HelpEmail, HelpPhone, SecondFactor string
}

// Person is an account of the demo.
type Person struct {
	Username, Company, Name, GivenName, FamilyName string
	// What is the account's part, in words.
	What string
	// Enrolled: the account begins with an authenticator.
	Enrolled, Disabled bool
	// Admin is what the account administrates: "it", "company", or nothing.
	Admin string
}

// Organisations are the demo's companies.
func Organisations() []Organisation {
	return []Organisation{
		{ID: "example-legal-aid", Name: "Example Legal Aid", HelpEmail: "help@legal-aid.example", HelpPhone: "020 7946 0000", SecondFactor: "required"},
		{ID: "example-estates", Name: "Example Estates", HelpEmail: "help@estates.example", SecondFactor: "off"},
	}
}

// People are the demo's accounts.
func People() []Person {
	return []Person{
		{Username: "new@legal-aid.example", Company: "example-legal-aid", Name: "Nora New", GivenName: "Nora", FamilyName: "New", What: "never enrolled: sets up an authenticator app at the first sign-in"},
		{Username: "enrolled@legal-aid.example", Company: "example-legal-aid", Name: "Evan Enrolled", GivenName: "Evan", FamilyName: "Enrolled", What: "enrolled: password and code", Enrolled: true},
		{Username: "simple@estates.example", Company: "example-estates", Name: "Sam Simple", GivenName: "Sam", FamilyName: "Simple", What: "no second factor: its company has it off"},
		{Username: "disabled@legal-aid.example", Company: "example-legal-aid", Name: "Dora Disabled", GivenName: "Dora", FamilyName: "Disabled", What: "disabled: cannot sign in", Disabled: true},
		{Username: "admin@legal-aid.example", Company: "example-legal-aid", Name: "Ada Admin", GivenName: "Ada", FamilyName: "Admin", What: "admin of Example Legal Aid at /admin: password and code", Enrolled: true, Admin: "company"},
		{Username: "it@it-team.example", Name: "Iris Team", GivenName: "Iris", FamilyName: "Team", What: "IT team at /admin: password and code", Enrolled: true, Admin: "it"},
	}
}

func cases() []templates.DemoCase {
	return []templates.DemoCase{
		{Number: "2026-0117", Name: "Estate of A. Example", Status: "Inventory under way", Updated: "20 November 2026"},
		{Number: "2026-0098", Name: "Estate of B. Sample", Status: "Waiting for the bank", Updated: "18 November 2026"},
		{Number: "2026-0064", Name: "Estate of C. Specimen", Status: "Ready to distribute", Updated: "11 November 2026"},
	}
}

func notes() []string {
	return []string{
		"The bank has confirmed the balance on the day of death.",
		"Two heirs have accepted; one has asked for the inventory first.",
		"The house is to be valued next week.",
	}
}

// findCase returns the case of a number, or nil.
func findCase(number string) *templates.DemoCase {
	for _, c := range cases() {
		if c.Number == number {
			return &c
		}
	}
	return nil
}
