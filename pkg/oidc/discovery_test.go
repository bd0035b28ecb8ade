// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/keys"
)

func (w *world) discovery() map[string]any {
	w.Helper()
	r := w.send(w.p.ServeDiscovery, httptest.NewRequest(http.MethodGet, issuer+"/.well-known/openid-configuration", nil))
	if r.status != 200 || r.header.Get("Content-Type") != "application/json" {
		w.Fatalf("discovery = %d %s", r.status, r.header.Get("Content-Type"))
	}
	return r.json
}

func list(v any) []string {
	var out []string
	many, _ := v.([]any)
	for _, s := range many {
		t, _ := s.(string)
		out = append(out, t)
	}
	return out
}

// What is advertised works, and nothing else does.
func TestDiscoveryIsTrue(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	d := w.discovery()
	grants := list(d["grant_types_supported"])
	for _, g := range []string{"authorization_code", "refresh_token", "client_credentials", "implicit", "password"} {
		w.client("g", everyType, func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "client_credentials") })
		r := w.post(w.p.ServeToken, "g", "grant_type", g, "code", "x", "refresh_token", "x")
		if known := r.text("error") != "unsupported_grant_type" || g == "implicit"; known != slices.Contains(grants, g) {
			t.Errorf("grant %s: advertised %v, answered %s", g, !known, r.body)
		}
	}
	for name, values := range map[string][]string{
		"response_types_supported": append(client.ResponseTypes(), "token", "none", "device"), "response_modes_supported": {"query", "form_post", "fragment", "jwt"},
		"prompt_values_supported": {"none", "login", "consent", "select_account", "create"},
	} {
		param := strings.TrimSuffix(strings.TrimSuffix(name, "s_supported"), "_value")
		for _, v := range values {
			_, err := w.p.Authorize(t.Context(), params("g", param, v))
			if (err == nil) != slices.Contains(list(d[name]), v) {
				t.Errorf("%s %s: advertised %v, Authorize() = %v", param, v, err != nil, err)
			}
		}
	}
	for _, a := range list(d["id_token_signing_alg_values_supported"]) {
		w.client("alg", alg(a))
		if got := segment(t, w.tokens("alg").text("id_token"), 0)["alg"]; got != a {
			t.Errorf("alg %s: header %v", a, got)
		}
	}
	w.authMethodsAreTrue(d)
	w.client("scopes", func(c *client.Client) { c.Scope = strings.Join(list(d["scopes_supported"]), " ") })
	for _, s := range list(d["scopes_supported"]) {
		if q, err := w.p.Authorize(t.Context(), params("scopes", "scope", s)); err != nil || q.Scopes[0] != s {
			t.Errorf("scope %s: %v", s, err)
		}
	}
	w.requestObjectsAreTrue(d)
	if d["claims_parameter_supported"] != true || !slices.Contains(list(d["claims_supported"]), "lg_evidence") {
		t.Errorf("claims parameter %v, claims %v", d["claims_parameter_supported"], d["claims_supported"])
	}
	for _, name := range []string{"registration_endpoint"} {
		if _, ok := d[name]; ok {
			t.Errorf("%s is advertised", name)
		}
	}
	for name, want := range map[string]string{
		"issuer": "", "authorization_endpoint": "/authorize", "token_endpoint": "/token", "userinfo_endpoint": "/userinfo",
		"jwks_uri": "/jwks", "introspection_endpoint": "/introspect", "revocation_endpoint": "/revoke", "end_session_endpoint": "/logout",
		"check_session_iframe":                  "/session/check",
		"pushed_authorization_request_endpoint": "/par",
	} {
		if d[name] != issuer+want {
			t.Errorf("%s = %v", name, d[name])
		}
	}
	for _, name := range []string{
		"backchannel_logout_supported", "backchannel_logout_session_supported",
		"frontchannel_logout_supported", "frontchannel_logout_session_supported",
	} {
		if d[name] != true {
			t.Errorf("%s = %v", name, d[name])
		}
	}
	if d["authorization_response_iss_parameter_supported"] != true || !cmp.Equal(list(d["code_challenge_methods_supported"]), []string{"S256"}) {
		t.Errorf("iss %v challenges %v", d["authorization_response_iss_parameter_supported"], d["code_challenge_methods_supported"])
	}
}

