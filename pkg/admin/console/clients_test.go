// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
)

// TestClientIsAdded is C4: from the list by the form to the page with the secret, which no other page shows.
func TestClientIsAdded(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, carla, "/admin/clients"), "Clients")
	page = want(t, page.Follow(t, page.Find("main .panel-head a").AttrOr("href", "")), "Add a client")
	page = want(t, page.Press(t, "main", "Add a client", form()), "Tide Cases")
	c := registered(t, p, "Tide Cases")
	secret := secretOn(page)
	if !strings.HasPrefix(secret, "lgcs_") || !strings.Contains(page.Find("#snippet-mod-auth-openidc").Text(), "OIDCClientSecret "+secret) {
		t.Errorf("secret %q, not in the settings: %s", secret, page.Find("#snippet-mod-auth-openidc").Text())
	}
	if c.Company != "acme" || c.AuthMethod != client.AuthBasic || !c.NeedsPKCE() || c.RedirectURIs[0] != "https://tide.example/callback" {
		t.Errorf("registered %+v", c)
	}
	page = want(t, page.Follow(t, "/admin/clients/"+c.ID), "Tide Cases")
	if strings.Contains(page.Body, secret) || !strings.Contains(page.Find("#snippet-env").Text(), "paste-the-secret-here") {
		t.Error("the secret is shown again, or nothing says where it goes")
	}
	page = want(t, page.Follow(t, "/admin/clients?q=tide"), "Clients")
	if got := strings.TrimSpace(page.Find("tbody th a").Text()); got != "Tide Cases" {
		t.Errorf("found %q", got)
	}
	page = want(t, page.Follow(t, page.Find(".foot-base a").AttrOr("href", "")), "Clients")
	if got := page.Find("#q").AttrOr("value", ""); got != "tide" || page.Find("html").AttrOr("lang", "") != "nl" {
		t.Errorf("in Dutch it searches for %q", got)
	}
	if got := happened(t, p, audit.ClientRegistered); len(got) == 0 || got[0].Client != c.ID || got[0].Actor == "" {
		t.Errorf("events %+v", got)
	}
}

// TestWrongInputStandsAtItsField: every problem at once, each at its field, and nothing typed is lost.
func TestWrongInputStandsAtItsField(t *testing.T) {
	p := start(t)
	page := as(t, p, ivy, "/admin/clients/new")
	page = page.Press(t, "main", "Add a client", form("name", "", "redirects", "https://ok.example/cb\nhttp://tide.example/cb\nhttps://*.example/cb", "maxage", "soon",
		"accesslife", "3601", "idlife", "59", "refreshidle", "-1", "refreshlife", "long"))
	want(t, page, "Add a client")
	for field, part := range map[string]string{
		"name": "Give it a name", "redirects": "Line 2 is http", "maxage": "whole number",
		"accesslife": "within the limits", "idlife": "within the limits", "refreshidle": "within the limits", "refreshlife": "within the limits",
	} {
		if got := page.Find("#" + field + "-error").Text(); !strings.Contains(got, part) {
			t.Errorf("%s says %q, want %q in it", field, got, part)
		}
	}
	if got := page.Find("#redirects").Text(); !strings.Contains(got, "https://*.example/cb") {
		t.Errorf("typed %q", got)
	}
	if got := page.Find("#accesslife-hint").Text(); got != "In seconds, 60 to 3600; a JWT 60 to 300. Empty: the most." {
		t.Errorf("hint %q", got)
	}
	if !strings.HasPrefix(page.Title(), "Error: ") {
		t.Errorf("title %q", page.Title())
	}
}

// TestClientsByPage: the IT team sees all clients or those of a company, fifty on a page.
func TestClientsByPage(t *testing.T) {
	p := start(t)
	for i := range 60 {
		p.NewRP(t, fmt.Sprintf("app%02d", i), func(c *client.Client) {
			c.Name = fmt.Sprintf("App %02d", i)
			if i >= 55 {
				c.Company = "plain"
			}
		})
	}
	page := want(t, as(t, p, ivy, "/admin/clients?q=app"), "Clients")
	if got, rows := page.Find("caption").Text(), page.Find("tbody tr").Length(); got != "61 clients" || rows != 50 {
		t.Errorf("%q, %d rows", got, rows)
	}
	next := page.Follow(t, page.Find("main p a.button").AttrOr("href", ""))
	if rows := next.Find("tbody tr").Length(); rows != 11 || next.Find("main p a.button").Length() != 0 {
		t.Errorf("%d rows on the last page", rows)
	}
	of := want(t, page.Follow(t, "/admin/clients?company=plain"), "Clients")
	if got := of.Find("caption").Text(); got != "5 clients" || !strings.Contains(of.Find(".lead").Text(), "Plain Estates") {
		t.Errorf("of plain: %q, lead %q", got, of.Find(".lead").Text())
	}
	if to := of.Find("nav a[aria-current]").AttrOr("href", ""); to != "/admin/clients?company=plain" {
		t.Errorf("the choice of a company is lost at %q", to)
	}
	nothing(t, page.Follow(t, "/admin/clients?company=nowhere"))
}

// TestWeakSettingsAreSaid: each with its remedy, and none where nothing is weak.
func TestWeakSettingsAreSaid(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/clients").Prove(t, ivy), "Clients")
	for want, change := range map[string]func(*client.Client){
		"PKCE is optional": func(c *client.Client) { c.PKCE = client.PKCEOptional },
		"implicit grant": func(c *client.Client) {
			c.GrantTypes, c.ResponseTypes = []string{"authorization_code", "refresh_token", "implicit"}, []string{"code", "id_token"}
		},
		"readable form":         func(c *client.Client) { c.AuthMethod = client.AuthSecretJWT },
		"of every other client": func(c *client.Client) { c.Introspect = []string{"*"} },
		"no address to tell":    func(c *client.Client) { c.BackchannelURI = "" },
		"registered itself":     func(c *client.Client) { c.Dynamic = &client.Dynamic{} },
		"is not encrypted":      func(c *client.Client) { c.RedirectURIs = []string{"http://localhost/cb"} },
		"":                      func(*client.Client) {},
	} {
		p.NewRP(t, "weak", func(c *client.Client) {
			c.RedirectURIs, c.PostLogoutRedirectURIs, c.BackchannelURI = []string{"https://app.example/cb"}, nil, "https://app.example/back"
			change(c)
		})
		got := b.Get(t, "/admin/clients/weak").Find("#warnings .note").Text()
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("warnings %q, want %q", strings.TrimSpace(got), want)
		}
	}
	p.Advance(366 * 24 * time.Hour)
	if got := b.Get(t, "/admin/clients/cases").Prove(t, ivy).Find("#warnings .note").Text(); !strings.Contains(got, "older than a year") {
		t.Errorf("warnings after a year: %q", got)
	}
}
