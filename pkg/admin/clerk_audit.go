// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
)

// sees says whether a record of the journal is the clerk's to see. A company's clerk sees what names the company, and
// nothing else: what names none, or names it because somebody of another company asked for it, is for the IT team.
func (c *Clerk) sees(r audit.Record) bool {
	of := r.Detail["of"]
	return c.by.Company == "" || r.Company == c.by.Company && (of == "" || of == c.by.Company)
}

// TrailAccount is the id of the account that a search of the journal means: by its sign-in name if there is one that may
// be seen, else what was asked for, since the journal knows ids of accounts that are gone.
func (c *Clerk) TrailAccount(ctx context.Context, text string) (string, error) {
	canonical, err := c.o.Passwords.Canonical(text)
	if text == "" || err != nil {
		return text, nil //nolint:nilerr // what cannot be a name is an id
	}
	r, err := c.o.Accounts.ByName(ctx, canonical)
	if errors.Is(err, authn.ErrNotFound) || err == nil && !c.within(r.Company) {
		return text, nil
	}
	return r.ID, err
}

// Names are the sign-in names of accounts by their ids, in one round trip; those that may not be seen are left out.
func (c *Clerk) Names(ctx context.Context, ids []string) (map[string]string, error) {
	all, err := c.o.People.Some(ctx, ids)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, r := range all {
		if c.within(r.Company) {
			names[r.ID] = r.Name
		}
	}
	return names, nil
}

// TrailExported writes down that somebody took a part of the journal with them.
func (c *Clerk) TrailExported(ctx context.Context, q TrailQuery, n int) {
	c.event(ctx, audit.AuditExported, slog.String("company", c.by.Company), slog.Int("count", n), slog.String("searched", asJSON(q)))
}
