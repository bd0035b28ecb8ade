// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
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
	err := it(p).PutScope(ctx, client.Scope{
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
	if err := it(p).RemoveScope(ctx, "cases"); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Second)
	if d := cmp.Diff(map[string]any{"roles": wide["roles"], "groups": wide["groups"]}, own(claimsOf(t, p, tokens.AccessToken))); d != "" {
		t.Errorf("userinfo without the declaration (-want +got):\n%s", d)
	}
	if err := acmeAdmin(p).PutScope(ctx, client.Scope{Name: "mine"}); !errors.Is(err, admin.ErrForbidden) {
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
