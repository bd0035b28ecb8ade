// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What is fresh is not asked for again; what is old is, once for all who wait; an outage is bridged for a day.
func TestDocumentsAge(t *testing.T) {
	w := newWorld(t)
	var text atomic.Value
	text.Store("one")
	var down atomic.Bool
	s := w.source(func(rw http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(rw, text.Load().(string)) //nolint:errcheck,forcetypeassert // stored above
	})
	c := w.client(s)
	step := func(what, want string, hits int64) {
		t.Helper()
		before := s.hits.Load()
		if got := w.get(c, s.URL); got != want || s.hits.Load()-before != hits {
			t.Errorf("%s: %q after %d requests, want %q after %d", what, got, s.hits.Load()-before, want, hits)
		}
	}
	step("first", "one", 1)
	text.Store("two")
	step("again", "one", 0)
	if got := w.get(c, s.URL+"#fragment"); got != "one" || s.hits.Load() != 1 {
		t.Errorf("with a fragment: %q after %d requests", got, s.hits.Load())
	}
	w.pass(fresh)
	step("after 5 minutes", "two", 1)
	down.Store(true)
	w.pass(fresh)
	step("source is away", "two", 1)
	step("left alone", "two", 0)
	w.pass(pause)
	step("tried again", "two", 1)
	down.Store(false)
	text.Store("three")
	w.pass(pause)
	step("it is back", "three", 1)
	down.Store(true)
	w.pass(usable)
	_, err := c.Get(t.Context(), s.URL)
	w.wants("after a day", err, ErrAway)
	before := s.hits.Load()
	_, err = c.Get(t.Context(), s.URL)
	w.wants("after a day, again", err, ErrAway)
	if s.hits.Load() != before {
		t.Error("a source that failed is asked again at once")
	}
}

// A refetch happens at most once a minute, however many insist on it.
func TestRefetchOnceAMinute(t *testing.T) {
	w := newWorld(t)
	s := w.source(says("x"))
	c := w.client(s)
	insist := func(want int64) {
		t.Helper()
		before := s.hits.Load()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Refetch(t.Context(), s.URL); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := s.hits.Load() - before; got != want {
			t.Errorf("%d requests, want %d", got, want)
		}
	}
	w.get(c, s.URL)
	insist(1)
	insist(0)
	w.pass(forced - time.Second)
	insist(0)
	w.pass(time.Second)
	insist(1)
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	for i := range 3 * maxEntries {
		c.put(strings.Repeat("k", i%2000)+string(rune('a'+i/2000)), document{body: make([]byte, i%100*1000)})
		if c.order.Len() > maxEntries || len(c.entries) != c.order.Len() || c.bytes > maxBytes {
			t.Fatalf("%d entries, %d bytes", c.order.Len(), c.bytes)
		}
	}
	for c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
	if c.bytes != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes and %d entries are left", c.bytes, len(c.entries))
	}
}
