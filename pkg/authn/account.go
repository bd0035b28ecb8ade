// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import "context"

// NewAccount is an account to be created.
type NewAccount struct {
	// ID is the subject to use; empty: 26 random characters of base32 (128 bits).
	ID      string
	Company string
	// Name is the sign-in name; PasswordRecord is a PHC string of argon2id.
	Name, PasswordRecord string
	Profile              Profile
	// TOTPSecret, if not empty, is imported as the live secret of the first authenticator.
	TOTPSecret []byte
}

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
	// NewTicket returns a one-time set-up ticket for an account in state FactorReset; it ends after 24 h and dies
	// with a later password change. ErrConflict in any other state.
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
	// NewRecovery puts new recovery codes in the place of all that are left.
	NewRecovery(ctx context.Context, a Account, codes []string) error
}

// Keep says what a removal leaves.
type Keep string

// KeepOne leaves the last authenticator where it is; KeepNone lets it go.
const (
	KeepOne  Keep = "1"
	KeepNone Keep = "0"
)
