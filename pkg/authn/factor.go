// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"log/slog"
	"net/url"
	"time"
)

// Directory finds accounts and checks passwords.
type Directory interface {
	// Verify checks a password. It answers ErrRejected for a wrong name, a wrong or empty password and an
	// account that is not active, each with the same work; ErrBusy, ErrUnavailable or ErrLost otherwise.
	Verify(ctx context.Context, name, password string) (Account, error)
	// Lookup finds an account by name, whatever its state: ErrNotFound, ErrUnavailable or ErrLost. Unknown names, and what
	// cannot be a name, cost the same work as known ones.
	Lookup(ctx context.Context, name string) (Account, error)
	// Canonical returns the one form of all spellings of a name that Verify takes for the same account. Guesses are
	// counted under it. What cannot be a name may have any form.
	Canonical(name string) string
}

// Lane separates guesses from a browser with a remembered device in force from all others, so that a stranger
// with the password cannot use up the owner's guesses.
type Lane string

// The lanes of guesses.
const (
	LaneKnown   Lane = "k"
	LaneUnknown Lane = "u"
)

// SetupMode says what a set-up is for.
type SetupMode string

// The modes of a set-up. SetupFirst is the first authenticator of an account, or the first one after a reset; which of
// them, and whether a ticket is wanted, the store decides by the account.
const (
	SetupFirst   SetupMode = ""
	SetupAdd     SetupMode = "add"
	SetupReplace SetupMode = "replace"
)

// Attempt is one try of a person at a factor, inside one flow after the password.
type Attempt struct {
	Account Account
	// Flow is the id of the flow (prefix lgf_).
	Flow string
	// Bind holds the secrets of the browser's binding cookie, newest first.
	Bind []string
	Lane Lane
	// Kind is the factor that is tried; each factor sets its own. Authenticator is the id of the one that the person
	// chose; empty: all of the kind.
	Kind, Authenticator string
	// Setup says what a set-up is for; Replaces is the authenticator that SetupReplace takes away.
	Setup    SetupMode
	Replaces string
	// Recovery are the recovery codes that come with a first set-up; kept as keyed hashes alone.
	Recovery []string
	// Issuer is the service name that a set-up shows (company or product), and AccountName its account name.
	Issuer, AccountName string
}

// LogValue keeps codes and cookies out of the logs.
func (a Attempt) LogValue() slog.Value { return slog.StringValue("[redacted] account " + a.Account.ID) }

// Option is one of several authenticators to choose from.
type Option struct{ ID, Name string }

// Prompt is what a page needs to ask for a factor or to set one up.
type Prompt struct {
	// Page is the name of the template.
	Page string
	// Values are what that template shows. They may hold a secret (the key of a set-up): never log them.
	Values map[string]string
	// Options are authenticators to choose one from, the likeliest first; empty: nothing to choose.
	Options []Option
}

// LogValue keeps a set-up key out of the logs.
func (p Prompt) LogValue() slog.Value { return slog.StringValue("[redacted] " + p.Page) }

// Factor is a way to prove a second thing.
type Factor interface {
	// Kind is the factor's name in the configuration, in addresses and in the ids of its authenticators: lower-case
	// letters, e.g. "totp".
	Kind() string
	// Methods are the names that its passes can have in lg_evidence (RFC 8176 where that has one).
	Methods() []string
	// Challenge returns the page that asks for it.
	Challenge(ctx context.Context, a Attempt) (Prompt, error)
	// Verify checks what was typed, charges the guess first and spends what matched. When it answers nil the
	// evidence stands in the flow. Errors: ErrRejected, ErrSlip, *WaitError, ErrBudget, ErrLocked, ErrNotEnrolled,
	// ErrGone, ErrMoved, ErrLost, ErrUnavailable.
	Verify(ctx context.Context, a Attempt, form url.Values) (Evidence, error)
}

// Enroller is a factor that a person can set up. A factor that is none (recovery codes) stands in for those that are.
type Enroller interface {
	Factor
	// Begin returns the set-up page; called again in the same flow it returns the same secret.
	Begin(ctx context.Context, a Attempt) (Prompt, error)
	// Confirm makes the set-up live if the code is right; the code is spent by it. ErrRejected for a wrong code, as a
	// *SetupError where the reason can be known (the secret stays pending); ErrGone when the set-up ended or another
	// flow won; ErrConflict where the account has as many authenticators as it may.
	Confirm(ctx context.Context, a Attempt, form url.Values) (Evidence, error)
}

// Credential is an authenticator with its secret, as revealed by a charge.
type Credential struct {
	ID string
	// Name is the one its person gave it; empty: none.
	Name   string
	Secret []byte
	// LastStep is the last accepted time step; only later ones can be accepted.
	LastStep int64
}

