// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// readAll returns every event of the journal with what is wrong with it.
func readAll(t *testing.T, j audit.Store) (events, broken []string) {
	t.Helper()
	err := j.Read(t.Context(), func(r audit.Record, b string) bool {
		events = append(events, r.Event+" "+r.Account)
		if b != "" {
			broken = append(broken, b)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return events, broken
}

// TestPL05 keeps security events of two nodes in chains: what was written is read again in order, with who, what, result
// and request id; nobody can forge a line with it; and a change, a gap, or an entry of somebody else shows.
func TestPL05(t *testing.T) {
	s, e := mini(t, nil)
	one, two := s.Journal(), s.Journal()
	log := func(j audit.Store) (*audit.Log, *audit.Journal) {
		q := audit.NewJournal(j, e.Now, slog.New(slog.DiscardHandler))
		return audit.New(slog.New(slog.DiscardHandler), e.Now, q), q
	}
	l1, q1 := log(one)
	l2, q2 := log(two)
	ctx := audit.With(t.Context(), func() []slog.Attr {
		return []slog.Attr{slog.String("request_id", "ABCD"), slog.String("source", "192.0.2.1")}
	})
	for i := range 250 {
		l1.Event(ctx, audit.FactorAccepted, slog.String("account", fmt.Sprint("a", i%2)), slog.Int("n", i))
	}
	l2.Event(ctx, audit.LoginRejected, slog.String("account", "a1"), slog.String("reason", "evil\r\n\x1b[31m2026 login.accepted"+strings.Repeat("x", 9000)))
	for _, q := range []*audit.Journal{q1, q2, q1} {
		if err := q.Flush(ctx); err != nil {
			t.Fatal(err)
		}
	}
	events, broken := readAll(t, one)
	if len(events) != 251 || len(broken) != 0 || events[0] != "factor.accepted a0" {
		t.Fatalf("Read() = %d events, broken %v", len(events), broken)
	}
	recent, err := two.Recent(ctx, "a1")
	if err != nil || len(recent) != 50 || recent[0].Event != audit.LoginRejected || recent[1].Detail["n"] != "249" {
		t.Fatalf("Recent() = %d, %+v, %v", len(recent), recent[:1], err)
	}
	if r := recent[0]; r.RequestID != "ABCD" || r.Source != "192.0.2.1" || len(r.Result) > 4096 || strings.ContainsAny(r.Result, "\r\n\x1b") {
		t.Errorf("record = %+v", r)
	}
	c := raw(t, e.Addr())
	ids, err := c.XRange(ctx, "lg:audit", "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	tamper := func(what string, change func()) {
		t.Helper()
		change()
		if _, broken := readAll(t, s.Journal()); len(broken) == 0 {
			t.Errorf("%s does not show", what)
		}
	}
	tamper("a dropped entry", func() { c.XDel(ctx, "lg:audit", ids[100].ID) })
	tamper("an entry of our own making", func() {
		c.XAdd(ctx, &redis.XAddArgs{Stream: "lg:audit", Values: ids[100].Values})
	})
	tamper("an entry of nobody", func() {
		c.XAdd(ctx, &redis.XAddArgs{Stream: "lg:audit", Values: map[string]any{"n": "x", "s": "1", "h": "y", "r": "z"}})
	})
}

// TestJournalWaits: a store that is away holds nobody up, and what was meant for it comes later, in order, on a real
// Redis; what does not fit any more is counted.
func TestJournalWaits(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	s := opened(t, config(t, addr))
	flaky := &away{Store: s.Journal()}
	q := audit.NewJournal(flaky, time.Now, slog.New(slog.DiscardHandler))
	l := audit.New(slog.New(slog.DiscardHandler), time.Now, q)
	flaky.down = true
	for i := range 300 {
		l.Event(t.Context(), audit.GrantIssued, slog.String("account", fmt.Sprint(i)))
	}
	if err := q.Flush(t.Context()); err == nil {
		t.Fatal("Flush() to a store that is away succeeded")
	}
	flaky.down = false
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, broken := readAll(t, flaky.Store)
	want := make([]string, 0, 300)
	for i := range 300 {
		want = append(want, fmt.Sprint("grant.issued ", i))
	}
	if !slices.Equal(events, want) || len(broken) != 0 {
		t.Errorf("%d events, broken %v, want 300 in order", len(events), broken)
	}
	flaky.down = true
	for range 10_000 {
		l.Event(t.Context(), audit.GrantIssued)
	}
	flaky.down = false
	if err := q.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	events, _ = readAll(t, flaky.Store)
	if len(events) >= 10_300 || events[len(events)-1] != "audit.lost " {
		t.Errorf("%d events, the last %q, want the bound and the count of what was lost", len(events), events[len(events)-1])
	}
}

// away is a journal whose store can be taken away.
type away struct {
	audit.Store
	down bool
}

func (a *away) Append(ctx context.Context, list []audit.Record) error {
	if a.down {
		return authn.ErrUnavailable
	}
	return a.Store.Append(ctx, list)
}
