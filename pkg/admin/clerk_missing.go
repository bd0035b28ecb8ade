// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
)

// Headcounts counts the accounts of companies, in their order, in one round trip.
func (c *Clerk) Headcounts(ctx context.Context, companies []string) ([]authn.Headcount, error) {
	for _, id := range companies {
		if err := c.guard(ctx, id, slog.String("company", id)); err != nil {
			return nil, fmt.Errorf("company %q: %w", id, err)
		}
	}
	return c.o.People.Headcounts(ctx, companies)
}

// Missing is a company that asks for a second factor, and how many of its people have none.
type Missing struct {
	Company company.Company
	People  int
	// Some says that the company asks some groups alone, while People are those of all groups.
	Some bool
}

// maxExact is of how many people without a factor a single company's Missing tells who is in a group that is asked.
const maxExact = 200

// Missing returns the companies whose people have yet to set a factor up, the largest number first, in two round trips.
// Of one company that asks some groups alone, the people are looked at too where they are few.
func (c *Clerk) Missing(ctx context.Context, companyID string) ([]Missing, error) {
	list, err := c.asking(ctx, cmp.Or(companyID, c.by.Company))
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, co := range list {
		ids = append(ids, co.ID)
	}
	counts, err := c.Headcounts(ctx, ids)
	if err != nil {
		return nil, err
	}
	var out []Missing
	for i, co := range list {
		m := Missing{Company: co, People: counts[i].Without, Some: len(co.FactorGroups) > 0}
		if m.Some && m.People <= maxExact && len(list) == 1 {
			if m, err = c.exactly(ctx, m); err != nil {
				return nil, err
			}
		}
		if m.People > 0 {
			out = append(out, m)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].People > out[j].People })
	return out, nil
}

// asking are the companies that ask for a factor: the one, or those that may be seen.
func (c *Clerk) asking(ctx context.Context, companyID string) ([]company.Company, error) {
	var list []company.Company
	var err error
	if companyID == "" {
		list, err = c.o.Companies.Companies(ctx)
	} else {
		list = make([]company.Company, 1)
		list[0], err = c.Company(ctx, companyID)
	}
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(list), func(co company.Company) bool { return !co.SecondFactor.Wanted() || !c.within(co.ID) }), nil
}

// exactly counts those alone whose groups are asked.
func (c *Clerk) exactly(ctx context.Context, m Missing) (Missing, error) {
	page, err := c.o.People.Page(ctx, authn.PeopleQuery{Company: m.Company.ID, Show: authn.ShowWithout, Limit: maxExact})
	if err != nil {
		return Missing{}, err
	}
	m.People, m.Some = 0, false
	for _, r := range page.People {
		if m.Company.Concerns(r.Account) {
			m.People++
		}
	}
	return m, nil
}
