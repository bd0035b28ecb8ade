// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// TestTK04 is the security case TK-04: who the assertion is for, and when it is in force.
func TestTK04Assertions(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", machine, keyJWT(t, k))
	now := w.e.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, tt := range map[string]struct {
		changes []any
		headers []any
		want    int
	}{
		"issuer":                        {nil, nil, 200},
		"token endpoint":                {[]any{"aud", issuer + "/token"}, nil, 200},
		"array of one":                  {[]any{"aud", []string{issuer}}, nil, 200},
		"array of one, endpoint":        {[]any{"aud", []string{issuer + "/token"}}, nil, 200},
		"array of two":                  {[]any{"aud", []string{issuer, issuer + "/token"}}, nil, 401},
		"array of us and another":       {[]any{"aud", []string{issuer, "https://other.example"}}, nil, 401},
		"empty array":                   {[]any{"aud", []string{}}, nil, 401},
		"other issuer":                  {[]any{"aud", "https://other.example"}, nil, 401},
		"issuer and a slash":            {[]any{"aud", issuer + "/"}, nil, 401},
		"introspection endpoint":        {[]any{"aud", issuer + "/introspect"}, nil, 401},
		"no aud":                        {[]any{"aud", nil}, nil, 401},
		"aud is a number":               {[]any{"aud", 1}, nil, 401},
		"iat 8 s ahead":                 {[]any{"iat", in(8 * time.Second)}, nil, 200},
		"iat 70 s ahead":                {[]any{"iat", in(70 * time.Second), "exp", in(2 * time.Minute)}, nil, 401},
		"nbf 8 s ahead":                 {[]any{"nbf", in(8 * time.Second)}, nil, 200},
		"nbf 70 s ahead":                {[]any{"nbf", in(70 * time.Second), "exp", in(2 * time.Minute)}, nil, 401},
		"no iat":                        {[]any{"iat", nil}, nil, 200},
		"iat a text":                    {[]any{"iat", "now"}, nil, 401},
		"iat a fraction":                {[]any{"iat", float64(now.Unix()) + 0.5}, nil, 200},
		"no exp":                        {[]any{"exp", nil}, nil, 401},
		"exp 0":                         {[]any{"exp", 0}, nil, 401},
		"exp negative":                  {[]any{"exp", -1}, nil, 401},
		"exp a text":                    {[]any{"exp", fmt.Sprint(in(time.Minute))}, nil, 401},
		"exp huge":                      {[]any{"exp", 1e300}, nil, 401},
		"exp 5 min ahead":               {[]any{"exp", in(5 * time.Minute)}, nil, 200},
		"exp 6 min ahead":               {[]any{"exp", in(6 * time.Minute)}, nil, 401},
		"expired within the skew":       {[]any{"exp", in(-9 * time.Second)}, nil, 200},
		"expired":                       {[]any{"exp", in(-11 * time.Second)}, nil, 401},
		"no jti":                        {[]any{"jti", nil}, nil, 401},
		"jti a number":                  {[]any{"jti", 7}, nil, 401},
		"jti too long":                  {[]any{"jti", strings.Repeat("x", 256)}, nil, 401},
		"iss of another":                {[]any{"iss", "other"}, nil, 401},
		"no iss":                        {[]any{"iss", nil}, nil, 401},
		"no sub":                        {[]any{"sub", nil}, nil, 401},
		"sub unknown":                   {[]any{"iss", "nobody", "sub", "nobody"}, nil, 401},
		"typ JWT":                       {nil, []any{"typ", "JWT"}, 200},
		"typ of its own":                {nil, []any{"typ", "client-authentication+jwt"}, 200},
		"typ application":               {nil, []any{"typ", "application/JWT"}, 200},
		"typ at+jwt":                    {nil, []any{"typ", "at+jwt"}, 401},
		"typ logout+jwt":                {nil, []any{"typ", "logout+jwt"}, 401},
		"typ of request objects":        {nil, []any{"typ", "oauth-authz-req+jwt"}, 401},
		"typ a number":                  {nil, []any{"typ", 1}, 401},
		"no kid":                        {nil, []any{"kid", nil}, 200},
		"another kid":                   {nil, []any{"kid", "x"}, 401},
		"nested deeply":                 {[]any{"x", []any{[]any{[]any{[]any{[]any{[]any{[]any{}}}}}}}}, nil, 401},
		"what we do not know":           {[]any{"x", map[string]any{"y": 1}}, []any{"x5t", "AAAA"}, 200},
		"a header that must be known":   {nil, []any{"crit", []string{"exp"}}, 401},
		"b64":                           {nil, []any{"b64", true}, 401},
		"something compressed, it says": {nil, []any{"zip", "DEF"}, 401},
	} {
		assertion := k.sign(t, w.claims("app", tt.changes...), tt.headers...)
		var got reply
		n := w.trips(func() { got = w.machineToken(assertion) })
		if got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
		if want := map[int]uint64{200: 2, 401: 0}[tt.want]; n != want {
			t.Errorf("%s: %d round trips, want %d: the id is used up last", name, n, want)
		}
		if tt.want == 401 {
			w.wantError(name, got, 401, "invalid_client")
		} else {
			w.wantError(name+" again", w.machineToken(assertion), 401, "invalid_client")
		}
	}
}

