// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleAudit is a page of the journal of security events, the newest first, C8.
type ConsoleAudit struct {
	Console
	IT bool
	// Companies are id and name to choose from, Events the names of events.
	Companies [][2]string
	Events    []string
	In        ConsoleAuditInput
	Problems  []ConsoleProblem
	Rows      []ConsoleEvent
	// Next leads to what is older; empty: there is nothing. Short says that the search looked as far back as Back, and found
	// less than a page.
	Next  string
	Short bool
	Back  time.Time
	// Later: this is not the newest page, which First leads to.
	Later bool
	First string
	// CSV and JSON lead to what was searched for as a file.
	CSV, JSON string
}

// Template implements Page.
func (ConsoleAudit) Template() string { return "console-audit" }

// Wrong returns the problems of a field of the search.
func (f ConsoleAudit) Wrong(field string) []ConsoleProblem {
	return ConsoleClientForm{Problems: f.Problems}.Wrong(field)
}

// Searched says whether anything was searched for.
func (f ConsoleAudit) Searched() bool { return f.In != ConsoleAuditInput{} }

// ConsoleAuditInput is what was searched for.
type ConsoleAuditInput struct{ Event, Account, Actor, Client, From, Until string }

// ConsoleEvent is one entry. Who did it; Whom it was done to, empty: to no other account.
type ConsoleEvent struct {
	At                         time.Time
	Event, Result              string
	Who, Whom                  ConsoleParty
	Client, Company            string
	Source, Browser, RequestID string
	Detail                     [][2]string
}

// ConsoleParty is somebody in an entry: the sign-in name if it is known, else the id. URL may be empty.
type ConsoleParty struct{ ID, Name, URL string }
