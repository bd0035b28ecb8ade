// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

// cheap is the least that argon2id takes.
func cheap() HashConfig { return HashConfig{MemoryKiB: 8, Passes: 1, LimitKiB: 64, CPUs: 2} }

func newHasher(t *testing.T, cfg HashConfig) *Hasher {
	t.Helper()
	h, err := NewHasher(cfg)
	if err != nil {
		t.Fatalf("NewHasher() = %v", err)
	}
	return h
}

// TestVectors are records of the reference implementation (phc-winner-argon2, src/test.c), version 0x13.
func TestVectors(t *testing.T) {
	h := newHasher(t, cheap())
	for _, phc := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
	} {
		r, err := parse(phc)
		if err != nil {
			t.Fatalf("parse(%q) = %v", phc, err)
		}
		if ok, err := h.matches(t.Context(), []byte("password"), r); !ok || err != nil {
			t.Errorf("%s does not match, %v", phc, err)
		}
		if ok, err := h.matches(t.Context(), []byte("passwore"), r); ok || err != nil {
			t.Errorf("%s matches another password, %v", phc, err)
		}
	}
}

func TestHash(t *testing.T) {
	h := newHasher(t, HashConfig{})
	one, err := h.Hash(t.Context(), "zo\u00eb's long password")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(one, "$argon2id$v=19$m=7168,t=5,p=1$") || CheckRecord(one) != nil {
		t.Errorf("Hash() = %q", one)
	}
	r, err := parse(one)
	if err != nil || len(r.salt) != 16 || len(r.tag) != 32 {
		t.Errorf("parse(%q) = %d, %d bytes, %v, want 16, 32", one, len(r.salt), len(r.tag), err)
	}
	// Another keyboard writes the same password with two characters for one letter.
	secret, ok := prepare("zoe\u0308's long password")
	if match, err := h.matches(t.Context(), secret, r); !ok || !match || err != nil {
		t.Errorf("the same password in NFD = %v, %v", match, err)
	}
	two, err := h.Hash(t.Context(), "zo\u00eb's long password")
	if err != nil || one == two {
		t.Errorf("the same record twice, %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("a", 257), strings.Repeat("e\u0308", 10_000)} {
		if got, err := h.Hash(t.Context(), bad); err == nil {
			t.Errorf("Hash of %d bytes = %q, want an error", len(bad), got)
		}
	}
}

func TestNewHasher(t *testing.T) {
	for name, cfg := range map[string]HashConfig{
		"memory": {MemoryKiB: 64<<10 + 1}, "little memory": {MemoryKiB: 7}, "threads": {Threads: 5}, "passes": {Passes: 11},
		"limit": {MemoryKiB: 1024, LimitKiB: 1023}, "queue": {Queue: -1}, "wait": {Wait: -1}, "cpus": {CPUs: -1},
		"memory for threads": {MemoryKiB: 31, Threads: 4},
	} {
		if _, err := NewHasher(cfg); err == nil {
			t.Errorf("NewHasher with bad %s = nil, want an error", name)
		}
	}
	if got := newHasher(t, HashConfig{CPUs: 64}).capacity; got != 28<<10 {
		t.Errorf("memory of all hashes with 64 CPUs = %d KiB, want 28 MiB", got)
	}
	if got := newHasher(t, HashConfig{CPUs: 1}).capacity; got != 7<<10 {
		t.Errorf("memory of all hashes with 1 CPU = %d KiB, want 7 MiB", got)
	}
}

// gate is an Observe that holds each hash until it is opened, and counts.
type gate struct {
	open chan struct{}
	in   atomic.Int64
}

func newGate() *gate { return &gate{open: make(chan struct{})} }

func (g *gate) observe(uint32, uint32, uint8) {
	g.in.Add(1)
	<-g.open
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 2000 {
		if ok() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// TestBounds: two at once, three in the queue, and the sixth is told to come back.
func TestBounds(t *testing.T) {
	g := newGate()
	cfg := cheap()
	cfg.Queue, cfg.Wait, cfg.Observe = 3, time.Minute, g.observe
	h := newHasher(t, cfg)
	var wg sync.WaitGroup
	var done atomic.Int64
	for range 5 {
		wg.Go(func() {
			if _, err := h.Hash(t.Context(), "a long password"); err != nil {
				t.Errorf("Hash() = %v", err)
			}
			done.Add(1)
		})
	}
	eventually(t, "two hash and three wait", func() bool { return g.in.Load() == 2 && h.waiting.Load() == 3 })
	if _, err := h.Hash(t.Context(), "a long password"); !errors.Is(err, authn.ErrBusy) {
		t.Errorf("Hash() with a full queue = %v, want ErrBusy", err)
	}
	if got := g.in.Load(); got != 2 {
		t.Errorf("%d at once, want 2", got)
	}
	close(g.open)
	wg.Wait()
	if got := []int64{done.Load(), g.in.Load(), h.waiting.Load()}; !cmp.Equal(got, []int64{5, 5, 0}) {
		t.Errorf("done, hashed, waiting = %v, want 5, 5, 0", got)
	}
}

func TestWaitEnds(t *testing.T) {
	g := newGate()
	cfg := cheap()
	cfg.CPUs, cfg.Wait, cfg.Observe = 1, time.Millisecond, g.observe
	h := newHasher(t, cfg)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = h.Hash(t.Context(), "a long password") })
	eventually(t, "one hashes", func() bool { return g.in.Load() == 1 })
	if _, err := h.Hash(t.Context(), "a long password"); !errors.Is(err, authn.ErrBusy) {
		t.Errorf("Hash() after its wait = %v, want ErrBusy", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Hash(ctx, "a long password"); !errors.Is(err, context.Canceled) {
		t.Errorf("Hash() for a browser that has gone = %v, want Canceled", err)
	}
	close(g.open)
	wg.Wait()
	if got := h.waiting.Load(); got != 0 {
		t.Errorf("%d still waiting, want 0", got)
	}
}

// TestMemory: an imported record that takes more than its share runs alone; its memory never comes on top.
func TestMemory(t *testing.T) {
	g := newGate()
	cfg := cheap()
	cfg.LimitKiB, cfg.CPUs, cfg.Wait, cfg.Observe = 32, 4, time.Minute, g.observe
	h := newHasher(t, cfg)
	big := record{memory: 1024, passes: 1, threads: 1, salt: make([]byte, 16), tag: make([]byte, 32)}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := h.matches(t.Context(), []byte("x"), big); err != nil {
			t.Errorf("matches() = %v", err)
		}
	})
	eventually(t, "the big one hashes", func() bool { return g.in.Load() == 1 })
	wg.Go(func() { _, _ = h.Hash(t.Context(), "a long password") })
	eventually(t, "the small one waits", func() bool { return h.waiting.Load() == 1 })
	if got := g.in.Load(); got != 1 {
		t.Errorf("%d at once beside one that takes all memory, want 1", got)
	}
	close(g.open)
	wg.Wait()
	if got := g.in.Load(); got != 2 {
		t.Errorf("%d hashed, want 2", got)
	}
}
