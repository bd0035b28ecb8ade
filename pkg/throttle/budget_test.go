// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package throttle_test

import (
	"math"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/throttle"
)

// TestDefaultBudget: the default keeps the chance of a year under one in ten thousand. The figure is worked out here
// by hand: 96 units, each at the chance of the likeliest code, and recovery codes that add nothing to speak of.
func TestDefaultBudget(t *testing.T) {
	b := throttle.Default()
	if got := b.Units(); got != 96 {
		t.Errorf("Units() = %d, want 36+24+24+12 = 96", got)
	}
	got, want := b.YearlyChance(), 96*2148.0/2147483648.0
	if math.Abs(got-want) > 1e-12 || got >= throttle.MostChance {
		t.Errorf("YearlyChance() = %g, want %g, under %g", got, want, throttle.MostChance)
	}
	if b.Reach() >= b.Cap {
		t.Errorf("Reach() = %d, and the cap is %d: a guesser locks the owner out", b.Reach(), b.Cap)
	}
}

// TestBudgetBreaks: each number that matters, made worse alone, breaks the bound.
func TestBudgetBreaks(t *testing.T) {
	for name, change := range map[string]func(*throttle.Budget){
		"room of the known":     func(b *throttle.Budget) { b.Known.Room += 4 },
		"refill of the known":   func(b *throttle.Budget) { b.Known.Refill += 4 },
		"room of the unknown":   func(b *throttle.Budget) { b.Unknown.Room += 4 },
		"refill of the unknown": func(b *throttle.Budget) { b.Unknown.Refill += 4 },
		"digits":                func(b *throttle.Budget) { b.Digits = 5 },
		"recovery bits":         func(b *throttle.Budget) { b.RecoveryBits = 40 },
		"waits and cap": func(b *throttle.Budget) {
			b.FirstWait, b.Cap, b.RecoveryBits = time.Nanosecond, math.MaxInt32, 60
		},
	} {
		b := throttle.Default()
		change(&b)
		if got := b.YearlyChance(); got < throttle.MostChance {
			t.Errorf("%s: YearlyChance() = %g, want %g or more", name, got, throttle.MostChance)
		}
	}
	longer := throttle.Default()
	longer.Digits = 8
	if got := longer.YearlyChance(); got > 1e-6 {
		t.Errorf("with eight digits: %g", got)
	}
}
