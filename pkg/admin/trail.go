// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
)

// TrailQuery asks for a part of the journal of security events, the newest first. Empty fields ask for nothing.
type TrailQuery struct {
	// From and Until bound the time, From included, Until not.
	From, Until time.Time
	// Event, Account, Actor, Client and Company are whole values.
	Event, Account, Actor, Client, Company string
	// After is Next of the page before; Limit is the length of the page: 1 to 200, 50 if 0.
	After string
	Limit int
}

// Trail returns a page of the journal: what names the clerk's company (see sees). Its cost is bounded, so that a page may be
// short, or empty, though more follows. authn.ErrNotFound for another company, or a place that is none.
func (c *Clerk) Trail(ctx context.Context, q TrailQuery) (audit.Page, error) {
	if q.Company != "" {
		if err := c.guard(ctx, q.Company, slog.String("company", q.Company)); err != nil {
			return audit.Page{}, err
		}
	} else {
		q.Company = c.by.Company
	}
	return c.o.History.Page(ctx, audit.Query{
		From: q.From, Until: q.Until, Before: q.After, Limit: pageSize(q.Limit),
		Keep: func(r audit.Record) bool { return c.sees(r) && q.wants(r) },
	})
}

// wants says whether a record is asked for.
func (q TrailQuery) wants(r audit.Record) bool {
	for _, pair := range [][2]string{
		{q.Event, r.Event}, {q.Account, r.Account}, {q.Actor, r.Actor}, {q.Client, r.Client}, {q.Company, r.Company},
	} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	return true
}
