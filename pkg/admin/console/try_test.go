// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

func object(t *testing.T, page *idptest.Page, id string) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal([]byte(page.Find("#"+id).Text()), &out); err != nil {
		t.Fatalf("%s of %q (alert %q): %v", id, page.H1(), page.Alert(), err)
	}
	return out
}

// same compares what is shown with what the app gets, but for what is new in each answer.
func same(t *testing.T, what string, shown, real map[string]any) {
	t.Helper()
	if len(shown) != len(real) {
		t.Errorf("%s: %d are shown, the app gets %d", what, len(shown), len(real))
	}
	for name, value := range real {
		got, ok := shown[name]
		a, _ := json.Marshal(value)
		b, _ := json.Marshal(got)
		changes := slices.Contains([]string{"nonce", "at_hash", "iat", "exp"}, name)
		if !ok || !changes && string(a) != string(b) {
			t.Errorf("%s: %s is shown as %s, the app gets %s", what, name, b, a)
		}
	}
}

// TestTry is C5: what the page shows is what the app receives for a sign-in of the same person.
func TestTry(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients/cases").Prove(t, carla), "Case App")
	page = want(t, page.Press(t, "#try", "Try a sign-in", nil), "What Case App receives")
	real := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("scope", "openid profile email address phone offline_access"))))
	shown := object(t, page, "try-claims")
	same(t, "claims", shown, real.Claims)
	same(t, "introspection", object(t, page, "try-introspection"), p.RP.Introspect(t, real.AccessToken))
	if got := object(t, page, "try-userinfo"); got["email"] != carla || got["sub"] != shown["sub"] {
		t.Errorf("userinfo shows %v", got)
	}
	if got := object(t, page, "try-header"); got["alg"] != "RS256" || got["kid"] == "" {
		t.Errorf("header shows %v", got)
	}
	for _, handle := range []string{"lga_", "lgr_", "lgc_", "eyJ"} {
		if strings.Contains(page.Body, handle) {
			t.Errorf("the page holds %s…", handle)
		}
	}
	if got := happened(t, p, audit.ClientTried); len(got) != 1 || got[0].Client != "cases" || got[0].Actor == "" {
		t.Errorf("events %+v", got)
	}
	// It is shown once, and nothing of it lives: no app of the account page has access by it.
	again := want(t, b.Get(t, page.URL.RequestURI()), "What Case App receives")
	if again.Find("pre").Length() != 0 || !strings.Contains(again.Alert(), "shown once") {
		t.Errorf("shown again: alert %q", again.Alert())
	}
}

// TestTryLeavesNothing: after a try no app has access, and none is told of the end of the session.
func TestTryLeavesNothing(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients/cases").Prove(t, carla), "Case App")
	want(t, page.Press(t, "#try", "Try a sign-in", nil), "What Case App receives")
	if got := b.Get(t, "/account").Find("#apps .items li").Length(); got != 0 {
		t.Errorf("%d apps have access after a try", got)
	}
}

// TestTryFollowsTheClientsPolicy: a code each time, consent, a JWT, and a client that is not for this account.
func TestTryFollowsTheClientsPolicy(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	p.NewRP(t, "strict", func(c *client.Client) {
		c.Name, c.Company, c.SecondFactor, c.AccessTokenFormat, c.Scope = "Strict", "", flow.FactorAlways, client.FormatJWT, "openid email"
		c.GrantTypes = nil
	})
	page := want(t, b.Get(t, "/admin/clients/strict").Prove(t, ivy), "Strict")
	p.NextStep()
	page = want(t, page.Press(t, "#try", "Try a sign-in", nil), "Enter your code")
	p.NextStep()
	page = want(t, page.Code(t, p.Code(t, 0)), "Allow Strict to use your account?")
	page = want(t, page.Submit(t, url.Values{"answer": {"allow"}}), "What Strict receives")
	if got := object(t, page, "try-access"); got["client_id"] != "strict" {
		t.Errorf("access token shows %v", got)
	}
	p.NewRP(t, "closed", func(c *client.Client) { c.Name, c.Companies = "Closed", []string{"plain"} })
	page = want(t, b.Get(t, "/admin/clients/closed"), "Closed")
	page = want(t, page.Press(t, "#try", "Try a sign-in", nil), "What Closed receives")
	if !strings.Contains(page.Alert(), "was refused") {
		t.Errorf("alert %q", page.Alert())
	}
}

// TestTryIsBound: the address of a try is of no use in another browser, to another admin, or for another client, and a
// sign-in of the client's own is none.
func TestTryIsBound(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	p.NewRP(t, "second", func(c *client.Client) { c.Name = "Second App" })
	want(t, b.Get(t, "/admin/clients/cases").Prove(t, carla), "Case App")
	var callback string
	b.Client.CheckRedirect = stopBefore("/admin/try/callback", &callback)
	b.Post(t, "/admin/clients/cases/try", url.Values{})
	b.Client.CheckRedirect = nil
	if callback == "" {
		t.Fatal("the try does not come back")
	}
	thief := p.Browser(t)
	want(t, thief.Get(t, "/admin/clients").Prove(t, ivy), "Clients")
	if page := thief.Get(t, callback); page.Find("pre").Length() != 0 {
		t.Errorf("another admin's browser sees it: %s", page.Body)
	}
	if page := b.Get(t, strings.Replace(callback, "client=cases", "client=second", 1)); page.Find("pre").Length() != 0 {
		t.Error("it shows for another client")
	}
	// A flow of the client itself is not answered here.
	plain := p.Browser(t)
	page := plain.Get(t, p.RP.AuthURL())
	id := strings.Split(page.URL.Path, "/")[2]
	if page := b.Get(t, "/admin/try/callback?client=cases&flow="+id); page.Find("pre").Length() != 0 {
		t.Error("a sign-in of the client is answered to an admin")
	}
	if page := b.Get(t, callback); page.Find("pre").Length() == 0 {
		t.Errorf("its own browser does not see it: %d %q %q", page.Status, page.H1(), page.Alert())
	}
}
