// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package throttle holds the limits on password guesses: charged before the check, kept under keyed hashes of
// what is limited, the same for names that exist and names that do not (decisions.md, Guesses).
package throttle

import (
	"context"
	"time"
)

// Limit is one counter: Free guesses, then waits that double from First to Longest; or, with Per, at most Free
// guesses in that time and then one every First.
type Limit struct {
	// Kind names the counter in its key: "ns" name and source, "n" name, "s" source, "d" name and device.
	Kind           string
	Free           int
	First, Longest time.Duration
	Per            time.Duration
}

// Guess is one charge against one counter.
type Guess struct {
	Limit Limit
	// Name groups the counters of one name into one slot; Subject is the rest of the key. Both are hashed.
	Name, Subject string
}

// Counter counts guesses. Every method may answer authn.ErrUnavailable.
type Counter interface {
	// Charge counts one guess against every g, all or none; *authn.WaitError when one of them has to wait.
	// Guesses with the same Name are one round trip.
	Charge(ctx context.Context, g ...Guess) error
	// Refund takes one charge back, after the right password: an office behind one address signs in as often as it
	// likes, and only what was wrong is counted.
	Refund(ctx context.Context, g ...Guess) error
	// Clear forgets the counters, after the right password.
	Clear(ctx context.Context, g ...Guess) error
}
