// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// Account is the person's own account page, M1 to M8. Times are absolute and shown with their zone.
type Account struct {
	Frame
	// Account is the sign-in name.
	Account string
	// Done says what has just been done: "added", "replaced", "renamed", "removed", "codes", "forgotten", "forgotten-all",
	// "ended", "ended-others", "withdrawn", "password", or "moved": nothing, since the account had changed meanwhile.
	Done string
	// On says that there is a second factor, Wanted that a policy asks for one, Locked that there were too many wrong codes, Full
	// that there are as many authenticators as there may be.
	On, Wanted, Locked, Full bool
	Authenticators           []AccountAuthenticator
	RecoveryLeft             int
	Devices                  []AccountDevice
	Sessions                 []AccountSession
	Apps                     []AccountApp
	Events                   []AccountEvent
}

// Template implements Page.
func (Account) Template() string { return "account" }

// AccountAuthenticator is one authenticator. Name may be empty, times zero; then it is called by its Kind, totp or
// passkey. Stays says that it cannot be removed.
type AccountAuthenticator struct {
	ID, Kind, Name string
	Added, Used    time.Time
	Stays          bool
}

// AccountDevice is a remembered device; Own says that it is the browser that asks.
type AccountDevice struct {
	ID, Label        string
	First, Last, End time.Time
	Own              bool
}

// AccountSession is a signed-in browser; Own says that it is the one that asks.
type AccountSession struct {
	ID, Label     string
	Started, Last time.Time
	Own           bool
}

// AccountApp is an app with access. Scopes are without offline_access, which is Offline. Since may be zero. Own says
// that it is an app of the account's company.
type AccountApp struct {
	ID, Name string
	Scopes   []string
	// Words says what a declared scope opens.
	Words        map[string]string
	Since        time.Time
	Offline, Own bool
}

// Able is what the app is able to do, scope by scope.
func (a AccountApp) Able() []ScopeWords {
	out := able(a.Scopes, a.Words)
	if a.Offline {
		out = append(out, ScopeWords{Name: "offline_access"})
	}
	return out
}

// AccountEvent is a line of the recent activity. Kind is one of those in account.html; Name is the app or the
// authenticator that it is about, Where the browser; either may be empty.
type AccountEvent struct {
	Kind, Name, Where string
	At                time.Time
}

// AccountRename asks for the name of an authenticator, M3.
type AccountRename struct {
	Frame
	Action, Account, Name string
	// Problem is "" or "missing", "long" (over 100 bytes), "signs" (characters that cannot be seen).
	Problem string
}

// Template implements Page.
func (AccountRename) Template() string { return "account-rename" }

// AccountRemove asks whether to remove an authenticator, M3: one of this Kind, totp or passkey. Last says that it is the only one.
type AccountRemove struct {
	Frame
	Action, Account, Kind, Name string
	Last                        bool
}

// Template implements Page.
func (AccountRemove) Template() string { return "account-remove" }

// AccountRecovery asks whether to make new recovery codes, M4, or shows them, once: Codes, made at Made.
type AccountRecovery struct {
	Frame
	Action, Account string
	Left            int
	// Gen is that of the codes there are; the form sends it back, so that sending it twice makes codes once.
	Gen   int64
	Codes []string
	Made  time.Time
}

// Template implements Page.
func (AccountRecovery) Template() string { return "account-recovery" }

// AccountPassword asks for a new password, M7.
type AccountPassword struct {
	Frame
	Action, Account string
	// Problem is "" or "short", "long", "common", "context".
	Problem string
}

// Template implements Page.
func (AccountPassword) Template() string { return "account-password" }
