// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/audit"
)

// Figures are the sign-ins and refusals of a company by day, today last; empty: the clerk's company, or everybody.
func (c *Clerk) Figures(ctx context.Context, companyID string, days int) ([]audit.Day, error) {
	if companyID == "" {
		companyID = c.by.Company
	}
	if err := c.guard(ctx, companyID, slog.String("company", companyID)); err != nil {
		return nil, fmt.Errorf("company %q: %w", companyID, err)
	}
	return c.o.History.Figures(ctx, companyID, c.o.Now(), days)
}
