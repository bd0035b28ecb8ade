// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// operation is one of the document.
type operation struct{ method, path, scope string }

// operations reads all of the document: it is made in the same step as the addresses are.
func (w *world) operations(t *testing.T) []operation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal([]byte(w.ask(t, http.MethodGet, "/api/openapi.json", "", "").text), &doc); err != nil {
		t.Fatal(err)
	}
	var out []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			o := operation{method: strings.ToUpper(method), path: path}
			for _, s := range op.Security {
				if len(op.Security) == 1 && len(s["token"]) == 1 {
					o.scope = s["token"][0]
				}
			}
			out = append(out, o)
		}
	}
	if len(out) < 12 {
		t.Fatalf("%d operations", len(out))
	}
	return out
}

// forWhole are the operations on what is no company's.
func forWhole(o operation) bool { return strings.HasPrefix(o.path, "/api/v1/keys") }

// ids puts a client, a company and an account into a path, and things that are not there.
func ids(path, client, company, account string) string {
	path = strings.NewReplacer("{client_id}", client, "{company_id}", company, "{account_id}", account, "{secret_id}", "0123abcd", "{domain}", "nobody.example").Replace(path)
	return regexp.MustCompile(`\{[a-z_]+\}`).ReplaceAllString(path, "nobody")
}

// TestEveryOperationNeedsItsScope asks for every operation of the document with every kind of token: none, forged,
// expired, without the scope, of a client that registered itself or is bounded to a company, of people of every role.
func TestEveryOperationNeedsItsScope(t *testing.T) { //nolint:gocognit // a table of operations and callers
	w := newWorld(t, idptest.Setup{})
	w.robot(t, "weak", "", "cases.read")
	stale := w.token(t, "robot")
	w.Advance(time.Hour + time.Second)
	full, weak, acme := w.token(t, "robot"), w.token(t, "weak"), w.token(t, "acme-robot")
	nobody := w.person(t, "nobody@acme.example", "acme", authn.AdminNone)
	boss := w.person(t, "boss@acme.example", "acme", authn.AdminCompany)
	it := w.person(t, "it@it.example", "", authn.AdminIT)
	stranger := w.AddAccount(t, "stranger@plain.example", "plain")
	forged := full[:len(full)-6] + "AAAAAA"
	for _, o := range w.operations(t) {
		name := o.method + " " + o.path
		if !slices.Contains(admin.Scopes(), o.scope) {
			t.Errorf("%s has no scope of its own: %q", name, o.scope)
			continue
		}
		if read := strings.HasSuffix(o.scope, ":read"); read != (o.method == http.MethodGet || strings.HasSuffix(o.path, "/preview")) {
			t.Errorf("%s has the scope %s", name, o.scope)
		}
		path := ids(o.path, "plain-robot", "plain", stranger)
		others := slices.DeleteFunc(slices.Clone(admin.Scopes()), func(s string) bool { return s == o.scope })
		for who, tt := range map[string]struct {
			token, challenge string
			status           int
		}{
			"nobody":            {"", `Bearer realm="lychgate"`, 401},
			"a word":            {"hello", `error="invalid_token"`, 401},
			"a forged token":    {forged, `error="invalid_token"`, 401},
			"an expired token":  {stale, `error="invalid_token"`, 401},
			"no API scope":      {weak, `scope="` + o.scope + `"`, 403},
			"every other scope": {w.token(t, "robot", others...), `error="insufficient_scope"`, 403},
			"no admin":          {nobody, "", 403},
		} {
			got := w.ask(t, o.method, path, tt.token, "")
			if got.status != tt.status || !strings.Contains(got.header.Get("WWW-Authenticate"), tt.challenge) ||
				got.header.Get("Content-Type") != "application/problem+json" || got.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s by %s: %d %v %s", name, who, got.status, got.header, got.text)
			}
		}
		if got := w.ask(t, o.method, path+"?access_token="+full, "", ""); got.status != http.StatusUnauthorized {
			t.Errorf("%s with the token in the address: %d", name, got.status)
		}
		for who, token := range map[string]string{"a company's program": acme, "a company's admin": boss} {
			got := w.ask(t, o.method, path, token, "", "If-Match", "*")
			bounded := got.status == http.StatusNotFound || (forWhole(o) && got.status == http.StatusForbidden) ||
				(!strings.Contains(o.path, "{") && got.status == http.StatusOK && !strings.Contains(got.text, "plain")) ||
				got.status == http.StatusUnsupportedMediaType // asked again with a body in TestForeignCompany
			if !bounded {
				t.Errorf("%s of another company by %s: %d %s", name, who, got.status, got.text)
			}
		}
		for who, token := range map[string]string{"a program": full, "the IT team": it} {
			if o.method != http.MethodGet {
				path = ids(o.path, "not-there", "not-there", "not-there")
			}
			if got := w.ask(t, o.method, path, token, ""); got.status == http.StatusUnauthorized || got.status == http.StatusForbidden || got.status >= 500 {
				t.Errorf("%s by %s: %d %s", name, who, got.status, got.text)
			}
		}
	}
}

