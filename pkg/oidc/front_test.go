// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"context"
	"crypto"
	_ "crypto/sha256" // the hashes below
	_ "crypto/sha512"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// half is the left half of a hash, worked out apart from the code under test (OIDC Core §3.1.3.6).
func half(alg, value string) string {
	h := map[string]crypto.Hash{"ES384": crypto.SHA384, "EdDSA": crypto.SHA512}[alg]
	if h == 0 {
		h = crypto.SHA256
	}
	w := h.New()
	w.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(w.Sum(nil)[:h.Size()/2])
}

// Every response type carries what it names and nothing else, with the hashes that bind it together, for every
// algorithm, and all of it works.
func TestResponseTypes(t *testing.T) {
	w := newWorld(t)
	for _, a := range keys.Algs() {
		w.client("app", everyType, alg(a))
		for _, kind := range client.ResponseTypes() {
			w.checkResponse(kind, a)
		}
	}
}

func (w *world) checkResponse(kind, alg string) {
	w.Helper()
	parts := strings.Fields(kind)
	got := w.answer(w.flow(params("app", "response_type", kind)))
	for name, part := range map[string]string{
		"code": "code", "access_token": "token", "token_type": "token", "expires_in": "token", "id_token": "id_token",
	} {
		if got.Has(name) != slices.Contains(parts, part) {
			w.Errorf("%s: response %v, %s there %v", kind, got, name, got.Has(name))
		}
	}
	if got.Get("state") != "st" || got.Get("iss") != issuer {
		w.Errorf("%s: state %q, iss %q", kind, got.Get("state"), got.Get("iss"))
	}
	if got.Has("id_token") {
		w.checkFrontID(kind, alg, got)
	}
	if got.Has("code") {
		w.checkFrontCode(kind, alg, got)
	}
	if !got.Has("access_token") {
		return
	}
	if r := w.userinfo(got.Get("access_token")); r.status != http.StatusOK || r.text("email") == "" || r.text("sub") != w.acc.ID {
		w.Errorf("%s: userinfo, also after the code was used = %d %s", kind, r.status, r.body)
	}
}

func (w *world) checkFrontID(kind, alg string, got url.Values) {
	w.Helper()
	claims := w.verify(got.Get("id_token"), "app")
	w.wantHash(kind, claims, "at_hash", alg, got.Get("access_token"))
	w.wantHash(kind, claims, "c_hash", alg, got.Get("code"))
	w.wantHash(kind, claims, "s_hash", alg, "st")
	if claims["nonce"] != "n-1" || claims["sub"] != w.acc.ID {
		w.Errorf("%s: nonce %v, sub %v", kind, claims["nonce"], claims["sub"])
	}
	if _, there := claims["email"]; there != (kind == "id_token") {
		w.Errorf("%s: the claim email is there %v", kind, there)
	}
}

func (w *world) checkFrontCode(kind, alg string, got url.Values) {
	w.Helper()
	r := w.redeem("app", got.Get("code"))
	claims := w.verify(r.text("id_token"), "app")
	w.wantHash(kind, claims, "at_hash", alg, r.text("access_token"))
	if r.text("access_token") == got.Get("access_token") || claims["sub"] != w.acc.ID {
		w.Errorf("%s: the token endpoint gives the same access token, or another subject: %s", kind, r.body)
	}
}

func (w *world) wantHash(kind string, claims map[string]any, name, alg, value string) {
	w.Helper()
	got, there := claims[name].(string)
	if there != (value != "") || (there && got != half(alg, value)) {
		w.Errorf("%s, %s: %s = %q, want that of %q", kind, alg, name, got, value)
	}
}

