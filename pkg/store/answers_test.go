// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// Of many that ask the same at once one is to do it; the others wait, and are told the same answer afterwards.
func TestAnswers(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		s, e := mini(t, nil)
		testAnswers(t, s)
		answerEnds(t, s, e.Advance)
		if dump := rawDump(t, e.Redis().Keys(), e.Addr()); strings.Contains(dump, "ANSWER") || strings.Contains(dump, "REQUEST") {
			t.Error("the store holds an answer, or a request, that can be read")
		}
	})
	t.Run("redis", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		testAnswers(t, opened(t, config(t, addr)))
	})
	t.Run("cluster", func(t *testing.T) {
		c := config(t, storetest.StartCluster(t)...)
		c.Mode = store.Cluster
		testAnswers(t, opened(t, c))
	})
}

func testAnswers(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, a := t.Context(), s.Answers()
	var claimed, waits atomic.Int64
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			answer, mine, err := a.Begin(ctx, "caller key", "REQUEST", time.Minute)
			switch {
			case err != nil || answer != nil:
				t.Errorf("Begin() = %q, %v", answer, err)
			case mine:
				claimed.Add(1)
			default:
				waits.Add(1)
			}
		})
	}
	wg.Wait()
	if claimed.Load() != 1 || waits.Load() != 49 {
		t.Fatalf("50 at once: %d claimed, %d wait", claimed.Load(), waits.Load())
	}
	if _, _, err := a.Begin(ctx, "caller key", "another", time.Minute); !errors.Is(err, authn.ErrConflict) {
		t.Errorf("another request: %v", err)
	}
	if err := a.Finish(ctx, "caller key", "REQUEST", []byte("ANSWER"), time.Hour); err != nil {
		t.Fatal(err)
	}
	if answer, mine, err := a.Begin(ctx, "caller key", "REQUEST", time.Minute); string(answer) != "ANSWER" || mine || err != nil {
		t.Errorf("afterwards: %q, %v, %v", answer, mine, err)
	}
	if _, _, err := a.Begin(ctx, "caller key", "another", time.Minute); !errors.Is(err, authn.ErrConflict) {
		t.Errorf("another request afterwards: %v", err)
	}
	if _, mine, err := a.Begin(ctx, "caller two", "REQUEST", time.Minute); !mine || err != nil {
		t.Errorf("another id: %v, %v", mine, err)
	}
	if err := a.Drop(ctx, "caller two"); err != nil {
		t.Fatal(err)
	}
	if _, mine, err := a.Begin(ctx, "caller two", "another", time.Minute); !mine || err != nil {
		t.Errorf("given back: %v, %v", mine, err)
	}
}

// A claim whose node died, and an answer that is old, go by themselves.
func answerEnds(t *testing.T, s *store.Store, advance func(time.Duration)) {
	t.Helper()
	ctx, a := t.Context(), s.Answers()
	for _, after := range []time.Duration{time.Minute, time.Hour} {
		advance(after + time.Second)
		if _, mine, err := a.Begin(ctx, "caller key", "another", time.Minute); mine != (after == time.Hour) || (err != nil) != (after == time.Minute) {
			t.Errorf("%s later: %v, %v", after, mine, err)
		}
	}
	advance(time.Minute + time.Second)
	if _, mine, err := a.Begin(ctx, "caller key", "REQUEST", time.Minute); !mine || err != nil {
		t.Errorf("a claim of a minute ago: %v, %v", mine, err)
	}
}
