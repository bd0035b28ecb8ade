// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	ivy   = "ivy@it.example"
	carla = "carla@acme.example"
	pete  = "pete@plain.example"
)

// start returns a provider with somebody of the IT team, and an admin of acme and of plain each.
func start(t *testing.T) *idptest.IDP {
	t.Helper()
	return startWith(t, idptest.Setup{})
}

func startWith(t *testing.T, setup idptest.Setup) *idptest.IDP {
	t.Helper()
	p := idptest.New(t, setup)
	p.AddAdmin(t, ivy, "", authn.AdminIT)
	p.AddAdmin(t, carla, "acme", authn.AdminCompany)
	p.AddAdmin(t, pete, "plain", authn.AdminCompany)
	return p
}

// as opens a page of the console and shows who it is on the way.
func as(t *testing.T, p *idptest.IDP, name, path string) *idptest.Page {
	t.Helper()
	return p.Browser(t).Get(t, path).Prove(t, name)
}

func want(t *testing.T, page *idptest.Page, h1 string) *idptest.Page {
	t.Helper()
	if page.Status != 200 || page.H1() != h1 {
		t.Fatalf("page %d %q at %s (alert %q), want %q", page.Status, page.H1(), page.URL, page.Alert(), h1)
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of %s = %q", page.URL, got)
	}
	return page
}

// nothing: the answer is that of an address that there is not.
func nothing(t *testing.T, page *idptest.Page) {
	t.Helper()
	if page.Status != 404 || page.H1() != "There is no page at this address" {
		t.Errorf("page %d %q at %s, want none", page.Status, page.H1(), page.URL)
	}
}

// happened returns the security events of a name, the newest first.
func happened(t *testing.T, p *idptest.IDP, name string) []audit.Record {
	t.Helper()
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out []audit.Record
	err := p.Node.History().Read(t.Context(), func(r audit.Record, _ string) bool {
		if r.Event == name {
			out = append(out, r)
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(out)
	return out
}

// form is what the form of a new client is sent with.
func form(kv ...string) url.Values {
	v := url.Values{
		"name": {"Tide Cases"}, "kind": {"web"}, "redirects": {"https://tide.example/callback"}, "postlogout": {"https://tide.example/bye"},
		"scope": {"openid profile email"}, "auth": {"client_secret_basic"}, "pkce": {"required"}, "format": {"opaque"}, "idalg": {"RS256"},
		"subject": {"public"},
	}
	for i := 0; i < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

// registered returns the client of a name.
func registered(t *testing.T, p *idptest.IDP, name string) *client.Client {
	t.Helper()
	all, err := p.Node.Office.Clients.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no client %q", name)
	return nil
}

// secretOn is the secret that the page shows, this once.
func secretOn(page *idptest.Page) string {
	return strings.TrimSpace(page.Find("#client-secret").Text())
}

// stopBefore follows redirects until one leads to a path, and keeps where.
func stopBefore(path string, kept *string) func(*http.Request, []*http.Request) error {
	return func(r *http.Request, _ []*http.Request) error {
		if r.URL.Path == path {
			*kept = r.URL.RequestURI()
			return http.ErrUseLastResponse
		}
		return nil
	}
}