// An independent library agrees on at_hash.
func TestAccessHashElsewhere(t *testing.T) {
	w := newWorld(t)
	w.client("app", everyType, alg("ES384"))
	got := w.answer(w.flow(params("app", "response_type", "id_token token")))
	set := w.send(w.p.ServeJWKS, httptest.NewRequest(http.MethodGet, issuer+"/jwks", nil))
	v := gooidc.NewVerifier(issuer, keySet(set.body), &gooidc.Config{ClientID: "app", Now: w.e.Now, SupportedSigningAlgs: keys.Algs()})
	id, err := v.Verify(context.WithoutCancel(t.Context()), got.Get("id_token"))
	if err != nil {
		t.Fatal(err)
	}
	if err := id.VerifyAccessToken(got.Get("access_token")); err != nil {
		t.Error(err)
	}
	if err := id.VerifyAccessToken(got.Get("access_token") + "x"); err == nil {
		t.Error("another access token fits too")
	}
}

// Tokens go into the fragment, or into a form; where they would go into the query, nothing goes anywhere.
func TestResponseModes(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	w.client("app", everyType)
	for _, kind := range client.ResponseTypes() {
		for _, mode := range []string{"", "query", "fragment", "form_post"} {
			in := params("app", "response_type", kind, "response_mode", mode)
			if mode == "query" && kind != "code" {
				r := w.refusal(in)
				if u := w.location(r); r.Code != "invalid_request" || u.RawQuery != "" || !strings.Contains(u.Fragment, "error=invalid_request") {
					t.Errorf("%s in the query: %s", kind, u)
				}
				continue
			}
			f := w.flow(in)
			if want := map[bool]string{true: "query", false: "fragment"}[kind == "code"]; mode == "" && f.Request.ResponseMode != want {
				t.Errorf("%s: mode %s, want %s", kind, f.Request.ResponseMode, want)
			}
			if got := w.answer(f); got.Get("state") != "st" || got.Has("code") != strings.Contains(kind, "code") {
				t.Errorf("%s by %s: %v", kind, mode, got)
			}
		}
	}
	// The order of the words does not matter, their number does.
	if got := w.answer(w.flow(params("app", "response_type", "token id_token code"))); got.Get("access_token") == "" {
		t.Errorf("another order: %v", got)
	}
}

func TestFrontChannelNeeds(t *testing.T) {
	w := newWorld(t)
	w.client("app", everyType)
	w.client("plain")
	for name, tt := range map[string]struct {
		client, kind, param, value, code string
	}{
		"no nonce":        {"app", "code id_token", "nonce", "", "invalid_request"},
		"no nonce, token": {"app", "id_token token", "nonce", "", "invalid_request"},
		"no openid":       {"app", "id_token", "scope", "email", "invalid_scope"},
		"not registered":  {"plain", "code id_token", "scope", "openid", "unsupported_response_type"},
		"no challenge":    {"app", "code token", "code_challenge", "", "invalid_request"},
	} {
		r := w.refusal(params(tt.client, "response_type", tt.kind, tt.param, tt.value))
		if u := w.location(r); r.Code != tt.code || !strings.Contains(u.Fragment, "error="+tt.code) || strings.Contains(u.String(), "token=") {
			t.Errorf("%s: %s, %s", name, r.Code, u)
		}
	}
	// Without a code there is nothing to prove later, and no refresh token that could follow (OIDC Core §11).
	in := params("app", "response_type", "id_token token", "scope", "openid offline_access", "code_challenge", "", "code_challenge_method", "")
	f := w.flow(in)
	if got := w.answer(f); got.Get("access_token") == "" || slices.Contains(f.Request.Scopes, "offline_access") {
		t.Errorf("implicit without a challenge: %v, scopes %v", got, f.Request.Scopes)
	}
	if got := w.answer(w.flow(params("app", "response_type", "code token", "nonce", ""))); got.Get("code") == "" {
		t.Errorf("code token without a nonce: %v", got)
	}
}

// A client that took the response type out of its registration while the person signed in gets nothing.
func TestTypeWithdrawn(t *testing.T) {
	w := newWorld(t)
	w.client("app", everyType)
	f := w.flow(params("app", "response_type", "id_token token"))
	w.client("app")
	w.wait()
	if err := w.tryAnswer(f); err == nil {
		t.Error("Answer() = nil after the response type was withdrawn")
	}
}

