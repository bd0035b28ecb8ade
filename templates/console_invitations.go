// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleInvitations lists those who are invited and have no account yet, C1.
type ConsoleInvitations struct {
	Console
	IT        bool
	Companies [][2]string
	// Chosen is the company; empty: one has to be chosen.
	Chosen string
	Total  int
	Rows   []ConsoleInvitation
	Next   string
	// Done is "" or "sent", "resent", "withdrawn", "gone", "mute".
	Done string
}

// Template implements Page.
func (ConsoleInvitations) Template() string { return "console-invitations" }

// ConsoleInvitation is one invitation. Ended: its link does not work any more.
type ConsoleInvitation struct {
	ID, Email, Name, Admin string
	Groups                 []string
	Sent, Ends             time.Time
	Ended                  bool
}

// ConsoleInvite invites one person. Name is the company's.
type ConsoleInvite struct {
	Console
	Action, Cancel, Name string
	In                   ConsolePersonInput
	Groups               []ConsoleTick
	Admins               []string
	// Declared and DeclaredTotal are as in ConsolePersonForm.
	Declared      []ConsoleRole
	DeclaredTotal int
	// Problem is "" or "proof", "mute", "full".
	Problem  string
	Problems []ConsoleProblem
}

// Template implements Page.
func (ConsoleInvite) Template() string { return "console-invite" }

// Wrong returns the problems of a field of the form.
func (f ConsoleInvite) Wrong(field string) []ConsoleProblem { return wrong(f.Problems, field) }

// ConsoleInviteFile invites the people of a file: it asks for it, shows every line (Step preview), and says what became
// of each (Step sent).
type ConsoleInviteFile struct {
	Console
	Action, Send, Cancel, Name, Text string
	Step                             string
	Groups                           []ConsoleTick
	Rows                             []ConsoleInviteLine
	Good, Bad                        int
	// Problem is "" or "size", "lines", "text", "header", "empty".
	Problem string
}

// Template implements Page.
func (ConsoleInviteFile) Template() string { return "console-invite-file" }

// ConsoleInviteLine is a line of the file; without problems it is fine, or was sent.
type ConsoleInviteLine struct {
	Line, Email, Name, Groups, Roles, Lang string
	Problems                               []ConsoleProblem
}
