// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func (s *site) record(t *testing.T, id string) authn.Record {
	t.Helper()
	r, err := s.store.Accounts().ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRenew: the right password alone makes a foreign record new, once; nothing else of the account moves.
func TestRenew(t *testing.T) {
	for name, phc := range foreignVectors() {
		s := newSite(t)
		a := s.add(t, "ann@example.com", phc)
		if _, err := s.dir.Verify(t.Context(), "ann@example.com", "another long password"); !errors.Is(err, authn.ErrRejected) {
			t.Errorf("%s: Verify() of a wrong password = %v", name, err)
		}
		if got := s.record(t, a.ID).PasswordRecord; got != phc || len(s.hashes.take()) != 1 {
			t.Errorf("%s: a wrong password changed the record, or cost more than one hash", name)
		}
		before := s.store.Trips()
		if got, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); err != nil || cmp.Diff(a, got) != "" {
			t.Errorf("%s: Verify() = %v, %s", name, err, cmp.Diff(a, got))
		}
		if got := s.store.Trips() - before; got != 3 {
			t.Errorf("%s: %d round trips, want 2 and one for the new record", name, got)
		}
		r := s.record(t, a.ID)
		if !strings.HasPrefix(r.PasswordRecord, "$argon2id$v=19$m=8,t=1,p=1$") {
			t.Errorf("%s: the record is still %.20s…", name, r.PasswordRecord)
		}
		if diff := cmp.Diff(a, r.Account); diff != "" {
			t.Errorf("%s: the account moved (-before +after):\n%s", name, diff)
		}
		s.hashes.take()
		if _, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); err != nil || len(s.hashes.take()) != 1 {
			t.Errorf("%s: the second sign-in = %v, or more than one hash", name, err)
		}
		if s.record(t, a.ID).PasswordRecord != r.PasswordRecord {
			t.Errorf("%s: the record was made new twice", name)
		}
	}
}

// TestRenewRace: the password is changed while the new record is being hashed: the password that was chosen stays.
func TestRenewRace(t *testing.T) {
	s := newSite(t)
	a := s.add(t, "ann@example.com", foreignVectors()["bcrypt 2b"])
	chosen, err := s.dir.hasher.Hash(t.Context(), "wrong horse, no battery")
	if err != nil {
		t.Fatal(err)
	}
	change := sync.OnceFunc(func() {
		if _, err := s.store.Accounts().Apply(t.Context(), a.ID, "*", authn.SetPassword, chosen); err != nil {
			t.Error(err)
		}
	})
	s.dir.hasher.cfg.Observe = func(memory, _ uint32, _ uint8) {
		if memory == 8 { // our own costs: the renewal, after the foreign record was found to fit
			change()
		}
	}
	if _, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); err != nil {
		t.Errorf("Verify() = %v", err)
	}
	if got := s.record(t, a.ID); got.PasswordRecord != chosen || got.PasswordGen != 2 {
		t.Errorf("the password that was chosen meanwhile is gone: generation %d", got.PasswordGen)
	}
	if _, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); !errors.Is(err, authn.ErrRejected) {
		t.Errorf("the password from before still counts: %v", err)
	}
}

// TestRenewAway: a new record that cannot be stored or hashed is no reason to refuse a right password.
func TestRenewAway(t *testing.T) {
	s := newSite(t)
	phc := foreignVectors()["pbkdf2 sha256"]
	a := s.add(t, "ann@example.com", phc)
	s.dir.hasher.cfg.Observe = func(memory, _ uint32, _ uint8) {
		if memory == 8 {
			s.redis.SetError("LOADING")
		}
	}
	if got, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); err != nil || got.ID != a.ID {
		t.Errorf("Verify() = %q, %v", got.ID, err)
	}
	s.redis.SetError("")
	eventually(t, "the store has seen that Redis is back", func() bool {
		_, err := s.store.Accounts().ByID(t.Context(), a.ID)
		return err == nil
	})
	if got := s.record(t, a.ID).PasswordRecord; got != phc {
		t.Errorf("the record is another one: %.20s…", got)
	}
}

// TestForeignQueue: foreign hashes wait in the same queue, so a flood of them takes no more of the node.
func TestForeignQueue(t *testing.T) {
	g := newGate()
	cfg := cheap()
	cfg.Queue, cfg.Observe = 1, g.observe
	h := newHasher(t, cfg)
	r, err := parseStored(foreignVectors()["bcrypt 2b"])
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { _, _ = h.matches(t.Context(), []byte("x"), r) })
	}
	eventually(t, "two hash and one waits", func() bool { return g.in.Load() == 2 && h.waiting.Load() == 1 })
	if _, err := h.matches(t.Context(), []byte("x"), r); !errors.Is(err, authn.ErrBusy) {
		t.Errorf("matches() with a full queue = %v, want ErrBusy", err)
	}
	close(g.open)
	wg.Wait()
}

func TestUnusable(t *testing.T) {
	s := newSite(t)
	phc, err := s.dir.hasher.Unusable()
	if err != nil {
		t.Fatal(err)
	}
	if len(s.hashes.take()) != 0 || CheckRecord(phc) != nil {
		t.Errorf("Unusable() = %q, or it cost a hash", phc)
	}
	other, err := s.dir.hasher.Unusable()
	if err != nil || other == phc {
		t.Errorf("Unusable() = the same record twice, %v", err)
	}
	s.add(t, "ann@example.com", phc)
	for _, password := range []string{"", longPassword, phc} {
		if _, err := s.dir.Verify(t.Context(), "ann@example.com", password); !errors.Is(err, authn.ErrRejected) {
			t.Errorf("Verify(%.10q) = %v, want ErrRejected", password, err)
		}
		if diff := cmp.Diff([]hashed{{8, 1, 1}}, s.hashes.take(), cmp.AllowUnexported(hashed{})); diff != "" {
			t.Errorf("hashes (-want +got):\n%s", diff)
		}
	}
}
