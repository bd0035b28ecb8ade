// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// TestTK02 for assertions: forged headers and signatures, and nothing is fetched.
func TestTK02ForgedAssertions(t *testing.T) {
	w := newWorld(t)
	k := madePairs()["RS256"]
	w.client("app", machine, keyJWT(t, k))
	w.client("secret", machine, secretJWT)
	b64 := base64.RawURLEncoding.EncodeToString
	payload := func(id string) string {
		b, err := json.Marshal(w.claims(id))
		if err != nil {
			t.Fatal(err)
		}
		return b64(b)
	}
	forged := map[string]string{}
	for _, a := range []string{"none", "None", "NONE", "nOnE", "", "RS512", "HS512", "dir"} {
		h := b64(fmt.Appendf(nil, `{"alg":%q}`, a))
		forged["alg "+a] = h + "." + payload("app") + "."
		forged["alg with signature "+a] = h + "." + payload("secret") + ".AAAA"
	}
	der, _ := x509.MarshalPKIXPublicKey(k.public)
	jwk, _ := (&jose.JSONWebKey{Key: k.public, KeyID: k.kid}).MarshalJSON()
	ours := string(w.ring.JWKS())
	for name, key := range map[string]string{
		"DER": string(der), "PEM": string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "JWK": string(jwk), "our JWKS": ours,
		"digest": digest(secret), "empty": "",
	} {
		for _, id := range []string{"app", "secret"} {
			input := b64(fmt.Appendf(nil, `{"alg":"HS256","kid":%q}`, k.kid)) + "." + payload(id)
			m := hmac.New(sha256.New, []byte(key))
			_, _ = m.Write([]byte(input))
			forged["HS256 over "+name+" for "+id] = input + "." + b64(m.Sum(nil))
		}
	}
	own := newPair(t, k.kid)
	embedded := jose.JSONWebKey{Key: own.public, KeyID: own.kid}
	forged["embedded jwk"] = own.sign(t, w.claims("app"), "jwk", embedded)
	forged["jku"] = own.sign(t, w.claims("app"), "jku", w.fetched())
	forged["x5u"] = own.sign(t, w.claims("app"), "x5u", w.fetched())
	forged["x5c"] = own.sign(t, w.claims("app"), "x5c", []string{b64(der)})
	forged["good, with jku"] = k.sign(t, w.claims("app"), "jku", w.fetched())
	forged["good, with jwk"] = k.sign(t, w.claims("app"), "jwk", embedded)
	good := k.sign(t, w.claims("app"))
	part := strings.Split(good, ".")
	forged["changed payload"] = part[0] + "." + payload("app") + "." + part[2]
	forged["padding"] = good + "="
	forged["no signature"] = part[0] + "." + part[1] + "."
	forged["twice"] = b64([]byte(`{"alg":"none","alg":"RS256","kid":"k-RS256"}`)) + "." + part[1] + "." + part[2]
	n := w.trips(func() {
		for name, token := range forged {
			w.wantError(name, w.machineToken(token), 401, "invalid_client")
		}
	})
	if n != 0 {
		t.Errorf("forgeries took %d round trips", n)
	}
	if got := w.machineToken(good); got.status != 200 {
		t.Errorf("the good one: %d %s", got.status, got.body)
	}
}

// TestFZ05 for assertions: what is hostile in size or shape is refused before it is decoded.
func TestFZ05HostileAssertions(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", machine, keyJWT(t, k))
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	head := b64(`{"alg":"ES256","kid":"k"}`)
	for name, tt := range map[string]struct {
		token string
		want  int
	}{
		"1e6 dots":     {strings.Repeat(".", 1e6), 413},
		"60,000 dots":  {strings.Repeat(".", 60000), 401},
		"PBES2":        {b64(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AA"}`) + ".a.b.c.d", 401},
		"PBES2 in JWS": {b64(`{"alg":"PBES2-HS256+A128KW","p2c":1000000000,"p2s":"AA"}`) + ".e30.AA", 401},
		"JWE":          {b64(`{"alg":"RSA-OAEP-256","enc":"A256GCM"}`) + ".a.b.c.d", 401},
		"zip":          {b64(`{"alg":"ES256","zip":"DEF"}`) + ".e30.AA", 401},
		"deep header":  {b64(`{"alg":"ES256","x":`+strings.Repeat("[", 500)) + ".e30.AA", 401},
		"deep payload": {head + "." + b64(strings.Repeat(`{"a":`, 1000)) + ".AA", 401},
		"wide payload": {head + "." + b64("{"+strings.TrimSuffix(strings.Repeat(`"a":1,`, 900), ",")+"}") + ".AA", 401},
		"long":         {strings.Repeat("a", 20000) + ".b.c", 401},
		"long header":  {strings.Repeat("a", 4000) + ".b.c", 401},
		"empty":        {"..", 401},
		"numbers":      {head + "." + b64(`{"exp":1e999}`) + ".AA", 401},
	} {
		body := form("client_assertion_type", assertionType, "client_assertion", tt.token, "grant_type", "client_credentials").Encode()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got := w.send(w.p.ServeToken, newPost("/token", strings.NewReader(body)))
		runtime.ReadMemStats(&after)
		if got.status != tt.want || (tt.want == 401 && got.text("error") != "invalid_client") {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated, want 1 MB at most", name, n)
		}
	}
}
