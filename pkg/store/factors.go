// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// maxAuthenticatorName bounds the name of an authenticator, in bytes.
const maxAuthenticatorName = 100

// Editor changes authenticators as their person sees them.
func (s *Store) Editor() authn.FactorEditor { return credentials{s} }

// Authenticators implements authn.GuessStore: one round trip.
func (s credentials) Authenticators(ctx context.Context, a authn.Account) (authn.Factors, error) {
	tag := s.index.Tag(a.ID)
	out, err := s.do(ctx, hmget(s.key.acct(tag), acctFields()...), cmd{"hgetall", s.key.mfa(tag)})
	if err != nil {
		return authn.Factors{}, fmt.Errorf("list authenticators: %w", err)
	}
	now, err := s.readAccount(list(out[0]), 0)
	if err != nil {
		return authn.Factors{}, fmt.Errorf("list authenticators: %w", err)
	}
	m := pairs(out[1])
	if now.ID != a.ID || now.State != a.State {
		return authn.Factors{}, fmt.Errorf("list authenticators: %w", authn.ErrMoved)
	}
	if now.Factor != authn.FactorOn {
		return authn.Factors{}, nil
	}
	if m["ids"] == "" || m["gen"] != fmt.Sprint(now.FactorGen) {
		return authn.Factors{}, fmt.Errorf("list authenticators: %w", authn.ErrLost)
	}
	return s.factors(tag, m)
}

// factors reads what stands in lg:{T}:mfa.
func (s credentials) factors(tag string, m map[string]string) (authn.Factors, error) {
	f := authn.Factors{Locked: m["state"] == "locked"}
	if m["rgen"] != "" {
		var err error
		if f.RecoveryGen, err = number(m["rgen"]); err != nil {
			return authn.Factors{}, err
		}
	}
	for name := range m {
		if strings.HasPrefix(name, "r:") {
			f.RecoveryLeft++
		}
	}
	for id := range strings.SplitSeq(m["ids"], ",") {
		name, err := s.credentialName(tag, id, m["n:"+id])
		if err != nil {
			return authn.Factors{}, err
		}
		f.List = append(f.List, authn.Authenticator{
			ID: id, Kind: authn.KindOf(id), Name: name, Added: timeOf(m["a:"+id]), Used: timeOf(m["u:"+id]),
		})
	}
	return f, nil
}

// timeOf reads milliseconds that may be missing.
func timeOf(ms string) time.Time {
	n, err := number(ms)
	if err != nil || n == 0 {
		return time.Time{}
	}
	return millis(n)
}

func (s credentials) credentialName(tag, id, sealed string) (string, error) {
	if sealed == "" {
		return "", nil
	}
	b, err := s.open("factor name", field(s.key.mfa(tag), "n:"+id), sealed)
	return string(b), err
}

// Removed implements authn.SetupStore.
func (s credentials) Removed(ctx context.Context, a authn.Attempt) ([]authn.Credential, error) {
	tag := s.index.Tag(a.Account.ID)
	out, err := s.do(ctx, cmd{"hgetall", s.key.mfa(tag)})
	if err != nil {
		return nil, fmt.Errorf("read removed authenticators: %w", err)
	}
	m := pairs(out[0])
	var list []authn.Credential
	for id := range strings.SplitSeq(m["xs"], ",") {
		if id == "" || authn.KindOf(id) != a.Kind {
			continue
		}
		secret, err := s.openCredential(tag, id, m["x:"+id])
		if err != nil {
			return nil, fmt.Errorf("read removed authenticators: %w", err)
		}
		name, err := s.credentialName(tag, id, m["n:"+id])
		if err != nil {
			return nil, fmt.Errorf("read removed authenticators: %w", err)
		}
		list = append(list, authn.Credential{ID: id, Name: name, Secret: secret})
	}
	return list, nil
}

// edit runs one act of factor_edit.
func (s credentials) edit(ctx context.Context, a authn.Account, args ...any) (reply, error) {
	tag := s.index.Tag(a.ID)
	keys := []string{s.key.acct(tag), s.key.mfa(tag), s.key.dev(tag)}
	r, err := s.run(context.WithoutCancel(ctx), "factor_edit", keys, append([]any{a.ID, a.Epoch, a.PasswordGen, a.FactorGen}, args...)...)
	switch {
	case err != nil:
		return nil, err
	case r.code() == gone:
		return nil, authn.ErrNotFound
	case r.code() != done:
		return nil, refused(r.code())
	}
	return r, nil
}

// Rename implements authn.FactorEditor.
func (s credentials) Rename(ctx context.Context, a authn.Account, id, name string) error {
	if name == "" || len(name) > maxAuthenticatorName {
		return fmt.Errorf("rename authenticator: name: %w", errInput)
	}
	sealed, err := s.seal("factor name", field(s.key.mfa(s.index.Tag(a.ID)), "n:"+id), []byte(name))
	if err != nil {
		return fmt.Errorf("rename authenticator: %w", err)
	}
	if _, err := s.edit(ctx, a, "name", id, sealed); err != nil {
		return fmt.Errorf("rename authenticator: %w", err)
	}
	return nil
}

// Remove implements authn.FactorEditor.
func (s credentials) Remove(ctx context.Context, a authn.Account, id string, keep authn.Keep) (authn.Account, error) {
	r, err := s.edit(ctx, a, "remove", id, string(keep))
	if err != nil {
		return authn.Account{}, fmt.Errorf("remove authenticator: %w", err)
	}
	a.Epoch, a.PasswordGen, a.FactorGen = r.num(1), r.num(2), r.num(3)
	if rec, err := accounts(s).ByID(context.WithoutCancel(ctx), a.ID); err == nil && rec.Factor != authn.FactorOn {
		// A listing that misses somebody for a moment is no reason to call the removal a failure.
		_ = s.withoutFactor(context.WithoutCancel(ctx), rec)
	}
	return a, nil
}

// NewRecovery implements authn.FactorEditor.
func (s credentials) NewRecovery(ctx context.Context, a authn.Account, gen int64, codes []string) error {
	args := append([]any{"codes", gen}, s.recoveryDigests(s.index.Tag(a.ID), codes)...)
	if _, err := s.edit(ctx, a, args...); err != nil {
		return fmt.Errorf("make recovery codes: %w", err)
	}
	return nil
}
