// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/registry"
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

// crowded adds 1,000 companies that ask for a factor; i of the first seven have i people without one.
func crowded(t *testing.T, p *idptest.IDP) {
	t.Helper()
	st, err := p.Node.Office.Registry.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var ch registry.Change
	for i := range 1000 {
		co := company.Company{ID: fmt.Sprintf("c%03d", i), Name: fmt.Sprintf("Company %03d", i), SecondFactor: flow.FactorRequired}
		ch.PutCompanies = append(ch.PutCompanies, co)
	}
	ch.PutCompanies[2].FactorGroups, ch.PutCompanies[2].Groups = []string{"some"}, []company.Group{{ID: "some"}}
	if err := p.Node.Office.Registry.Apply(t.Context(), st.Version, ch); err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		for j := range i {
			p.AddAccount(t, fmt.Sprintf("p%d@c%d.example", j, i), fmt.Sprintf("c%03d", i))
		}
	}
}

// TestOverviewOfAll: the companies with the most people without a factor stand there by themselves, and how many more
// there are; the pages of all companies cost few round trips, however many there are.
func TestOverviewOfAll(t *testing.T) {
	p := start(t)
	crowded(t, p)
	page := want(t, as(t, p, ivy, "/admin"), "Overview")
	todo := page.Find("#todo").Parent()
	for _, s := range []string{"6 people at Company 006 have", "5 people at Company 005 have", "2 people at Company 002 have", "1 more company has people"} {
		if strings.Count(todo.Text(), s) != 1 {
			t.Errorf("to do %q, want %q", todo.Text(), s)
		}
	}
	if n := todo.Find("li").Length(); n != 6 || strings.Contains(todo.Text(), "Company 001") {
		t.Errorf("%d entries, want the five largest and one for the rest: %q", n, todo.Text())
	}
	if s := todo.Find("li:nth-child(5)").Text(); !strings.Contains(s, "Only some groups have to") {
		t.Errorf("the company that asks some groups says %q", s)
	}
	who := todo.Find("li a").First().AttrOr("href", "")
	if page = want(t, page.Follow(t, who), "People"); page.Find("tbody tr").Length() != 6 {
		t.Errorf("%s shows %d people", who, page.Find("tbody tr").Length())
	}
	// Nobody of c002 is in the group that is asked.
	page = want(t, page.Follow(t, "/admin?company=c002"), "Overview")
	if got := page.Find("#todo").Parent().Text(); !strings.Contains(got, "Nothing needs you now") {
		t.Errorf("to do at c002 %q", got)
	}
	for _, path := range []string{"/admin", "/admin?company=c002", "/admin?company=c006", "/admin/companies", "/admin/people", "/admin/audit"} {
		before := p.Node.Trips()
		page = page.Follow(t, path)
		if n := p.Node.Trips() - before; page.Status != 200 || n >= 10 {
			t.Errorf("%s: status %d after %d round trips, want fewer than 10", path, page.Status, n)
		}
	}
}

// TestOverviewOfLocks: a factor that was locked stands among what is to be done, once, and leads to whose it is; a code
// that was used twice is told from a wrong one, though the person reads the same words.
func TestOverviewOfLocks(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) { c.Guesses.Cap, c.Guesses.Free = 5, 9 }})
	p.AddAdmin(t, carla, "acme", authn.AdminCompany)
	p.AddAdmin(t, pete, "plain", authn.AdminCompany)
	const dee = "dee@acme.example"
	p.AddEnrolled(t, dee, "acme")
	code := p.Code(t, 0)
	if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, dee, idptest.Password).Code(t, code); page.Alert() != "" {
		t.Fatalf("sign-in: %q", page.Alert())
	}
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, dee, idptest.Password).Code(t, code)
	used := page.Alert()
	for i := range 5 {
		wrong := page.Code(t, fmt.Sprintf("%06d", i))
		if i == 0 && wrong.Alert() != used {
			t.Errorf("a used code reads %q, a wrong one %q", used, wrong.Alert())
		}
	}
	// Later tries lock nothing any more.
	_ = p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, dee, idptest.Password).Code(t, "000009")
	var reasons []string
	for _, event := range []string{audit.FactorRejected, audit.FactorLocked} {
		for _, r := range happened(t, p, event) {
			reasons = append(reasons, r.Result)
		}
	}
	if got := strings.Join(reasons, ", "); got != "rejected, rejected, rejected, rejected, used, still locked, locked" {
		t.Errorf("refusals %q", got)
	}
	page = want(t, as(t, p, carla, "/admin"), "Overview")
	todo := page.Find("#todo").Parent()
	if !strings.Contains(todo.Text(), "1 second step was locked") {
		t.Fatalf("to do %q", todo.Text())
	}
	if got := page.Find("#c3").Parent().Find("dt").Text(); !strings.Contains(got, "Code used twice 1") || !strings.Contains(got, "Too many tries 2") {
		t.Errorf("refusals %q", got)
	}
	page = want(t, page.Follow(t, todo.Find("li a").First().AttrOr("href", "")), "Audit log")
	if rows := page.Find("tbody tr"); rows.Length() != 2 || !strings.Contains(rows.Text(), dee) {
		t.Errorf("%d entries of locks: %q", rows.Length(), rows.Text())
	}
	if got := want(t, as(t, p, pete, "/admin"), "Overview").Find("#todo").Parent().Text(); strings.Contains(got, "locked") {
		t.Errorf("another company reads %q", got)
	}
}
