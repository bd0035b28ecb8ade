// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// The pages of the sample case-management app. They share the stylesheet but not the frame: it is another site.

// DemoCase is one estate in the sample app.
type DemoCase struct {
	Number, Name, Status, Updated string
}

// DemoHome is the list of estates, or the invitation to sign in when Person is empty.
type DemoHome struct {
	Frame
	Person, Email string
	// Strong says that a code was given in this sign-in.
	Strong bool
	Cases  []DemoCase
	// Error is an OAuth error that came back, with its words; empty: none.
	Error, ErrorText string
	// SignIn, SignOut are addresses; SignOut is posted to.
	SignIn, SignOut string
}

// Template implements Page.
func (DemoHome) Template() string { return "demo-home" }

// DemoCasePage is one case; it needs a fresh code.
type DemoCasePage struct {
	Frame
	Person  string
	Case    DemoCase
	Notes   []string
	Home    string
	SignOut string
	// Refused says that the sign-in could not show a fresh code.
	Refused bool
}

// Template implements Page.
func (DemoCasePage) Template() string { return "demo-case" }
