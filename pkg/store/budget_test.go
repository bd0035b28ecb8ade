// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/throttle"
)

// TestDefaultsAreTheBudget: the numbers that the scripts get are those that the chance is worked out for.
func TestDefaultsAreTheBudget(t *testing.T) {
	b := throttle.Default()
	want := Guesses{
		Free: b.Free, FirstWait: b.FirstWait, LongestWait: b.LongestWait, Cap: b.Cap, SetUp: b.SetUp,
		BudgetUnknown: b.Unknown.Room, RefillUnknown: b.Unknown.Refill, BudgetKnown: b.Known.Room, RefillKnown: b.Known.Refill,
	}
	if diff := cmp.Diff(want, Config{}.defaults().Guesses); diff != "" {
		t.Errorf("defaults of the store (-budget +store):\n%s", diff)
	}
	if maxCredentials != b.Authenticators {
		t.Errorf("an account may have %d authenticators, the budget counts with %d", maxCredentials, b.Authenticators)
	}
}
