// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// domainRefused holds that err is a problem of domains, for this reason.
func domainRefused(t *testing.T, what string, err error, reason admin.DomainReason) {
	t.Helper()
	var f *client.FieldError
	if !errors.As(err, &f) || f.Field != "domains" {
		t.Errorf("%s: %v, want a problem of domains", what, err)
	}
	if e, ok := errors.AsType[*admin.DomainError](err); ok != (reason != "") || (ok && e.Reason != reason) {
		t.Errorf("%s: %v, want the reason %q", what, err, reason)
	}
}

// TestDomain: a company shows by a record of its own that a mail domain is its own. Another company's record, a name server
// that is away, and somebody else's domain change nothing.
func TestDomain(t *testing.T) {
	z := &idptest.Zone{}
	p := idptest.New(t, idptest.Setup{Zone: z})
	ctx, clerk := t.Context(), acmeAdmin(p)
	rec, err := clerk.DomainRecord(ctx, "acme", "acme.example")
	if err != nil || rec.Name != "_lychgate.acme.example" || rec.Verified {
		t.Fatalf("DomainRecord() = %+v, %v", rec, err)
	}
	foreign, err := it(p).DomainRecord(ctx, "plain", "acme.example")
	if err != nil || foreign.Value == rec.Value {
		t.Fatalf("two companies have the same record, %v", err)
	}
	verify := func() error { return clerk.VerifyDomain(ctx, "acme", "", "acme.example") }
	domainRefused(t, "no record", verify(), admin.DomainMissing)
	z.Set(rec.Name, "v=spf1 -all", foreign.Value)
	domainRefused(t, "another company's record", verify(), admin.DomainMissing)
	z.Set(rec.Name, foreign.Value, rec.Value)
	z.Silence(true)
	domainRefused(t, "no answer", verify(), admin.DomainSilent)
	z.Silence(false)
	if err := verify(); err != nil {
		t.Fatalf("VerifyDomain() = %v", err)
	}
	co, err := clerk.Company(ctx, "acme")
	if err != nil || !slices.Equal(co.Domains, []string{"acme.example"}) {
		t.Errorf("domains %v, %v", co.Domains, err)
	}
	if before := z.Asked(); verify() != nil || z.Asked() != before {
		t.Error("a domain that the company has is asked for")
	}
	domainRefused(t, "a domain of another company", it(p).VerifyDomain(ctx, "plain", "", "acme.example"), admin.DomainTaken)
	_, err = it(p).ChangeCompany(ctx, "plain", "", company.Company{ID: "plain", Name: "Plain Estates", Domains: []string{"acme.example"}})
	domainRefused(t, "a domain of another company, written", err, admin.DomainTaken)
	co.Domains = append(slices.Clone(co.Domains), "other.example")
	_, err = clerk.ChangeCompany(ctx, "acme", "", co)
	domainRefused(t, "a domain without a record", err, "")
}

// TestDomainAsTyped: people write domains as they know them; what is none is refused.
func TestDomainAsTyped(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	ctx, clerk := t.Context(), acmeAdmin(p)
	for _, typed := range []string{"acme.example", " Acme.EXAMPLE ", "acme.example.", "@acme.example", "Boss@acme.example"} {
		if rec, err := clerk.DomainRecord(ctx, "acme", typed); err != nil || rec.Domain != "acme.example" {
			t.Errorf("DomainRecord(%q) = %+v, %v", typed, rec, err)
		}
	}
	if rec, err := clerk.DomainRecord(ctx, "acme", "xn--mnchen-3ya.example"); err != nil || rec.Domain != "xn--mnchen-3ya.example" {
		t.Errorf("the ASCII form of a name: %+v, %v", rec, err)
	}
	for _, bad := range []string{"", ".", "@", "acme", "-a.example", "a..example", "a b.example", "acme.example/x", "127.0.0.1", "acme.example..", "a.example\x00"} {
		_, err := clerk.DomainRecord(ctx, "acme", bad)
		domainRefused(t, bad, err, admin.DomainForm)
	}
	_, err := clerk.DomainRecord(ctx, "acme", "münchen.example")
	domainRefused(t, "letters beyond ASCII", err, admin.DomainLetters)
}

