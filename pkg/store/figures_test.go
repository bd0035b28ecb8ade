// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// TestFigures: sign-ins and refusals are counted by day and company; all of them for everybody. Their keys end.
func TestFigures(t *testing.T) {
	s, e := mini(t, nil)
	j, now := s.Journal(), e.Now()
	yesterday := now.AddDate(0, 0, -1)
	err := j.Append(t.Context(), []audit.Record{
		{At: yesterday, Event: audit.SessionStarted, Company: "acme"},
		{At: now, Event: audit.SessionStarted, Company: "acme"},
		{At: now, Event: audit.SessionStarted, Company: "plain"},
		{At: now, Event: audit.LoginRejected},
		{At: now, Event: audit.LoginRejected, Company: "acme"},
		{At: now, Event: audit.FactorRejected, Company: "acme", Result: "rejected"},
		{At: now, Event: audit.FactorRejected, Company: "acme", Result: "wait"},
		{At: now, Event: audit.FactorRejected, Company: "acme", Result: audit.ReasonUsed},
		{At: now, Event: audit.FactorLocked, Company: "plain", Result: "locked"},
		{At: now, Event: audit.FactorLocked, Company: "plain", Result: audit.ReasonStill},
		{At: now, Event: audit.FactorRejected, Company: "acme", Result: "set-up"},
		{At: now, Event: audit.LoginThrottled},
		{At: now, Event: audit.ClientChanged, Company: "acme"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for company, want := range map[string]map[audit.Figure]int{
		"":      {audit.FigureSignIns: 2, audit.FigurePassword: 2, audit.FigureCode: 1, audit.FigureUsed: 1, audit.FigureTries: 4, audit.FigureLocked: 1},
		"acme":  {audit.FigureSignIns: 1, audit.FigurePassword: 1, audit.FigureCode: 1, audit.FigureUsed: 1, audit.FigureTries: 1},
		"plain": {audit.FigureSignIns: 1, audit.FigureTries: 2, audit.FigureLocked: 1},
		"other": {},
	} {
		before := s.Trips()
		days, err := j.Figures(t.Context(), company, now, 14)
		if err != nil || len(days) != 14 || s.Trips() != before+1 {
			t.Fatalf("%q: %d days, %d round trips, %v", company, len(days), s.Trips()-before, err)
		}
		if diff := cmp.Diff(want, days[13].Counts); diff != "" {
			t.Errorf("%q (-want +got):\n%s", company, diff)
		}
		if company == "acme" && days[12].Counts[audit.FigureSignIns] != 1 {
			t.Errorf("yesterday: %v", days[12].Counts)
		}
	}
	figuresEnd(t, e)
}

// figuresEnd: the keys of the counts end, and name no company.
func figuresEnd(t *testing.T, e *embedded.Embedded) {
	t.Helper()
	found := 0
	for _, key := range e.Redis().Keys() {
		if strings.Contains(key, "acme") {
			t.Errorf("a key names a company: %s", key)
		}
		if !strings.Contains(key, ":n:2") {
			continue
		}
		found++
		if ttl := e.Redis().TTL(key); ttl <= 0 || ttl > 40*24*time.Hour {
			t.Errorf("%s ends in %s", key, ttl)
		}
	}
	if found == 0 {
		t.Error("no counts")
	}
}
