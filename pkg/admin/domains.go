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
	"time"
	"unicode/utf8"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/registry"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// maxDomains is how many mail domains a company can have.
const maxDomains = 50

// domainForm is a host name of two labels or more.
func domainForm() *regexp.Regexp {
	return regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$`)
}

func isDomain(d string) bool { return len(d) <= 253 && domainForm().MatchString(d) }

func checkDomains(domains []string) []error {
	if len(domains) > maxDomains {
		return []error{fieldf("domains", "can have %d entries at most", maxDomains)}
	}
	var problems []error
	for i, d := range domains {
		if !isDomain(d) {
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
				return domainErrorf(DomainTaken, "entry %d is a domain of another company", i+1)
			}
		}
	}
	return nil
}

// DomainReason says why a mail domain was not added.
type DomainReason string

// The reasons.
const (
	// DomainForm: it is no host name of two labels or more. DomainLetters: it has letters beyond ASCII.
	DomainForm    DomainReason = "form"
	DomainLetters DomainReason = "letters"
	// DomainMissing: the name server knows no such record. DomainSilent: it did not answer.
	DomainMissing DomainReason = "missing"
	DomainSilent  DomainReason = "silent"
	// DomainTaken: it is another company's. DomainFull: the company has as many as it can have.
	DomainTaken DomainReason = "taken"
	DomainFull  DomainReason = "full"
)

// DomainError is a problem of a mail domain; it is a *client.FieldError of domains too.
type DomainError struct {
	*client.FieldError
	Reason DomainReason
}

// Unwrap implements the interface of errors.As.
func (e *DomainError) Unwrap() error { return e.FieldError }

func domainErrorf(reason DomainReason, text string, args ...any) error {
	return &DomainError{&client.FieldError{Field: "domains", Problem: fmt.Sprintf(text, args...)}, reason}
}

// DomainRecord is a mail domain and the DNS record by which a company shows that it is its own.
type DomainRecord struct {
	// Domain is written as it is kept: in lower case, without a dot at its end.
	Domain string
	// Name and Value are those of a TXT record. The value is always the same, and good for this company alone.
	Name, Value string
	// Verified says whether it is a domain of the company. Tag is the version of the company that says so.
	Verified bool
	Tag      string
}

// DomainRecord returns the record of a domain, as it is typed: in any case, with a dot at its end, or behind an @. A
// *DomainError for what is no domain.
func (c *Clerk) DomainRecord(ctx context.Context, companyID, typed string) (DomainRecord, error) {
	co, err := c.Company(ctx, companyID)
	if err != nil {
		return DomainRecord{}, err
	}
	domain := strings.ToLower(strings.TrimSpace(typed))
	domain = strings.TrimSuffix(domain[strings.LastIndex(domain, "@")+1:], ".")
	if strings.ContainsFunc(domain, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return DomainRecord{}, domainErrorf(DomainLetters, "must be written in ASCII: xn--mnchen-3ya.example stands for münchen.example")
	}
	if !isDomain(domain) {
		return DomainRecord{}, domainErrorf(DomainForm, "must be domains of two parts or more, such as example.com")
	}
	return DomainRecord{
		Domain: domain, Name: "_lychgate." + domain, Value: "lychgate-domain=" + c.o.Digest("domain\x00" + companyID + "\x00" + domain)[:32],
		Verified: slices.Contains(co.Domains, domain), Tag: CompanyTag(co),
	}, nil
}

// VerifyDomain asks DNS for the record, and adds the domain to the company if it is there. A company that has the domain
// already is left as it is, and nobody is asked. tag is as in ChangeCompany. A *DomainError says why it was not added; a
// *authn.WaitError comes after 30 questions for one company within an hour: anybody's name server could be asked by us.
func (c *Clerk) VerifyDomain(ctx context.Context, companyID, tag, typed string) error {
	rec, err := c.DomainRecord(ctx, companyID, typed)
	switch {
	case err != nil:
		return err
	case tag != "" && tag != rec.Tag:
		return fmt.Errorf("company %q: %w", companyID, ErrStale)
	case rec.Verified:
		return nil
	}
	if err := c.seek(ctx, companyID, rec); err != nil {
		return err
	}
	err = c.changeDomains(ctx, companyID, tag, func(domains []string) ([]string, error) {
		switch {
		case slices.Contains(domains, rec.Domain):
			return domains, nil
		case len(domains) >= maxDomains:
			return nil, domainErrorf(DomainFull, "can have %d entries at most: remove one first", maxDomains)
		}
		return append(domains, rec.Domain), nil
	})
	if e, ok := errors.AsType[*DomainError](err); ok && e.Reason == DomainTaken {
		return domainErrorf(DomainTaken, "cannot have %s: it is a domain of another company", rec.Domain)
	}
	if err == nil {
		c.event(ctx, audit.DomainVerified, slog.String("company", companyID), slog.String("domain", rec.Domain))
	}
	return err
}

// seek answers nil if DNS has the record.
func (c *Clerk) seek(ctx context.Context, companyID string, rec DomainRecord) error {
	limit := throttle.Limit{Kind: "dns", Free: 30, First: 2 * time.Minute, Per: time.Hour}
	if err := c.o.Counter.Charge(ctx, throttle.Guess{Limit: limit, Subject: companyID}); err != nil {
		return err
	}
	found, err := c.o.LookupTXT(ctx, rec.Name)
	if e, ok := errors.AsType[*net.DNSError](err); err != nil && (!ok || !e.IsNotFound) {
		return domainErrorf(DomainSilent, "could not be looked up: the name server did not answer; try again")
	}
	if !slices.Contains(found, rec.Value) {
		return domainErrorf(DomainMissing, "have no TXT record %s with the value %s yet: a new record can take an hour to be seen", rec.Name, rec.Value)
	}
	return nil
}

// DropDomain takes a domain from a company: others can invite its people again. tag is as in ChangeCompany.
// authn.ErrNotFound if the company has no such domain.
func (c *Clerk) DropDomain(ctx context.Context, companyID, tag, typed string) error {
	rec, err := c.DomainRecord(ctx, companyID, typed)
	if err != nil {
		return err
	}
	return c.changeDomains(ctx, companyID, tag, func(domains []string) ([]string, error) {
		i := slices.Index(domains, rec.Domain)
		if i < 0 {
			return nil, fmt.Errorf("domain %s of company %q: %w", rec.Domain, companyID, authn.ErrNotFound)
		}
		return slices.Delete(domains, i, i+1), nil
	})
}

// changeDomains writes what change makes of a copy of a company's domains.
func (c *Clerk) changeDomains(ctx context.Context, companyID, tag string, change func([]string) ([]string, error)) error {
	return c.putCompany(ctx, companyID, func(co company.Company, there bool) (company.Company, error) {
		switch {
		case !there:
			return co, fmt.Errorf("company %q: %w", companyID, authn.ErrNotFound)
		case tag != "" && tag != CompanyTag(co):
			return co, fmt.Errorf("company %q: %w", companyID, ErrStale)
		}
		var err error
		co.Domains, err = change(slices.Clone(co.Domains))
		return co, err
	})
}

// foreignDomain says whether a canonical sign-in name is of a domain that another company has verified: its people are not
// this company's to invite, since a sign-in name is given once.
func (c *Clerk) foreignDomain(ctx context.Context, companyID, name string) (bool, error) {
	all, err := c.o.Companies.Companies(ctx)
	if err != nil {
		return false, err
	}
	_, domain, _ := strings.Cut(name, "@")
	return slices.ContainsFunc(all, func(co company.Company) bool {
		return co.ID != companyID && slices.Contains(co.Domains, domain)
	}), nil
}