// TestDomainsAreBounded: a company has 50 at most, and asks name servers 30 times an hour, then every other minute.
func TestDomainsAreBounded(t *testing.T) {
	z := &idptest.Zone{}
	p := idptest.New(t, idptest.Setup{Zone: z})
	ctx, clerk := t.Context(), acmeAdmin(p)
	full := company.Company{ID: "acme", Name: "Acme Legal"}
	for i := range 50 {
		full.Domains = append(full.Domains, fmt.Sprintf("acme%d.example", i))
	}
	p.AddCompany(t, full)
	rec, err := clerk.DomainRecord(ctx, "acme", "acme.example")
	if err != nil {
		t.Fatal(err)
	}
	z.Set(rec.Name, rec.Value)
	domainRefused(t, "one more than 50", clerk.VerifyDomain(ctx, "acme", "", "acme.example"), admin.DomainFull)
	for range 29 {
		domainRefused(t, "no record", clerk.VerifyDomain(ctx, "acme", "", "nobody.example"), admin.DomainMissing)
	}
	err = clerk.VerifyDomain(ctx, "acme", "", "nobody.example")
	if wait, ok := errors.AsType[*authn.WaitError](err); !ok || wait.For > 2*time.Minute || z.Asked() != 30 {
		t.Fatalf("question %d = %v, want to wait two minutes", z.Asked()+1, err)
	}
	domainRefused(t, "another company", it(p).VerifyDomain(ctx, "plain", "", "nobody.example"), admin.DomainMissing)
	p.Advance(2 * time.Minute)
	domainRefused(t, "after the wait", clerk.VerifyDomain(ctx, "acme", "", "nobody.example"), admin.DomainMissing)
}

// TestDomainOfAVersion: what was decided on a company that has changed since is told, and changes nothing; a domain is
// dropped once.
func TestDomainOfAVersion(t *testing.T) {
	z := &idptest.Zone{}
	p := idptest.New(t, idptest.Setup{Zone: z})
	ctx, clerk := t.Context(), acmeAdmin(p)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", Domains: []string{"acme.example"}})
	rec, err := clerk.DomainRecord(ctx, "acme", "new.example")
	if err != nil {
		t.Fatal(err)
	}
	z.Set(rec.Name, rec.Value)
	for what, err := range map[string]error{
		"added":   clerk.VerifyDomain(ctx, "acme", "old", "new.example"),
		"dropped": clerk.DropDomain(ctx, "acme", "old", "acme.example"),
	} {
		if !errors.Is(err, admin.ErrStale) || z.Asked() != 0 {
			t.Errorf("%s from an old version: %v", what, err)
		}
	}
	if err := clerk.VerifyDomain(ctx, "acme", rec.Tag, "new.example"); err != nil {
		t.Errorf("added from the version that was read: %v", err)
	}
	if err := clerk.DropDomain(ctx, "acme", "", "ACME.example."); err != nil {
		t.Errorf("dropped as it was typed: %v", err)
	}
	if err := clerk.DropDomain(ctx, "acme", "", "acme.example"); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("dropped again: %v, want ErrNotFound", err)
	}
	if co, err := clerk.Company(ctx, "acme"); err != nil || !slices.Equal(co.Domains, []string{"new.example"}) {
		t.Errorf("domains %v, %v", co.Domains, err)
	}
}

// TestDomainKeepsOthersOut: no other company's admin invites people of a domain that a company has verified.
func TestDomainKeepsOthersOut(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	ctx, clerk := t.Context(), acmeAdmin(p)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", Domains: []string{"acme.example"}})
	other := p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: "plain-admin", Company: "plain"})
	// However it is written, it becomes the same sign-in name.
	for _, email := range []string{"boss@ACME.example", "boss@ａcme.example"} {
		if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: email}); err == nil {
			t.Errorf("another company's admin invites %s of the domain", email)
		}
	}
	if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: "boss@elsewhere.example"}); err != nil {
		t.Errorf("an address of nobody's domain: %v", err)
	}
	if _, err := clerk.Invite(ctx, "acme", admin.Invitee{Email: "boss@acme.example"}); err != nil {
		t.Errorf("the company itself: %v", err)
	}
	if err := other.VerifyDomain(ctx, "acme", "", "acme.example"); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("VerifyDomain() of another company = %v, want ErrNotFound", err)
	}
	if err := clerk.DropDomain(ctx, "acme", "", "acme.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Invite(ctx, "plain", admin.Invitee{Email: "late@acme.example"}); err != nil {
		t.Errorf("after the domain was given up: %v", err)
	}
}
