// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// decrypter is a client's key pair for each key algorithm, and the set it registers.
func decrypter(t *testing.T) (map[string]any, json.RawMessage) {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		// A key for signatures alone stands first: nothing may be encrypted to it.
		{Key: sig.Public(), KeyID: "sig", Use: "sig"}, {Key: r.Public(), KeyID: "rsa", Use: "enc"}, {Key: e.Public(), KeyID: "ec"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{"RSA-OAEP-256": r, "ECDH-ES": e}, set
}

func decrypted(t *testing.T, token, alg, enc string, key any) (string, jose.Header) {
	t.Helper()
	jwe, err := jose.ParseEncryptedCompact(token, []jose.KeyAlgorithm{jose.KeyAlgorithm(alg)}, []jose.ContentEncryption{jose.ContentEncryption(enc)})
	if err != nil {
		t.Fatalf("%s %s: %v: %q", alg, enc, err, token)
	}
	out, err := jwe.Decrypt(key)
	if err != nil {
		t.Fatalf("%s %s: %v", alg, enc, err)
	}
	return string(out), jwe.Header
}

// Signed first, then encrypted to the client alone, for every algorithm that is advertised (OIDC Core §10.2).
func TestEncryptedTokens(t *testing.T) {
	w := newWorld(t)
	private, set := decrypter(t)
	for _, alg := range client.KeyAlgs() {
		for _, enc := range client.ContentEncs() {
			w.client("app", everyType, func(c *client.Client) {
				c.Keys, c.IDTokenKeyAlg, c.IDTokenEnc = set, alg, enc
				c.UserinfoAlg, c.UserinfoKeyAlg, c.UserinfoEnc = "ES256", alg, enc
			})
			r := w.tokens("app")
			front := w.answer(w.flow(params("app", "response_type", "code id_token")))
			for _, token := range []string{r.text("id_token"), front.Get("id_token")} {
				inner, head := decrypted(t, token, alg, enc, private[alg])
				if sub := w.verify(inner, "app")["sub"]; sub != w.acc.ID || head.ExtraHeaders["cty"] != "JWT" {
					t.Errorf("%s %s: sub %v, header %v", alg, enc, sub, head)
				}
			}
			info := w.userinfo(r.text("access_token"))
			inner, _ := decrypted(t, info.body, alg, enc, private[alg])
			if c := segment(t, inner, 1); c["email"] != "ann@example.com" || info.header.Get("Content-Type") != "application/jwt" {
				t.Errorf("%s %s: userinfo %v", alg, enc, c)
			}
		}
	}
}

// A key that cannot be had costs nobody a code: the same code works when it can.
func TestEncryptionKeyAway(t *testing.T) {
	w := newWorld(t)
	_, set := decrypter(t)
	w.client("app")
	code := w.code("app")
	w.client("app", func(c *client.Client) {
		c.KeysURI, c.IDTokenKeyAlg = "https://keys.invalid/jwks", "ECDH-ES"
	})
	w.wait()
	w.wantError("keys away", w.redeem("app", code), http.StatusServiceUnavailable, "temporarily_unavailable")
	w.client("app", func(c *client.Client) { c.Keys, c.IDTokenKeyAlg = set, "ECDH-ES" })
	w.wait()
	if r := w.redeem("app", code); r.status != http.StatusOK || strings.Count(r.text("id_token"), ".") != 4 {
		t.Errorf("with the key: %d %s", r.status, r.body)
	}
}

// Userinfo as a JWT says who it is from and for, cannot be taken for an ID token, and is signed by the algorithm that
// was registered (OIDC Core §5.3.2).
func TestSignedUserinfo(t *testing.T) {
	w := newWorld(t)
	for _, a := range keys.Algs() {
		w.client("app", func(c *client.Client) { c.UserinfoAlg = a })
		r := w.tokens("app")
		info := w.userinfo(r.text("access_token"))
		set := w.send(w.p.ServeJWKS, httptest.NewRequest(http.MethodGet, issuer+"/jwks", nil))
		payload, err := keySet(set.body).VerifySignature(t.Context(), info.body)
		if err != nil {
			t.Fatalf("%s: %v", a, err)
		}
		var c map[string]any
		if err := json.Unmarshal(payload, &c); err != nil {
			t.Fatal(err)
		}
		h := segment(t, info.body, 0)
		if c["iss"] != issuer || c["aud"] != "app" || c["sub"] != w.acc.ID || c["email"] != "ann@example.com" || c["nonce"] != nil ||
			h["alg"] != a || h["typ"] == "JWT" || info.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v %v", a, h, c)
		}
		if q, err := w.p.Authorize(t.Context(), params("app", "id_token_hint", info.body)); err == nil {
			t.Errorf("%s: userinfo passes for a hint: %+v", a, q)
		}
	}
}

// RFC 9701: a JWT for who asks for one, whatever the token is.
func TestSignedIntrospection(t *testing.T) {
	w := newWorld(t)
	w.client("app", func(c *client.Client) { c.IntrospectionAlg = "ES384" })
	w.client("plain")
	for _, tt := range []struct {
		client, alg, token string
		active             bool
	}{
		{"app", "ES384", w.tokens("app").text("access_token"), true},
		{"app", "ES384", "unknown", false},
		{"plain", "RS256", w.tokens("plain").text("access_token"), true},
	} {
		r := newPost("/introspect", strings.NewReader(form("token", tt.token).Encode()))
		r.SetBasicAuth(tt.client, secret)
		r.Header.Set("Accept", "application/token-introspection+jwt")
		got := w.send(w.p.ServeIntrospect, r)
		if got.header.Get("Content-Type") != "application/token-introspection+jwt" {
			t.Fatalf("%s: %v %s", tt.client, got.header, got.body)
		}
		h, c := segment(t, got.body, 0), segment(t, got.body, 1)
		inner, _ := c["token_introspection"].(map[string]any)
		if h["alg"] != tt.alg || h["typ"] != "token-introspection+jwt" || c["aud"] != tt.client || c["iss"] != issuer || inner["active"] != tt.active {
			t.Errorf("%s: %v %v", tt.client, h, c)
		}
	}
}
