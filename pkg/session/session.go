// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package session is one signed-in browser at Lychgate: what was proved in it, and when it ends.
package session

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Session is one signed-in browser.
type Session struct {
	// Handle is what the cookie holds (prefix lgs_); secret.
	Handle    string
	AccountID string
	// The generations under which the session was made.
	Epoch, PasswordGen, FactorGen int64
	PasswordAt                    time.Time
	// Factors is the evidence beyond the password; dropped by the store if the account's FactorGen moved.
	Factors []authn.Evidence
	// End is the absolute end; nothing moves it.
	End time.Time
	// Label is browser and system in words; Started is when the session began.
	Label   string
	Started time.Time
	// Skipped says that its person has put a set-up off in it, where the policy lets them.
	Skipped bool
}

// LogValue keeps the handle out of the logs.
func (s Session) LogValue() slog.Value { return slog.StringValue("[redacted] sid " + ID(s.Handle)) }

// ID returns the session id that clients see (claim sid) for the session of the given handle: 22 characters that
// open nothing, since the handle cannot be worked out from them. Empty for an empty handle.
func ID(handle string) string {
	if handle == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("lychgate sid\x00" + handle))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// View is a live session with what else an authorization request needs, read in one round trip.
type View struct {
	Session Session
	Account authn.Account
	// Consented are the scopes that the account has allowed the client asked about.
	Consented []string
}

// Listed is a session as its person sees it.
type Listed struct {
	// ID names it on the account page; it opens nothing.
	ID, Label          string
	Started, Last, End time.Time
	// Own says that it is the one that asks.
	Own bool
}

// MaxServed is how many apps of one session are told of its end; of more, those served longest ago are not.
const MaxServed = 50

// Served is an app that a session has served and that asked to be told of its end.
type Served struct {
	ClientID string
	// SID is the session id in its ID tokens. It is older than the session where the session's handle was renewed since.
	SID string
}

// Store keeps sessions. Every method may answer authn.ErrUnavailable.
type Store interface {
	// Create stores s with a new handle and ends the session of handle replaced, if not empty. What the replaced one
	// served goes over to the new one; that of another account ends as by End.
	Create(ctx context.Context, s Session, replaced string) (Session, error)
	// Load returns a live session and renews its idle time, in one round trip. authn.ErrGone if it is unknown,
	// forged, idle too long, past its end, or its account's epoch or password generation moved, or the account is
	// not active; authn.ErrLost for a broken record.
	Load(ctx context.Context, handle, clientID string) (View, error)
	// Served returns the apps that the session of handle has served, at most MaxServed, the latest ones; none for a handle
	// that is not ours.
	Served(ctx context.Context, handle string) ([]Served, error)
	// End removes the session; it is harmless to repeat. The apps that it served are told (logout.Queue), also when the
	// node dies in between.
	End(ctx context.Context, handle string) error
	// List returns the account's live sessions, the newest first, at most 50.
	List(ctx context.Context, a authn.Account, own string) ([]Listed, error)
	// EndListed removes the session of the account that List called so, as End does; it is harmless to repeat.
	EndListed(ctx context.Context, a authn.Account, id string) error
}
