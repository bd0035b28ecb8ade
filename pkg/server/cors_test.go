// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// Pages of registered origins may call what browser apps need, others may not; what everybody may read, everybody reads;
// nothing is shared together with cookies.
func TestCORS(t *testing.T) { //nolint:gocognit // a table of origins, addresses and methods
	p := idptest.New(t, idptest.Setup{})
	spa := func(c *client.Client) {
		c.RedirectURIs, c.PostLogoutRedirectURIs = []string{"https://spa.example.com/cb"}, nil
	}
	p.NewRP(t, "spa", spa)
	ask := func(method, path, origin string) http.Header {
		req := httptest.NewRequest(method, p.Issuer+path, strings.NewReader(""))
		req.Header.Set("Origin", origin)
		req.Header.Set("Sec-Fetch-Site", "cross-site")
		if method == http.MethodOptions {
			req.Header.Set("Access-Control-Request-Method", http.MethodPost)
			req.Header.Set("Access-Control-Request-Headers", "authorization")
		}
		res := httptest.NewRecorder()
		p.Node.Handler().ServeHTTP(res, req)
		return res.Header()
	}
	for origin, known := range map[string]bool{
		"https://spa.example.com": true, "https://spa.example.com:443": false, "http://spa.example.com": false,
		"https://evil.example.com": false, "null": false, "https://spa.example.com.evil.example": false,
	} {
		for _, path := range []string{"/token", "/userinfo", "/revoke", "/par"} {
			for _, method := range []string{http.MethodOptions, http.MethodPost} {
				h := ask(method, path, origin)
				want := ""
				if known {
					want = origin
				}
				if h.Get("Access-Control-Allow-Origin") != want || h.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s %s from %s: %v", method, path, origin, h)
				}
				if method == http.MethodOptions && strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") != known {
					t.Errorf("%s %s from %s: headers %q", method, path, origin, h.Get("Access-Control-Allow-Headers"))
				}
				if origin != "null" && h.Get("Vary") != "Origin" {
					t.Errorf("%s %s from %s: Vary %q", method, path, origin, h.Get("Vary"))
				}
			}
		}
		for _, path := range []string{"/.well-known/openid-configuration", "/jwks"} {
			if h := ask(http.MethodGet, path, origin); h.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s from %s: %v", path, origin, h)
			}
		}
		for _, path := range []string{"/authorize", "/logout", "/introspect", "/account"} {
			if h := ask(http.MethodGet, path, origin); h.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %s is shared: %v", path, origin, h)
			}
		}
	}
	c, err := p.Node.Office.Clients.Client(t.Context(), "spa")
	if err != nil {
		t.Fatal(err)
	}
	off := *c
	off.Disabled = true
	if err := p.Node.Office.Clients.PutClient(t.Context(), &off); err != nil {
		t.Fatal(err)
	}
	p.Advance(time.Second)
	if h := ask(http.MethodPost, "/token", "https://spa.example.com"); h.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a disabled client's origin: %v", h)
	}
}
