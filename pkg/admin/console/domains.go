// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

// The domain that a page is about stands in its address: its record is worked out from it, and nothing is kept meanwhile.
const domainField = "domain"

// atDomain is a page of the company about the domain of the request.
func atDomain(rest string) func(*http.Request) string {
	return func(r *http.Request) string {
		return aboutDomain(r.PathValue("company"), rest, r.URL.Query().Get(domainField))
	}
}

func aboutDomain(companyID, rest, domain string) string {
	return companyPage(companyID) + rest + "?" + url.Values{domainField: {domain}}.Encode()
}

// ofAddress is the company of the path, and the domain of the address as it was typed.
func (v *visit) ofAddress() (company.Company, string, error) {
	co, err := v.ofPath()
	return co, strings.TrimSpace(v.r.URL.Query().Get(domainField)), err
}

// toDomains leads back to the company.
func (v *visit) toDomains(co company.Company, done string) error {
	return v.see(companyPage(co.ID) + "?done=" + done + "#domains")
}

// serveDomain shows the record by which the company shows that a domain is its own, or asks for the domain.
func serveDomain(v *visit) error {
	co, typed, err := v.ofAddress()
	if err != nil {
		return err
	}
	if !v.r.URL.Query().Has(domainField) {
		return v.domain(co, typed, nil)
	}
	rec, err := v.clerk.DomainRecord(v.r.Context(), co.ID, typed)
	if err == nil && rec.Verified {
		return v.toDomains(co, "domain-there")
	}
	return v.domain(co, typed, err)
}

// submitDomain looks for the record, and adds the domain if it is there. It wants no version of the company: whatever else
// was changed while somebody waited for DNS, the domain is the company's.
func submitDomain(v *visit) error {
	co, typed, err := v.ofAddress()
	if err != nil {
		return err
	}
	if err := v.clerk.VerifyDomain(v.r.Context(), co.ID, "", typed); err != nil {
		return v.domain(co, typed, err)
	}
	return v.toDomains(co, "domain-added")
}

// domain shows the page of a domain that is not the company's yet, and why: problem is nil, a *admin.DomainError, or a
// *authn.WaitError.
func (v *visit) domain(co company.Company, typed string, problem error) error {
	page := templates.ConsoleDomain{
		Console: v.frame("companies"), Action: companyPage(co.ID) + "/domains", Back: companyPage(co.ID), Name: cmp.Or(co.Name, co.ID), Domain: typed,
	}
	if wait, ok := errors.AsType[*authn.WaitError](problem); ok {
		page.Problem, page.Wait = "wait", wait.For
	} else if e, ok := errors.AsType[*admin.DomainError](problem); ok {
		page.Problem = string(e.Reason)
	} else if problem != nil {
		return problem
	}
	rec, err := v.clerk.DomainRecord(v.r.Context(), co.ID, typed)
	if err == nil {
		page.Action = aboutDomain(co.ID, "/domains", rec.Domain)
		page.Domain, page.Record, page.Value = rec.Domain, rec.Name, rec.Value
	} else if _, ok := errors.AsType[*admin.DomainError](err); !ok {
		return err
	}
	return v.page(page)
}

// serveDropDomain says what ends with a domain.
func serveDropDomain(v *visit) error {
	co, domain, err := v.ofAddress()
	if err != nil {
		return err
	}
	if !slices.Contains(co.Domains, domain) {
		return v.toDomains(co, "stale")
	}
	return v.page(templates.ConsoleDomainRemove{
		Console: v.frame("companies"), Action: aboutDomain(co.ID, "/domains/remove", domain), Back: companyPage(co.ID), Name: cmp.Or(co.Name, co.ID), Domain: domain,
	})
}

// submitDropDomain takes a domain from the company. The domain itself is what was looked at: if it is not there any more,
// that is told.
func submitDropDomain(v *visit) error {
	co, domain, err := v.ofAddress()
	if err != nil {
		return err
	}
	err = v.clerk.DropDomain(v.r.Context(), co.ID, "", domain)
	_, none := errors.AsType[*admin.DomainError](err)
	switch {
	case none, errors.Is(err, authn.ErrNotFound):
		return v.toDomains(co, "stale")
	case err != nil:
		return err
	}
	return v.toDomains(co, "domain-removed")
}
