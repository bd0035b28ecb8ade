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
	"slices"
	"sort"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// Kind is the factor's name.
	Kind = "totp"
	// Method is the RFC 8176 name of what it shows.
	Method = "otp"
)

const (
	// field is the name of the form field that holds a code, chosen of the one that says of which authenticator.
	field  = "code"
	chosen = "authenticator"
	// most is with how many authenticators a code is compared; of more, the person says which one, so that a guess
	// costs no more than three (decisions.md, Guesses).
	most = 3
)

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

// Kind implements authn.Factor.
func (f *Factor) Kind() string { return Kind }

// Methods implements authn.Factor.
func (f *Factor) Methods() []string { return []string{Method} }

// Challenge implements authn.Factor. Up to three authenticators the page is the same for everybody, so nothing is read
// for it; of more the person says which one, the last used first.
func (f *Factor) Challenge(ctx context.Context, a authn.Attempt) (authn.Prompt, error) {
	p := authn.Prompt{Page: "totp-code"}
	if len(a.Account.OfKind(Kind)) <= most {
		return p, nil
	}
	have, err := f.store.Authenticators(ctx, a.Account)
	if err != nil {
		return authn.Prompt{}, fmt.Errorf("list authenticators: %w", err)
	}
	sort.SliceStable(have.List, func(i, j int) bool { return have.List[i].Used.After(have.List[j].Used) })
	for _, x := range have.List {
		if x.Kind == Kind {
			p.Options = append(p.Options, authn.Option{ID: x.ID, Name: x.Name})
		}
	}
	return p, nil
}

// Verify implements authn.Factor. What is not six digits can match no secret, so it is refused before anything is
// charged or read: the answer is that of a wrong code and tells nothing. Everything else is paid for first.
func (f *Factor) Verify(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	code, ok := normalise(form.Get(field))
	if !ok {
		return authn.Evidence{}, authn.ErrRejected
	}
	a.Kind, a.Authenticator = Kind, ""
	if mine := a.Account.OfKind(Kind); len(mine) > most {
		if a.Authenticator = form.Get(chosen); !slices.Contains(mine, a.Authenticator) {
			return authn.Evidence{}, authn.ErrRejected
		}
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
	a.Kind = Kind
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
	a.Kind = Kind
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
		return authn.Evidence{}, f.explain(ctx, a, secret, now, form)
	}
	e, err := f.store.Confirm(ctx, a, authn.Enrolment{Method: Method, Pending: secret, Secret: secret, Step: step})
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

// explain says why a confirming code does not fit. A code that fits nothing that is dead may be of an authenticator that
// is in force: that is asked like any guess, paid for and spent.
func (f *Factor) explain(ctx context.Context, a authn.Attempt, secret []byte, now time.Time, form url.Values) error {
	removed, err := f.store.Removed(ctx, a)
	if err != nil {
		return fmt.Errorf("read removed authenticators: %w", err)
	}
	found := diagnose(secret, removed, now, form.Get(field))
	if found.Cause != authn.CauseUnknown || a.Setup == authn.SetupFirst || len(a.Account.OfKind(Kind)) > most {
		return found
	}
	if _, err := f.Verify(ctx, a, form); err == nil {
		return &authn.SetupError{Cause: authn.CauseOther}
	}
	return found
}

// errShort is a secret under 160 bits (RFC 4226 §4 R6): a record of ours never is, so it was not written by us.
var errShort = fmt.Errorf("secret under %d bytes: %w", secretSize, authn.ErrLost)

func accountName(a authn.Attempt) string {
	if a.AccountName != "" {
		return a.AccountName
	}
	return a.Account.Name
}
