// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestOverview: sign-ins and refusals of the own company are counted, and what is to be done stands there.
func TestOverview(t *testing.T) {
	p := grouped(t)
	b := p.Browser(t)
	// A wrong password for somebody of acme, and one for a name that nobody has.
	for _, name := range []string{"bo@acme.example", "nobody@nowhere.example"} {
		p.Browser(t).Get(t, "/account").Login(t, name, "wrong password")
	}
	page := want(t, b.Get(t, "/admin").Prove(t, carla), "Overview")
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	page = want(t, page.Follow(t, "/admin"), "Overview")
	if got := figures(page); got != "1 / 1" {
		t.Errorf("sign-ins / refusals = %q", got)
	}
	if got := page.Find("#todo").Parent().Text(); !strings.Contains(got, "Nothing needs you now") {
		t.Errorf("to do %q", got)
	}
	if got := page.Find("tbody tr").Length(); got != 14 {
		t.Errorf("%d days, want 14", got)
	}
	co := acme(t, p)
	co.SecondFactor = flow.FactorRequired
	p.AddCompany(t, co)
	before := p.Node.Trips()
	page = want(t, page.Follow(t, "/admin"), "Overview")
	if n := p.Node.Trips() - before; n >= 10 {
		t.Errorf("%d round trips, want fewer than 10", n)
	}
	if got := page.Find("#todo").Parent().Text(); !strings.Contains(got, "2 people have not set up an authenticator") {
		t.Errorf("to do %q", got)
	}
	nothing(t, page.Follow(t, "/admin?company=plain"))
	// Another company has had none of it; the IT team sees all.
	if got := figures(want(t, as(t, p, pete, "/admin"), "Overview")); !strings.HasSuffix(got, " / 0") {
		t.Errorf("plain has %q", got)
	}
	if got := figures(want(t, as(t, p, ivy, "/admin"), "Overview")); !strings.HasSuffix(got, " / 2") {
		t.Errorf("all have %q", got)
	}
	if got := figures(want(t, as(t, p, ivy, "/admin?company=acme"), "Overview")); !strings.HasSuffix(got, " / 1") {
		t.Errorf("acme has %q", got)
	}
}

func figures(page *idptest.Page) string {
	one := func(card string) string {
		n, _, _ := strings.Cut(strings.TrimSpace(page.Find(card).Parent().Find(".figure-number").Text()), " ")
		return n
	}
	return one("#c2") + " / " + one("#c3")
}
