// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// Forgot asks for the address of somebody who forgot the password, M7.
type Forgot struct {
	Frame
	// Back leads to the sign-in page.
	Action, Back, Username string
	// Problem is "" or "missing".
	Problem string
}

// Template implements Page.
func (Forgot) Template() string { return "forgot" }

// ForgotSent says to look for a mail, in the same words whether there is one.
type ForgotSent struct {
	Frame
	Back string
}

// Template implements Page.
func (ForgotSent) Template() string { return "forgot-sent" }

// NewPassword chooses a new password, by a mailed link.
type NewPassword struct {
	Frame
	Action string
	// Account is for password managers; empty: the browser is not the one that asked, and the address has to be typed.
	Account, Username string
	// Problem is "" or why the password may not be chosen: "short" "long" "common" "context".
	Problem string
}

// Template implements Page.
func (NewPassword) Template() string { return "new-password" }

// Invited makes the account of an invitation, C1.
type Invited struct {
	Frame
	// Account is the address that was invited, and the sign-in name to be. Person is the name, as it is known or was typed.
	Action, Account, Person, CompanyName string
	// Factor says that a second factor is set up next.
	Factor bool
	// Problem is "", "name" (too long), or why the password may not be chosen: "short" "long" "common" "context".
	Problem string
}

// Template implements Page.
func (Invited) Template() string { return "invited" }

// PasswordSet says that the password is changed.
type PasswordSet struct {
	Frame
	// Back leads to the app; empty: no button.
	Back string
}

// Template implements Page.
func (PasswordSet) Template() string { return "password-set" }

// SetupLink begins a set-up by a mailed link.
type SetupLink struct {
	Frame
	Action, Account string
}

// Template implements Page.
func (SetupLink) Template() string { return "setup-link" }

// SetupOn says how the set-up goes on: by signing in with the password.
type SetupOn struct {
	Frame
	// Back leads to the app; empty: no button.
	Back string
}

// Template implements Page.
func (SetupOn) Template() string { return "setup-on" }

// NotMe asks whether to take back a set-up that its person did not make, and says what that does.
type NotMe struct {
	Frame
	Action, Account string
}

// Template implements Page.
func (NotMe) Template() string { return "not-me" }

// NotMeDone says that it was taken back, and what to do next.
type NotMeDone struct{ Frame }

// Template implements Page.
func (NotMeDone) Template() string { return "not-me-done" }
