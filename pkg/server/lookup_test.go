// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLookupsAreBounded: a name server that never answers holds nobody for longer than 1.5 s, and however many are asked
// for, few questions are under way.
func TestLookupsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		under, most := 0, 0
		count := func(by int) {
			mu.Lock()
			defer mu.Unlock()
			under += by
			most = max(most, under)
		}
		lookup := lookupTXT(Deps{LookupTXT: func(ctx context.Context, _ string) ([]string, error) {
			count(1)
			defer count(-1)
			<-ctx.Done()
			return nil, ctx.Err()
		}})
		begun := time.Now()
		var wg sync.WaitGroup
		for range 5 * maxLookups {
			wg.Go(func() {
				if _, err := lookup(t.Context(), "_lychgate.acme.example"); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("lookup = %v, want that it took too long", err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(begun); took != lookupPatience || most != maxLookups {
			t.Errorf("answered after %s with %d questions at once, want %s and %d", took, most, lookupPatience, maxLookups)
		}
	})
}

// TestLookupsTakeTurns: a turn that is over is the next one's.
func TestLookupsTakeTurns(t *testing.T) {
	lookup := lookupTXT(Deps{LookupTXT: func(context.Context, string) ([]string, error) { return []string{"x"}, nil }})
	for range 2 * maxLookups {
		if got, err := lookup(t.Context(), "_lychgate.acme.example"); err != nil || !slices.Equal(got, []string{"x"}) {
			t.Fatalf("lookup = %q, %v", got, err)
		}
	}
}