// TK-04 for a strict client: the issuer, written as one string, and nothing else.
func TestTK04Strict(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", machine, keyJWT(t, k), func(c *client.Client) { c.StrictAudience = true })
	for name, aud := range map[string]any{
		"token endpoint": issuer + "/token", "array of one": []string{issuer}, "array of two": []string{issuer, issuer + "/token"},
		"pushed requests": issuer + "/par", "other issuer": "https://other.example",
	} {
		w.wantError(name, w.machineToken(k.sign(t, w.claims("app", "aud", aud))), 401, "invalid_client")
	}
	if got := w.machineToken(k.sign(t, w.claims("app"))); got.status != 200 {
		t.Errorf("issuer: %d %s", got.status, got.body)
	}
}

// Each endpoint takes its own address as the recipient too, and that of no other.
func TestTK04Endpoints(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", machine, keyJWT(t, k))
	token := w.machineToken(k.sign(t, w.claims("app"))).text("access_token")
	for path, h := range map[string]handler{"/introspect": w.p.ServeIntrospect, "/revoke": w.p.ServeRevoke} {
		for _, aud := range []string{issuer, issuer + "/token", issuer + path} {
			if got := w.assert(h, path, k.sign(t, w.claims("app", "aud", aud)), "token", token, "client_id", "app"); got.status != 200 {
				t.Errorf("%s for %s: %d %s", path, aud, got.status, got.body)
			}
		}
		for _, aud := range []string{issuer + "/x", issuer + "/userinfo"} {
			w.wantError(path+aud, w.assert(h, path, k.sign(t, w.claims("app", "aud", aud)), "token", token), 401, "invalid_client")
		}
	}
	w.wantError("revoke", w.assert(w.p.ServeRevoke, "/revoke", k.sign(t, w.claims("app", "aud", issuer+"/introspect")), "token", token), 401, "invalid_client")
}

