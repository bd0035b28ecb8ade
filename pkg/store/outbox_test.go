// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/notify"
)

func putMail(t *testing.T, o notify.Outbox, event string) {
	t.Helper()
	if err := o.Put(t.Context(), notify.Message{Kind: notify.CodesWrong, Event: event, To: []string{"ann@acme.example"}}); err != nil {
		t.Fatal(err)
	}
}

// TestBrokenMessage: an entry that does not open, one whose text is another's, and one without its text hold up
// nothing, and nobody gets another's mail.
func TestBrokenMessage(t *testing.T) {
	s, e := mini(t, nil)
	for _, event := range []string{"broken", "swapped", "torn", "whole"} {
		putMail(t, s.Outbox(), event)
	}
	all, err := s.Outbox().Claim(t.Context(), 9, time.Minute)
	if err != nil || len(all) != 4 {
		t.Fatalf("Claim() = %v, %v, want 4", all, err)
	}
	field := map[string]string{}
	for _, x := range all {
		field[x.Message.Event] = "m:" + x.ID
	}
	key := "lg:{out}:mail"
	e.Redis().HSet(key, field["swapped"], e.Redis().HGet(key, field["whole"]))
	e.Redis().HSet(key, field["broken"], "nonsense")
	e.Redis().HDel(key, field["torn"])
	e.Advance(time.Hour)
	all, err = s.Outbox().Claim(t.Context(), 9, time.Minute)
	if err != nil || len(all) != 1 || all[0].Message.Event != "whole" {
		t.Errorf("Claim() = %v, %v, want the whole one", all, err)
	}
	if n, _ := e.Redis().HKeys(key); len(n) != 2 {
		t.Errorf("fields left: %v, want the text and the tries of the whole one", n)
	}
}

// TestOutboxAway: a store that is away is said to be away, and a sign-in may go on.
func TestOutboxAway(t *testing.T) {
	s, e := mini(t, nil)
	e.SetError("LOADING")
	err := s.Outbox().Put(t.Context(), notify.Message{Kind: notify.CodesWrong, Event: "e", To: []string{"ann@acme.example"}})
	if !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Put() = %v, want unavailable", err)
	}
	if _, err := s.Outbox().Claim(t.Context(), 1, time.Minute); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Claim() = %v, want unavailable", err)
	}
}

// TestSentIsForgotten: the id of a sent message is kept for three days, and an event that comes again later is a new one.
func TestSentIsForgotten(t *testing.T) {
	s, e := mini(t, nil)
	for i, want := range []int{1, 0, 1} {
		putMail(t, s.Outbox(), "e")
		got, err := s.Outbox().Claim(t.Context(), 9, time.Minute)
		if err != nil || len(got) != want {
			t.Fatalf("round %d: Claim() = %d entries, %v, want %d", i, len(got), err, want)
		}
		for _, x := range got {
			if err := s.Outbox().Done(t.Context(), x.ID); err != nil {
				t.Fatal(err)
			}
		}
		e.Advance(notify.Memory/2 + time.Hour)
		putMail(t, s.Outbox(), fmt.Sprint("other", i)) // keeps the keys alive
		if _, err := s.Outbox().Claim(t.Context(), 9, 99*time.Hour); err != nil {
			t.Fatal(err)
		}
	}
}
