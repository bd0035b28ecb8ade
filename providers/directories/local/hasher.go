// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Defaults of a HashConfig (decisions.md, Passwords).
const (
	defaultMemory  = 7 << 10  // KiB
	defaultLimit   = 28 << 10 // KiB
	defaultPasses  = 5
	defaultThreads = 1
	defaultQueue   = 64
	defaultWait    = 2 * time.Second
	saltSize       = 16
	tagSize        = 32
)

// HashConfig says how passwords are hashed, and how many at once. Its zero value is the defaults.
type HashConfig struct {
	// MemoryKiB, Passes and Threads are argon2id's m, t and p: 7168, 5 and 1 if 0.
	MemoryKiB, Passes uint32
	Threads           uint8
	// LimitKiB is the memory that all hashes of this process take together: 28 MiB if 0.
	LimitKiB uint32
	// CPUs is how many hashes run at once at most: GOMAXPROCS if 0.
	CPUs int
	// Queue is how many wait for their turn, 64 if 0; Wait is for how long, 2 s if 0. Over either: authn.ErrBusy.
	Queue int
	Wait  time.Duration
	// Observe, if not nil, is called once for each hash made, with what it cost.
	Observe func(memoryKiB, passes uint32, threads uint8)
	// Rand makes the salts; crypto/rand if nil.
	Rand io.Reader
}

// Hasher hashes passwords, a bounded number at a time: a flood of sign-ins waits or is told to come back, and
// never takes the memory of the node. It is safe for concurrent use.
type Hasher struct {
	cfg HashConfig
	// slots holds the memory of all hashes that may run at once. A hash takes at least its share of one.
	slots    *semaphore.Weighted
	capacity int64
	waiting  atomic.Int64
	// dummy is what a password is compared with where there is no record.
	dummy record
}

// NewHasher returns a hasher, or an error if the costs are out of bounds.
func NewHasher(cfg HashConfig) (*Hasher, error) {
	cfg = withDefaults(cfg)
	if cfg.MemoryKiB > maxMemory || cfg.Passes > maxPasses || cfg.Threads > maxThreads || cfg.MemoryKiB < 8*uint32(cfg.Threads) {
		return nil, fmt.Errorf("argon2id with m=%d KiB, t=%d, p=%d: out of bounds (m from 8 a thread to %d, t to %d, p to %d)",
			cfg.MemoryKiB, cfg.Passes, cfg.Threads, maxMemory, maxPasses, maxThreads)
	}
	if cfg.LimitKiB < cfg.MemoryKiB {
		return nil, fmt.Errorf("memory for passwords of %d KiB: one hash takes %d KiB", cfg.LimitKiB, cfg.MemoryKiB)
	}
	if cfg.CPUs < 0 || cfg.Queue < 0 || cfg.Wait < 0 {
		return nil, errors.New("password hashes: a limit below zero")
	}
	atOnce := min(int64(cfg.CPUs), int64(cfg.LimitKiB/cfg.MemoryKiB))
	capacity := atOnce * int64(cfg.MemoryKiB)
	h := &Hasher{cfg: cfg, slots: semaphore.NewWeighted(capacity), capacity: capacity}
	var err error
	if h.dummy, err = h.random(); err != nil {
		return nil, fmt.Errorf("make dummy record: %w", err)
	}
	return h, nil
}

func withDefaults(cfg HashConfig) HashConfig {
	if cfg.MemoryKiB == 0 {
		cfg.MemoryKiB = defaultMemory
	}
	if cfg.Passes == 0 {
		cfg.Passes = defaultPasses
	}
	if cfg.Threads == 0 {
		cfg.Threads = defaultThreads
	}
	if cfg.LimitKiB == 0 {
		cfg.LimitKiB = max(defaultLimit, cfg.MemoryKiB)
	}
	if cfg.CPUs == 0 {
		cfg.CPUs = runtime.GOMAXPROCS(0)
	}
	if cfg.Queue == 0 {
		cfg.Queue = defaultQueue
	}
	if cfg.Wait == 0 {
		cfg.Wait = defaultWait
	}
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return cfg
}

// Hash returns the record of a password, in PHC form. It does not judge the password: see CheckPassword. Errors
// wrap authn.ErrBusy or ctx's.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	secret, ok := prepare(password)
	if !ok {
		return "", errLength
	}
	r, err := h.random()
	if err != nil {
		return "", err
	}
	if err := h.inTurn(ctx, r, func() { r.tag = r.derive(secret) }); err != nil {
		return "", err
	}
	return r.String(), nil
}

// Unusable returns the record of no password: salt and hash are random, and nothing was hashed to make it. An account
// that has it costs a sign-in what every account costs, and waits for a new password.
func (h *Hasher) Unusable() (string, error) {
	r, err := h.random()
	if err != nil {
		return "", err
	}
	return r.String(), nil
}

// random returns a record of the hasher's own costs with a random salt and a random hash.
func (h *Hasher) random() (record, error) {
	r := record{
		memory: h.cfg.MemoryKiB, passes: h.cfg.Passes, threads: h.cfg.Threads,
		salt: make([]byte, saltSize), tag: make([]byte, tagSize),
	}
	for _, b := range [][]byte{r.salt, r.tag} {
		if _, err := io.ReadFull(h.cfg.Rand, b); err != nil {
			return record{}, fmt.Errorf("random bytes: %w", err)
		}
	}
	return r, nil
}

// matches compares a password with a record of any kind.
func (h *Hasher) matches(ctx context.Context, secret []byte, r stored) (bool, error) {
	fits := false
	err := h.inTurn(ctx, r, func() { fits = r.fits(secret) })
	return fits, err
}

// inTurn hashes, at the costs of r, when it is its turn. Records of other kinds wait in the same queue.
func (h *Hasher) inTurn(ctx context.Context, r stored, hash func()) error {
	memory, passes, threads := r.costs()
	// An imported record may cost more than all slots together: it then runs alone.
	weight := min(max(int64(memory), int64(h.cfg.MemoryKiB)), h.capacity)
	if err := h.acquire(ctx, weight); err != nil {
		return err
	}
	defer h.slots.Release(weight)
	if h.cfg.Observe != nil {
		h.cfg.Observe(memory, passes, threads)
	}
	hash()
	return nil
}

// acquire waits for a turn. Who comes to a full queue, or waits too long, is told so: waiting longer would only
// mean that everybody gives up together.
func (h *Hasher) acquire(ctx context.Context, weight int64) error {
	if h.slots.TryAcquire(weight) {
		return nil
	}
	if h.waiting.Add(1) > int64(h.cfg.Queue) {
		h.waiting.Add(-1)
		return authn.ErrBusy
	}
	defer h.waiting.Add(-1)
	waiting, cancel := context.WithTimeout(ctx, h.cfg.Wait)
	defer cancel()
	if err := h.slots.Acquire(waiting, weight); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return authn.ErrBusy
	}
	return nil
}
