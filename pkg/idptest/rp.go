// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/pkg/client"
)

// RelyingParty is an app on go-oidc and x/oauth2. Its callback page shows the parameters it got.
type RelyingParty struct {
	ID, URL  string
	OAuth    oauth2.Config
	Verifier string
	idp      *IDP
	provider *oidc.Provider
}

// Tokens is what a sign-in ended in.
type Tokens struct {
	*oauth2.Token
	ID     *oidc.IDToken
	Raw    string
	Claims map[string]any
}

func newRelyingParty(tb testing.TB, p *IDP, id string) *RelyingParty {
	tb.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		w.Header().Set("Content-Type", "text/html")
		b, _ := json.Marshal(r.Form)
		_, _ = fmt.Fprintf(w, "<title>app</title><h1>%s</h1><pre>%s</pre>", r.Method, b)
	})
	srv := httptest.NewServer(mux)
	tb.Cleanup(srv.Close)
	rp := &RelyingParty{ID: id, URL: srv.URL, Verifier: oauth2.GenerateVerifier(), idp: p}
	rp.OAuth = oauth2.Config{
		ClientID: id, ClientSecret: ClientSecret, RedirectURL: srv.URL + "/callback", Scopes: []string{"openid", "profile", "email"},
		Endpoint: oauth2.Endpoint{AuthURL: p.Issuer + "/authorize", TokenURL: p.Issuer + "/token", AuthStyle: oauth2.AuthStyleInHeader},
	}
	return rp
}

// NewRP registers another app: change edits its registration.
func (p *IDP) NewRP(tb testing.TB, id string, change func(*client.Client)) *RelyingParty {
	tb.Helper()
	rp := newRelyingParty(tb, p, id)
	c := rp.Client()
	change(c)
	p.AddClient(tb, c)
	return rp
}

// Client is the app's registration: acme's own app, with refresh tokens.
func (rp *RelyingParty) Client() *client.Client {
	return &client.Client{
		ID: rp.ID, Name: "Case App", URI: rp.URL + "/", Company: "acme", RedirectURIs: []string{rp.URL + "/callback"},
		PostLogoutRedirectURIs: []string{rp.URL + "/bye"}, GrantTypes: []string{"authorization_code", "refresh_token"},
		Scope: "openid profile email address phone offline_access", AuthMethod: "client_secret_basic",
	}
}

// AuthURL is an authorization request with PKCE, state and nonce; change edits its parameters.
func (rp *RelyingParty) AuthURL(change ...func(url.Values)) string {
	u, _ := url.Parse(rp.OAuth.AuthCodeURL("state-of-the-app", oidc.Nonce("nonce-of-the-app"), oauth2.S256ChallengeOption(rp.Verifier)))
	q := u.Query()
	for _, c := range change {
		c(q)
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// With sets a parameter of the authorization request.
func With(name, value string) func(url.Values) {
	return func(q url.Values) { q.Set(name, value) }
}

// Without leaves a parameter out.
func Without(name string) func(url.Values) { return func(q url.Values) { q.Del(name) } }

// Answer reads the authorization response off the page that the browser ended on.
func (rp *RelyingParty) Answer(tb testing.TB, p *Page) url.Values {
	tb.Helper()
	if !strings.HasPrefix(p.URL.String(), rp.URL+"/callback") {
		tb.Fatalf("the browser is at %s (%d, %q, alert %q), not at the app", p.URL, p.Status, p.H1(), p.Alert())
	}
	var form url.Values
	if err := json.Unmarshal([]byte(p.Find("pre").Text()), &form); err != nil {
		tb.Fatal(err)
	}
	if got := form.Get("iss"); got != rp.idp.Issuer {
		tb.Errorf("iss = %q, want the issuer (RFC 9207)", got)
	}
	return form
}

// Exchange redeems the code of the page and verifies the ID token.
func (rp *RelyingParty) Exchange(tb testing.TB, p *Page) Tokens {
	tb.Helper()
	code := rp.Answer(tb, p).Get("code")
	if code == "" {
		tb.Fatalf("no code: %s", p.Find("pre").Text())
	}
	tok, err := rp.OAuth.Exchange(tb.Context(), code, oauth2.VerifierOption(rp.Verifier))
	if err != nil {
		tb.Fatalf("redeem: %v", err)
	}
	return rp.Verify(tb, tok)
}

// Verify checks the ID token of an answer.
func (rp *RelyingParty) Verify(tb testing.TB, tok *oauth2.Token) Tokens {
	tb.Helper()
	raw, _ := tok.Extra("id_token").(string)
	id, err := rp.Discover(tb).Verifier(&oidc.Config{ClientID: rp.ID, Now: rp.idp.Now, SupportedSigningAlgs: []string{"RS256", "ES256", "EdDSA"}}).Verify(tb.Context(), raw)
	if err != nil {
		tb.Fatalf("ID token: %v", err)
	}
	if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
		tb.Errorf("at_hash: %v", err)
	}
	out := Tokens{Token: tok, ID: id, Raw: raw}
	if err := id.Claims(&out.Claims); err != nil {
		tb.Fatal(err)
	}
	return out
}

// Discover reads the provider's metadata once.
func (rp *RelyingParty) Discover(tb testing.TB) *oidc.Provider {
	tb.Helper()
	if rp.provider == nil {
		p, err := oidc.NewProvider(context.WithoutCancel(tb.Context()), rp.idp.Issuer)
		if err != nil {
			tb.Fatal(err)
		}
		rp.provider = p
	}
	return rp.provider
}

// Call posts to an endpoint with the app's credentials and returns status and JSON.
func (rp *RelyingParty) Call(tb testing.TB, path string, form url.Values) (int, map[string]any) {
	tb.Helper()
	req, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, rp.idp.Issuer+path, strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(rp.ID), url.QueryEscape(rp.OAuth.ClientSecret))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		tb.Fatal(err)
	}
	var body map[string]any
	_ = json.Unmarshal(raw, &body)
	return res.StatusCode, body
}

// Refresh uses a refresh token.
func (rp *RelyingParty) Refresh(tb testing.TB, token string) (int, map[string]any) {
	tb.Helper()
	return rp.Call(tb, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// Introspect asks about a token.
func (rp *RelyingParty) Introspect(tb testing.TB, token string) map[string]any {
	tb.Helper()
	status, body := rp.Call(tb, "/introspect", url.Values{"token": {token}})
	if status != http.StatusOK {
		tb.Fatalf("introspect: %d %v", status, body)
	}
	return body
}
