// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/registry"
)

// CompanyQuery asks for a page of companies, by id.
type CompanyQuery struct {
	// Text is a part of the name or the id, in any case; After the id that the page begins behind; Limit as in ClientQuery.
	Text, After string
	Limit       int
}

// CompanyPage is a page of companies.
type CompanyPage struct {
	Companies []company.Company
	// Next is what the next page begins behind; empty: there is none. Total is how many there are on all pages.
	Next  string
	Total int
}

// CompanyTag names the version of a company: 32 hexadecimal characters that change with anything that can be read of it.
func CompanyTag(co company.Company) string {
	sum := sha256.Sum256([]byte(asJSON(co)))
	return hex.EncodeToString(sum[:16])
}

// ListCompanies returns a page of the companies that may be seen, without asking the store more than once.
func (c *Clerk) ListCompanies(ctx context.Context, q CompanyQuery) (CompanyPage, error) {
	all, err := c.o.Companies.Companies(ctx)
	if err != nil {
		return CompanyPage{}, err
	}
	var page CompanyPage
	text, limit := strings.ToLower(q.Text), pageSize(q.Limit)
	for _, co := range all {
		if !c.within(co.ID) || (!strings.Contains(strings.ToLower(co.Name), text) && !strings.Contains(co.ID, text)) {
			continue
		}
		page.Total++
		switch {
		case co.ID <= q.After:
		case len(page.Companies) < limit:
			page.Companies = append(page.Companies, co)
		default:
			page.Next = page.Companies[limit-1].ID
		}
	}
	return page, nil
}

// Company returns a company that may be seen.
func (c *Clerk) Company(ctx context.Context, id string) (company.Company, error) {
	co, err := c.o.Companies.Company(ctx, id)
	if err == nil {
		err = c.guard(ctx, id, slog.String("company", id))
	}
	if err != nil {
		return company.Company{}, fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", id, err)
	}
	return co, nil
}

// CreateCompany adds a company; for the IT team alone. authn.ErrExists if the id is taken.
func (c *Clerk) CreateCompany(ctx context.Context, co company.Company) (company.Company, error) {
	if c.by.Company != "" {
		c.event(ctx, audit.AdminRefused, slog.String("company", co.ID))
		return company.Company{}, ErrForbidden
	}
	return co, c.putCompany(ctx, co.ID, func(_ company.Company, there bool) (company.Company, error) {
		if there {
			return co, fmt.Errorf("company %q %w; change it with `lychgate company set %s`", co.ID, authn.ErrExists, co.ID)
		}
		return co, nil
	})
}

// ChangeCompany replaces what is said of a company, policy included. tag is the version that it was made from (ErrStale
// if that is not in force any more); empty: any. It tells nobody: see TellPolicy.
func (c *Clerk) ChangeCompany(ctx context.Context, id, tag string, co company.Company) (company.Company, error) {
	if co.ID == "" {
		co.ID = id
	}
	return co, c.putCompany(ctx, id, func(before company.Company, there bool) (company.Company, error) {
		switch {
		case !there:
			return co, fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", id, authn.ErrNotFound)
		case co.ID != id:
			return co, fieldf("id", "cannot be changed: it must be the company's own, or left out")
		case tag != "" && tag != CompanyTag(before):
			return co, fmt.Errorf("company %q: %w", id, ErrStale)
		case c.by.Company != "" && !slices.Equal(co.Domains, before.Domains):
			return co, fieldf("domains", "can be added by verifying them alone")
		}
		return co, nil
	})
}

// putCompany writes what change makes of a company, and before and after into the audit log.
func (c *Clerk) putCompany(ctx context.Context, id string, change func(before company.Company, there bool) (company.Company, error)) error {
	if err := c.guard(ctx, id, slog.String("company", id)); err != nil {
		return fmt.Errorf("company %q: %w", id, err)
	}
	var before, after company.Company
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var there bool
		before, there = st.Companies[id]
		var err error
		if after, err = change(before, there); err != nil {
			return registry.Change{}, err
		}
		if err := errors.Join(checkCompany(after), ownDomains(st, after)); err != nil {
			return registry.Change{}, err
		}
		if there && asJSON(before) == asJSON(after) {
			return registry.Change{}, nil
		}
		return registry.Change{PutCompanies: []company.Company{after}}, nil
	})
	if err == nil && asJSON(before) != asJSON(after) {
		c.event(ctx, audit.CompanyChanged, slog.String("company", id), slog.String("before", asJSON(before)), slog.String("after", asJSON(after)))
	}
	return err
}

// RemoveCompany removes a company that has neither people nor clients; for the IT team alone. authn.ErrConflict where it
// has some: they would be left without a policy.
func (c *Clerk) RemoveCompany(ctx context.Context, id, tag string) error {
	if c.by.Company != "" {
		c.event(ctx, audit.AdminRefused, slog.String("company", id))
		return ErrForbidden
	}
	n, err := c.o.People.Headcount(ctx, id)
	if err != nil {
		return err
	}
	var before company.Company
	err = c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var there bool
		before, there = st.Companies[id]
		switch {
		case !there:
			return registry.Change{}, fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", id, authn.ErrNotFound)
		case tag != "" && tag != CompanyTag(before):
			return registry.Change{}, fmt.Errorf("company %q: %w", id, ErrStale)
		case n.All > 0:
			return registry.Change{}, fmt.Errorf("company %q has %d accounts: delete them first: %w", id, n.All, authn.ErrConflict)
		case hasClients(st, id):
			return registry.Change{}, fmt.Errorf("company %q has clients: remove them, or give them to another company first: %w", id, authn.ErrConflict)
		}
		return registry.Change{RemoveCompanies: []string{id}}, nil
	})
	if err == nil {
		c.event(ctx, audit.CompanyRemoved, slog.String("company", id), slog.String("before", asJSON(before)))
	}
	return err
}

func hasClients(st registry.State, company string) bool {
	for _, x := range st.Clients {
		if x.Company == company {
			return true
		}
	}
	return false
}

// Preview is whom a policy concerns.
type Preview struct {
	// Concerned have to have a second factor; Set of them have one, Without have none.
	Concerned, Set, Without int
	// More says that there are more than were looked at.
	More bool
}

// maxPreview is how many pages of 200 people are looked at for a preview.
const maxPreview = 4

// PreviewPolicy says whom a company's policy would concern, as far as it can be seen in eight round trips.
func (c *Clerk) PreviewPolicy(ctx context.Context, co company.Company) (Preview, error) {
	if _, err := c.Company(ctx, co.ID); err != nil {
		return Preview{}, err
	}
	if err := checkCompany(co); err != nil {
		return Preview{}, err
	}
	var p Preview
	if !co.SecondFactor.Wanted() {
		return p, nil
	}
	if len(co.FactorGroups) == 0 {
		n, err := c.o.People.Headcount(ctx, co.ID)
		return Preview{Concerned: n.All, Set: n.All - n.Without, Without: n.Without}, err
	}
	q := authn.PeopleQuery{Company: co.ID, Limit: 200}
	for range maxPreview {
		page, err := c.o.People.Page(ctx, q)
		if err != nil {
			return Preview{}, err
		}
		for _, r := range page.People {
			p.count(co, r)
		}
		if p.More = page.Next != ""; !p.More {
			break
		}
		q.After = page.Next
	}
	return p, nil
}

func (p *Preview) count(co company.Company, r authn.Record) {
	if r.State != authn.Active || !co.Concerns(r.Account) {
		return
	}
	p.Concerned++
	if r.Factor == authn.FactorOn {
		p.Set++
	} else {
		p.Without++
	}
}
