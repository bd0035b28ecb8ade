// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// pageTrips bounds what one page may cost: 6 round trips of auditPage entries, so that a page of the console, which
	// asks for more, stays below 10.
	pageTrips = 6
	// writeDelay is how long after its event an entry may have been written, for a page that ends at a time; clockSlack is
	// how much earlier, by a clock that is behind.
	writeDelay = time.Hour
	clockSlack = 10 * time.Second
	// usualTrail and maxTrail bound the records of a page.
	usualTrail = 100
	maxTrail   = 500
)

// Page implements audit.Store.
func (j *journal) Page(ctx context.Context, q audit.Query) (audit.Page, error) {
	if q.Limit <= 0 {
		q.Limit = usualTrail
	}
	q.Limit = min(q.Limit, maxTrail)
	upper, lower, err := bounds(q)
	if err != nil {
		return audit.Page{}, err
	}
	var p audit.Page
	for range pageTrips {
		out, err := j.do(ctx, cmd{"xrevrange", j.key.audit(), upper, lower, "count", auditPage})
		if err != nil {
			return audit.Page{}, fmt.Errorf("page of audit: %w", err)
		}
		entries := list(out[0])
		used := j.fill(&p, q, entries)
		if used == len(entries) && len(entries) < auditPage {
			p.Next = ""
			return p, nil
		}
		if len(p.Records) == q.Limit {
			return p, nil
		}
		upper = "(" + p.Next
	}
	return p, nil
}

// bounds are the ids of the stream between which the records stand.
func bounds(q audit.Query) (upper, lower string, err error) {
	upper, lower = "+", "-"
	if !q.Until.IsZero() {
		upper = strconv.FormatInt(max(0, q.Until.Add(writeDelay).UnixMilli()), 10)
	}
	if !q.From.IsZero() {
		lower = strconv.FormatInt(max(0, q.From.Add(-clockSlack).UnixMilli()), 10)
	}
	if q.Before == "" {
		return upper, lower, nil
	}
	if !regexp.MustCompile(`^[0-9]{1,19}-[0-9]{1,19}$`).MatchString(q.Before) {
		return "", "", fmt.Errorf("page of audit: %w", authn.ErrNotFound)
	}
	return "(" + q.Before, lower, nil
}

// fill adds what is wanted to a page until it is full, and says how many entries it looked at.
func (j *journal) fill(p *audit.Page, q audit.Query, entries reply) int {
	for i := range entries {
		if len(p.Records) == q.Limit {
			return i
		}
		entry := list(entries[i])
		p.Next = entry.text(0)
		if r, ok := j.opened(pairs(at(entry, 1))); ok && wanted(q, r) {
			p.Records = append(p.Records, r)
		}
	}
	return len(entries)
}

// opened opens one entry. What does not open is left out here: `lychgate audit` reports it.
func (j *journal) opened(f map[string]string) (audit.Record, bool) {
	var r audit.Record
	seq, err := number(f["s"])
	if err != nil {
		return r, false
	}
	return r, j.openJSON("audit", j.place(f["n"], seq), f["r"], &r) == nil
}

func wanted(q audit.Query, r audit.Record) bool {
	switch {
	case !q.From.IsZero() && r.At.Before(q.From), !q.Until.IsZero() && !r.At.Before(q.Until):
		return false
	default:
		return q.Keep == nil || q.Keep(r)
	}
}