// LogValue keeps the secret out of the logs.
func (c Credential) LogValue() slog.Value { return slog.StringValue("[redacted] " + c.ID) }

// Charge is a guess that has been paid for.
type Charge struct {
	// Now is the store's time: steps are counted by it, never by the node's clock.
	Now         time.Time
	Gen         int64
	Attempt     string
	Credentials []Credential
	// Accepted says that this same attempt was accepted before (its answer was lost): it counts as a pass. Left is then
	// how many recovery codes were left after it.
	Accepted bool
	Left     int
}

// Match is a step of an authenticator that the typed code fits.
type Match struct {
	Credential string
	Step       int64
}

// Enrolment is a set-up that was confirmed.
type Enrolment struct {
	// Method is the RFC 8176 name of what was shown.
	Method string
	// Pending is what Begin stored, as the factor saw it; Secret is what is kept from now on.
	Pending, Secret []byte
	// Step is the time step that confirmed; it is spent.
	Step int64
}

// LogValue keeps the secret out of the logs.
func (e Enrolment) LogValue() slog.Value { return slog.StringValue("[redacted] " + e.Method) }

// Asked is what a factor without shared secrets needs to check an answer.
type Asked struct {
	// Challenge is what Ask stored, Sealed the store's own form of it; Credentials are the account's authenticators of
	// the kind.
	Challenge   []byte
	Sealed      string
	Credentials []Credential
	Gen         int64
	Now         time.Time
}

// LogValue keeps the challenge out of the logs.
func (Asked) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Answer is a checked answer to what was asked.
type Answer struct {
	Method, Credential string
	// Secret is the authenticator's record from now on (its counter moved).
	Secret []byte
	// Asked is what was answered; its challenge is spent.
	Asked Asked
}

// LogValue keeps the record out of the logs.
func (a Answer) LogValue() slog.Value { return slog.StringValue("[redacted] " + a.Credential) }

// CredentialStore keeps second factors. Every method may answer ErrUnavailable, ErrLost, ErrMoved or ErrGone.
type CredentialStore interface {
	GuessStore
	SetupStore
	KeyStore
}

// GuessStore charges a guess before it reveals a secret, and spends what matched atomically (storage.md section 6).
type GuessStore interface {
	// Charge pays for one guess at the authenticators of a.Kind, or at the one that a names. typed makes retries of
	// one post free. ErrRejected where there is none of the kind. ErrLockedNow where this guess is one too many in a row,
	// ErrLocked from then on.
	Charge(ctx context.Context, a Attempt, typed string) (Charge, error)
	// Consume spends the first of the matches that is still unspent and writes the evidence into the flow in the
	// same step. ErrUsed when every matched step is spent.
	Consume(ctx context.Context, a Attempt, c Charge, matches []Match) (Evidence, error)
	// Recover spends a recovery code after its charge and ends every remembered device; Evidence.Left says how many are
	// left. One success under any race; ErrRejected for a code that is unknown or used.
	Recover(ctx context.Context, a Attempt, c Charge, code string) (Evidence, error)
	// Authenticators returns what the account has, never a secret.
	Authenticators(ctx context.Context, a Account) (Factors, error)
}

// SetupStore keeps set-ups that are under way.
type SetupStore interface {
	// Begin stores secret as the flow's pending set-up of a.Kind, or returns the one that is pending already.
	// ErrConflict if the account's state does not fit a.Setup, or no factor was shown lately where one is wanted.
	Begin(ctx context.Context, a Attempt, secret []byte) ([]byte, error)
	// Pending counts one confirming guess (10 per flow, then ErrGone) and returns the pending secret and the
	// store's time.
	Pending(ctx context.Context, a Attempt) ([]byte, time.Time, error)
	// Confirm makes a set-up live, spends its step, and writes the evidence into the flow. One winner under any race;
	// an enrolled account is never overwritten, and what is replaced works until then.
	Confirm(ctx context.Context, a Attempt, e Enrolment) (Evidence, error)
	// Removed returns the last authenticators of a.Kind that the account has removed: their secrets are not live.
	Removed(ctx context.Context, a Attempt) ([]Credential, error)
}

// KeyStore keeps authenticators whose record opens nothing by itself, such as public keys: there is no guess to charge.
type KeyStore interface {
	// Ask stores what is asked in this flow, in place of what was asked before.
	Ask(ctx context.Context, a Attempt, challenge []byte) (Asked, error)
	// Asked returns what was asked.
	Asked(ctx context.Context, a Attempt) (Asked, error)
	// Prove spends the challenge, keeps the authenticator's new record and writes the evidence into the flow, in one
	// step. ErrRejected if the challenge was answered before.
	Prove(ctx context.Context, a Attempt, n Answer) (Evidence, error)
}
