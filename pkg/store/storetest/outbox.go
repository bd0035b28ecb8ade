// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/notify"
)

// letter is a message to the given addresses.
func letter(event string, to ...string) notify.Message {
	return notify.Message{Kind: notify.PasswordChanged, Event: event, To: to, Lang: "nl", Account: "ann@acme.example", Company: "Acme"}
}

// claim lends all that is due.
func (s *Stores) claim(t *testing.T, lease time.Duration) []notify.Entry {
	t.Helper()
	var all []notify.Entry
	for {
		got, err := s.Outbox.Claim(t.Context(), 7, lease)
		is(t, "Claim", err, nil)
		if len(got) > 7 {
			t.Fatalf("Claim() = %d entries, want 7 at most", len(got))
		}
		if len(got) == 0 {
			return all
		}
		all = append(all, got...)
	}
}

func testOutbox(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	m := letter("e1", "ann@acme.example", "ann@home.example")
	m.At = s.at()
	is(t, "Put", s.Outbox.Put(ctx, m), nil)
	is(t, "Put again", s.Outbox.Put(ctx, m), nil)
	is(t, "Put without an address", s.Outbox.Put(ctx, letter("e1")), nil)
	got := s.claim(t, time.Hour)
	if len(got) != 2 || got[0].ID == got[1].ID || got[0].To == got[1].To {
		t.Fatalf("Claim() = %+v, want one for each address", got)
	}
	want := m
	want.To = []string{got[0].To}
	if d := cmp.Diff(want, got[0].Message); d != "" || got[0].Tries != 1 {
		t.Errorf("entry, try %d (-want +got):\n%s", got[0].Tries, d)
	}
	is(t, "Put of what is lent", s.Outbox.Put(ctx, m), nil)
	is(t, "Done", s.Outbox.Done(ctx, got[0].ID), nil)
	is(t, "Later of what is done", s.Outbox.Later(ctx, got[0].ID, 0), authn.ErrGone)
	is(t, "Put of what was sent", s.Outbox.Put(ctx, m), nil)
	if again := s.claim(t, time.Hour); len(again) != 0 {
		t.Errorf("Claim() = %d entries, want none", len(again))
	}
	is(t, "Later", s.Outbox.Later(ctx, got[1].ID, 0), nil)
	again := s.claim(t, time.Hour)
	if len(again) != 1 || again[0].ID != got[1].ID || again[0].Tries != 2 {
		t.Errorf("Claim() after Later = %+v, want the second try of the other one", again)
	}
	is(t, "Put of another event", s.Outbox.Put(ctx, letter("e2", "ann@acme.example")), nil)
	if more := s.claim(t, time.Hour); len(more) != 1 {
		t.Errorf("another event: %d entries, want 1", len(more))
	}
	is(t, "Put without an event", s.Outbox.Put(ctx, letter("", "a@b.example")), notify.ErrMessage)
	is(t, "Put to a crowd", s.Outbox.Put(ctx, letter("e3", make([]string, notify.MaxAddresses+1)...)), notify.ErrMessage)
	big := letter("e4", "a@b.example")
	big.Name = strings.Repeat("x", notify.MaxSize)
	is(t, "Put of a large one", s.Outbox.Put(ctx, big), notify.ErrMessage)
}

func testOutboxTimes(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	is(t, "Put", s.Outbox.Put(ctx, letter("e1", "ann@acme.example")), nil)
	first := s.claim(t, life)
	if len(first) != 1 || len(s.claim(t, life)) != 0 {
		t.Fatalf("Claim() = %v, want it lent once", first)
	}
	s.pass(life + 50*time.Millisecond)
	second := s.claim(t, time.Hour)
	if len(second) != 1 || second[0].Tries != 2 || second[0].Age < life || second[0].Age > 10*life {
		t.Fatalf("Claim() after the lease = %+v", second)
	}
	is(t, "Later", s.Outbox.Later(ctx, second[0].ID, life), nil)
	if early := s.claim(t, time.Hour); len(early) != 0 {
		t.Errorf("Claim() before it is due = %v", early)
	}
	s.pass(life + 50*time.Millisecond)
	if due := s.claim(t, time.Hour); len(due) != 1 {
		t.Errorf("Claim() when it is due = %v", due)
	}
}

// testOutboxBound: void entries are never lent, and the first to go when there is no room.
func testOutboxBound(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{OutboxMost: 5}), t.Context()
	void := func(event string) notify.Message {
		m := letter(event, "nobody@acme.example")
		m.Void = true
		return m
	}
	for i := range 3 {
		is(t, "Put", s.Outbox.Put(ctx, letter(fmt.Sprint("real", i), "ann@acme.example")), nil)
		is(t, "Put of a void one", s.Outbox.Put(ctx, void(fmt.Sprint("void", i))), nil)
	}
	for i := range 2 {
		is(t, "Put over the bound", s.Outbox.Put(ctx, letter(fmt.Sprint("more", i), "ann@acme.example")), nil)
	}
	is(t, "Put without room", s.Outbox.Put(ctx, letter("last", "ann@acme.example")), notify.ErrFull)
	is(t, "Put of a void one without room", s.Outbox.Put(ctx, void("last")), notify.ErrFull)
	is(t, "Put of what waits already", s.Outbox.Put(ctx, letter("more0", "ann@acme.example")), nil)
	if got := s.claim(t, time.Hour); len(got) != 5 {
		t.Errorf("Claim() = %d entries, want the 5 that are not void", len(got))
	}
	s = open(t, Options{})
	for i := range 300 {
		is(t, "Put of a void one", s.Outbox.Put(ctx, void(fmt.Sprint("void", i))), nil)
	}
	is(t, "Put", s.Outbox.Put(ctx, letter("real", "ann@acme.example")), nil)
	if got := s.claim(t, time.Hour); len(got) != 1 || got[0].Message.Void {
		t.Errorf("Claim() behind 300 void entries = %v", got)
	}
}

func testOutboxRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	var c tally
	together(32, func(i int) {
		c.outcome(s.Outbox.Put(ctx, letter(fmt.Sprint("e", i/2), "ann@acme.example", fmt.Sprint(i, "@acme.example"))))
	})
	if c.get("ok") != 32 {
		t.Fatalf("32 Put() at once: %v", c.n)
	}
	var lent tally
	together(8, func(int) {
		for range 20 {
			got, err := s.Outbox.Claim(ctx, 3, time.Hour)
			if err != nil {
				t.Error(err)
			}
			for _, e := range got {
				lent.add(e.ID)
				if err := s.Outbox.Done(ctx, e.ID); err != nil {
					t.Error(err)
				}
			}
		}
	})
	if len(lent.n) != 16+32 {
		t.Errorf("%d entries were lent, want 48: one for each event and address", len(lent.n))
	}
	for id, n := range lent.n {
		if n != 1 {
			t.Errorf("%s was lent %d times", id, n)
		}
	}
}
