// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// aScope is a scope that is declared.
func aScope() client.Scope {
	return client.Scope{
		Name: "cases:read", IDToken: true, Text: map[string]string{"en": "see which cases you work on", "nl": "zien aan welke zaken u werkt"},
		Claims: map[string]client.Mapping{"case_roles": {From: "roles", Prefix: "cases-"}, "department": {From: "attributes.department"}},
	}
}

// declares has a scope and roles declared, as often as it is asked to.
func (b *tab) declares() {
	b.Helper()
	office := b.world.Node.Office.Clerk(admin.CommandLine())
	for _, err := range []error{
		office.CreateScope(b.Context(), aScope()), office.CreateRole(b.Context(), client.Role{Name: "cases-write", Text: "may change cases"}),
		office.CreateRole(b.Context(), client.Role{Name: "partner"}),
	} {
		if err != nil && !errors.Is(err, authn.ErrExists) {
			b.Fatal(err)
		}
	}
	b.world.NewRP(b.T, "holder", func(c *client.Client) {
		c.Name, c.Scope = "Example Reports", "openid profile roles cases:read archive.read"
	})
}

// scopePlaces are the pages about scopes and roles, and those where they show.
func scopePlaces() []place {
	opens := func(path string) func(*tab) {
		return func(b *tab) { b.declares(); b.administrates(authn.AdminIT, path) }
	}
	return []place{
		{"console-scopes", 200, "Scopes and roles", "Scopes en rollen", opens("/admin/scopes")},
		{"console-scope-new", 200, "Declare a scope", "Scope vastleggen", opens("/admin/scopes/new")},
		{"console-scope-edit", 200, "Change the scope cases:read", "De scope cases:read wijzigen", opens("/admin/scopes/edit?name=cases:read")},
		{"console-scope-error", 200, "Declare a scope", "Scope vastleggen", func(b *tab) {
			opens("/admin/scopes/new")(b)
			b.fills("name", "a b")
			b.fills("claims", "sub = username\rdepartment")
			b.submit(primary)
		}},
		{"console-scope-remove", 200, "Remove the scope cases:read?", "De scope cases:read verwijderen?", opens("/admin/scopes/remove?name=cases:read")},
		{"console-role-edit", 200, "Change the role partner", "De rol partner wijzigen", opens("/admin/roles/edit?name=partner")},
		{"console-role-remove", 200, "Remove the role partner?", "De rol partner verwijderen?", opens("/admin/roles/remove?name=partner")},
		{"console-client-gets", 200, "Example Reports", "Example Reports", opens("/admin/clients/holder")},
		{"console-invite-roles", 200, "Invite a person to Acme Legal", "Iemand uitnodigen bij Acme Legal", opens("/admin/invitations/acme/new")},
	}
}

// TestPagesOfScopes holds the pages about scopes and roles to the contract of all pages.
func TestPagesOfScopes(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	english(t, w, scopePlaces())
	dutch(t, w, subjects(scopePlaces()))
}

// TestScopesByKeyboard: somebody of the IT team declares a scope by keys alone, a slip first, gives it to a client, and reads
// there what people read on the consent page; then it is removed, and opens nothing.
func TestScopesByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			app := w.NewRP(t, "reports", func(c *client.Client) { c.Name, c.Company, c.Scope = "Example Reports", "", "openid" })
			b := w.open(t, l)
			it := b.admin(authn.AdminIT)
			b.get(w.Issuer + "/admin/clients")
			b.signsIn(it).proves()
			b.follow("a[href='/admin/scopes']")
			b.want(200, b.in("Scopes and roles", "Scopes en rollen"))
			b.clean()
			b.declaresByKeys()
			b.has("[role=status]", b.in("The scope is declared.", "De scope is vastgelegd."))
			b.has("#scopes tbody", b.in("see which cases you work on", "zien aan welke zaken u werkt"))
			b.scriptless()

			b.get(w.Issuer + "/admin/clients/reports")
			b.follow("#gets a.button")
			b.replaces("scope", "openid cases:read")
			b.follow(primary)
			b.want(200, "Example Reports")
			words := b.in("see which cases you work on", "zien aan welke zaken u werkt")
			b.has("#gets", words)
			b.has("#gets", "case_roles = roles cases-")
			b.clean()

			n := w.open(t, l)
			n.get(app.AuthURL(idptest.With("scope", "openid cases:read")))
			n.signsIn(n.admin(authn.AdminNone)).proves()
			n.has("main ul", words)

			b.get(w.Issuer + "/admin/scopes")
			b.follow("a[href='/admin/scopes/remove?name=cases%3aread']")
			b.want(200, b.in("Remove the scope cases:read?", "De scope cases:read verwijderen?"))
			b.has("main li", "Example Reports")
			b.clean()
			b.follow("main form button")
			b.has("[role=status]", b.in("The scope is removed.", "De scope is verwijderd."))
			b.get(w.Issuer + "/admin/clients/reports")
			b.has("#gets", b.in("It opens nothing here", "Dit geeft hier niets"))
			if strings.Contains(b.text("#gets"), words) {
				t.Error("the words are still there")
			}
		})
	}
}

// declaresByKeys fills the form in, with a slip first.
func (b *tab) declaresByKeys() {
	b.Helper()
	b.follow("#scopes a.primary")
	b.want(200, b.in("Declare a scope", "Scope vastleggen"))
	b.clean()
	b.replaces("name", "cases:read")
	b.replaces("en", "see which cases you work on")
	b.replaces("nl", "zien aan welke zaken u werkt")
	b.replaces("claims", "case_roles = roles cases-\rsub = username")
	b.reach("#id_token")
	b.keys(" ")
	b.follow(primary)
	b.refusedAt(b.in("Line 2 names a claim that says what a token is.", "Regel 2 noemt een claim die zegt wat een token is."))
	b.clean()
	b.replaces("claims", "case_roles = roles cases-")
	b.follow(primary)
}
