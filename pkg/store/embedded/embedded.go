// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package embedded is a Redis inside the process, for the demo and for tests. It keeps nothing when it ends, lacks
// the commands of the start-up checks (set store.Config.Embedded), and is no basis for figures of speed.
package embedded

import (
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// Embedded is a running miniredis.
type Embedded struct {
	m  *miniredis.Miniredis
	mu sync.Mutex
	// now is the manual clock; zero where the real one counts.
	now time.Time
}

// Start runs a store on a free port of the loopback address. Its keys expire as real time goes by.
func Start() (*Embedded, error) {
	m := miniredis.NewMiniRedis()
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	// By itself miniredis lets no key expire as time goes by.
	m.ClockTTL(true)
	return &Embedded{m: m}, nil
}

// StartManual runs a store whose clock stands at t0 and moves by Advance only.
func StartManual(t0 time.Time) (*Embedded, error) {
	m := miniredis.NewMiniRedis()
	m.SetTime(t0)
	if err := m.Start(); err != nil {
		return nil, fmt.Errorf("start embedded store: %w", err)
	}
	m.ClockTTL(true)
	return &Embedded{m: m, now: t0}, nil
}

// Addr is host:port.
func (e *Embedded) Addr() string { return e.m.Addr() }

// Close ends the store; what it held is gone.
func (e *Embedded) Close() { e.m.Close() }

// Now is the clock of the store: give it to everything that tells the time beside it.
func (e *Embedded) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now.IsZero() {
		return time.Now() //nolint:forbidigo // the real clock
	}
	return e.now
}

// Advance moves a manual clock: TIME and every expiry go with it in one step.
func (e *Embedded) Advance(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.now.IsZero() {
		return
	}
	e.now = e.now.Add(d)
	e.m.SetTime(e.now)
}

// SetError makes every command fail with msg; empty ends it.
func (e *Embedded) SetError(msg string) { e.m.SetError(msg) }

// Redis is the miniredis itself, for tests that look into the store.
func (e *Embedded) Redis() *miniredis.Miniredis { return e.m }
