// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
)

// answer is what a post of a code leads to.
type answer string

const (
	paid   answer = "paid"   // charged: the code is compared with every step
	passed answer = "passed" // accepted, or accepted before
	waits  answer = "wait"
	spent  answer = "budget"
	shut   answer = "locked"
	stale  answer = "no charge" // consumed without a charge in the last 30 seconds
)

// guess is one post. Those with the same flow and text are one.
type guess struct {
	lane        authn.Lane
	flow, typed string
}

// book is what keeps account of guesses: the model, or the scripts.
type book interface {
	charge(g guess) answer
	// consume spends a right code.
	consume(g guess) answer
	advance(d time.Duration)
	restart()
}

const yearMS = 365 * 24 * 60 * 60 * 1000

// shelf is one lane of the model, with the fields of lg:{T}:mfa.
type shelf struct {
	failed, wait int64
	spent        float64
	at           int64
}

// bill is what a flow paid in a lane and may get back: paid<lane> of the flow.
type bill struct {
	flow  string
	lane  authn.Lane
	units int64
}

// entry is an open post: o:<attempt>.
type entry struct {
	flow, typed string
	ok          bool
	at, cost    int64
}

// model is what factor_charge and factor_consume promise, for one account. It holds nothing by pointer but entries, so
// that a copy is a branch.
type model struct {
	limits         store.Guesses
	authenticators int64
	// chargesLate is the mistake of charging when the code was compared already: the room is looked at first and taken
	// later, and what happens in between is not seen.
	chargesLate   bool
	now           int64
	known, others shelf
	entries       []entry
	bills         []bill
	locked        bool
}

func newModel(limits store.Guesses, now time.Time) *model {
	at := now.UnixMilli()
	return &model{limits: limits, authenticators: 1, now: at, known: shelf{at: at}, others: shelf{at: at}}
}

func (m *model) copied() *model {
	c := *m
	c.entries, c.bills = slices.Clone(m.entries), slices.Clone(m.bills)
	return &c
}

func (m *model) advance(d time.Duration) { m.now += d.Milliseconds() }

// restart changes nothing: a node keeps no account of guesses.
func (m *model) restart() {}

func (m *model) shelf(l authn.Lane) (s *shelf, room, refill int) {
	if l == authn.LaneKnown {
		return &m.known, m.limits.BudgetKnown, m.limits.RefillKnown
	}
	return &m.others, m.limits.BudgetUnknown, m.limits.RefillUnknown
}

func (m *model) charge(g guess) answer {
	if m.locked {
		return shut
	}
	m.entries = slices.DeleteFunc(m.entries, func(e entry) bool { return m.now-e.at > 30_000 })
	open := 0
	for _, e := range m.entries {
		if e.flow == g.flow && e.typed == g.typed {
			if e.ok {
				return passed
			}
			return paid
		}
		if !e.ok {
			open++
		}
	}
	s, room, _ := m.shelf(g.lane)
	if s.wait > m.now || open >= 32 {
		return waits
	}
	if m.left(g.lane)+float64(m.cost()) > float64(room) {
		return spent
	}
	if s.failed+1 > int64(m.limits.Cap) {
		m.locked = true
		return shut
	}
	if !m.chargesLate {
		m.write(g)
	}
	return paid
}

func (m *model) cost() int64 { return 3 * m.authenticators }

// left is what is spent of a lane by now.
func (m *model) left(l authn.Lane) float64 {
	s, _, refill := m.shelf(l)
	return max(0, s.spent-float64(m.now-s.at)*float64(refill)/yearMS)
}

// write takes the room.
func (m *model) write(g guess) {
	s, _, _ := m.shelf(g.lane)
	s.spent, s.at = rounded(m.left(g.lane)+float64(m.cost())), m.now
	s.failed++
	s.wait = 0
	if free := int64(m.limits.Free); s.failed >= free {
		doubled := m.limits.FirstWait.Milliseconds() << min(20, s.failed-free)
		s.wait = m.now + min(m.limits.LongestWait.Milliseconds(), doubled)
	}
	m.bills = append(m.bills, bill{g.flow, g.lane, m.cost()})
	m.entries = append(m.entries, entry{flow: g.flow, typed: g.typed, at: m.now, cost: m.cost()})
}

// rounded is how the scripts write a number of units.
func rounded(units float64) float64 {
	n, err := strconv.ParseFloat(strconv.FormatFloat(units, 'f', 6, 64), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

// compared is called when a code was compared with the steps and did not fit.
func (m *model) compared(g guess) {
	if m.chargesLate {
		m.write(g)
	}
}

func (m *model) consume(g guess) answer {
	if m.locked {
		return shut
	}
	for i, e := range m.entries {
		if e.flow != g.flow || e.typed != g.typed || m.now-e.at > 30_000 {
			continue
		}
		if e.ok {
			return passed
		}
		s, _, _ := m.shelf(g.lane)
		back := int64(0)
		m.bills = slices.DeleteFunc(m.bills, func(p bill) bool {
			mine := p.flow == g.flow && p.lane == g.lane
			if mine {
				back += p.units
			}
			return mine
		})
		s.failed, s.wait, s.spent = 0, 0, rounded(max(0, s.spent-float64(back)))
		m.entries[i].ok = true
		return passed
	}
	return stale
}

// key is the state without what no rule looks at.
func (m *model) key() string {
	var b strings.Builder
	for _, s := range []shelf{m.known, m.others} {
		fmt.Fprint(&b, s.failed, max(0, s.wait-m.now), s.spent, m.now-s.at, "|")
	}
	for _, e := range m.entries {
		fmt.Fprint(&b, e.flow, e.typed, e.ok, m.now-e.at, ";")
	}
	fmt.Fprint(&b, m.bills)
	return b.String()
}