// An access token that went through the browser ends with the account, like all others.
func TestFrontTokenEnds(t *testing.T) {
	w := newWorld(t)
	w.client("app", everyType, jwtAccess)
	w.client("opaque", everyType)
	for _, id := range []string{"app", "opaque"} {
		token := w.answer(w.flow(params(id, "response_type", "id_token token"))).Get("access_token")
		if typ := strings.Count(token, "."); (typ == 2) != (id == "app") {
			t.Errorf("%s: token %q", id, token)
		}
		if r := w.introspect(id, token); r.json["active"] != true {
			t.Errorf("%s: introspection %s", id, r.body)
		}
		if r := w.post(w.p.ServeRevoke, id, "token", token); r.status != http.StatusOK {
			t.Errorf("%s: revocation %d %s", id, r.status, r.body)
		}
		if r := w.introspect(id, token); r.json["active"] != false {
			t.Errorf("%s after revocation: introspection %s", id, r.body)
		}
	}
}

// Claims named one by one come where they were asked for, if the client may have them, and nothing comes beside them.
func TestClaimsOneByOne(t *testing.T) {
	w := newWorld(t)
	w.client("app", everyType)
	w.client("few", func(c *client.Client) { c.Scope = "openid email" })
	claims := `{"userinfo":{"name":{"essential":true},"website":null},"id_token":{"email":null,"name":{"value":"other"}}}`
	r := w.tokens("app", "scope", "openid", "claims", claims)
	id, info := w.verify(r.text("id_token"), "app"), w.userinfo(r.text("access_token"))
	if id["email"] != "ann@example.com" || id["name"] != "Ann" || id["email_verified"] != nil {
		t.Errorf("ID token %v", id)
	}
	if info.text("name") != "Ann" || info.json["website"] != nil || info.json["email"] != nil {
		t.Errorf("userinfo %s", info.body)
	}
	r = w.tokens("few", "scope", "openid", "claims", claims)
	id, info = w.verify(r.text("id_token"), "few"), w.userinfo(r.text("access_token"))
	if id["email"] != "ann@example.com" || id["name"] != nil || info.json["name"] != nil {
		t.Errorf("for a client without profile: %v, %s", id, info.body)
	}
	// Consent is asked for the scopes they belong to.
	q, err := w.p.Authorize(t.Context(), params("app", "scope", "openid", "claims", claims))
	if err != nil || !slices.Equal(q.Asked(), []string{"openid", "profile", "email"}) {
		t.Errorf("Asked() = %v, %v", q.Asked(), err)
	}
}

// Clients of one sector see one subject, those of another one another, and none of them the account's id.
func TestPairwiseSubjects(t *testing.T) {
	w := newWorld(t)
	pairwise := func(c *client.Client) { c.SubjectType = "pairwise" }
	w.client("a", pairwise)
	w.client("b", pairwise, jwtAccess)
	w.client("c", pairwise, func(c *client.Client) { c.SectorURI = "https://other.example.com/s" })
	sub := map[string]string{}
	for _, id := range []string{"a", "b", "c"} {
		r := w.tokens(id)
		claims := w.verify(r.text("id_token"), id)
		sub[id], _ = claims["sub"].(string)
		if info := w.userinfo(r.text("access_token")); info.text("sub") != sub[id] {
			t.Errorf("%s: userinfo %s, ID token %v", id, info.body, claims["sub"])
		}
		if in := w.introspect(id, r.text("access_token")); in.text("sub") != sub[id] {
			t.Errorf("%s: introspection %s", id, in.body)
		}
		q, err := w.p.Authorize(t.Context(), params(id, "id_token_hint", r.text("id_token")))
		if err != nil || q.HintSubject != w.p.Subject(w.find(id), w.acc.ID) {
			t.Errorf("%s: hint %+v, %v", id, q, err)
		}
	}
	if sub["a"] != sub["b"] || sub["a"] == sub["c"] || sub["a"] == w.acc.ID || len(sub["a"]) != 43 {
		t.Errorf("subjects %v of account %s", sub, w.acc.ID)
	}
}
