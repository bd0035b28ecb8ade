// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/seal"
)

// flows implements flow.Store.
type flows struct{ *Store }

// bindHash stands for a secret of the binding cookie.
func (s *Store) bindHash(secret string) string {
	if secret == "" {
		return ""
	}
	return s.index.Hash("bind", secret)
}

// bindHashes is 'new,before' as the scripts take it.
func (s *Store) bindHashes(bind []string) string {
	hashes := make([]string, 0, 2)
	for _, b := range bind {
		if h := s.bindHash(b); h != "" && len(hashes) < 2 {
			hashes = append(hashes, h)
		}
	}
	return strings.Join(hashes, ",")
}

// bound says whether one of the secrets is the flow's.
func (s *Store) bound(stored string, bind []string) bool {
	ok := 0
	for h := range strings.SplitSeq(s.bindHashes(bind), ",") {
		if h != "" {
			ok |= subtle.ConstantTimeCompare([]byte(h), []byte(stored))
		}
	}
	return ok == 1
}

// Create implements flow.Store.
func (s flows) Create(ctx context.Context, f *flow.Flow, bind string) error {
	var err error
	if f.Account != nil {
		err = s.putForAccount(ctx, f, bind, s.cfg.Lifetimes.FlowLife.Milliseconds())
	} else {
		err = s.putAnonymous(ctx, f, bind)
	}
	if err != nil {
		return fmt.Errorf("store flow: %w", err)
	}
	return nil
}

func (s flows) putAnonymous(ctx context.Context, f *flow.Flow, bind string) error {
	if err := s.gate(); err != nil {
		return err
	}
	b, err := s.random(flowSecret)
	if err != nil {
		return err
	}
	key := s.key.anonymous(s.index.HashTag("flow", string(b)))
	rec, err := s.sealJSON("flow", field(key, "r"), recordOf(f))
	if err != nil {
		return err
	}
	r, err := s.run(ctx, "flow_put", []string{key}, s.cfg.Lifetimes.FlowLife.Milliseconds(), "v", "1", "bind", s.bindHash(bind), "r", rec)
	if err != nil {
		return err
	}
	if r.code() != done {
		return refused(r.code())
	}
	f.ID = seal.Encode(b)
	return nil
}

// putForAccount stores the flow in the slot of its account, for ms milliseconds.
func (s flows) putForAccount(ctx context.Context, f *flow.Flow, bind string, ms int64) error {
	if err := s.gate(); err != nil {
		return err
	}
	id, key, err := s.newFlowID(s.index.Tag(f.Account.ID))
	if err != nil {
		return err
	}
	rec, err := s.sealJSON("flow", field(key, "r"), recordOf(f))
	if err != nil {
		return err
	}
	r, err := s.run(ctx, "flow_put", []string{key}, ms, "v", "1", "bind", s.bindHash(bind), "r", rec,
		"ep", f.Epoch, "pwgen", f.PasswordGen, "mg", f.Account.FactorGen, "cr", f.Created.UnixMilli(), "fa", shownLast(f))
	if err != nil {
		return err
	}
	if r.code() != done {
		return refused(r.code())
	}
	f.ID = id
	return nil
}

// shownLast is when a factor was last shown in the session that the flow began with, in ms; 0: never.
func shownLast(f *flow.Flow) int64 {
	last := int64(0)
	for _, e := range f.Factors {
		if !e.Device {
			last = max(last, e.At.UnixMilli())
		}
	}
	return last
}

// Bind implements flow.Store.
func (s flows) Bind(ctx context.Context, id, bind string) error {
	ref, err := s.openFlow(id)
	if err != nil {
		return err
	}
	if bind == "" {
		return fmt.Errorf("bind flow: %w", authn.ErrGone)
	}
	r, err := s.run(ctx, "flow_bind", []string{ref.key}, s.bindHash(bind))
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("bind flow: %w", err)
	}
	return nil
}

// Identify implements flow.Store. The old flow ends first: of two posts that race, one finds it gone. What follows
// is not given up with the request, and a crash in between only makes the person begin anew.
func (s flows) Identify(ctx context.Context, f *flow.Flow, bind []string, newBind string) error {
	if f.Account == nil || newBind == "" {
		return fmt.Errorf("identify flow: %w", authn.ErrGone)
	}
	left, err := s.take(ctx, f.ID, bind)
	if err != nil {
		return fmt.Errorf("identify flow: %w", err)
	}
	if err := s.putForAccount(context.WithoutCancel(ctx), f, newBind, left); err != nil {
		return fmt.Errorf("identify flow: %w", err)
	}
	return nil
}

// End implements flow.Store.
func (s flows) End(ctx context.Context, id string, bind []string) error {
	if _, err := s.take(ctx, id, bind); err != nil {
		return fmt.Errorf("end flow: %w", err)
	}
	return nil
}

// take ends a flow and returns how many milliseconds it would have lived on.
func (s flows) take(ctx context.Context, id string, bind []string) (int64, error) {
	ref, err := s.openFlow(id)
	if err != nil {
		return 0, err
	}
	hashes := s.bindHashes(bind)
	if hashes == "" {
		return 0, authn.ErrGone
	}
	r, err := s.run(ctx, "flow_take", []string{ref.key}, hashes)
	if err != nil {
		return 0, err
	}
	if r.code() != done || r.num(1) <= 0 {
		return 0, authn.ErrGone
	}
	return r.num(1), nil
}

// Mark implements flow.Store.
func (s flows) Mark(ctx context.Context, id string, bind []string, u flow.Update) error {
	ref, err := s.openFlow(id)
	if err != nil {
		return err
	}
	hashes := s.bindHashes(bind)
	if ref.tag == "" || hashes == "" {
		return fmt.Errorf("mark flow: %w", authn.ErrGone)
	}
	args := []any{hashes}
	if u.Device != nil {
		args = append(args, "dv", u.Device.Method+"|"+strconv.FormatInt(u.Device.At.UnixMilli(), 10))
	}
	if u.Allowed {
		args = append(args, "ok", "1")
	}
	for name, v := range map[string]string{"ses": u.Session, "tk": u.Ticket} {
		if v == "" {
			continue
		}
		sealed, err := s.seal("flow", field(ref.key, name), []byte(v))
		if err != nil {
			return err
		}
		args = append(args, name, sealed)
	}
	if len(args) == 1 {
		return nil
	}
	r, err := s.run(ctx, "flow_mark", []string{ref.key}, args...)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("mark flow: %w", err)
	}
	return nil
}

// Skip implements flow.Store.
func (s flows) Skip(ctx context.Context, id string, bind []string, most int) error {
	ref, err := s.openFlow(id)
	if err != nil {
		return fmt.Errorf("put set-up off: %w", err)
	}
	if ref.tag == "" || s.bindHashes(bind) == "" {
		return fmt.Errorf("put set-up off: %w", authn.ErrGone)
	}
	r, err := s.run(ctx, "flow_skip", []string{s.key.acct(ref.tag), ref.key}, s.bindHashes(bind), most)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("put set-up off: %w", err)
	}
	return nil
}
