// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Pending is a reset of a person's second factor that was asked for and is not done.
type Pending struct {
	// By is the id of the admin who asked, Name the sign-in name; empty where the clerk may not see that account.
	By, Name string
	At       time.Time
	// After is when it may be done. Another: by an admin who is not By.
	After   time.Time
	Another bool
}

// PendingReset returns the reset that waits for somebody whom Person returned; nil: there is none.
func (c *Clerk) PendingReset(ctx context.Context, r authn.Record) (*Pending, error) {
	err := c.guard(ctx, r.Company, slog.String("account", r.ID))
	if err != nil || r.Factor != authn.FactorOn || r.Company == "" {
		return nil, err
	}
	asked, there, err := c.o.Resets.AskedReset(ctx, r.ID)
	if err != nil || !there {
		return nil, err
	}
	co, err := c.o.Companies.Company(ctx, r.Company)
	if err != nil {
		return nil, err
	}
	p := &Pending{
		By: asked.By, At: asked.At, After: asked.At.Add(time.Duration(co.ResetWait) * time.Hour),
		Another: co.ResetAdmins >= 2 && asked.By == c.by.ID,
	}
	// An admin of the IT team is none of the company's: no name then, and nothing to write down either.
	if by, err := c.o.Accounts.ByID(ctx, asked.By); err == nil && c.within(by.Company) {
		p.Name = by.Name
	}
	return p, nil
}
