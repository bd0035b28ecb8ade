// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
)

// TestYear: somebody with the right password and no code guesses for a whole year. What is evaluated stays under one
// chance in ten thousand, and the owner gets in every day.
func TestYear(t *testing.T) {
	s, e := mini(t, func(c *store.Config) { c.Lifetimes.FlowLife = 400 * 24 * time.Hour })
	st := stores(s, e.Now)
	ctx := t.Context()
	a, thief := signedIn(t, st)
	evaluated, passed := 0, 0
	for hour := 0; hour < 8760; hour += 3 {
		if _, err := st.Credentials.Charge(ctx, thief, fmt.Sprint(hour)); err == nil {
			evaluated++
		}
		if hour%24 == 9 {
			at := inFlow(t, st, a)
			at.Lane = authn.LaneKnown
			c, err := st.Credentials.Charge(ctx, at, "right")
			if err != nil {
				t.Fatalf("day %d: the owner's guess: %v", hour/24, err)
			}
			if _, err := st.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: int64(100 + hour)}}); err != nil {
				t.Fatalf("day %d: the owner's code: %v", hour/24, err)
			}
			passed++
		}
		e.Advance(3 * time.Hour)
	}
	if passed != 365 {
		t.Errorf("the owner passed on %d days, want 365", passed)
	}
	// Each guess has 3 chances in a million.
	if evaluated == 0 || evaluated*3 > 96 {
		t.Errorf("%d guesses were evaluated in a year, want at most 32", evaluated)
	}
}

// TestBudgetAndCap: the budget closes the lane of unknown browsers alone; the cap locks, for good and everywhere.
func TestBudgetAndCap(t *testing.T) {
	s, e := mini(t, func(c *store.Config) { c.Guesses.FirstWait, c.Guesses.LongestWait = time.Millisecond, time.Millisecond })
	st := stores(s, e.Now)
	ctx := t.Context()
	a, at := signedIn(t, st)
	n := 0
	for i := range 40 {
		_, err := st.Credentials.Charge(ctx, at, fmt.Sprint(i))
		if errors.Is(err, authn.ErrBudget) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
		e.Advance(3 * time.Millisecond)
	}
	if n != 12 {
		t.Errorf("%d guesses before the budget was spent, want 12", n)
	}
	known := at
	known.Lane = authn.LaneKnown
	if _, err := st.Credentials.Charge(ctx, known, "owner"); err != nil {
		t.Errorf("Charge from a known browser: %v, want none", err)
	}
	e.Advance(365 * 24 * time.Hour / 8)
	at = inFlow(t, st, a)
	if _, err := st.Credentials.Charge(ctx, at, "later"); err != nil {
		t.Errorf("Charge after an eighth of the year: %v, want 3 units back", err)
	}

	s, e = mini(t, func(c *store.Config) {
		c.Guesses.FirstWait, c.Guesses.LongestWait = time.Millisecond, time.Millisecond
		c.Guesses.BudgetUnknown, c.Guesses.Cap = 100_000, 20
	})
	st = stores(s, e.Now)
	a, at = signedIn(t, st)
	for i := range 20 {
		if _, err := st.Credentials.Charge(ctx, at, fmt.Sprint(i)); err != nil {
			t.Fatalf("guess %d: %v", i, err)
		}
		e.Advance(3 * time.Millisecond)
	}
	if _, err := st.Credentials.Charge(ctx, at, "21"); !errors.Is(err, authn.ErrLocked) || !errors.Is(err, authn.ErrLockedNow) {
		t.Fatalf("guess over the cap: %v, want ErrLocked, by this failure", err)
	}
	rec, err := st.Accounts.ByID(ctx, a.ID)
	if err != nil || rec.Epoch != 2 {
		t.Fatalf("epoch after the lock = %d, %v, want 2: sessions and tokens end", rec.Epoch, err)
	}
	at = inFlow(t, st, rec.Account)
	for _, lane := range []authn.Lane{authn.LaneKnown, authn.LaneUnknown} {
		at.Lane = lane
		if _, err := st.Credentials.Charge(ctx, at, "right"); !errors.Is(err, authn.ErrLocked) || errors.Is(err, authn.ErrLockedNow) {
			t.Errorf("Charge in lane %s after the lock: %v, want ErrLocked, of before", lane, err)
		}
	}
	if _, _, err := st.Devices.Remember(ctx, rec.Account, "x", authn.Evidence{Method: "otp", At: e.Now()}, time.Hour); !errors.Is(err, authn.ErrLocked) {
		t.Errorf("Remember after the lock: %v, want ErrLocked", err)
	}
}
