// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// crowd is more of everything than stands on one page: companies, clients, people, invitations.
func crowd(t *testing.T, p *idptest.IDP) {
	t.Helper()
	clerk := p.Node.Office.Clerk(admin.CommandLine())
	for i := range 60 {
		name := fmt.Sprintf("c%02d", i)
		p.AddCompany(t, company.Company{ID: name, Name: "Company " + name})
		p.AddClient(t, &client.Client{
			ID: "app-" + name, Name: "App " + name, Company: "acme", RedirectURIs: []string{"https://" + name + ".example/cb"},
			GrantTypes: []string{client.GrantCode}, Scope: "openid",
		})
		p.AddAccount(t, name+"@acme.example", "acme")
		if _, err := clerk.Invite(t.Context(), "acme", admin.Invitee{Email: "new-" + name + "@acme.example"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryPageIsCheap: no page costs more than nine round trips to the store, however much there is.
func TestEveryPageIsCheap(t *testing.T) {
	p := grouped(t)
	crowd(t, p)
	co := acme(t, p)
	co.SecondFactor, co.FactorGroups = flow.FactorRequired, []string{"lawyers", "clerks"}
	p.AddCompany(t, co)
	named := ofAcme(t, p)
	// A reset that waits is two things more to read: who asked, and when.
	dora := p.AddAdmin(t, "dora@acme.example", "acme", authn.AdminCompany)
	asks := p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: dora, Company: "acme", Through: "app"})
	if _, err := asks.ResetPerson(t.Context(), named.Replace("{person}")); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{ivy, carla} {
		b := p.Browser(t)
		want(t, b.Get(t, "/admin").Prove(t, who), "Overview")
		b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		for _, r := range routes() {
			if r.Method != http.MethodGet {
				continue
			}
			for _, query := range []string{"", "?q=c0&company=acme&text=c0"} {
				path := named.Replace(r.Path) + query
				before := p.Node.Trips()
				page := b.Get(t, path)
				if n := p.Node.Trips() - before; n >= 10 {
					t.Errorf("%s of %s (%d): %d round trips, want fewer than 10", path, strings.Split(who, "@")[0], page.Status, n)
				}
			}
		}
	}
}