// TestWhichTokens: what is no access token, or belongs to a client that nobody looked at, opens nothing; a JWT of our own
// does, for as long as it is in force.
func TestWhichTokens(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	w.AddAdmin(t, "it@it.example", "", authn.AdminIT)
	rp := w.NewRP(t, "offline-app", func(c *client.Client) { c.Company, c.Scope = "", "openid offline_access clients:read" })
	b := w.Browser(t)
	page := b.Get(t, rp.AuthURL(idptest.With("scope", "openid offline_access clients:read"))).Prove(t, "it@it.example")
	if page.Find("button[value=allow]").Length() == 1 {
		page = page.Submit(t, url.Values{"answer": {"allow"}})
	}
	tokens := rp.Exchange(t, page)
	service := client.Client{GrantTypes: []string{client.GrantCredentials}, Scope: "clients:read", AuthMethod: client.AuthBasic}
	stranger, signed := service, service
	stranger.ID, stranger.Dynamic = "stranger", &client.Dynamic{Token: "x", Issued: w.Now().Unix()}
	signed.ID, signed.AccessTokenFormat = "signed", client.FormatJWT
	w.AddClient(t, &stranger)
	w.AddClient(t, &signed)
	jwt := w.token(t, "signed")
	for name, tt := range map[string]struct {
		token  string
		status int
	}{
		"an access token":                 {tokens.AccessToken, 200},
		"an ID token":                     {tokens.Raw, 401},
		"a refresh token":                 {tokens.RefreshToken, 401},
		"an access token of our own form": {jwt, 200},
		"one of another signature":        {jwt[:len(jwt)-4] + "AAAA", 401},
		"a client that registered itself": {w.token(t, "stranger"), 403},
	} {
		if got := w.ask(t, http.MethodGet, "/api/v1/clients", tt.token, ""); got.status != tt.status {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	w.Advance(5*time.Minute + time.Second)
	if got := w.ask(t, http.MethodGet, "/api/v1/clients", jwt, ""); got.status != http.StatusUnauthorized {
		t.Errorf("a JWT after its time: %d %s", got.status, got.text)
	}
}

// A role that was taken away, and a client or an account that was disabled, are refused within a second.
func TestTokensEnd(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	acme, it := w.token(t, "acme-robot"), w.person(t, "it@it.example", "", authn.AdminIT)
	works := func(token string) bool {
		return w.ask(t, http.MethodGet, "/api/v1/clients", token, "").status == http.StatusOK
	}
	if !works(acme) || !works(it) {
		t.Fatal("the tokens do not work")
	}
	off := w.ask(t, http.MethodPatch, "/api/v1/clients/acme-robot", it, `{"lychgate_disabled":true}`, "If-Match", "*")
	if off.status != http.StatusOK {
		t.Fatalf("disable: %d %s", off.status, off.text)
	}
	w.Advance(time.Second)
	if works(acme) {
		t.Error("a disabled client's token works")
	}
	robot := w.token(t, "robot")
	boss := w.person(t, "boss@acme.example", "acme", authn.AdminCompany)
	id, _ := w.ask(t, http.MethodGet, "/api/v1/accounts?company=acme&text=boss", robot, "").list("accounts")[0]["id"].(string)
	if !works(boss) {
		t.Error("a company admin's token does not work")
	}
	if got := w.ask(t, http.MethodPatch, "/api/v1/accounts/"+id, robot, `{"admin":null}`, "If-Match", "*"); got.status != http.StatusOK {
		t.Fatalf("take the role: %d %s", got.status, got.text)
	}
	if works(boss) {
		t.Error("a token works whose account is no admin any more")
	}
	if _, err := w.Node.Office.Apply(t.Context(), "it@it.example", authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	if works(it) {
		t.Error("a disabled account's token works")
	}
}
