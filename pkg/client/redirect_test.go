// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/client"
)

const registered = "https://app.example.com/cb?tenant=1"

// mutations of registered that must never match (PR-05).
func mutations() []string {
	return []string{
		"", "https://app.example.com/cb", "https://app.example.com/cb?tenant=1&x=1", "https://app.example.com/cb?tenant=2",
		"https://app.example.com/cb?", "HTTPS://app.example.com/cb?tenant=1", "https://APP.example.com/cb?tenant=1",
		"https://app.example.com/CB?tenant=1", "https://app.example.com/cb/?tenant=1", "https://app.example.com//cb?tenant=1",
		"https://app.example.com/./cb?tenant=1", "https://app.example.com/x/../cb?tenant=1",
		"https://app.example.com/x/..;/cb?tenant=1", "https://app.example.com/%63b?tenant=1",
		"https://app.example.com/cb%2f?tenant=1", "https://app.example.com/%2e/cb?tenant=1",
		"https://app.example.com:443/cb?tenant=1", "https://app.example.com:8443/cb?tenant=1",
		"https://evil.example@app.example.com/cb?tenant=1", "https://app.example.com@evil.example/cb?tenant=1",
		"https://a@@app.example.com/cb?tenant=1", "https://app.example.com/cb?tenant=1#", "https://app.example.com/cb?tenant=1#x",
		`https://app.example.com\cb?tenant=1`, `https:\\app.example.com/cb?tenant=1`, "https:/app.example.com/cb?tenant=1",
		"//app.example.com/cb?tenant=1", "/cb?tenant=1", "https://xn--app-5c.example.com/cb?tenant=1",
		"https://app.example.com./cb?tenant=1", "https://app.example.com/cb?tenant=1\t", " https://app.example.com/cb?tenant=1",
		"https://app.example.com/cb?tenant=1\x00", "https://app.example.com.evil.example/cb?tenant=1",
		"http://app.example.com/cb?tenant=1", "https://app.example.com/cb/extra?tenant=1", "javascript:alert(1)",
		"https://app.exam\u0440le.com/cb?tenant=1", "https://app.example.com/cb?TENANT=1",
	}
}

func TestPR05RedirectMutations(t *testing.T) {
	for _, kind := range []string{client.TypeWeb, client.TypeNative} {
		c := &client.Client{ApplicationType: kind, RedirectURIs: []string{registered}}
		if !c.MatchRedirect(registered) {
			t.Errorf("%s: MatchRedirect(registered) = false, want true", kind)
		}
		for _, uri := range mutations() {
			if c.MatchRedirect(uri) {
				t.Errorf("%s: MatchRedirect(%q) = true, want false", kind, uri)
			}
		}
	}
}

func TestTrap08Loopback(t *testing.T) {
	native := &client.Client{ApplicationType: client.TypeNative, RedirectURIs: []string{
		"http://127.0.0.1/cb", "http://[::1]/cb?a=1", "http://localhost/cb", "https://127.0.0.1/tls", "http://127.0.0.1:7000/fixed",
	}}
	web := *native
	web.ApplicationType = client.TypeWeb
	for uri, want := range map[string]bool{
		"http://127.0.0.1/cb":             true,
		"http://127.0.0.1:49152/cb":       true,
		"http://[::1]:1/cb?a=1":           true,
		"http://[::1]:1/cb":               false,
		"http://127.0.0.1:0/cb":           false,
		"http://127.0.0.1:080/cb":         false,
		"http://127.0.0.1:65536/cb":       false,
		"http://127.0.0.1:/cb":            false,
		"http://127.0.0.1:80x/cb":         false,
		"http://127.0.0.1:80/cb/":         false,
		"http://127.0.0.1:80/cb#f":        false,
		"http://u:p@127.0.0.1:666/cb":     false,
		"http://127.0.0.1:80@evil/cb":     false,
		"http://127.0.0.2:80/cb":          false,
		"http://localhost:80/cb":          false,
		"http://127.0.0.1:9999/tls":       false,
		"https://127.0.0.1:9999/cb":       false,
		"http://127.0.0.1:7001/fixed":     false,
		"http://127.0.0.1.evil.com:80/cb": false,
		"http://127.1:80/cb":              false,
	} {
		if got := native.MatchRedirect(uri); got != want {
			t.Errorf("native.MatchRedirect(%q) = %v, want %v", uri, got, want)
		}
		if exact := uri == "http://127.0.0.1/cb"; web.MatchRedirect(uri) != exact {
			t.Errorf("web.MatchRedirect(%q) = %v, want %v", uri, !exact, exact)
		}
	}
}

func TestPostLogoutIsExact(t *testing.T) {
	c := &client.Client{ApplicationType: client.TypeNative, PostLogoutRedirectURIs: []string{"http://127.0.0.1/bye"}}
	for uri, want := range map[string]bool{"http://127.0.0.1/bye": true, "http://127.0.0.1:80/bye": false, "http://127.0.0.1/bye?x": false, "": false} {
		if got := c.MatchPostLogout(uri); got != want {
			t.Errorf("MatchPostLogout(%q) = %v, want %v", uri, got, want)
		}
	}
}

// Whatever matches is the registered text, up to a port.
func FuzzMatchRedirect(f *testing.F) {
	for _, s := range append(mutations(), registered, "http://127.0.0.1:1/cb") {
		f.Add(s)
	}
	c := &client.Client{ApplicationType: client.TypeNative, RedirectURIs: []string{registered, "http://127.0.0.1/cb", "http://[::1]"}}
	f.Fuzz(func(t *testing.T, uri string) {
		if !c.MatchRedirect(uri) || uri == registered || uri == "http://127.0.0.1/cb" || uri == "http://[::1]" {
			return
		}
		rest, ok := strings.CutPrefix(strings.TrimSuffix(uri, "/cb"), "http://127.0.0.1:")
		if !ok {
			rest, ok = strings.CutPrefix(uri, "http://[::1]:")
		}
		if !ok || strings.Trim(rest, "0123456789") != "" || rest == "" {
			t.Errorf("MatchRedirect(%q) = true, want false", uri)
		}
	})
}
