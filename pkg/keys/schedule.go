// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// Publish is how long a key stands in the JWKS before it signs: longer than anybody caches the set.
	Publish = 24 * time.Hour
	// ActiveLife is how long a key signs.
	ActiveLife = 90 * 24 * time.Hour
	// HintLife is how long a key that left the JWKS still verifies an id_token_hint.
	HintLife = 30 * 24 * time.Hour
)

// Urgency says how a rotation treats a next key that is younger than Publish.
type Urgency string

const (
	// Planned refuses it: relying parties may not have seen the key.
	Planned Urgency = "planned"
	// Now takes it, after a key was lost to somebody else: relying parties with an old JWKS fail until they read it
	// anew.
	Now Urgency = "now"
)

// ErrTooYoung refuses a planned rotation.
var ErrTooYoung = errors.New("the next key was published less than 24 h ago: wait, or rotate now if a key is compromised")

// ErrUnknownAlg refuses an algorithm the ring has no keys for.
var ErrUnknownAlg = errors.New("unknown algorithm: use " + strings.Join(Algs(), ", "))

// first makes a new ring: its keys sign at once, since nobody can have cached an older set.
func first(now time.Time) ([]Key, error) {
	var ring []Key
	for _, alg := range Algs() {
		active, err := generate(alg, now)
		if err != nil {
			return nil, err
		}
		active.State, active.Activated = Active, now
		next, err := generate(alg, now)
		if err != nil {
			return nil, err
		}
		ring = append(ring, active, next)
	}
	return ring, nil
}

// rotate makes the next key of alg sign, retires the one that did, and publishes a new next one.
func rotate(ring []Key, alg string, p plan, u Urgency) ([]Key, error) {
	out := make([]Key, len(ring), len(ring)+1)
	copy(out, ring)
	next := find(out, alg, Next)
	if next < 0 {
		return nil, fmt.Errorf("rotate %s: no next key", alg)
	}
	if u != Now && p.now.Sub(out[next].Made) < Publish {
		return nil, fmt.Errorf("rotate %s: %w", alg, ErrTooYoung)
	}
	if active := find(out, alg, Active); active >= 0 {
		out[active].State = Retired
		out[active].Retire = p.now.Add(p.longest + Publish)
	}
	out[next].State, out[next].Activated = Active, p.now
	fresh, err := generate(alg, p.now)
	if err != nil {
		return nil, err
	}
	return append(out, fresh), nil
}

// plan is when, and how long the longest token lives.
type plan struct {
	now     time.Time
	longest time.Duration
}

// due does what the time asks for and says whether anything changed.
func due(ring []Key, p plan) ([]Key, bool, error) {
	out, changed := drop(ring, p.now)
	for _, alg := range Algs() {
		if find(out, alg, Next) < 0 {
			k, err := generate(alg, p.now)
			if err != nil {
				return nil, false, err
			}
			out, changed = append(out, k), true
		}
		active := find(out, alg, Active)
		if active < 0 {
			// The ring is older than the algorithm: nobody relies on one of its keys yet.
			k, err := generate(alg, p.now)
			if err != nil {
				return nil, false, err
			}
			k.State, k.Activated = Active, p.now
			out, changed = append(out, k), true
			continue
		}
		if p.now.Sub(out[active].Activated) < ActiveLife {
			continue
		}
		turned, err := rotate(out, alg, p, Planned)
		if errors.Is(err, ErrTooYoung) {
			continue
		}
		if err != nil {
			return nil, false, err
		}
		out, changed = turned, true
	}
	return out, changed, nil
}

// drop removes the keys that not even a hint needs any more.
func drop(ring []Key, now time.Time) ([]Key, bool) {
	var out []Key
	for _, k := range ring {
		if k.State == Retired && now.After(k.Retire.Add(HintLife)) {
			continue
		}
		out = append(out, k)
	}
	return out, len(out) != len(ring)
}

func find(ring []Key, alg string, s State) int {
	for i, k := range ring {
		if k.Alg == alg && k.State == s {
			return i
		}
	}
	return -1
}
