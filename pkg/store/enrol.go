// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// maxCredentials is how many authenticators an account may have.
const maxCredentials = 10

// Begin implements authn.SetupStore.
func (s credentials) Begin(ctx context.Context, a authn.Attempt, secret []byte) ([]byte, error) {
	ref, err := s.place(a)
	if err != nil {
		return nil, fmt.Errorf("begin set-up: %w", err)
	}
	pend := s.key.pend(ref.tag, ref.hash)
	place := field(pend, "s:"+a.Kind)
	sealed, err := s.seal("set-up", place, secret)
	if err != nil {
		return nil, fmt.Errorf("begin set-up: %w", err)
	}
	mode := "first"
	if a.Setup != authn.SetupFirst {
		mode = "add"
	}
	r, err := s.run(ctx, "pend_begin", append(s.factorKeys(ref), pend), s.bindHashes(a.Bind), sealed, s.cfg.Guesses.SetUp,
		mode, a.Kind, authn.FreshProof.Milliseconds())
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return nil, fmt.Errorf("begin set-up: %w", err)
	}
	b, err := s.open("set-up", place, r.text(1))
	if err != nil {
		return nil, fmt.Errorf("begin set-up: %w", err)
	}
	return b, nil
}

// Pending implements authn.SetupStore.
func (s credentials) Pending(ctx context.Context, a authn.Attempt) ([]byte, time.Time, error) {
	ref, err := s.place(a)
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read set-up: %w", err)
	}
	pend := s.key.pend(ref.tag, ref.hash)
	r, err := s.run(ctx, "pend_guess", []string{ref.key, pend}, s.bindHashes(a.Bind), s.cfg.Guesses.SetUp, a.Kind)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read set-up: %w", err)
	}
	b, err := s.open("set-up", field(pend, "s:"+a.Kind), r.text(1))
	if err != nil {
		return nil, time.Time{}, fmt.Errorf("read set-up: %w", err)
	}
	return b, millis(r.num(2)), nil
}

// setup is what Confirm has to know before it decides.
type setup struct {
	ref             flowRef
	pend            string
	epoch, pwgen    string
	mode, gen, tick string
}

// Confirm implements authn.SetupStore. Without a mode of the attempt it follows from the account: 'first' where there
// is no factor, 'ticket' after a reset or where the flow holds one; the script decides.
func (s credentials) Confirm(ctx context.Context, a authn.Attempt, e authn.Enrolment) (authn.Evidence, error) {
	out, err := s.confirm(ctx, a, e)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("confirm set-up: %w", err)
	}
	return out, nil
}

func (s credentials) confirm(ctx context.Context, a authn.Attempt, e authn.Enrolment) (authn.Evidence, error) {
	st, err := s.readSetup(ctx, a, e.Pending)
	if err != nil {
		return authn.Evidence{}, err
	}
	id, sealed, err := s.newCredential(st.ref.tag, a.Kind, e.Secret)
	if err != nil {
		return authn.Evidence{}, err
	}
	keys := []string{s.key.acct(st.ref.tag), s.key.mfa(st.ref.tag), st.pend, st.ref.key}
	if st.mode == "ticket" {
		keys = append(keys, st.tick)
	}
	ctx = context.WithoutCancel(ctx)
	args := []any{st.epoch, st.pwgen, st.gen, st.mode, id, sealed, e.Step, maxCredentials, s.bindHashes(a.Bind), e.Method, a.Replaces}
	r, err := s.run(ctx, "factor_confirm", keys, append(args, s.recoveryDigests(st.ref.tag, a.Recovery)...)...)
	if err != nil {
		return authn.Evidence{}, err
	}
	switch r.code() {
	case done:
		s.withFactor(ctx, a.Account)
		return authn.Evidence{Method: e.Method, At: millis(r.num(2))}, nil
	case tooMany:
		return authn.Evidence{}, authn.ErrTooMany
	case moved, wrongState:
		return authn.Evidence{}, s.overtaken(ctx, st, r.code())
	default:
		return authn.Evidence{}, refused(r.code())
	}
}

// readSetup reads flow, pending secret and the account's state in one round trip.
func (s credentials) readSetup(ctx context.Context, a authn.Attempt, secret []byte) (setup, error) {
	ref, err := s.place(a)
	if err != nil {
		return setup{}, err
	}
	st := setup{ref: ref, pend: s.key.pend(ref.tag, ref.hash)}
	out, err := s.do(ctx, hmget(ref.key, "bind", "ep", "pwgen", "tk"), hmget(st.pend, "s:"+a.Kind, "mg"),
		hmget(s.key.acct(ref.tag), acctFields()...))
	if err != nil {
		return setup{}, err
	}
	f, p := list(out[0]), list(out[1])
	if !s.bound(f.text(0), a.Bind) || p.text(0) == "" {
		return setup{}, authn.ErrGone
	}
	pending, err := s.open("set-up", field(st.pend, "s:"+a.Kind), p.text(0))
	if err != nil {
		return setup{}, err
	}
	if subtle.ConstantTimeCompare(pending, secret) != 1 {
		return setup{}, fmt.Errorf("another secret is pending: %w", authn.ErrGone)
	}
	acct, err := s.readAccount(list(out[2]), 0)
	if err != nil {
		return setup{}, err
	}
	st.epoch, st.pwgen, st.gen, st.mode = f.text(1), f.text(2), p.text(1), "first"
	switch {
	case a.Setup != authn.SetupFirst:
		st.mode = string(a.Setup)
		return st, nil
	case f.text(3) == "" && acct.Factor == authn.FactorReset:
		return setup{}, fmt.Errorf("no ticket: %w", authn.ErrGone)
	case f.text(3) == "":
		return st, nil
	}
	ticket, err := s.open("flow", field(ref.key, "tk"), f.text(3))
	if err != nil {
		return setup{}, err
	}
	st.mode, st.tick = "ticket", s.key.ticket(ref.tag, s.ticketHash(ref.tag, string(ticket)))
	return st, nil
}

// overtaken tells a set-up that another flow won (gone) from an account that changed.
func (s credentials) overtaken(ctx context.Context, st setup, code int64) error {
	out, err := s.do(ctx, hmget(s.key.acct(st.ref.tag), acctFields()...))
	if err != nil {
		return err
	}
	r := list(out[0])
	a, err := s.readAccount(r, 0)
	if err != nil {
		return err
	}
	won := a.Factor == authn.FactorOn && (st.mode == "first" || st.mode == "ticket")
	if a.State == authn.Active && won && r.text(3) == st.epoch && r.text(4) == st.pwgen {
		return errors.Join(authn.ErrGone, authn.ErrConflict)
	}
	return refused(code)
}
