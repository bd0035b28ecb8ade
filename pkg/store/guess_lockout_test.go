// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// TestParallelGuesses: 64 posts from 64 flows at once have no more compared than was charged, and no more than the room.
func TestParallelGuesses(t *testing.T) {
	s, e := mini(t, func(c *store.Config) { c.Guesses.Free = 1000 })
	st := stores(s, e.Now)
	a, _ := signedIn(t, st)
	attempts := make([]authn.Attempt, 64)
	for i := range attempts {
		attempts[i] = inFlow(t, st, a)
	}
	var revealed atomic.Int64
	var group sync.WaitGroup
	for i, at := range attempts {
		group.Go(func() {
			c, err := st.Credentials.Charge(t.Context(), at, fmt.Sprint(i))
			if err == nil {
				revealed.Add(int64(len(c.Credentials)))
			}
		})
	}
	group.Wait()
	charged := e.Redis().HGet("lg:{"+a.Tag+"}:mfa", "bu")
	if want := fmt.Sprintf("%d.000000", 3*revealed.Load()); charged != want {
		t.Errorf("%s units were charged for %d secrets shown, want %s", charged, revealed.Load(), want)
	}
	if n := revealed.Load(); n != int64(throttle.Default().Unknown.Room/3) {
		t.Errorf("%d guesses were compared, want %d", n, throttle.Default().Unknown.Room/3)
	}
}

// counters are everything that guesses at the second factor change.
func counters(t *testing.T, e *embedded.Embedded, a authn.Account) string {
	t.Helper()
	return rawDump(t, []string{"lg:{" + a.Tag + "}:mfa", "lg:{" + a.Tag + "}:acct"}, e.Addr())
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// TestStrangerMovesNothing: without the password of the account nothing of its second factor can be moved: not from a
// flow of another account, nor with a flow's address and no cookie, nor with an address that is made up.
func TestStrangerMovesNothing(t *testing.T) {
	s, e := mini(t, nil)
	st, ctx := stores(s, e.Now), t.Context()
	a, at := signedIn(t, st)
	other, err := st.Accounts.Create(ctx, authn.NewAccount{Name: "mallory", PasswordRecord: "x", TOTPSecret: []byte("09876543210987654321")})
	if err != nil {
		t.Fatal(err)
	}
	own := inFlow(t, st, other)
	own.Account = a
	noCookie, wrongCookie, madeUp := at, at, at
	noCookie.Bind, wrongCookie.Bind = nil, []string{"c"}
	madeUp.Flow = at.Flow[:len(at.Flow)-4] + "AAAA"
	before := sortedLines(counters(t, e, a))
	for name, try := range map[string]authn.Attempt{"flow of another account": own, "no cookie": noCookie, "wrong cookie": wrongCookie, "made-up flow": madeUp} {
		for i := range 20 {
			for _, try.Lane = range []authn.Lane{authn.LaneUnknown, authn.LaneKnown} {
				if _, err := st.Credentials.Charge(ctx, try, fmt.Sprint(i)); err == nil {
					t.Errorf("%s: a guess was charged", name)
				}
				charge := authn.Charge{Gen: 1, Attempt: "AAAAAAAAAAAAAAAAAAAAAA"}
				if _, err := st.Credentials.Consume(ctx, try, charge, []authn.Match{{Credential: "x", Step: 1 << 40}}); err == nil {
					t.Errorf("%s: a code was spent", name)
				}
			}
		}
	}
	if after := sortedLines(counters(t, e, a)); after != before {
		t.Errorf("a stranger moved counters:\n%s\nbefore:\n%s", after, before)
	}
	if _, err := st.Credentials.Charge(ctx, at, "1"); err != nil {
		t.Errorf("the owner's guess: %v", err)
	}
	if after := sortedLines(counters(t, e, a)); after == before {
		t.Error("the owner's guess moved no counter either: the comparison sees nothing")
	}
}

// TestNoLockOut: somebody with the password who guesses all the time from browsers that are not known, for a year, never
// gets to the cap, and the owner with a remembered device gets in every day, slips included.
func TestNoLockOut(t *testing.T) {
	b := newScripts(t)
	tried := 0
	for day := range 365 {
		for hour := 0; hour < 24; hour += 3 {
			p := guess{authn.LaneUnknown, fmt.Sprint("thief", hour%8), fmt.Sprint(day, ".", hour)}
			switch a := b.charge(p); a {
			case paid:
				tried++
			case shut:
				t.Fatalf("day %d: the guesser reached the cap after %d guesses", day, tried)
			default:
			}
			if hour == 9 {
				ownerGetsIn(t, b, day)
			}
			b.advance(3 * time.Hour)
		}
	}
	budget := throttle.Default()
	if most := budget.Reach(); tried > most || tried < most-1 {
		t.Errorf("%d guesses in a year, the budget says %d", tried, most)
	}
}

func ownerGetsIn(t *testing.T, b *scripts, day int) {
	t.Helper()
	flow := fmt.Sprint("owner", day)
	for i := range 3 {
		p := guess{authn.LaneKnown, flow, fmt.Sprint(day, " ", i)}
		if a := b.charge(p); a != paid {
			t.Fatalf("day %d, the owner's post %d: %s", day, i, a)
		}
		if i == 2 && b.consume(p) != passed {
			t.Fatalf("day %d: the owner's right code is refused", day)
		}
	}
}

// recovery charges a guess at the recovery codes in the flow, with the limits of the default; it returns the status.
func (b *scripts) recovery(g guess) int64 {
	b.t.Helper()
	lua, err := os.ReadFile("scripts/factor_charge.lua")
	if err != nil {
		b.t.Fatal(err)
	}
	place, before := "lg:{"+b.account.Tag+"}:", b.clock.Redis().Keys()
	b.attempt(g)
	key := slices.IndexFunc(b.clock.Redis().Keys(), func(k string) bool {
		return strings.HasPrefix(k, place+"f:") && !slices.Contains(before, k)
	})
	if key < 0 {
		b.t.Fatalf("flow %s is not new", g.flow)
	}
	flow, d := b.clock.Redis().Keys()[key], throttle.Default()
	r, err := raw(b.t, b.clock.Addr()).Eval(b.t.Context(), string(lua), []string{place + "acct", place + "mfa", flow},
		b.clock.Redis().HGet(flow, "bind"), string(g.lane), g.typed, "r", d.Free, d.FirstWait.Milliseconds(), d.LongestWait.Milliseconds(),
		d.Cap, d.Unknown.Room, d.Unknown.Refill).Slice()
	if err != nil {
		b.t.Fatal(err)
	}
	status, _ := r[0].(int64)
	return status
}

// TestRecoveryStaysOpen: when guesses at codes have spent the budget of unknown browsers, a recovery code is still taken
// there, after the longest wait at most.
func TestRecoveryStaysOpen(t *testing.T) {
	b := newScripts(t)
	for i := 0; b.charge(guess{authn.LaneUnknown, "thief", fmt.Sprint(i)}) != spent; i++ {
		b.advance(10 * time.Minute)
		if i > 1000 {
			t.Fatal("the budget is never spent")
		}
	}
	b.advance(throttle.Default().LongestWait)
	if got := b.charge(guess{authn.LaneUnknown, "owner", "code"}); got != spent {
		t.Errorf("a code from an unknown browser: %s, want the budget spent", got)
	}
	if got := b.recovery(guess{authn.LaneUnknown, "owner with a recovery code", "r"}); got != 1 {
		t.Errorf("a recovery code from an unknown browser: status %d, want 1, charged", got)
	}
}