// authMethodsAreTrue: a client of each method gets in by it at each endpoint that says so, and with each algorithm.
func (w *world) authMethodsAreTrue(d map[string]any) {
	w.Helper()
	machineToken := func() string {
		w.client("token", machine, func(c *client.Client) { c.Introspect = nil })
		return w.post(w.p.ServeToken, "token", "grant_type", "client_credentials").text("access_token")
	}
	for name, e := range map[string]struct {
		path string
		h    handler
		more []string
	}{
		"token_endpoint":         {"/token", w.p.ServeToken, []string{"grant_type", "refresh_token", "refresh_token", "x"}},
		"introspection_endpoint": {"/introspect", w.p.ServeIntrospect, []string{"token", machineToken()}},
		"revocation_endpoint":    {"/revoke", w.p.ServeRevoke, []string{"token", "lga_x"}},
	} {
		methods, algs := list(d[name+"_auth_methods_supported"]), list(d[name+"_auth_signing_alg_values_supported"])
		in := func(r reply) bool { return r.text("error") != "invalid_client" }
		for _, m := range append(client.AuthMethods(), "tls_client_auth", "self_signed_tls_client_auth") {
			works := false
			for _, a := range w.authenticators(m) {
				works = works || in(a(e.h, e.path, e.more))
			}
			if works != slices.Contains(methods, m) {
				w.Errorf("%s: %s works %v, advertised %v", name, m, works, methods)
			}
		}
		for _, a := range []string{"RS256", "PS256", "ES256", "ES384", "EdDSA", "HS256", "RS512", "ES512", "HS512", "none"} {
			f, ok := w.authenticators("client_secret_jwt")[a]
			if !ok {
				f, ok = w.authenticators("private_key_jwt")[a]
			}
			if works := ok && in(f(e.h, e.path, e.more)); works != slices.Contains(algs, a) {
				w.Errorf("%s: %s works %v, advertised %v", name, a, works, algs)
			}
		}
	}
}

// authenticators are the ways in for a client of the method, by algorithm where there is one.
func (w *world) authenticators(method string) map[string]func(h handler, path string, more []string) reply {
	grants := func(c *client.Client) { c.AuthMethod = method }
	send := func(h handler, path string, pairs ...string) reply {
		return w.send(h, newPost(path, strings.NewReader(form(pairs...).Encode())))
	}
	out := map[string]func(h handler, path string, more []string) reply{}
	jwt := func(p pair, a string) {
		out[a] = func(h handler, path string, more []string) reply {
			return w.assert(h, path, p.sign(w.T, w.claims("way")), more...)
		}
	}
	switch method {
	case "client_secret_basic":
		w.client("way", grants)
		out[""] = func(h handler, path string, more []string) reply {
			r := newPost(path, strings.NewReader(form(more...).Encode()))
			r.SetBasicAuth("way", secret)
			return w.send(h, r)
		}
	case "client_secret_post":
		w.client("way", grants)
		out[""] = func(h handler, path string, more []string) reply {
			return send(h, path, append([]string{"client_id", "way", "client_secret", secret}, more...)...)
		}
	case "none":
		w.client("way", public)
		out[""] = func(h handler, path string, more []string) reply {
			return send(h, path, append([]string{"client_id", "way"}, more...)...)
		}
	case "client_secret_jwt":
		w.client("way", secretJWT)
		jwt(hs256(secret), "HS256")
	case "private_key_jwt":
		var all []pair
		for a, p := range madePairs() {
			all = append(all, p)
			jwt(p, a)
		}
		w.client("way", keyJWT(w.T, all...))
	}
	return out
}

func TestDocumentsAreCached(t *testing.T) {
	w := newWorld(t)
	for name, h := range map[string]handler{"discovery": w.p.ServeDiscovery, "rfc8414": w.p.ServeAuthServerMetadata, "jwks": w.p.ServeJWKS} {
		r := w.send(h, httptest.NewRequest(http.MethodGet, "http://evil.example/x", nil))
		tag := r.header.Get("ETag")
		if r.header.Get("Cache-Control") != "public, max-age=900" || tag == "" || r.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: headers %v", name, r.header)
		}
		if strings.Contains(r.body, "evil") {
			t.Errorf("%s follows the Host header", name)
		}
		again := httptest.NewRequest(http.MethodGet, issuer+"/x", nil)
		again.Header.Set("If-None-Match", tag)
		if r := w.send(h, again); r.status != 304 || r.body != "" {
			t.Errorf("%s with its tag: %d", name, r.status)
		}
		if r := w.send(h, httptest.NewRequest(http.MethodHead, issuer+"/x", nil)); r.status != 200 || r.body != "" {
			t.Errorf("%s HEAD: %d %q", name, r.status, r.body)
		}
		if r := w.send(h, httptest.NewRequest(http.MethodPost, issuer+"/x", nil)); r.status != 405 {
			t.Errorf("%s POST: %d", name, r.status)
		}
	}
}

