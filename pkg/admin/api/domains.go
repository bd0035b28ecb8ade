// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/lychgate/lychgate/pkg/admin"
)

// DomainActs is what a clerk does for the mail domains of companies (admin.Clerk).
type DomainActs interface {
	DomainRecord(ctx context.Context, companyID, domain string) (admin.DomainRecord, error)
	VerifyDomain(ctx context.Context, companyID, tag, domain string) error
	DropDomain(ctx context.Context, companyID, tag, domain string) error
}

// DomainID is the part of a path that names a mail domain.
type DomainID struct {
	CompanyID
	Domain string `path:"domain" maxLength:"253" pattern:"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$" patternDescription:"a domain in lower case, such as example.com or xn--mnchen-3ya.example" doc:"The mail domain: lower case, in ASCII"`
}

// Domains are the mail domains of a company.
type Domains struct {
	Domains []string `json:"domains" nullable:"false" doc:"Each was shown to be the company's own, in the order they were added"`
}

// Domain is a mail domain, whether the company has it or not.
type Domain struct {
	Domain   string    `json:"domain"`
	Verified bool      `json:"verified" doc:"Whether it was shown to be the company's own"`
	Record   TXTRecord `json:"record" doc:"What shows that it is: a DNS record that is good for this company alone and stays the same"`
}

// TXTRecord is a record to set in the DNS.
type TXTRecord struct {
	Type  string `json:"type" enum:"TXT"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

type domainsOutput struct {
	ETag string `header:"ETag"`
	Body Domains
}

type domainOutput struct {
	ETag string `header:"ETag"`
	Body Domain
}

type putDomainInput struct {
	DomainID
	MatchInput
}

type deleteDomainInput struct {
	DomainID
	OptionalMatchInput
}

func (a *API) addDomains() {
	const tag, path, one = "companies", "/api/v1/companies/{company_id}/domains", "/api/v1/companies/{company_id}/domains/{domain}"
	add(a, spec{
		id: "list_domains", method: http.MethodGet, path: path, scope: ScopeCompaniesRead, tag: tag, summary: "List a company's mail domains",
		status: http.StatusOK, more: "No other company's admin invites people of them.",
	}, a.listDomains)
	add(a, spec{
		id: "read_domain", method: http.MethodGet, path: one, scope: ScopeCompaniesRead, tag: tag, summary: "Read the DNS record that shows whose a mail domain is",
		status: http.StatusOK, more: "Of any domain; nobody is asked.",
	}, a.readDomain)
	add(a, spec{
		id: "verify_domain", method: http.MethodPut, path: one, scope: ScopeCompaniesWrite, tag: tag, summary: "Look for the record of a mail domain, and add the domain",
		status: http.StatusOK, traits: mustMatch | waits,
		more: "Refused while the DNS has no such record. DNS is asked at once; for one company 30 times an hour, then every two minutes.",
	}, a.verifyDomain)
	add(a, spec{
		id: "remove_domain", method: http.MethodDelete, path: one, scope: ScopeCompaniesWrite, tag: tag, summary: "Take a mail domain from a company",
		status: http.StatusNoContent, traits: mayMatch, more: "Others can invite its people again; who has an account keeps it.",
	}, a.removeDomain)
}

func (a *API) listDomains(ctx context.Context, c call, in *CompanyID) (*domainsOutput, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &domainsOutput{etag(admin.CompanyTag(co)), Domains{append([]string{}, co.Domains...)}}, nil
}

func (a *API) readDomain(ctx context.Context, c call, in *DomainID) (*domainOutput, error) {
	rec, err := c.clerk.DomainRecord(ctx, in.ID, in.Domain)
	if err != nil {
		return nil, inDomain(err)
	}
	return &domainOutput{etag(rec.Tag), Domain{rec.Domain, rec.Verified, TXTRecord{"TXT", rec.Name, rec.Value}}}, nil
}

func (a *API) verifyDomain(ctx context.Context, c call, in *putDomainInput) (*domainOutput, error) {
	tag, err := c.domainTag(ctx, in.DomainID)
	if err != nil {
		return nil, err
	}
	if err := c.clerk.VerifyDomain(ctx, in.ID, tag, in.Domain); err != nil {
		return nil, inDomain(err)
	}
	return a.readDomain(ctx, c, &in.DomainID)
}

func (a *API) removeDomain(ctx context.Context, c call, in *deleteDomainInput) (*struct{}, error) {
	tag, err := c.domainTag(ctx, in.DomainID)
	if err != nil {
		return nil, err
	}
	return nil, inDomain(c.clerk.DropDomain(ctx, in.ID, tag, in.Domain))
}

// domainTag is the version of the company that a change of its domains is made from, if the caller has seen it.
func (c call) domainTag(ctx context.Context, in DomainID) (string, error) {
	rec, err := c.clerk.DomainRecord(ctx, in.ID, in.Domain)
	if err != nil {
		return "", inDomain(err)
	}
	return c.match.against(rec.Tag)
}

// inDomain says a problem of a mail domain at the part of the path that names it.
func inDomain(err error) error {
	e, ok := errors.AsType[*admin.DomainError](err)
	if !ok {
		return err
	}
	at := Fault{Detail: e.Problem, Location: "path.domain"}
	switch e.Reason {
	case admin.DomainSilent:
		p := unavailable()
		p.Detail = "The name server did not answer; nothing was changed. Try again."
		return p
	case admin.DomainMissing:
		at.Detail = "has no such TXT record yet: set the one that a GET of this address shows; a new record can take an hour to be seen"
	case admin.DomainTaken:
		at.Detail = "is a domain of another company"
	case admin.DomainForm, admin.DomainLetters, admin.DomainFull:
		// These say it without what was sent.
	}
	return invalid(at)
}
