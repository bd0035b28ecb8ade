// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package recovery is the second factor of those who have lost theirs: codes that were saved at the set-up, each of
// which works once.
package recovery

import (
	"context"
	"fmt"
	"net/url"
	"strconv"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// Kind is the factor's name.
	Kind = "recovery"
	// Method is what lg_evidence calls it.
	Method = "recovery"
	// field is the name of the form field that holds a code.
	field = "recovery_code"
)

// Factor is the recovery codes of an account. It keeps nothing between calls.
type Factor struct{ store authn.GuessStore }

var _ authn.Factor = (*Factor)(nil)

// New returns the factor.
func New(store authn.GuessStore) *Factor { return &Factor{store: store} }

// Kind implements authn.Factor.
func (f *Factor) Kind() string { return Kind }

// Methods implements authn.Factor.
func (f *Factor) Methods() []string { return []string{Method} }

// Challenge implements authn.Factor. How many codes are left is said after the password alone, so it is said only as
// "none": that is what the person has to know to ask for help.
func (f *Factor) Challenge(ctx context.Context, a authn.Attempt) (authn.Prompt, error) {
	have, err := f.store.Authenticators(ctx, a.Account)
	if err != nil {
		return authn.Prompt{}, fmt.Errorf("count recovery codes: %w", err)
	}
	return authn.Prompt{Page: "recovery-code", Values: map[string]string{"left": strconv.Itoa(min(have.RecoveryLeft, 1))}}, nil
}

// Verify implements authn.Factor. A slip of the hand is told by the check character and costs nothing: who guesses codes
// can work the character out, so nothing is learnt from it. Everything else is paid for first.
func (f *Factor) Verify(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	code, ok := Canonical(form.Get(field))
	if !ok {
		return authn.Evidence{}, authn.ErrSlip
	}
	a.Kind, a.Authenticator = Kind, ""
	charge, err := f.store.Charge(ctx, a, code)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("charge guess: %w", err)
	}
	if charge.Accepted {
		// The same post came twice and the first one passed: the code is spent and its evidence stands.
		return authn.Evidence{Method: Method, At: charge.Now, Left: charge.Left}, nil
	}
	e, err := f.store.Recover(ctx, a, charge, code)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("spend recovery code: %w", err)
	}
	return e, nil
}
