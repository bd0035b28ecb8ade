// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleChoose has an IT team choose a company for a page that is about one.
type ConsoleChoose struct {
	Console
	// Action is the page; Companies are id and name.
	Action    string
	Companies [][2]string
}

// Template implements Page.
func (ConsoleChoose) Template() string { return "console-choose" }

// ConsolePolicy is what a company asks of its people's sign-ins, C2.
type ConsolePolicy struct {
	Console
	IT bool
	In ConsolePolicyInput
	// Groups are those to choose from, Skips the numbers that the list offers.
	Groups []ConsoleGroup
	Skips  []string
	// Always: the company wants a code at every sign-in, which the form does not change.
	Always bool
	// Mails: people can be written to. Tightens: people would be told.
	Mails, Tightens bool
	// Preview is what the form would do; nil: something is wrong with it.
	Preview  *ConsolePreview
	Problems []ConsoleProblem
	// Problem is "" or "look" (what will happen is to be looked at first), "stale", "proof".
	Problem string
	// Done is "" or "saved", "told", "mute" (no mailer), "partly"; Told is how many were.
	Done string
	Told int
	// PeopleURL leads to those who have not set a factor up; empty: there is no such page.
	PeopleURL string
}

// Template implements Page.
func (ConsolePolicy) Template() string { return "console-policy" }

// Wrong returns the problems of a field of the form.
func (f ConsolePolicy) Wrong(field string) []ConsoleProblem {
	return ConsoleClientForm{Problems: f.Problems}.Wrong(field)
}

// ConsolePolicyInput is what was typed. Who is nobody, groups or everyone; Seen names the policy whose effect was shown.
type ConsolePolicyInput struct {
	Tag, Seen, Who            string
	Groups                    []string
	From, Skips               string
	Remember                  bool
	Days, Setup, Admins, Wait string
}

// ConsoleGroup is a group to tick. Other: it is a role, or a group that the company has not any more.
type ConsoleGroup struct {
	ID, Name      string
	Ticked, Other bool
}

// ConsolePreview is what a policy does: to how many, and when.
type ConsolePreview struct {
	// Wanted: somebody has to have a second factor. More: there are more people than were counted.
	Wanted, More            bool
	Concerned, Set, Without int
	Steps                   []ConsoleStep
}

// ConsoleStep is a point of the time line. Kind is until (Day, with N skips), skips (N), now, from (Day), closes (Day) or
// closed (N days).
type ConsoleStep struct {
	Kind string
	Day  time.Time
	N    int
}
