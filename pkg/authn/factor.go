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

// Attempt is one try of a person at a factor, inside one flow after the password.
type Attempt struct {
	Account Account
	// Flow is the id of the flow (prefix lgf_).
	Flow string
	// Bind holds the secrets of the browser's binding cookie, newest first.
	Bind []string
	Lane Lane
	// Issuer is the service name that a set-up shows (company or product), and AccountName its account name.
	Issuer, AccountName string
}

// Prompt is what a page needs to ask for a factor or to set one up.
type Prompt struct {
	// Page is the name of the template.
	Page string
	// Values are what that template shows. They may hold a secret (the key of a set-up): never log them.
	Values map[string]string
}

// LogValue keeps a set-up key out of the logs.
func (p Prompt) LogValue() slog.Value { return slog.StringValue("[redacted] " + p.Page) }

// Factor is a way to prove a second thing.
type Factor interface {
	// Method is the RFC 8176 name, e.g. "otp".
	Method() string
	// Challenge returns the page that asks for it.
	Challenge(ctx context.Context, a Attempt) (Prompt, error)
	// Verify checks what was typed, charges the guess first and spends what matched. When it answers nil the
	// evidence stands in the flow. Errors: ErrRejected, *WaitError, ErrBudget, ErrLocked, ErrNotEnrolled,
	// ErrGone, ErrMoved, ErrLost, ErrUnavailable.
	Verify(ctx context.Context, a Attempt, form url.Values) (Evidence, error)
}

// Enroller is a factor that a person can set up.
type Enroller interface {
	Factor
	// Begin returns the set-up page; called again in the same flow it returns the same secret.
	Begin(ctx context.Context, a Attempt) (Prompt, error)
	// Confirm makes the set-up live if the code is right; the code is spent by it. ErrRejected for a wrong code, as
	// a *SetupError where the reason is looked for (the secret stays pending), ErrGone when the set-up ended or another flow won.
	Confirm(ctx context.Context, a Attempt, form url.Values) (Evidence, error)
}

// Credential is one live authenticator, as revealed by a charge.
type Credential struct {
	ID string
	// Name is the name its person gave it; empty: none.
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
	// Accepted says that this same attempt was accepted before (its answer was lost): it counts as a pass.
	Accepted bool
}

// Match is a step of an authenticator that the typed code fits.
type Match struct {
	Credential string
	Step       int64
}

// CredentialStore keeps second factors. It charges a guess before it reveals a secret, and spends what matched
// atomically (storage.md section 6). Every method may answer ErrUnavailable, ErrLost, ErrMoved or ErrGone.
type CredentialStore interface {
	// Charge pays for one guess at all authenticators of the account. typed makes retries of one post free.
	Charge(ctx context.Context, a Attempt, typed string) (Charge, error)
	// Consume spends the first of the matches that is still unspent and writes the evidence into the flow in the
	// same step. ErrRejected when every matched step is spent.
	Consume(ctx context.Context, a Attempt, c Charge, matches []Match) (Evidence, error)
	// Begin stores secret as the flow's pending set-up, or returns the one that is pending already.
	// ErrConflict if the account is enrolled.
	Begin(ctx context.Context, a Attempt, secret []byte) ([]byte, error)
	// Pending counts one confirming guess (10 per flow, then ErrGone) and returns the pending secret and the
	// store's time.
	Pending(ctx context.Context, a Attempt) ([]byte, time.Time, error)
	// Confirm makes the pending secret live, spends step, and writes the evidence into the flow.
	// One winner under any race; an enrolled account is never overwritten.
	Confirm(ctx context.Context, a Attempt, secret []byte, step int64) (Evidence, error)
}
