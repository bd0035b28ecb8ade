// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// The journal is read backwards in pages of bounded cost.
func TestAuditPages(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		s, e := mini(t, nil)
		auditPages(t, s, e.Now())
	})
	t.Run("redis", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		auditPages(t, opened(t, config(t, addr)), time.Now())
	})
}

func auditPages(t *testing.T, s *store.Store, now time.Time) { //nolint:gocognit // a table and the way through it
	t.Helper()
	j := s.Journal()
	const n = 1200
	var list []audit.Record
	for i := range n {
		company := "other"
		if i%3 == 0 {
			company = "acme"
		}
		list = append(list, audit.Record{At: now.Add(time.Duration(i-n) * time.Second), Event: fmt.Sprint(i), Company: company})
	}
	if err := j.Append(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	read := func(q audit.Query) []string {
		t.Helper()
		var out []string
		for {
			before := s.Trips()
			p, err := j.Page(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if trips := s.Trips() - before; trips > 9 || len(p.Records) > max(q.Limit, 100) {
				t.Fatalf("%d records in %d round trips", len(p.Records), trips)
			}
			for _, r := range p.Records {
				out = append(out, r.Event)
			}
			if p.Next == "" {
				return out
			}
			q.Before = p.Next
		}
	}
	for name, tt := range map[string]struct {
		q           audit.Query
		count       int
		first, last string
	}{
		"all":        {audit.Query{}, n, "1199", "0"},
		"by seven":   {audit.Query{Limit: 7}, n, "1199", "0"},
		"by all":     {audit.Query{Limit: 300}, n, "1199", "0"},
		"a company":  {audit.Query{Keep: func(r audit.Record) bool { return r.Company == "acme" }}, 400, "1197", "0"},
		"nothing":    {audit.Query{Keep: func(audit.Record) bool { return false }}, 0, "", ""},
		"the latest": {audit.Query{From: now.Add(-10 * time.Second)}, 10, "1199", "1190"},
		"a range":    {audit.Query{From: now.Add(-20 * time.Second), Until: now.Add(-10 * time.Second)}, 10, "1189", "1180"},
		"the future": {audit.Query{From: now.Add(time.Hour)}, 0, "", ""},
	} {
		got := read(tt.q)
		if len(got) != tt.count || (tt.count > 0 && (got[0] != tt.first || got[len(got)-1] != tt.last)) {
			t.Errorf("%s: %d records, want %d from %s to %s", name, len(got), tt.count, tt.first, tt.last)
		}
	}
	for _, place := range []string{"x", "-", "+", "1", "1-1 count", "(1-1"} {
		if _, err := j.Page(t.Context(), audit.Query{Before: place}); !errors.Is(err, authn.ErrNotFound) {
			t.Errorf("Page(Before %q) = %v", place, err)
		}
	}
}
