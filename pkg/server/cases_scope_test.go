// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestDeclaredScope: roles, groups and attributes reach an app by the scopes it is registered for, in the words that
// people and admins read; without the declaration the name opens nothing.
func TestDeclaredScope(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	ctx := t.Context()
	p.AddCompany(t, company.Company{ID: "plain", Name: "Plain Estates", SecondFactor: "off", Groups: []company.Group{{ID: "lawyers"}}})
	id := p.AddAccount(t, anna, "plain")
	roles, groups := []string{"cases-write", "billing"}, []string{"lawyers"}
	if _, err := it(p).EditPerson(ctx, id, "", admin.PersonEdit{
		Roles: &roles, Groups: &groups, Attributes: map[string]any{"department": "Family law"},
	}); err != nil {
		t.Fatal(err)
	}
	err := it(p).CreateScope(ctx, client.Scope{
		Name: "cases", Text: map[string]string{"en": "see what you may do with cases"},
		Claims: map[string]client.Mapping{"case_roles": {From: "roles", Prefix: "cases-"}, "dept": {From: "attributes.department"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	app := p.NewRP(t, "reports", func(c *client.Client) {
		c.Company, c.Scope = "", "openid cases roles groups"
		c.GrantTypes = []string{"authorization_code"}
	})
	page := p.Browser(t).Get(t, app.AuthURL(idptest.With("scope", "openid cases roles groups"))).Login(t, anna, idptest.Password)
	for _, words := range []string{"see what you may do with cases", "see which roles you have", "see which groups you are in"} {
		if !strings.Contains(page.Body, words) {
			t.Errorf("the consent page does not say %q", words)
		}
	}
	tokens := app.Exchange(t, page.Submit(t, nil))
	own := func(claims map[string]any) map[string]any {
		out := map[string]any{}
		for _, name := range []string{"roles", "groups", "case_roles", "dept"} {
			if v, ok := claims[name]; ok {
				out[name] = v
			}
		}
		return out
	}
	wide := map[string]any{
		"roles": []any{"cases-write", "billing"}, "groups": []any{"lawyers"}, "case_roles": []any{"write"}, "dept": "Family law",
	}
	if d := cmp.Diff(wide, own(claimsOf(t, p, tokens.AccessToken))); d != "" {
		t.Errorf("userinfo (-want +got):\n%s", d)
	}
	if d := cmp.Diff(map[string]any{"roles": wide["roles"], "groups": wide["groups"]}, own(tokens.Claims)); d != "" {
		t.Errorf("ID token (-want +got):\n%s", d)
	}
	if err := it(p).RemoveScope(ctx, "cases", ""); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Second)
	if d := cmp.Diff(map[string]any{"roles": wide["roles"], "groups": wide["groups"]}, own(claimsOf(t, p, tokens.AccessToken))); d != "" {
		t.Errorf("userinfo without the declaration (-want +got):\n%s", d)
	}
	if err := acmeAdmin(p).CreateScope(ctx, client.Scope{Name: "mine"}); !errors.Is(err, admin.ErrForbidden) {
		t.Errorf("a company admin declares a scope: %v", err)
	}
}

// claimsOf asks userinfo.
func claimsOf(t *testing.T, p *idptest.IDP, access string) map[string]any {
	t.Helper()
	b := p.BrowserAt(t, p.Node)
	b.Header.Set("Authorization", "Bearer "+access)
	var claims map[string]any
	page := b.Get(t, "/userinfo")
	if err := json.Unmarshal([]byte(page.Body), &claims); err != nil {
		t.Fatalf("userinfo: %d %s", page.Status, page.Body)
	}
	return claims
}

// TestConsentModes: never, once, and each time; prompt=none says consent_required where a word is wanted (OIDC Core
// §3.1.2.6).
func TestConsentModes(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "plain")
	b := p.Browser(t)
	for i, c := range []struct {
		mode, company string
		asked         [2]bool
	}{
		{"", "plain", [2]bool{false, false}},
		{"", "", [2]bool{true, false}},
		{"never", "", [2]bool{false, false}},
		{"remember", "plain", [2]bool{true, false}},
		{"ask", "plain", [2]bool{true, true}},
	} {
		app := p.NewRP(t, "app"+string(rune('a'+i)), func(x *client.Client) { x.Consent, x.Company = c.mode, c.company })
		for round, want := range c.asked {
			silent := app.Answer(t, b.Get(t, app.AuthURL(idptest.With("prompt", "none"))))
			page := b.Get(t, app.AuthURL())
			if page.H1() == "Sign in" || strings.HasPrefix(page.H1(), "Sign in") {
				page = page.Login(t, anna, idptest.Password)
				silent = app.Answer(t, b.Get(t, app.AuthURL(idptest.With("prompt", "none"))))
			}
			asked := strings.HasPrefix(page.H1(), "Allow")
			if asked != want || (silent.Get("error") == "consent_required") != want {
				t.Errorf("%q of %q, time %d: asked %v, prompt=none %v, want %v", c.mode, c.company, round+1, asked, silent, want)
			}
			if asked {
				app.Exchange(t, page.Submit(t, nil))
			}
		}
	}
}

// TestOneDeclarationWins: of many who change a scope or a role from the same version one does, and the others are told.
func TestOneDeclarationWins(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	ctx := t.Context()
	scope, role := client.Scope{Name: "cases"}, client.Role{Name: "partner"}
	if err := errors.Join(it(p).CreateScope(ctx, scope), it(p).CreateRole(ctx, role)); err != nil {
		t.Fatal(err)
	}
	tags := [2]string{admin.ScopeTag(admin.ListedScope{Scope: scope}), admin.RoleTag(role)}
	for what, change := range map[string]func(words string) error{
		"scope": func(words string) error {
			return it(p).ChangeScope(ctx, "cases", tags[0], client.Scope{Name: "cases", Text: map[string]string{"en": words}})
		},
		"role": func(words string) error {
			return it(p).ChangeRole(ctx, "partner", tags[1], client.Role{Name: "partner", Text: words})
		},
	} {
		var won, stale atomic.Int64
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				switch err := change("words " + string(rune('a'+i))); {
				case err == nil:
					won.Add(1)
				case errors.Is(err, admin.ErrStale):
					stale.Add(1)
				default:
					t.Errorf("%s: %v", what, err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || stale.Load() != 9 {
			t.Errorf("%s: %d won, %d were told", what, won.Load(), stale.Load())
		}
	}
	if err := errors.Join(it(p).RemoveScope(ctx, "cases", ""), it(p).RemoveRole(ctx, "partner", "")); err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"scope": it(p).ChangeScope(ctx, "cases", "", scope), "role": it(p).ChangeRole(ctx, "partner", "", role),
		"scope again": it(p).RemoveScope(ctx, "cases", ""), "role again": it(p).RemoveRole(ctx, "partner", ""),
	} {
		if !errors.Is(err, authn.ErrNotFound) {
			t.Errorf("%s after it was removed: %v", what, err)
		}
	}
}

// TestHoldersStayInTheCompany: an admin is told of the own company's clients alone.
func TestHoldersStayInTheCompany(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	for id, company := range map[string]string{"one": "acme", "two": "plain", "three": ""} {
		p.NewRP(t, id, func(c *client.Client) { c.Company, c.Scope = company, "openid groups" })
	}
	all, err := it(p).ScopeHolders(t.Context(), "groups")
	own, ownErr := acmeAdmin(p).ScopeHolders(t.Context(), "groups")
	if err != nil || ownErr != nil || all.Total != 3 || own.Total != 1 || own.Clients[0].ID != "one" {
		t.Errorf("holders %+v and %+v, %v, %v", all, own, err, ownErr)
	}
}
