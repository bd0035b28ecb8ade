// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package logout_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/logout"
)

// shelf is a queue in memory: it lends everything once, and writes down what becomes of it.
type shelf struct {
	mu      sync.Mutex
	entries []logout.Entry
	did     []string
}

func (s *shelf) Claim(context.Context, int, time.Duration) ([]logout.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.entries
	s.entries = nil
	return out, nil
}

func (s *shelf) note(e logout.Entry, what string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.did = append(s.did, e.ID+" "+what)
	return nil
}

func (s *shelf) Done(_ context.Context, e logout.Entry) error { return s.note(e, "done") }

func (s *shelf) Failed(_ context.Context, e logout.Entry, wait time.Duration) error {
	return s.note(e, "failed "+wait.String())
}

func (s *shelf) Return(_ context.Context, e logout.Entry, wait time.Duration) error {
	return s.note(e, "return "+wait.String())
}

func (s *shelf) Free(_ context.Context, e logout.Entry) error { return s.note(e, "free") }

// of is what was done with the entries of a client, in its order.
func (s *shelf) of(client string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, d := range s.did {
		if strings.HasPrefix(d, client+".") {
			out = append(out, d)
		}
	}
	return out
}

type post func(ctx context.Context, uri string) (int, error)

func sender(s *shelf, p post, gaveUp func(logout.Failure)) *logout.Sender {
	at := time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)
	return logout.New(logout.Config{
		Queue: s, Now: func() time.Time { return at }, Log: slog.New(slog.DiscardHandler),
		Token: func(_ context.Context, e logout.Entry) (string, string, error) {
			switch e.ClientID {
			case "gone":
				return "", "", fmt.Errorf("x: %w", logout.ErrNobody)
			case "keyless":
				return "", "", errors.New("no key")
			}
			return e.ClientID, "TOKEN+" + e.SID, nil
		},
		Post: func(ctx context.Context, uri, kind string, body []byte) (int, error) {
			if kind != "application/x-www-form-urlencoded" || !strings.HasPrefix(string(body), "logout_token=TOKEN%2B") {
				return 0, fmt.Errorf("%s %s", kind, body)
			}
			return p(ctx, uri)
		},
		GaveUp: func(_ context.Context, f logout.Failure) { gaveUp(f) },
	})
}

// What an app answers decides what becomes of its entries: 200 and 204 are the end of one, anything else is tried again
// after a minute, five and thirty, then given up; an app that does not answer is asked once, and its other entries wait.
func TestSender(t *testing.T) {
	s := &shelf{}
	for _, client := range []string{"ok", "empty", "bad", "moved", "away", "gone", "keyless"} {
		for i := range 2 {
			s.entries = append(s.entries, logout.Entry{ID: fmt.Sprint(client, ".", i), ClientID: client, AccountID: "acc", Failures: i})
		}
	}
	s.entries = append(s.entries, logout.Entry{ID: "bad.2", ClientID: "bad", Failures: 2}, logout.Entry{ID: "bad.3", ClientID: "bad", AccountID: "acc", Failures: 3})
	var lost []logout.Failure
	err := sender(s, func(_ context.Context, uri string) (int, error) {
		status, ok := map[string]int{"ok": 200, "empty": 204, "bad": 400, "moved": 302}[uri]
		if !ok {
			return 0, errors.New("refused")
		}
		return status, nil
	}, func(f logout.Failure) { lost = append(lost, f) }).Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for client, want := range map[string][]string{
		"ok":      {"ok.0 done", "ok.1 done", "ok.0 free"},
		"empty":   {"empty.0 done", "empty.1 done", "empty.0 free"},
		"bad":     {"bad.0 failed 1m0s", "bad.1 failed 5m0s", "bad.2 failed 30m0s", "bad.3 done", "bad.0 free"},
		"moved":   {"moved.0 failed 1m0s", "moved.1 failed 5m0s", "moved.0 free"},
		"away":    {"away.0 failed 1m0s", "away.1 return 10s", "away.0 free"},
		"gone":    {"gone.0 done", "gone.1 done", "gone.0 free"},
		"keyless": {"keyless.0 failed 1m0s", "keyless.1 failed 5m0s", "keyless.0 free"},
	} {
		if got := s.of(client); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", client, got, want)
		}
	}
	if want := (logout.Failure{ClientID: "bad", AccountID: "acc", Tries: 4, Reason: "status 400"}); len(lost) != 1 || lost[0] != want {
		t.Errorf("given up: %+v", lost)
	}
}

// An app that hangs holds up none but itself: others are told while it does, also those that come later; and when the
// program ends, what hangs is given back untried.
func TestSenderHangs(t *testing.T) {
	s := &shelf{entries: []logout.Entry{{ID: "hangs.0", ClientID: "hangs"}, {ID: "hangs.1", ClientID: "hangs"}, {ID: "ok.0", ClientID: "ok"}}}
	told, hangs := make(chan string, 9), make(chan struct{})
	send := sender(s, func(ctx context.Context, uri string) (int, error) {
		if uri == "hangs" {
			close(hangs)
			<-ctx.Done()
			return 0, ctx.Err()
		}
		told <- uri
		return 200, nil
	}, func(f logout.Failure) { t.Errorf("given up: %+v", f) })
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { send.Run(ctx) })
	<-hangs
	<-told
	s.mu.Lock()
	s.entries = append(s.entries, logout.Entry{ID: "later.0", ClientID: "later"})
	s.mu.Unlock()
	if got := <-told; got != "later" {
		t.Errorf("told %s", got)
	}
	cancel()
	run.Wait()
	if got, want := s.of("hangs"), []string{"hangs.0 return 0s", "hangs.1 return 10s", "hangs.0 free"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
