// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// framed signs in at an app with a front channel, and at one without.
func framed(t *testing.T, p *idptest.IDP, b *idptest.Browser, rp *idptest.RelyingParty) idptest.Tokens {
	t.Helper()
	id := rp.Exchange(t, b.Get(t, rp.AuthURL()).Prove(t, anna))
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()))
	return id
}

func sources(page *idptest.Page) []string {
	var out []string
	page.Find("iframe").Each(func(_ int, el *goquery.Selection) { out = append(out, el.AttrOr("src", "")) })
	return out
}

// TestFrontChannel is Front-Channel Logout 1.0: after a sign-out, by whichever app or page, the browser is given a frame
// for each app that registered one, with iss and the sid of its ID token where it asked for them; the page may frame
// their origins alone, and leads on with the state. Nothing is framed while the person is only asked, nor afterwards.
func TestFrontChannel(t *testing.T) {
	p, b := enrolled(t)
	rp := p.NewRP(t, "framed", func(c *client.Client) {
		c.FrontchannelURI, c.FrontchannelSession = strings.TrimSuffix(c.URI, "/")+"/front?x=1", true
	})
	plain := p.NewRP(t, "plain", func(c *client.Client) { c.FrontchannelURI = strings.TrimSuffix(c.URI, "/") + "/front" })
	for what, out := range map[string]func(id idptest.Tokens) *idptest.Page{
		"another app's logout": func(idptest.Tokens) *idptest.Page {
			other := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()))
			return b.Get(t, "/logout?"+url.Values{"id_token_hint": {other.Raw}, "post_logout_redirect_uri": {p.RP.URL + "/bye"}, "state": {"a b&c"}}.Encode())
		},
		"its own logout": func(id idptest.Tokens) *idptest.Page {
			return b.Get(t, "/logout?"+url.Values{"id_token_hint": {id.Raw}}.Encode())
		},
		"the question": func(idptest.Tokens) *idptest.Page {
			ask := b.Get(t, "/logout")
			if len(sources(ask)) != 0 || strings.Contains(ask.Header.Get("Content-Security-Policy"), "frame-src") {
				t.Errorf("frames beside the question: %v", sources(ask))
			}
			return ask.Submit(t, nil)
		},
		"the account page": func(idptest.Tokens) *idptest.Page {
			return b.Own(t, anna).Press(t, "#sessions", "Sign out", nil)
		},
	} {
		p.Advance(10 * time.Minute)
		id := framed(t, p, b, rp)
		plain.Exchange(t, b.Get(t, plain.AuthURL()))
		page := out(id)
		sid, _ := id.Claims["sid"].(string)
		want := []string{
			rp.URL + "/front?x=1&iss=" + url.QueryEscape(p.Issuer) + "&sid=" + sid,
			plain.URL + "/front",
		}
		if got := sources(page); page.H1() != "You are signed out" || sid == "" || !slices.Equal(got, want) {
			t.Errorf("%s: %d %q frames %v, want %v", what, page.Status, page.H1(), got, want)
		}
		csp := page.Header.Get("Content-Security-Policy")
		if _, sources, _ := strings.Cut(csp, "frame-src "); sources != rp.URL+" "+plain.URL || !strings.Contains(csp, "frame-ancestors 'none'") {
			t.Errorf("%s: policy %s", what, csp)
		}
		wantRefresh := ""
		if what == "another app's logout" {
			wantRefresh = "3;url=" + p.RP.URL + "/bye?state=a+b%26c"
		}
		if got := page.Header.Get("Refresh"); got != wantRefresh {
			t.Errorf("%s: leads on to %q, want %q", what, got, wantRefresh)
		}
		if to := page.Find("main a.button").AttrOr("href", ""); wantRefresh != "" && "3;url="+to != wantRefresh {
			t.Errorf("%s: the button leads to %q", what, to)
		}
		if again := b.Get(t, "/logout"); len(sources(again)) != 0 {
			t.Errorf("%s: frames again: %v", what, sources(again))
		}
	}
	p.Advance(10 * time.Minute)
	id := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Prove(t, anna))
	bye := b.Get(t, "/logout?"+url.Values{"id_token_hint": {id.Raw}, "post_logout_redirect_uri": {p.RP.URL + "/bye"}}.Encode())
	if bye.URL.String() != p.RP.URL+"/bye" {
		t.Errorf("without frames the browser is led on at once, not to %s", bye.URL)
	}
}
