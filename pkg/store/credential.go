// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// credentials implements authn.CredentialStore.
type credentials struct{ *Store }

// newCredential makes an id for an authenticator and seals its secret in its place. The place holds no generation:
// one change must not make every other secret unreadable.
func (s *Store) newCredential(tag string, secret []byte) (id, sealed string, err error) {
	b, err := s.random(8)
	if err != nil {
		return "", "", err
	}
	id = "t" + seal.Encode(b)
	sealed, err = s.seal("factor", field(s.key.mfa(tag), id), secret)
	return id, sealed, err
}

// place finds the flow of an attempt; it must be in the slot of the attempt's account.
func (s credentials) place(a authn.Attempt) (flowRef, error) {
	ref, err := s.openFlow(a.Flow)
	if err != nil {
		return flowRef{}, err
	}
	if ref.tag == "" || ref.tag != s.index.Tag(a.Account.ID) || s.bindHashes(a.Bind) == "" {
		return flowRef{}, fmt.Errorf("flow of another account: %w", authn.ErrGone)
	}
	return ref, nil
}

// factorKeys are those of charge and consume.
func (s credentials) factorKeys(ref flowRef) []string {
	return []string{s.key.acct(ref.tag), s.key.mfa(ref.tag), ref.key}
}

// Charge implements authn.CredentialStore.
func (s credentials) Charge(ctx context.Context, a authn.Attempt, typed string) (authn.Charge, error) {
	c, err := s.charge(ctx, a, typed)
	if err != nil {
		return authn.Charge{}, fmt.Errorf("charge guess: %w", err)
	}
	return c, nil
}

func (s credentials) charge(ctx context.Context, a authn.Attempt, typed string) (authn.Charge, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Charge{}, err
	}
	g := s.cfg.Guesses
	lane, room, refill := string(authn.LaneUnknown), g.BudgetUnknown, g.RefillUnknown
	if a.Lane == authn.LaneKnown {
		lane, room, refill = string(authn.LaneKnown), g.BudgetKnown, g.RefillKnown
	}
	// Made here from the flow and what was typed, so that a post sent twice is charged once.
	attempt := s.index.Hash("attempt", a.Flow, typed)
	r, err := s.run(ctx, "factor_charge", s.factorKeys(ref), s.bindHashes(a.Bind), lane, attempt, "*",
		g.Free, g.FirstWait.Milliseconds(), g.LongestWait.Milliseconds(), g.Cap, room, refill)
	if err != nil {
		return authn.Charge{}, err
	}
	c := authn.Charge{Attempt: attempt}
	switch r.code() {
	case done:
		return s.reveal(ref, c, r)
	case accepted:
		c.Now, c.Accepted = millis(r.num(2)), true
		return c, nil
	case wait:
		return authn.Charge{}, &authn.WaitError{For: time.Duration(r.num(1)) * time.Millisecond}
	default:
		return authn.Charge{}, refused(r.code())
	}
}

// reveal opens the secrets that a charge has paid for. One that does not open makes the whole record broken.
func (s credentials) reveal(ref flowRef, c authn.Charge, r reply) (authn.Charge, error) {
	gen, err := number(r.text(2))
	if err != nil {
		return authn.Charge{}, err
	}
	c.Now, c.Gen = millis(r.num(1)), gen
	for i := 3; i+2 < len(r); i += 3 {
		id := r.text(i)
		secret, err := s.open("factor", field(s.key.mfa(ref.tag), id), r.text(i+1))
		if err != nil {
			return authn.Charge{}, err
		}
		last, err := number(r.text(i + 2))
		if err != nil {
			return authn.Charge{}, err
		}
		c.Credentials = append(c.Credentials, authn.Credential{ID: id, Secret: secret, LastStep: last})
	}
	if len(c.Credentials) == 0 {
		return authn.Charge{}, authn.ErrLost
	}
	return c, nil
}

// Consume implements authn.CredentialStore.
func (s credentials) Consume(ctx context.Context, a authn.Attempt, c authn.Charge, matches []authn.Match) (authn.Evidence, error) {
	e, err := s.consume(ctx, a, c, matches)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("spend code: %w", err)
	}
	return e, nil
}

func (s credentials) consume(ctx context.Context, a authn.Attempt, c authn.Charge, matches []authn.Match) (authn.Evidence, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Evidence{}, err
	}
	if c.Accepted {
		return authn.Evidence{Method: "otp", At: c.Now}, nil
	}
	if len(matches) == 0 {
		return authn.Evidence{}, authn.ErrRejected
	}
	lane := authn.LaneUnknown
	if a.Lane == authn.LaneKnown {
		lane = authn.LaneKnown
	}
	args := []any{s.bindHashes(a.Bind), c.Gen, string(lane), c.Attempt, s.guard.floorStep()}
	for _, m := range matches {
		args = append(args, m.Credential, strconv.FormatInt(m.Step, 10))
	}
	r, err := s.run(context.WithoutCancel(ctx), "factor_consume", s.factorKeys(ref), args...)
	if err != nil {
		return authn.Evidence{}, err
	}
	if r.code() != done {
		return authn.Evidence{}, refused(r.code())
	}
	return authn.Evidence{Method: "otp", At: millis(r.num(2))}, nil
}
