// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"log/slog"
	"time"
)

// NewAccount is an account to be created.
type NewAccount struct {
	// ID is the subject to use; empty: 26 random characters of base32 (128 bits).
	ID      string
	Company string
	// State is Active if empty.
	State State
	// Name is the sign-in name; PasswordRecord is what the directory makes of a password, or took from elsewhere.
	Name, PasswordRecord string
	Profile              Profile
	// TOTPSecret, if not empty, is imported as the live secret of the first authenticator.
	TOTPSecret []byte
}

// AdminRole is what an account may do at the console and the REST API.
type AdminRole string

// The roles. AdminCompany sees and changes the own company alone, AdminIT everything.
const (
	AdminNone    AdminRole = ""
	AdminCompany AdminRole = "company"
	AdminIT      AdminRole = "it"
)

// Change is an act on an account that takes effect on every node when it is answered.
type Change string

// The acts on an account (storage.md, account_change.lua).
const (
	SignOut     Change = "signout"
	Disable     Change = "disable"
	Enable      Change = "enable"
	Forget      Change = "forget"
	ResetFactor Change = "reset"
	SetPassword Change = "password"
	// SetPasswordProved is SetPassword by somebody who has just shown a factor: the guess budgets start anew.
	SetPasswordProved Change = "password_proved"
)

// Record is an account with its password record and profile, for directories and the command line only.
type Record struct {
	Account
	// PasswordRecord is a PHC string.
	PasswordRecord string
	Profile        Profile
}

// AccountStore keeps accounts. Every method may answer ErrUnavailable.
type AccountStore interface {
	// Create adds an account; ErrExists if the name is taken. The name index is written last, so a name that can
	// be found always has its account.
	Create(ctx context.Context, n NewAccount) (Account, error)
	// ByName finds an account by canonical sign-in name. Unknown names cost the same commands as known ones and
	// answer ErrNotFound; a name without its account answers ErrLost.
	ByName(ctx context.Context, name string) (Record, error)
	// ByID finds an account by id: ErrNotFound.
	ByID(ctx context.Context, id string) (Record, error)
	// List calls yield for every account, in no order, until it answers false.
	List(ctx context.Context, yield func(Record) bool) error
	// Apply performs c on the account. company restricts it to accounts of that company; "*" is any.
	// passwordRecord is used by the password acts only. ErrNotFound, ErrLost, ErrConflict.
	Apply(ctx context.Context, id, company string, c Change, passwordRecord string) (Account, error)
	// ChangePassword is Apply of a password act by the account's own person: ErrMoved if the password is not the one any
	// more that a was read with, so that of two changes at once one is made.
	ChangePassword(ctx context.Context, a Account, c Change, record string) (Account, error)
	// NewTicket returns a one-time set-up ticket for an account without a factor; it ends after 24 h and dies with a
	// later password change or reset. ErrConflict in state FactorOn.
	NewTicket(ctx context.Context, id string) (string, error)
}

// FactorEditor changes the authenticators of an account as its person sees them. Every method compares the generations
// of a with those in force (ErrMoved), and may answer ErrUnavailable or ErrLost.
type FactorEditor interface {
	// Rename gives an authenticator a name. ErrNotFound.
	Rename(ctx context.Context, a Account, id, name string) error
	// Remove takes an authenticator away and ends every remembered device. The last one stays where keep says so
	// (ErrConflict); without keep the recovery codes go with it and the account is FactorOff. ErrNotFound.
	Remove(ctx context.Context, a Account, id string, keep Keep) (Account, error)
	// NewRecovery puts new recovery codes in the place of all that are left, if these are still of this generation: of two
	// that ask, the second is told (ErrMoved), so that no page shows codes that another one has ended.
	NewRecovery(ctx context.Context, a Account, gen int64, codes []string) error
}

// Keep says what a removal leaves.
type Keep string

// KeepOne leaves the last authenticator where it is; KeepNone lets it go.
const (
	KeepOne  Keep = "1"
	KeepNone Keep = "0"
)

// LinkKind is what a mailed link is for.
type LinkKind string

// The kinds of links.
const (
	// LinkPassword chooses a new password; LinkSetup opens a set-up by the ticket in it; LinkNotMe takes back a set-up
	// that its person did not make; LinkInvite makes the account of an invitation.
	LinkPassword LinkKind = "password"
	LinkSetup    LinkKind = "setup"
	LinkNotMe    LinkKind = "notme"
	LinkInvite   LinkKind = "invite"
)

// Link is what stands behind a mailed link. Its token is in the mail alone.
type Link struct {
	Kind      LinkKind `json:"kind"`
	AccountID string   `json:"account"`
	// PasswordGen and FactorGen are those of when it was made: who uses it compares.
	PasswordGen int64 `json:"pwgen"`
	FactorGen   int64 `json:"mfagen"`
	// Browser is a keyed hash of the binding secret of the browser that asked for it; empty: none did.
	Browser string `json:"browser,omitempty"`
	// ClientID is the app that the person came from. Ticket opens the set-up of LinkSetup.
	ClientID string `json:"client,omitempty"`
	Ticket   string `json:"ticket,omitempty"`
	// Company, Invitation and Serial name the invitation of LinkInvite, which has no account yet.
	Company    string `json:"company,omitempty"`
	Invitation string `json:"invitation,omitempty"`
	Serial     int    `json:"serial,omitempty"`
}

// LogValue keeps the ticket out of the logs.
func (l Link) LogValue() slog.Value { return slog.StringValue("[redacted] link " + string(l.Kind)) }

// LinkStore keeps mailed links. Every method may answer ErrUnavailable or ErrLost.
type LinkStore interface {
	// NewLink keeps l for life and returns its token, 43 characters of base64url (256 bits).
	NewLink(ctx context.Context, l Link, life time.Duration) (token string, err error)
	// Link reads what stands behind a token without using it up, since mail scanners open links: ErrGone for anything
	// unknown, expired or used.
	Link(ctx context.Context, token string) (Link, error)
	// UseLink is Link, once: of two that race, one gets ErrGone.
	UseLink(ctx context.Context, token string) (Link, error)
}
