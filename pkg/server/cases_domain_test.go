// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// domainRefused holds that err is a problem of domains.
func domainRefused(t *testing.T, what string, err error) {
	t.Helper()
	var f *client.FieldError
	if !errors.As(err, &f) || f.Field != "domains" {
		t.Errorf("%s: %v, want a problem of domains", what, err)
	}
}

// TestDomain: a company shows by a record of its own that a mail domain is its own. Another company's record, a name server
// that is away, and somebody else's domain change nothing.
func TestDomain(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	ctx, clerk := t.Context(), acmeAdmin(p)
	records, away := map[string][]string{}, false
	p.Node.Office.LookupTXT = func(_ context.Context, name string) ([]string, error) {
		if away {
			return nil, &net.DNSError{Err: "timeout", IsTimeout: true}
		}
		if r, ok := records[name]; ok {
			return r, nil
		}
		return nil, &net.DNSError{Err: "no such host", IsNotFound: true}
	}
	name, value, err := clerk.DomainRecord(ctx, "acme", " Acme.Example")
	if err != nil || name != "_lychgate.acme.example" {
		t.Fatalf("DomainRecord() = %q, %v", name, err)
	}
	_, foreign, err := it(p).DomainRecord(ctx, "plain", "acme.example")
	if err != nil || foreign == value {
		t.Fatalf("two companies have the same record, %v", err)
	}
	domainRefused(t, "no record", clerk.VerifyDomain(ctx, "acme", "acme.example"))
	records[name] = []string{"v=spf1 -all", foreign}
	domainRefused(t, "another company's record", clerk.VerifyDomain(ctx, "acme", "acme.example"))
	records[name] = append(records[name], value)
	away = true
	domainRefused(t, "no answer", clerk.VerifyDomain(ctx, "acme", "acme.example"))
	away = false
	if err := clerk.VerifyDomain(ctx, "acme", "acme.example"); err != nil {
		t.Fatalf("VerifyDomain() = %v", err)
	}
	co, err := clerk.Company(ctx, "acme")
	if err != nil || !slices.Equal(co.Domains, []string{"acme.example"}) {
		t.Errorf("domains %v, %v", co.Domains, err)
	}
	domainRefused(t, "a domain of another company", it(p).VerifyDomain(ctx, "plain", "acme.example"))
	_, err = it(p).ChangeCompany(ctx, "plain", "", company.Company{ID: "plain", Name: "Plain Estates", Domains: []string{"acme.example"}})
	domainRefused(t, "a domain of another company, written", err)
	co.Domains = append(slices.Clone(co.Domains), "other.example")
	_, err = clerk.ChangeCompany(ctx, "acme", "", co)
	domainRefused(t, "a domain without a record", err)
	for _, bad := range []string{"", "acme", "-a.example", "a..example", "a b.example", "acme.example/x", "127.0.0.1"} {
		_, _, err := clerk.DomainRecord(ctx, "acme", bad)
		domainRefused(t, bad, err)
	}
}

// TestDomainKeepsOthersOut: no other company's admin invites people of a domain that a company has verified.
func TestDomainKeepsOthersOut(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	ctx, clerk := t.Context(), acmeAdmin(p)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", Domains: []string{"acme.example"}})
	other := p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: "plain-admin", Company: "plain"})
	if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: "boss@ACME.example"}); err == nil {
		t.Error("another company's admin invites people of the domain")
	}
	if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: "boss@elsewhere.example"}); err != nil {
		t.Errorf("an address of nobody's domain: %v", err)
	}
	if _, err := clerk.Invite(ctx, "acme", admin.Invitee{Email: "boss@acme.example"}); err != nil {
		t.Errorf("the company itself: %v", err)
	}
	if err := other.VerifyDomain(ctx, "acme", "acme.example"); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("VerifyDomain() of another company = %v, want ErrNotFound", err)
	}
	if err := clerk.DropDomain(ctx, "acme", "acme.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: "late@acme.example"}); err != nil {
		t.Errorf("after the domain was given up: %v", err)
	}
}