func TestJWKSIsPublic(t *testing.T) {
	w := newWorld(t)
	r := w.send(w.p.ServeJWKS, httptest.NewRequest(http.MethodGet, issuer+"/jwks", nil))
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(r.body), &set); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, k := range set.Keys {
		if !k.IsPublic() || k.Use != "sig" || k.KeyID == "" || seen[k.KeyID] || !slices.Contains(keys.Algs(), k.Algorithm) {
			t.Errorf("key %+v", k)
		}
		seen[k.KeyID] = true
	}
	if len(set.Keys) != 10 || strings.Contains(r.body, `"d":`) {
		t.Errorf("%d keys, want an active and a next one of each algorithm", len(set.Keys))
	}
}

// A relying party's own library finds its way by discovery.
func TestRelyingPartyDiscovers(t *testing.T) {
	w := newWorld(t)
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(rw http.ResponseWriter, r *http.Request) { _ = w.p.ServeDiscovery(rw, r) })
	srv := httptest.NewServer(mux)
	defer srv.Close()
	ctx := gooidc.InsecureIssuerURLContext(t.Context(), issuer)
	p, err := gooidc.NewProvider(ctx, srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Endpoint().TokenURL; got != issuer+"/token" {
		t.Errorf("token endpoint %q", got)
	}
}

