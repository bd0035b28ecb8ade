// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/throttle"
)

// TestGuessBudget: settings that let blind guesses hit are refused by their names.
func TestGuessBudget(t *testing.T) {
	good := Default().Guesses
	// With recovery codes of 60 bits the waits and the cap have to carry a part of the bound.
	weak := throttle.Default()
	weak.RecoveryBits = 60
	wide := throttle.Default()
	wide.Known.Room = 100
	tests := []struct {
		name string
		base throttle.Budget
		set  func(*Guesses)
		want []string
	}{
		{"default", throttle.Default(), func(*Guesses) {}, nil},
		{"widest", throttle.Default(), func(g *Guesses) { g.Free, g.FirstWait, g.LongWait, g.Cap = 10, time.Second, time.Minute, 100 }, nil},
		{"weak, default", weak, func(*Guesses) {}, nil},
		{"weak, one alone is held by the other", weak, func(g *Guesses) { g.Cap = math.MaxInt32 }, nil},
		{"weak, two", weak, func(g *Guesses) { g.Cap, g.Free = math.MaxInt32, math.MaxInt32 }, []string{
			"guesses.free, guesses.first_wait, guesses.longest_wait, guesses.cap: together, blind guesses would pass with a chance of",
		}},
		{"nothing holds", wide, func(*Guesses) {}, []string{
			"guesses.free: blind", "guesses.first_wait: blind", "guesses.longest_wait: blind", "guesses.cap: blind",
		}},
	}
	for _, tt := range tests {
		g := good
		tt.set(&g)
		got := tooLikely(tt.base, g)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v, want %d problems", tt.name, got, len(tt.want))
			continue
		}
		for i, want := range tt.want {
			if !strings.HasPrefix(got[i], want) || !strings.HasSuffix(got[i], "under 0.0001") {
				t.Errorf("%s: %q, want %q and the limit", tt.name, got[i], want)
			}
		}
	}
}

// TestCapOutOfReach: a cap that a guesser with the password reaches within a year is refused.
func TestCapOutOfReach(t *testing.T) {
	if _, err := Load("", environ("LYCHGATE_GUESSES_CAP=20")); err == nil || !strings.Contains(err.Error(), "guesses.cap: 20 wrong codes") || !strings.Contains(err.Error(), "write 21 or more") {
		t.Errorf("Load with a cap of 20 = %v, want a refusal that names it", err)
	}
	if _, err := Load("", environ("LYCHGATE_GUESSES_CAP=21")); err != nil {
		t.Errorf("Load with a cap of 21 = %v", err)
	}
}
