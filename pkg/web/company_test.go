// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// policy gives company acme a policy.
func policy(t *testing.T, p *idptest.IDP, change func(*company.Company)) {
	t.Helper()
	co, err := p.Node.Office.Companies.Company(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	change(&co)
	if _, err := p.Node.Office.SetPolicy(t.Context(), co); err != nil {
		t.Fatal(err)
	}
}

func notNow(t *testing.T, page *idptest.Page) *idptest.Page {
	t.Helper()
	return page.Submit(t, url.Values{"action": {"skip"}})
}

// TestC2 turns the second factor on from a date, with skips before it: nobody is locked out half-way, and nobody goes on
// without it after the date.
func TestC2(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "acme")
	from := p.Now().Add(3 * 24 * time.Hour).Truncate(time.Second)
	policy(t, p, func(c *company.Company) { c.SecondFactor, c.From, c.Skips = flow.FactorRequired, from, 2 })
	for i, left := range []string{"2 more times", "1 more time"} {
		page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		if page.H1() != "Secure your account" || !strings.Contains(page.Find("main").Text(), left) || page.Find("button[value=skip]").Length() != 1 {
			t.Fatalf("sign-in %d: %q without %q and Not now", i, page.H1(), left)
		}
		tok := p.RP.Exchange(t, notNow(t, page))
		if amr := list(tok.Claims["amr"]); len(amr) != 1 || amr[0] != "pwd" {
			t.Errorf("amr after Not now = %v, want pwd", amr)
		}
	}
	page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.H1() != "Secure your account" || page.Find("button[value=skip]").Length() != 0 {
		t.Errorf("sign-in without skips left: %q, want the set-up without Not now", page.H1())
	}
	if forced := notNow(t, page); forced.H1() != "Secure your account" {
		t.Errorf("Not now without skips left leads to %q", forced.H1())
	}
	// More skips do not help after the date.
	policy(t, p, func(c *company.Company) { c.Skips = 20 })
	p.Advance(3*24*time.Hour + time.Second)
	page = p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.H1() != "Secure your account" || page.Find("button[value=skip]").Length() != 0 {
		t.Errorf("sign-in after the date: %q, want the set-up without Not now", page.H1())
	}
}

// TestSkipHoldsForASession: who has put a set-up off is not asked again by the next app of the same session.
func TestSkipHoldsForASession(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "acme")
	policy(t, p, func(c *company.Company) { c.SecondFactor, c.Skips = flow.FactorRequired, 1 })
	b := p.Browser(t)
	p.RP.Exchange(t, notNow(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)))
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()))
	if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password); page.Find("button[value=skip]").Length() != 0 {
		t.Error("a second sign-in may put it off again, want one skip in all")
	}
}

// TestPolicyForGroups: the mode is for people of the named roles; the strictest of company and client wins.
func TestPolicyForGroups(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "acme")
	policy(t, p, func(c *company.Company) { c.FactorGroups = []string{"partner"} })
	p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password))
	policy(t, p, func(c *company.Company) { c.FactorGroups = nil })
	if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password); page.H1() != "Secure your account" {
		t.Errorf("without groups: %q, want the set-up", page.H1())
	}
}

// TestCompanyRemembers: a company shortens how long a device is remembered, also for devices that are remembered already.
func TestCompanyRemembers(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if !strings.Contains(page.Find("label[for=remember]").Text(), "30 days") {
		t.Errorf("tick box = %q", page.Find("label[for=remember]").Text())
	}
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	p.Advance(25 * time.Hour)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password))
	one, never := 1, 0
	p.Advance(25 * time.Hour)
	policy(t, p, func(c *company.Company) { c.RememberDays = &one })
	page = b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.H1() != "Enter your code" || !strings.Contains(page.Find("label[for=remember]").Text(), "1 day") {
		t.Errorf("a day later: %q with %q, want a code and a tick for one day", page.H1(), page.Find("label[for=remember]").Text())
	}
	policy(t, p, func(c *company.Company) { c.RememberDays = &never })
	if page = p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password); page.Find("input[name=remember]").Length() != 0 {
		t.Error("the tick box is there though the company never remembers")
	}
}
