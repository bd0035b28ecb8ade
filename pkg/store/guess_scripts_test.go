// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// dice throws the same numbers in every run.
type dice struct {
	seed string
	n    uint64
}

func (d *dice) below(n uint64) uint64 {
	m := hmac.New(sha256.New, []byte(d.seed))
	fmt.Fprint(m, d.n)
	d.n++
	return binary.BigEndian.Uint64(m.Sum(nil)) % n
}

// scripts is the book that the real scripts keep, on miniredis with a clock that the test moves.
type scripts struct {
	t       *testing.T
	clock   *embedded.Embedded
	config  store.Config
	st      *storetest.Stores
	account authn.Account
	flows   map[string]authn.Attempt
	charges map[guess]authn.Charge
	step    int64
}

func newScripts(t *testing.T) *scripts {
	t.Helper()
	b := &scripts{t: t, flows: map[string]authn.Attempt{}, charges: map[guess]authn.Charge{}, step: 1}
	var s *store.Store
	s, b.clock = mini(t, func(c *store.Config) {
		c.Lifetimes.FlowLife = 20 * 365 * 24 * time.Hour
		b.config = *c
	})
	b.st = stores(s, b.clock.Now)
	b.account, _ = signedIn(t, b.st)
	return b
}

// attempt is a guess's flow, begun when it is first named.
func (b *scripts) attempt(g guess) authn.Attempt {
	at, ok := b.flows[g.flow]
	if !ok {
		at = inFlow(b.t, b.st, b.account)
		b.flows[g.flow] = at
	}
	at.Lane = g.lane
	return at
}

func answered(t *testing.T, err error) answer {
	t.Helper()
	_, wait := errors.AsType[*authn.WaitError](err)
	switch {
	case err == nil:
		return passed
	case wait:
		return waits
	case errors.Is(err, authn.ErrBudget):
		return spent
	case errors.Is(err, authn.ErrLocked):
		return shut
	case errors.Is(err, authn.ErrRejected):
		return stale
	}
	t.Fatalf("the scripts answer %v", err)
	return ""
}

func (b *scripts) charge(g guess) answer {
	c, err := b.st.Credentials.Charge(b.t.Context(), b.attempt(g), g.typed)
	if err == nil && !c.Accepted {
		b.charges[g] = c
		return paid
	}
	return answered(b.t, err)
}

func (b *scripts) consume(g guess) answer {
	c, ok := b.charges[g]
	if !ok {
		b.t.Fatalf("%v was never charged", g)
	}
	b.step++
	_, err := b.st.Credentials.Consume(b.t.Context(), b.attempt(g), c, []authn.Match{{Credential: c.Credentials[0].ID, Step: b.step}})
	return answered(b.t, err)
}

func (b *scripts) advance(d time.Duration) { b.clock.Advance(d) }

// restart goes on with a new process.
func (b *scripts) restart() {
	b.st = stores(opened(b.t, b.config), b.clock.Now)
}

// game plays one random order of events with the model and the scripts side by side.
type game struct {
	t       *testing.T
	d       *dice
	m       *model
	real    *scripts
	posts   []guess
	guessed []compared
	typed   int
	visit   int
}

// both asks the model and the scripts; they must say the same.
func (g *game) both(what string, one func(b book) answer) answer {
	g.t.Helper()
	want, got := one(g.m), one(g.real)
	if got != want {
		g.t.Fatalf("%s, throw %d: the scripts answer %q, the model %q", what, g.d.n, got, want)
	}
	return got
}

func (g *game) post(lane authn.Lane, flow string) (guess, answer) {
	g.typed++
	p := guess{lane, flow, fmt.Sprint(g.typed)}
	return p, g.both("charge", func(b book) answer { return b.charge(p) })
}

// owner slips now and then, then types the right code, at once or after others got between.
func (g *game) owner() {
	lane := []authn.Lane{authn.LaneKnown, authn.LaneUnknown}[g.d.below(2)]
	flow := fmt.Sprint("owner", g.visit)
	if g.d.below(3) == 0 {
		g.post(lane, flow)
		return
	}
	p, a := g.post(lane, flow)
	if a != paid {
		return
	}
	if g.d.below(3) == 0 {
		g.posts = append(g.posts, p)
		return
	}
	g.right(p)
}

func (g *game) right(p guess) {
	g.visit++
	if g.both("consume", func(b book) answer { return b.consume(p) }) == passed {
		g.both("the same post again", func(b book) answer { return b.charge(p) })
	}
}

// thief is one of two guessers with four flows each; one has a stolen device, too.
func (g *game) thief() {
	lane := authn.LaneUnknown
	if g.d.below(4) == 0 {
		lane = authn.LaneKnown
	}
	for range 1 + g.d.below(4) {
		if p, a := g.post(lane, fmt.Sprint("thief", g.d.below(8))); a == paid {
			g.posts = append(g.posts, p)
		}
	}
}

// finish lets one open post get to its check.
func (g *game) finish() {
	if len(g.posts) == 0 {
		return
	}
	i := int(g.d.below(uint64(len(g.posts))))
	p := g.posts[i]
	g.posts = slices.Delete(g.posts, i, i+1)
	if strings.HasPrefix(p.flow, "owner") {
		g.right(p)
		return
	}
	g.guessed = append(g.guessed, compared{g.m.now, p.lane, int(g.m.cost())})
}

func (g *game) time() {
	d := time.Duration(g.d.below(45)) * time.Second
	switch g.d.below(4) {
	case 0:
		d = time.Duration(g.d.below(180)) * time.Minute
	case 1:
		d = time.Duration(g.d.below(30*24)) * time.Hour
	}
	g.m.advance(d)
	g.real.advance(d)
}

func (g *game) turn() {
	switch n := g.d.below(20); {
	case n < 8:
		g.thief()
	case n < 12:
		g.finish()
	case n < 15:
		g.owner()
	case n < 19:
		g.time()
	default:
		// A node dies with what it had under way.
		g.posts = nil
		g.real.restart()
	}
}

// TestRandomOrders: the scripts do what the model does, in many random orders of events over years, and guessers never
// have more compared in a year than the budget.
func TestRandomOrders(t *testing.T) {
	limits := store.Guesses{
		Free: 5, FirstWait: 30 * time.Second, LongestWait: time.Hour, Cap: 50,
		BudgetUnknown: 36, RefillUnknown: 24, BudgetKnown: 24, RefillKnown: 12,
	}
	total := 0
	for seed := range 8 {
		b := newScripts(t)
		g := &game{t: t, d: &dice{seed: fmt.Sprint("order", seed)}, m: newModel(limits, b.clock.Now()), real: b}
		for range 400 {
			g.turn()
		}
		if l := over(g.guessed, limits); l != "" {
			t.Errorf("seed %d: lane %s is over its budget of a year", seed, l)
		}
		if g.m.locked {
			t.Errorf("seed %d: guesses at codes locked the factor", seed)
		}
		total += len(g.guessed)
	}
	if total < 100 {
		t.Errorf("%d guesses were compared, too few to say anything", total)
	}
}
