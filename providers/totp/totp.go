// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package totp is the second factor of an authenticator app: time-based one-time codes (RFC 6238) with SHA-1,
// 6 digits and steps of 30 seconds, which is what every app reads.
package totp

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Method is the RFC 8176 name of the factor.
const Method = "otp"

// field is the name of the form field that holds a code.
const field = "code"

// Config is what the factor is built from.
type Config struct {
	Store authn.CredentialStore
	// Rand makes the secrets; crypto/rand if nil.
	Rand io.Reader
}

// Factor is the authenticator app. It keeps nothing between calls.
type Factor struct {
	store authn.CredentialStore
	rand  io.Reader
}

var _ authn.Enroller = (*Factor)(nil)

// New returns the factor.
func New(cfg Config) *Factor {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Factor{store: cfg.Store, rand: cfg.Rand}
}

// Method implements authn.Factor.
func (f *Factor) Method() string { return Method }

// Challenge implements authn.Factor. The page is the same for everybody, so nothing is read for it.
func (f *Factor) Challenge(context.Context, authn.Attempt) (authn.Prompt, error) {
	return authn.Prompt{Page: "totp-code"}, nil
}

// Verify implements authn.Factor. What is not six digits can match no secret, so it is refused before anything is
// charged or read: the answer is that of a wrong code and tells nothing. Everything else is paid for first.
func (f *Factor) Verify(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	code, ok := normalise(form.Get(field))
	if !ok {
		return authn.Evidence{}, authn.ErrRejected
	}
	charge, err := f.store.Charge(ctx, a, code)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("charge guess: %w", err)
	}
	if charge.Accepted {
		// The same post came twice and the first one passed: its step is spent and its evidence stands.
		return authn.Evidence{Method: Method, At: charge.Now}, nil
	}
	matches, err := match(charge, code)
	if err != nil {
		return authn.Evidence{}, err
	}
	if len(matches) == 0 {
		return authn.Evidence{}, authn.ErrRejected
	}
	e, err := f.store.Consume(ctx, a, charge, matches)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("consume step: %w", err)
	}
	return e, nil
}

// Begin implements authn.Enroller. The secret is the flow's own: nobody else's page can have shown it, and a
// reload shows the same one.
func (f *Factor) Begin(ctx context.Context, a authn.Attempt) (authn.Prompt, error) {
	fresh := make([]byte, secretSize)
	if _, err := io.ReadFull(f.rand, fresh); err != nil {
		return authn.Prompt{}, fmt.Errorf("make secret: %w", err)
	}
	secret, err := f.store.Begin(ctx, a, fresh)
	if err != nil {
		return authn.Prompt{}, fmt.Errorf("begin set-up: %w", err)
	}
	if len(secret) < secretSize {
		return authn.Prompt{}, errShort
	}
	values, err := setup(a.Issuer, accountName(a), secret)
	if err != nil {
		return authn.Prompt{}, err
	}
	return authn.Prompt{Page: "totp-setup", Values: values}, nil
}

// Confirm implements authn.Enroller. The step of the code is spent with it, so the code that confirmed a set-up
// never signs anybody in (security.md SF-05). Eight digits are paid for and looked at too, since some apps show so
// many: they confirm nothing, and the answer says why.
func (f *Factor) Confirm(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	typed := form.Get(field)
	if _, _, ok := number(typed); !ok {
		return authn.Evidence{}, unknown()
	}
	secret, now, err := f.store.Pending(ctx, a)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("read set-up: %w", err)
	}
	if len(secret) < secretSize {
		return authn.Evidence{}, errShort
	}
	step, ok, err := confirming(secret, now, typed)
	if err != nil {
		return authn.Evidence{}, err
	}
	if !ok {
		removed, err := f.removed(ctx, a)
		if err != nil {
			return authn.Evidence{}, err
		}
		return authn.Evidence{}, diagnose(secret, removed, now, typed)
	}
	e, err := f.store.Confirm(ctx, a, secret, step)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("confirm set-up: %w", err)
	}
	return e, nil
}

// confirming returns the step of a pending secret that the typed code fits.
func confirming(secret []byte, now time.Time, typed string) (int64, bool, error) {
	code, ok := normalise(typed)
	if !ok {
		return 0, false, nil
	}
	return matchOne(secret, now, code)
}

// removals is what a store adds that keeps the authenticators which were removed, for the doctor alone.
type removals interface {
	Removed(ctx context.Context, a authn.Attempt) ([]authn.Credential, error)
}

// removed returns the authenticators that the account does not have any more.
func (f *Factor) removed(ctx context.Context, a authn.Attempt) ([]authn.Credential, error) {
	r, ok := f.store.(removals)
	if !ok {
		return nil, nil
	}
	removed, err := r.Removed(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("read removed authenticators: %w", err)
	}
	return removed, nil
}

// errShort is a secret under 160 bits (RFC 4226 §4 R6): a record of ours never is, so it was not written by us.
var errShort = fmt.Errorf("secret under %d bytes: %w", secretSize, authn.ErrLost)

func accountName(a authn.Attempt) string {
	if a.AccountName != "" {
		return a.AccountName
	}
	return a.Account.Name
}
