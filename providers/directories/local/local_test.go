// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// hashed is what one password check cost.
type hashed struct {
	memory, passes uint32
	threads        uint8
}

// counter notes every hash.
type counter struct {
	mu  sync.Mutex
	all []hashed
}

func (c *counter) observe(memory, passes uint32, threads uint8) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all = append(c.all, hashed{memory, passes, threads})
}

func (c *counter) take() []hashed {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.all
	c.all = nil
	return all
}

// site is a directory on the real store.
type site struct {
	dir    *Directory
	store  *store.Store
	redis  *embedded.Embedded
	hashes *counter
}

const longPassword = "a quiet morning by the canal"

func newSite(t *testing.T) *site {
	t.Helper()
	redis, err := embedded.StartManual(time.Date(2026, 11, 22, 9, 41, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(redis.Close)
	key, err := seal.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.WithoutCancel(t.Context()), store.Config{
		Addrs: []string{redis.Addr()}, Embedded: true, Now: redis.Now, Ring: ring, IndexKey: bytes.Repeat([]byte{1}, 32),
		PairwiseKey: bytes.Repeat([]byte{2}, 32), Pepper: bytes.Repeat([]byte{3}, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c := &counter{}
	cfg := cheap()
	cfg.Observe = c.observe
	h := newHasher(t, cfg)
	return &site{dir: New(Config{Accounts: s.Accounts(), Renewer: s.Renewer(), Hasher: h}), store: s, redis: redis, hashes: c}
}

// add makes an account. An empty record is the one of longPassword.
func (s *site) add(t *testing.T, name, record string) authn.Account {
	t.Helper()
	canonical, err := Canonical(name)
	if err != nil {
		t.Fatal(err)
	}
	if record == "" {
		if record, err = s.dir.hasher.Hash(t.Context(), longPassword); err != nil {
			t.Fatal(err)
		}
	}
	a, err := s.store.Accounts().Create(t.Context(), authn.NewAccount{
		Name: canonical, PasswordRecord: record, Profile: authn.Profile{Name: name, Roles: []string{"advisor"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.hashes.take()
	return a
}

func TestVerify(t *testing.T) {
	s := newSite(t)
	want := s.add(t, "Zoë.Example@example.com", "")
	for _, name := range []string{"Zoë.Example@example.com", "zoë.example@EXAMPLE.com", " zoe\u0308.example@example.com "} {
		got, err := s.dir.Verify(t.Context(), name, longPassword)
		if err != nil {
			t.Fatalf("Verify(%q) = %v", name, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Verify(%q) (-want +got):\n%s", name, diff)
		}
	}
}

// TestSameWork is security.md PL-03: every refusal is the same error after the same hashes, with the same costs, and
// the same number of round trips to the store.
func TestSameWork(t *testing.T) {
	s := newSite(t)
	s.add(t, "ann@example.com", "")
	off := s.add(t, "off@example.com", "")
	if _, err := s.store.Accounts().Apply(t.Context(), off.ID, "*", authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ name, password string }{
		"wrong password":         {"ann@example.com", "another long password"},
		"empty password":         {"ann@example.com", ""},
		"long password":          {"ann@example.com", strings.Repeat("a", 257)},
		"very long password":     {"ann@example.com", strings.Repeat("a", 60_000)},
		"unknown name":           {"nobody@example.com", longPassword},
		"unknown, no password":   {"nobody@example.com", ""},
		"empty name":             {"", longPassword},
		"space":                  {" ", longPassword},
		"name with a space":      {"ann @example.com", longPassword},
		"very long name":         {strings.Repeat("a", 60_000), longPassword},
		"broken name":            {"\xff", longPassword},
		"disabled":               {"off@example.com", longPassword},
		"disabled, wrong":        {"off@example.com", "another long password"},
		"nothing":                {"", ""},
		"password's other case":  {"ann@example.com", strings.ToUpper(longPassword)},
		"password and one space": {"ann@example.com", longPassword + " "},
		"password and a zero":    {"ann@example.com", longPassword + "\x00"},
	}
	for what, tt := range tests {
		before := s.store.Trips()
		a, err := s.dir.Verify(t.Context(), tt.name, tt.password)
		if !errors.Is(err, authn.ErrRejected) || err.Error() != authn.ErrRejected.Error() || a.ID != "" {
			t.Errorf("%s: Verify() = %q, %v, want ErrRejected alone", what, a.ID, err)
		}
		if diff := cmp.Diff([]hashed{{8, 1, 1}}, s.hashes.take(), cmp.AllowUnexported(hashed{})); diff != "" {
			t.Errorf("%s: hashes (-want +got):\n%s", what, diff)
		}
		if got := s.store.Trips() - before; got != 2 {
			t.Errorf("%s: %d round trips, want 2", what, got)
		}
	}
}

// TestForeignRecord: a record with other costs is checked with its own, and made new by the right password alone.
func TestForeignRecord(t *testing.T) {
	s := newSite(t)
	s.add(t, "bob@example.com", "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc")
	if _, err := s.dir.Verify(t.Context(), "bob@example.com", "password"); err != nil {
		t.Errorf("Verify() = %v", err)
	}
	if diff := cmp.Diff([]hashed{{256, 2, 2}, {8, 1, 1}}, s.hashes.take(), cmp.AllowUnexported(hashed{})); diff != "" {
		t.Errorf("hashes (-want +got):\n%s", diff)
	}
	if _, err := s.dir.Verify(t.Context(), "bob@example.com", "password"); err != nil {
		t.Errorf("Verify() of the new record = %v", err)
	}
	if diff := cmp.Diff([]hashed{{8, 1, 1}}, s.hashes.take(), cmp.AllowUnexported(hashed{})); diff != "" {
		t.Errorf("hashes of the new record (-want +got):\n%s", diff)
	}
}

// TestLost: a record that cannot be read is reported and never taken for a wrong password, after the usual work.
func TestLost(t *testing.T) {
	s := newSite(t)
	s.add(t, "broken@example.com", "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	lost := s.add(t, "lost@example.com", "")
	for _, k := range s.redis.Redis().Keys() {
		if strings.Contains(k, lost.Tag) {
			s.redis.Redis().Del(k)
		}
	}
	for _, name := range []string{"broken@example.com", "lost@example.com"} {
		if a, err := s.dir.Verify(t.Context(), name, longPassword); !errors.Is(err, authn.ErrLost) || a.ID != "" {
			t.Errorf("Verify(%s) = %q, %v, want ErrLost", name, a.ID, err)
		}
		if got := len(s.hashes.take()); got != 1 {
			t.Errorf("Verify(%s) made %d hashes, want 1", name, got)
		}
	}
}

func TestStoreAway(t *testing.T) {
	s := newSite(t)
	s.add(t, "ann@example.com", "")
	s.redis.SetError("LOADING")
	if a, err := s.dir.Verify(t.Context(), "ann@example.com", longPassword); !errors.Is(err, authn.ErrUnavailable) || a.ID != "" {
		t.Errorf("Verify() with the store away = %q, %v, want ErrUnavailable", a.ID, err)
	}
	if got := len(s.hashes.take()); got != 0 {
		t.Errorf("%d hashes for nothing, want 0", got)
	}
}

// TestFlood: many sign-ins at once are answered or told to come back, and the store's accounts stay apart.
func TestFlood(t *testing.T) {
	s := newSite(t)
	s.add(t, "ann@example.com", "")
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			password, want := longPassword, error(nil)
			if i%2 == 1 {
				password, want = "another long password", authn.ErrRejected
			}
			a, err := s.dir.Verify(t.Context(), "ann@example.com", password)
			if errors.Is(err, authn.ErrBusy) {
				return
			}
			if !errors.Is(err, want) || (err == nil) != (a.ID != "") {
				t.Errorf("Verify() = %q, %v, want %v", a.ID, err, want)
			}
		})
	}
	wg.Wait()
}
