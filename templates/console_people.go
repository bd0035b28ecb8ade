// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsolePeople is the list of accounts, C3.
type ConsolePeople struct {
	Console
	// IT says that whoever looks may see the people of every company; Companies are id and name of these.
	IT        bool
	Companies [][2]string
	// Groups are id and name of the groups of the company that is looked at.
	Groups [][2]string
	// Query, Show ("", without, with) and Group are what was asked for.
	Query, Show, Group string
	// All, Set and Without count the accounts. Remind is how many a reminder goes to; 0: none can be sent.
	All, Set, Without, Remind int
	Rows                      []ConsolePersonRow
	Next                      string
	// Done is "" or "reminded", "nobody", "mute", "unasked", "deleted".
	Done string
}

// Template implements Page.
func (ConsolePeople) Template() string { return "console-people" }

// ConsolePersonRow is one account in the list. State is never, skipped (Skips of Most times; Most 0: nobody counts), on, off
// or reset. Company is empty where only one is looked at.
type ConsolePersonRow struct {
	ID, Account, Name, Company, State string
	Skips, Most                       int
	Groups                            []string
	Created                           time.Time
	Disabled                          bool
}

// ConsolePerson is what is known of a person, C3.
type ConsolePerson struct {
	Console
	// Person is the sign-in name.
	ID, Person, Name, CompanyName string
	Emails, Groups, Roles         []string
	// Admin is "", company or it. State, Skips and Most as in ConsolePersonRow.
	Admin, State  string
	Skips, Most   int
	Disabled, Own bool
	// Touch says that whoever looks may act on the account. Locked: disabled by too many wrong codes.
	Touch, Locked  bool
	Created        time.Time
	Authenticators []AccountAuthenticator
	RecoveryLeft   int
	Devices        []AccountDevice
	Sessions       []AccountSession
	Apps           []ConsolePersonApp
	// Pending is a reset that was asked for; nil: none was.
	Pending *ConsolePending
	// Done is "" or one of those in console-person.html.
	Done string
}

// Template implements Page.
func (ConsolePerson) Template() string { return "console-person" }

// ConsolePersonApp is an app with access. Since may be zero.
type ConsolePersonApp struct {
	ID, Name string
	Since    time.Time
}

// ConsolePending is a reset that waits: for somebody else than who looks (Another), until After, or, without both, for
// the button. Name is who asked; empty: the IT team.
type ConsolePending struct {
	Name      string
	At, After time.Time
	Another   bool
}

// ConsolePersonAct asks before an act that cannot be taken back: Kind is reset or delete.
type ConsolePersonAct struct {
	Console
	Kind, Action, Back, Person, Name, Tag string
	Emails                                []string
	// Has says that there is a second factor to take away. Admins and Hours are what the company asks of a reset.
	Has           bool
	Admins, Hours int
	Pending       *ConsolePending
}

// Template implements Page.
func (ConsolePersonAct) Template() string { return "console-person-act" }

// ConsoleTick is a box to tick.
type ConsoleTick struct {
	ID, Name string
	On       bool
}

// ConsolePersonInput is what was typed about a person. Roles are one a line.
type ConsolePersonInput struct {
	Tag, Name, Email, Lang, Roles, Admin string
	Groups                               []string
}

// ConsolePersonForm changes what is said of a person.
type ConsolePersonForm struct {
	Console
	Action, Cancel, Person string
	In                     ConsolePersonInput
	Groups                 []ConsoleTick
	// Admins are the roles to choose from; empty: it stays.
	Admins []string
	// Declared are the first of the DeclaredTotal roles that have a meaning here.
	Declared      []ConsoleRole
	DeclaredTotal int
	// Problem is "" or "stale", "proof", as in ConsoleClientForm.
	Problem  string
	Problems []ConsoleProblem
}

// Template implements Page.
func (ConsolePersonForm) Template() string { return "console-person-form" }

// Wrong returns the problems of a field of the form.
func (f ConsolePersonForm) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// wrong are the problems of one field.
func wrong(all []ConsoleProblem, field string) []ConsoleProblem {
	var out []ConsoleProblem
	for _, p := range all {
		if p.Field == field {
			out = append(out, p)
		}
	}
	return out
}
