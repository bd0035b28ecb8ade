// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestSE11 is SE-11: no parameter leads anywhere.
func TestSE11(t *testing.T) {
	p, b := enrolled(t)
	evil := []string{"//e.example", `/\e.example`, "https:e.example", "%2f%2fe.example", "\t//e.example"}
	for _, to := range evil {
		for _, name := range []string{"return_to", "rd", "next", "redirect", "target_link_uri"} {
			page := b.Get(t, p.RP.AuthURL(idptest.With(name, to)))
			if got := "http://" + page.URL.Host; got != p.Issuer && got != p.RP.URL {
				t.Errorf("%s=%s led to %s", name, to, page.URL)
			}
		}
	}
}

// TestFZ10 is FZ-10: another Host gets 421 and nothing with its name in it.
func TestFZ10(t *testing.T) {
	p, _ := enrolled(t)
	for _, path := range []string{"/.well-known/openid-configuration", "/authorize", "/jwks", "/"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.Issuer+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "evil.example"
		req.Header.Set("X-Forwarded-Host", "evil.example")
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("%s: %d, want 421", path, res.StatusCode)
		}
	}
	b := p.Browser(t)
	b.Header.Set("X-Forwarded-Host", "evil.example")
	b.Header.Set("X-Forwarded-Proto", "https")
	if page := b.Get(t, "/.well-known/openid-configuration"); strings.Contains(page.Body, "evil") || !strings.Contains(page.Body, p.Issuer) {
		t.Errorf("discovery follows a header: %s", page.Body)
	}
}

// TestFZ07 is FZ-07: what comes in comes back byte for byte, or is refused; never a split header, never a 500.
func TestFZ07(t *testing.T) {
	p, b := enrolled(t)
	signIn(t, p, b)
	for _, state := range []string{strings.Repeat("x", 4096), "a b+c%20&=", "émoji 🎉", "\u202ebidi", "<script>alert(1)</script>"} {
		page := b.Get(t, p.RP.AuthURL(idptest.With("state", state)))
		if page.Status == http.StatusBadRequest {
			continue
		}
		if got := p.RP.Answer(t, page); got.Get("state") != state && got.Get("error") == "" {
			t.Errorf("state %q came back as %q", state, got.Get("state"))
		}
	}
	for _, name := range []string{"state", "nonce", "login_hint", "ui_locales", "acr_values", "scope", "client_id", "redirect_uri", "prompt", "max_age", "claims"} {
		for _, bad := range []string{"a\r\nSet-Cookie: x=y", "a\x00b", "<img src=x onerror=alert(1)>", strings.Repeat("z", 70000)} {
			page := p.Browser(t).Get(t, p.RP.AuthURL(idptest.With(name, bad)))
			if page.Status >= 500 || page.Header.Get("X-Injected") != "" || strings.Contains(page.Body, "<img src=x") {
				t.Errorf("%s=%q: %d", name, bad[:10], page.Status)
			}
		}
	}
}

// TestFZ08 is FZ-08: hostile text in what is shown is escaped.
func TestFZ08(t *testing.T) {
	p, b := enrolled(t)
	xss := `"><script>alert(1)</script>`
	third := p.NewRP(t, "third", func(c *client.Client) { c.Company, c.Name = "", xss })
	page := b.Get(t, third.AuthURL(idptest.With("login_hint", xss), idptest.With("ui_locales", xss)))
	if strings.Contains(page.Body, "<script>alert") || page.Find("#username").AttrOr("value", "") != xss {
		t.Errorf("login page: %s", page.Body)
	}
	failed := page.Login(t, xss, "wrong-password-wrong")
	if strings.Contains(failed.Body, "<script>alert") {
		t.Errorf("name is not escaped")
	}
	consent := b.Get(t, third.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	if strings.Contains(consent.Body, "<script>alert") {
		t.Errorf("client name is not escaped")
	}
	post := b.Get(t, third.AuthURL(idptest.With("response_mode", "form_post"), idptest.With("state", xss), idptest.With("prompt", "none")))
	if strings.Contains(post.Body, "<script>alert") {
		t.Errorf("state is not escaped")
	}
}

// TestBadBodies is FZ-02 at the pages: JSON, multipart, a large body, duplicate fields, control characters.
func TestBadBodies(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	for what, tt := range map[string]struct {
		kind, body string
		status     int
	}{
		"JSON":      {"application/json", `{"username":"a"}`, 400},
		"multipart": {"multipart/form-data; boundary=x", "--x--", 400},
		"none":      {"", "username=a", 400},
		"large":     {"application/x-www-form-urlencoded", "username=" + strings.Repeat("a", 1<<20), 413},
		"twice":     {"application/x-www-form-urlencoded", "username=a&username=b&password=c", 400},
		"control":   {"application/x-www-form-urlencoded", "username=a%00&password=c", 400},
		"percent":   {"application/x-www-form-urlencoded", "username=%zz", 400},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.URL.String(), strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", tt.kind)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := b.Client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", what, res.StatusCode, tt.status)
		}
	}
	wantPage(t, page.Login(t, anna, idptest.Password), 200, "Enter your code")
}

// TestFormAction: an app whose callback leads on to another of its registered origins is not cut off by our policy;
// an origin that it did not register is not in it.
func TestFormAction(t *testing.T) {
	p, b := enrolled(t)
	p.NewRP(t, "proxy", func(c *client.Client) {
		c.URI = "https://cases.example.com/"
		c.RedirectURIs = append(c.RedirectURIs, "https://auth.example.com/oauth2/callback")
	})
	rp := p.RP.AuthURL(idptest.With("client_id", "proxy"), idptest.With("redirect_uri", "https://auth.example.com/oauth2/callback"))
	csp := b.Get(t, rp).Header.Get("Content-Security-Policy")
	for _, want := range []string{"form-action 'self' https://auth.example.com", " https://cases.example.com"} {
		if !strings.Contains(csp, want) {
			t.Errorf("CSP = %q, want %q in it", csp, want)
		}
	}
	if strings.Count(csp, "https://auth.example.com") != 1 || strings.Contains(csp, "https:;") || strings.HasSuffix(csp, "https:") {
		t.Errorf("CSP = %q: each origin once, and no scheme alone", csp)
	}
}

// TestLostFactor: the factor record of somebody who is enrolled is gone. That is never "not enrolled": no set-up, no
// sign-in, a page that leads to help, and a security event.
func TestLostFactor(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Log: &log})
	p.AddEnrolled(t, anna, "acme")
	lost := 0
	for _, key := range p.Store.Redis().Keys() {
		if strings.HasSuffix(key, ":mfa") {
			p.Store.Redis().Del(key)
			lost++
		}
	}
	if lost != 1 {
		t.Fatalf("%d factor records", lost)
	}
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.Find("main form").Length() == 1 { // it shows when the code is checked
		page = page.Code(t, p.Code(t, 0))
	}
	if page.Status != http.StatusServiceUnavailable || page.Find("#totp-key").Length() != 0 || page.Find("form").Length() != 0 || b.Cookie("lg_s") != "" {
		t.Errorf("with the record lost: %d %q", page.Status, page.H1())
	}
	if !strings.Contains(log.String(), `"event":"record.lost"`) {
		t.Errorf("no security event")
	}
}
