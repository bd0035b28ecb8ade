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
func (s *Store) newCredential(tag, kind string, secret []byte) (id, sealed string, err error) {
	b, err := s.random(8)
	if err != nil {
		return "", "", err
	}
	id = kind + "." + seal.Encode(b)
	sealed, err = s.sealCredential(tag, id, secret)
	return id, sealed, err
}

func (s *Store) sealCredential(tag, id string, secret []byte) (string, error) {
	return s.seal("factor", field(s.key.mfa(tag), id), secret)
}

func (s *Store) openCredential(tag, id, sealed string) ([]byte, error) {
	return s.open("factor", field(s.key.mfa(tag), id), sealed)
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

// recoveryKind is the kind of recovery codes: they are digests, so a charge reveals nothing; factor_charge calls them r.
const recoveryKind = "recovery"

// Charge implements authn.GuessStore.
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
	lane, room, refill := laneOf(a), g.BudgetUnknown, g.RefillUnknown
	if a.Lane == authn.LaneKnown {
		room, refill = g.BudgetKnown, g.RefillKnown
	}
	// Made here from the flow and what was typed, so that a post sent twice is charged once.
	which := a.Kind
	if a.Kind == recoveryKind {
		which = "r"
	}
	if a.Authenticator != "" {
		which = a.Authenticator
	}
	attempt := s.index.Hash("attempt", a.Flow, which, typed)
	r, err := s.run(ctx, "factor_charge", s.factorKeys(ref), s.bindHashes(a.Bind), lane, attempt, which,
		g.Free, g.FirstWait.Milliseconds(), g.LongestWait.Milliseconds(), g.Cap, room, refill)
	if err != nil {
		return authn.Charge{}, err
	}
	c := authn.Charge{Attempt: attempt}
	switch r.code() {
	case done:
		return s.reveal(ref, c, r, a.Kind)
	case accepted:
		c.Now, c.Accepted, c.Left = millis(r.num(2)), true, int(r.num(1))
		return c, nil
	case wait:
		return authn.Charge{}, &authn.WaitError{For: time.Duration(r.num(1)) * time.Millisecond}
	case locked:
		// The lock has ended every session of the account.
		s.served(context.WithoutCancel(ctx), ref.tag, s.announce(ctx, ref.tag, nil))
		if r.num(1) == 1 {
			return authn.Charge{}, authn.ErrLockedNow
		}
		return authn.Charge{}, authn.ErrLocked
	default:
		return authn.Charge{}, refused(r.code())
	}
}

// reveal opens the secrets that a charge has paid for. One that does not open makes the whole record broken.
func (s credentials) reveal(ref flowRef, c authn.Charge, r reply, kind string) (authn.Charge, error) {
	gen, err := number(r.text(2))
	if err != nil {
		return authn.Charge{}, err
	}
	c.Now, c.Gen = millis(r.num(1)), gen
	for i := 3; i+2 < len(r); i += 3 {
		id := r.text(i)
		secret, err := s.openCredential(ref.tag, id, r.text(i+1))
		if err != nil {
			return authn.Charge{}, err
		}
		last, err := number(r.text(i + 2))
		if err != nil {
			return authn.Charge{}, err
		}
		c.Credentials = append(c.Credentials, authn.Credential{ID: id, Secret: secret, LastStep: last})
	}
	if len(c.Credentials) == 0 && kind != recoveryKind {
		return authn.Charge{}, authn.ErrLost
	}
	return c, nil
}

// Consume implements authn.GuessStore.
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
	args := []any{s.bindHashes(a.Bind), c.Gen, laneOf(a), c.Attempt, s.guard.floorStep()}
	for _, m := range matches {
		args = append(args, m.Credential, strconv.FormatInt(m.Step, 10))
	}
	r, err := s.run(context.WithoutCancel(ctx), "factor_consume", s.factorKeys(ref), args...)
	if err != nil {
		return authn.Evidence{}, err
	}
	switch r.code() {
	case done:
		return authn.Evidence{Method: "otp", At: millis(r.num(2))}, nil
	case spent:
		return authn.Evidence{}, authn.ErrUsed
	default:
		return authn.Evidence{}, refused(r.code())
	}
}

// laneOf is the lane as the scripts name it; what is not known is unknown.
func laneOf(a authn.Attempt) string {
	if a.Lane == authn.LaneKnown {
		return string(authn.LaneKnown)
	}
	return string(authn.LaneUnknown)
}