// The method, the algorithm and the keys are the registered ones.
func TestCA04AssertionMethods(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	pairs := madePairs()
	all := []pair{pairs["RS256"], pairs["PS256"], pairs["ES256"], pairs["ES384"], pairs["EdDSA"]}
	w.client("any", machine, keyJWT(t, all...))
	for _, a := range keys.Algs() {
		if got := w.machineToken(pairs[a].sign(t, w.claims("any"))); got.status != 200 {
			t.Errorf("%s: %d %s", a, got.status, got.body)
		}
		w.client("one", machine, keyJWT(t, all...), func(c *client.Client) { c.AuthAlg = a })
		for _, b := range keys.Algs() {
			want := map[bool]int{true: 200, false: 401}[a == b]
			if got := w.machineToken(pairs[b].sign(t, w.claims("one"))); got.status != want {
				t.Errorf("registered %s, signed with %s: %d, want %d", a, b, got.status, want)
			}
		}
	}
	k := newPair(t, "k")
	set := func(change func(map[string]any)) func(*client.Client) {
		return func(c *client.Client) {
			var s struct {
				Keys []map[string]any `json:"keys"`
			}
			if err := json.Unmarshal(keySetOf(t, k), &s); err != nil {
				t.Fatal(err)
			}
			change(s.Keys[0])
			b, err := json.Marshal(s)
			if err != nil {
				t.Fatal(err)
			}
			c.AuthMethod, c.Secrets, c.Keys = "private_key_jwt", nil, b
		}
	}
	for name, tt := range map[string]struct {
		change func(map[string]any)
		want   int
	}{
		"as it is":        {func(map[string]any) {}, 200},
		"without hints":   {func(m map[string]any) { delete(m, "use"); delete(m, "alg"); delete(m, "kid") }, 401},
		"no use, no alg":  {func(m map[string]any) { delete(m, "use"); delete(m, "alg") }, 200},
		"to encrypt":      {func(m map[string]any) { m["use"] = "enc" }, 401},
		"another alg":     {func(m map[string]any) { m["alg"] = "ES384" }, 401},
		"verifies":        {func(m map[string]any) { m["key_ops"] = []string{"verify"} }, 200},
		"does not verify": {func(m map[string]any) { m["key_ops"] = []string{"deriveKey"} }, 401},
	} {
		w.client("hints", machine, set(tt.change))
		if got := w.machineToken(k.sign(t, w.claims("hints"))); got.status != tt.want {
			t.Errorf("key %s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
	}
	w.client("secret", machine, secretJWT)
	w.client("two", machine, secretJWT, func(c *client.Client) {
		c.Secrets = []client.Secret{{Plain: strings.Repeat("o", 43)}, {Plain: secret}}
	})
	w.client("short", machine, secretJWT, func(c *client.Client) { c.Secrets = []client.Secret{{Plain: "short"}} })
	w.client("basic", machine)
	w.client("public", public)
	good := func(id string) string { return hs256(secret).sign(t, w.claims(id), "kid", nil) }
	for name, tt := range map[string]struct {
		got  reply
		want int
	}{
		"secret":                {w.machineToken(good("secret")), 200},
		"client_id beside it":   {w.machineToken(good("secret"), "client_id", "secret"), 200},
		"either secret":         {w.machineToken(good("two")), 200},
		"wrong secret":          {w.machineToken(hs256(secret+"x").sign(t, w.claims("secret"))), 401},
		"digest as secret":      {w.machineToken(hs256(digest(secret)).sign(t, w.claims("secret"))), 401},
		"a short secret":        {w.machineToken(hs256("short"+strings.Repeat("\x00", 27)).sign(t, w.claims("short"))), 401},
		"secret for keys":       {w.machineToken(good("any")), 401},
		"secret for basic":      {w.machineToken(good("basic")), 401},
		"secret for public":     {w.machineToken(good("public")), 401},
		"key for secret":        {w.machineToken(k.sign(t, w.claims("secret"))), 401},
		"another client_id":     {w.machineToken(good("secret"), "client_id", "basic"), 401},
		"secret beside it":      {w.machineToken(good("secret"), "client_secret", secret), 401},
		"no type":               {w.post(w.p.ServeToken, "", "grant_type", "client_credentials", "client_assertion", good("secret")), 401},
		"type alone":            {w.post(w.p.ServeToken, "", "grant_type", "client_credentials", "client_assertion_type", assertionType, "client_id", "secret"), 401},
		"header beside it":      {w.post(w.p.ServeToken, "secret", "grant_type", "client_credentials", "client_assertion_type", assertionType, "client_assertion", good("secret")), 401},
		"plain secret by basic": {w.post(w.p.ServeToken, "secret", "grant_type", "client_credentials"), 401},
		"key client by basic":   {w.post(w.p.ServeToken, "any", "grant_type", "client_credentials"), 401},
		"key client, id alone":  {w.post(w.p.ServeToken, "", "grant_type", "client_credentials", "client_id", "any"), 401},
	} {
		if tt.got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, tt.got.status, tt.got.body, tt.want)
		}
		if tt.want == 401 {
			w.wantError(name, tt.got, 401, "invalid_client")
		}
	}
	if strings.Contains(w.log.String(), secret) {
		t.Error("the log holds the secret")
	}
}

// TestTrap14And34And35: a refused assertion uses no id up, and an id is kept longer than the assertion lives.
func TestTrap14And34And35Assertions(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", machine, keyJWT(t, k))
	w.client("other", machine, keyJWT(t, k))
	c := w.claims("app")
	bad := maps.Clone(c)
	bad["aud"] = "https://other.example"
	w.wantError("wrong audience", w.machineToken(k.sign(t, bad)), 401, "invalid_client")
	w.wantError("wrong key", w.machineToken(newPair(t, "k").sign(t, c)), 401, "invalid_client")
	if got := w.machineToken(k.sign(t, c)); got.status != 200 {
		t.Errorf("after refused ones: %d %s", got.status, got.body)
	}
	w.wantError("the same id, signed again", w.machineToken(k.sign(t, c)), 401, "invalid_client")
	if !strings.Contains(w.log.String(), "used before") {
		t.Error("no event for the second use")
	}
	if got := w.machineToken(k.sign(t, w.claims("other", "jti", c["jti"]))); got.status != 200 {
		t.Errorf("the same id of another client: %d %s", got.status, got.body)
	}
	// For as long as any node could take it, the id is kept.
	last := k.sign(t, c)
	for range 14 {
		w.e.Advance(5 * time.Second)
		w.wantError("later", w.machineToken(last), 401, "invalid_client")
	}
	w.e.SetError("away")
	got := w.machineToken(k.sign(t, w.claims("app")))
	w.wantError("store away", got, 503, "temporarily_unavailable")
}