func TestUserinfoClaims(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for scope, want := range map[string]map[string]any{
		"openid":                             {"sub": w.acc.ID},
		"openid email":                       {"sub": w.acc.ID, "email": "ann@example.com", "email_verified": true},
		"openid profile":                     {"sub": w.acc.ID, "name": "Ann", "updated_at": 1700000000.0},
		"openid profile email address phone": {"sub": w.acc.ID, "name": "Ann", "updated_at": 1700000000.0, "email": "ann@example.com", "email_verified": true, "address": map[string]any{"locality": "Utrecht"}},
	} {
		r := w.userinfo(w.tokens("app", "scope", scope).text("access_token"))
		want["lg_evidence"] = []any{map[string]any{"method": "pwd", "at": float64(start().Unix())}}
		if diff := cmp.Diff(want, r.json); diff != "" || r.header.Get("Content-Type") != "application/json" {
			t.Errorf("scope %q: userinfo differs (-want +got):\n%s", scope, diff)
		}
	}
	r := w.tokens("app", "scope", "email")
	if r.text("id_token") != "" {
		t.Error("ID token without openid")
	}
	got := w.userinfo(r.text("access_token"))
	w.wantError("no openid", got, 403, "insufficient_scope")
	if !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="openid"`) {
		t.Errorf("WWW-Authenticate %q", got.header.Get("WWW-Authenticate"))
	}
}

func TestClientCredentials(t *testing.T) {
	w := newWorld(t)
	w.client("machine", machine)
	w.client("jwt", machine, jwtAccess)
	for _, id := range []string{"machine", "jwt"} {
		r := w.post(w.p.ServeToken, id, "grant_type", "client_credentials")
		if r.text("scope") != "api.read api.write" || r.text("refresh_token") != "" || r.text("id_token") != "" {
			t.Errorf("%s: %s", id, r.body)
		}
		r = w.post(w.p.ServeToken, id, "grant_type", "client_credentials", "scope", "api.read")
		got := w.introspect(id, r.text("access_token"))
		if got.text("scope") != "api.read" || got.text("sub") != id || got.json["auth_time"] != nil || got.json["exp"] == nil {
			t.Errorf("%s: introspection %s", id, got.body)
		}
		for _, s := range []string{"openid", "offline_access", "API.READ", "other"} {
			w.wantError(s, w.post(w.p.ServeToken, id, "grant_type", "client_credentials", "scope", s), 400, "invalid_scope")
		}
	}
}

func TestLogout(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("other", func(c *client.Client) { c.PostLogoutRedirectURIs = []string{"https://other.example/bye"} })
	id := w.tokens("app").text("id_token")
	bye := "https://app.example.com/bye"
	long := strings.Repeat("s", 4096)
	for name, tt := range map[string]struct {
		in   url.Values
		want flow.Logout
	}{
		"nothing": {form(), flow.Logout{}},
		"hint":    {form("id_token_hint", id), flow.Logout{ClientID: "app", HintSubject: w.acc.ID}},
		"all": {
			form("id_token_hint", id, "client_id", "app", "post_logout_redirect_uri", bye, "state", long, "ui_locales", "nl"),
			flow.Logout{ClientID: "app", HintSubject: w.acc.ID, RedirectURI: bye, State: long, UILocales: []string{"nl"}},
		},
		"client alone":         {form("client_id", "app", "post_logout_redirect_uri", bye), flow.Logout{ClientID: "app", RedirectURI: bye}},
		"address alone":        {form("post_logout_redirect_uri", bye, "state", "s"), flow.Logout{}},
		"query added":          {form("id_token_hint", id, "post_logout_redirect_uri", bye+"?x=1", "state", "s"), flow.Logout{ClientID: "app"}},
		"address twice":        {form("id_token_hint", id, "post_logout_redirect_uri", bye, "post_logout_redirect_uri", bye), flow.Logout{ClientID: "app"}},
		"empty address":        {form("id_token_hint", id, "post_logout_redirect_uri", ""), flow.Logout{ClientID: "app", HintSubject: w.acc.ID}},
		"of another client":    {form("id_token_hint", id, "post_logout_redirect_uri", "https://other.example/bye"), flow.Logout{ClientID: "app"}},
		"hint of another":      {form("id_token_hint", id, "client_id", "other", "post_logout_redirect_uri", bye), flow.Logout{}},
		"tampered":             {form("id_token_hint", id[:len(id)-4]+"AAAA", "client_id", "app", "post_logout_redirect_uri", bye), flow.Logout{}},
		"two hints":            {form("id_token_hint", id, "id_token_hint", id, "client_id", "app", "post_logout_redirect_uri", bye), flow.Logout{}},
		"unknown client":       {form("client_id", "nobody", "post_logout_redirect_uri", bye), flow.Logout{}},
		"access token as hint": {form("id_token_hint", w.tokens("app").text("access_token"), "client_id", "app"), flow.Logout{}},
	} {
		got, err := w.p.Logout(t.Context(), tt.in)
		if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
			t.Errorf("%s: Logout() = %v, differs (-want +got):\n%s", name, err, diff)
		}
	}
}

// A failure after the code was redeemed leaves no token alive.
func TestUndoAfterAFailedSignature(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	code := w.code("app")
	changed := w.client("app", func(c *client.Client) { c.GrantTypes = []string{"authorization_code", "refresh_token"} })
	broken := *changed
	broken.IDTokenAlg = "HS256"
	if err := w.s.Clients().PutClient(t.Context(), &broken); err != nil {
		t.Fatal(err)
	}
	grants, tokens := w.count(":g:"), w.count(":a:")
	w.wantError("code", w.redeem("app", code), 500, "server_error")
	w.wantError("refresh", w.refresh(r.text("refresh_token")), 500, "server_error")
	if g, a := w.count(":g:"), w.count(":a:"); g != grants-1 || a != tokens {
		t.Errorf("%d grants and %d access tokens in the store, want %d and %d", g, a, grants-1, tokens)
	}
	if err := w.s.Clients().PutClient(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	w.wantError("code again", w.redeem("app", code), 400, "invalid_grant")
	if r := w.refresh(r.text("refresh_token")); r.status != 200 {
		t.Errorf("refresh again: %d %s, want 200", r.status, r.body)
	}
}

// count is the number of keys in the store that hold part.
func (w *world) count(part string) int {
	n := 0
	for _, k := range w.e.Redis().Keys() {
		if strings.Contains(k, part) {
			n++
		}
	}
	return n
}

func TestRefreshKeepsTheSignIn(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	first := w.tokens("app")
	w.e.Advance(3600e9)
	second := w.refresh(first.text("refresh_token"))
	a, b := w.payload(first), w.verify(second.text("id_token"), "app")
	for _, name := range []string{"iss", "sub", "aud", "auth_time", "acr", "nonce"} {
		if a[name] != b[name] {
			t.Errorf("%s: %v, then %v", name, a[name], b[name])
		}
	}
	if fmt.Sprint(b["iat"]) != fmt.Sprint(float64(start().Unix()+3600)) || b["at_hash"] == a["at_hash"] {
		t.Errorf("iat %v then %v, at_hash %v then %v", a["iat"], b["iat"], a["at_hash"], b["at_hash"])
	}
}

func (w *world) payload(r reply) map[string]any { return segment(w.T, r.text("id_token"), 1) }
