// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/registry"
)

// maxDomains is how many mail domains a company can have.
const maxDomains = 50

// domainForm is a host name of two labels or more.
func domainForm() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)
}

func checkDomains(domains []string) []error {
	if len(domains) > maxDomains {
		return []error{fieldf("domains", "can have %d entries at most", maxDomains)}
	}
	var problems []error
	for i, d := range domains {
		if len(d) > 253 || !domainForm().MatchString(d) {
			problems = append(problems, fieldf("domains", "entry %d must be a domain in lower case, such as example.com", i+1))
		}
		if slices.Contains(domains[:i], d) {
			problems = append(problems, fieldf("domains", "entry %d stands there twice", i+1))
		}
	}
	return problems
}

// ownDomains says which domains of a company are another's: a domain has one company.
func ownDomains(st registry.State, co company.Company) error {
	for i, d := range co.Domains {
		for id, other := range st.Companies {
			if id != co.ID && slices.Contains(other.Domains, d) {
				return fieldf("domains", "entry %d is a domain of another company", i+1)
			}
		}
	}
	return nil
}

// DomainRecord is the DNS record by which a company shows that a mail domain is its own: a TXT record of the name with the
// value. The value is the same at each call and good for this company alone.
func (c *Clerk) DomainRecord(ctx context.Context, companyID, domain string) (name, value string, err error) {
	if _, err := c.Company(ctx, companyID); err != nil {
		return "", "", err
	}
	domain = strings.ToLower(strings.TrimSpace(domain))
	if err := errors.Join(checkDomains([]string{domain})...); err != nil {
		return "", "", err
	}
	return "_lychgate." + domain, "lychgate-domain=" + c.o.Digest("domain\x00" + companyID + "\x00" + domain)[:32], nil
}

// VerifyDomain asks DNS for the record, and adds the domain to the company if it is there; nothing is changed if it is
// not. A *client.FieldError of domains says why: no such record, no answer, or another company's domain.
func (c *Clerk) VerifyDomain(ctx context.Context, companyID, domain string) error {
	name, value, err := c.DomainRecord(ctx, companyID, domain)
	if err != nil {
		return err
	}
	domain = strings.TrimPrefix(name, "_lychgate.")
	found, err := c.o.LookupTXT(ctx, name)
	if e, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !e.IsNotFound) {
		return fieldf("domains", "could not be looked up: the name server did not answer; try again")
	}
	if !slices.Contains(found, value) {
		return fieldf("domains", "have no TXT record %s with the value %s yet: a new record can take an hour to be seen", name, value)
	}
	err = c.putCompany(ctx, companyID, func(co company.Company, there bool) (company.Company, error) {
		if !there {
			return co, fmt.Errorf("company %q: %w", companyID, authn.ErrNotFound)
		}
		if !slices.Contains(co.Domains, domain) {
			co.Domains = append(slices.Clone(co.Domains), domain)
		}
		return co, nil
	})
	if err == nil {
		c.event(ctx, audit.DomainVerified, slog.String("company", companyID), slog.String("domain", domain))
	}
	return err
}

// DropDomain takes a domain from a company; it is harmless to repeat.
func (c *Clerk) DropDomain(ctx context.Context, companyID, domain string) error {
	return c.putCompany(ctx, companyID, func(co company.Company, there bool) (company.Company, error) {
		if !there {
			return co, fmt.Errorf("company %q: %w", companyID, authn.ErrNotFound)
		}
		co.Domains = slices.DeleteFunc(slices.Clone(co.Domains), func(d string) bool { return d == domain })
		return co, nil
	})
}

// foreignDomain says whether an address is of a domain that another company has verified: its people are not this
// company's to invite, since a sign-in name is given once.
func (c *Clerk) foreignDomain(ctx context.Context, companyID, email string) (bool, error) {
	all, err := c.o.Companies.Companies(ctx)
	if err != nil {
		return false, err
	}
	_, domain, _ := strings.Cut(strings.ToLower(email), "@")
	return slices.ContainsFunc(all, func(co company.Company) bool {
		return co.ID != companyID && slices.Contains(co.Domains, domain)
	}), nil
}
