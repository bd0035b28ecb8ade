// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// keySet verifies with a published JWKS, as a relying party does.
type keySet string

// VerifySignature implements the key set of go-oidc.
func (k keySet) VerifySignature(_ context.Context, token string) ([]byte, error) {
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(k), &set); err != nil {
		return nil, err
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{"RS256", "PS256", "ES256", "ES384", "EdDSA"})
	if err != nil {
		return nil, err
	}
	found := set.Key(jws.Signatures[0].Protected.KeyID)
	if len(found) != 1 || found[0].Algorithm != jws.Signatures[0].Protected.Algorithm || found[0].Use != "sig" {
		return nil, errors.New("no single key fits")
	}
	return jws.Verify(found[0].Key)
}

func TestCodeExchange(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type = %q", got)
	}
	for name, want := range map[string]any{"token_type": "Bearer", "expires_in": 3600.0, "scope": "openid email offline_access"} {
		if r.json[name] != want {
			t.Errorf("%s = %v, want %v", name, r.json[name], want)
		}
	}
	for name, prefix := range map[string]string{"access_token": "lga_", "refresh_token": "lgr_"} {
		if !strings.HasPrefix(r.text(name), prefix) {
			t.Errorf("%s = %q, want prefix %s", name, r.text(name), prefix)
		}
	}
	c := w.verify(r.text("id_token"), "app")
	if c["sub"] != w.acc.ID || c["nonce"] != "n-1" || c["acr"] != "urn:lychgate:acr:pwd" || c["aud"] != "app" {
		t.Errorf("ID token claims = %v", c)
	}
}

func TestRoundTrips(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("machine", machine)
	w.client("machine-jwt", machine, jwtAccess)
	// The first use of a script loads it.
	warm := w.tokens("app")
	w.refresh(warm.text("refresh_token"))
	w.post(w.p.ServeRevoke, "app", "token", warm.text("access_token"))
	w.post(w.p.ServeToken, "machine", "grant_type", "client_credentials")
	code := w.code("app")
	var r reply
	want := func(what string, n uint64, f func()) {
		t.Helper()
		if got := w.trips(f); got != n {
			t.Errorf("%s: %d round trips, want %d", what, got, n)
		}
		if r.status != http.StatusOK {
			t.Errorf("%s: status %d %s", what, r.status, r.body)
		}
	}
	want("code exchange", 1, func() { r = w.redeem("app", code) })
	access := r.text("access_token")
	refresh := r.text("refresh_token")
	want("refresh", 1, func() { r = w.refresh(refresh) })
	want("userinfo", 1, func() { r = w.userinfo(access) })
	want("introspect", 1, func() { r = w.introspect("app", access) })
	want("introspect forged", 0, func() { r = w.introspect("app", "lga_"+strings.Repeat("A", 87)) })
	want("introspect forged jwt", 0, func() { r = w.introspect("app", "e30.e30.e30") })
	want("revoke", 1, func() { r = w.post(w.p.ServeRevoke, "app", "token", access) })
	want("client credentials", 1, func() { r = w.post(w.p.ServeToken, "machine", "grant_type", "client_credentials") })
	want("client credentials jwt", 0, func() { r = w.post(w.p.ServeToken, "machine-jwt", "grant_type", "client_credentials") })
	f := w.flow(params("app"))
	want("answer", 1, func() { w.answer(f) })
}
