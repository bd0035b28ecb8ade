// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/outgoing"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// pair is a key of a client.
type pair struct {
	alg, kid string
	private  any
	public   crypto.PublicKey
}

var madePairs = sync.OnceValue(func() map[string]pair {
	out := map[string]pair{}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	out["RS256"], out["PS256"] = pair{"RS256", "k-RS256", r, r.Public()}, pair{"PS256", "k-PS256", r, r.Public()}
	for a, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		out[a] = pair{a, "k-" + a, k, k.Public()}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	out["EdDSA"] = pair{"EdDSA", "k-EdDSA", private, public}
	return out
})

// newPair makes another ES256 key.
func newPair(t *testing.T, kid string) pair {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pair{"ES256", kid, k, k.Public()}
}

// keySetOf is the JSON Web Key Set of pairs.
func keySetOf(t *testing.T, pairs ...pair) json.RawMessage {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, p := range pairs {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: p.public, KeyID: p.kid, Use: "sig", Algorithm: p.alg})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign makes a JWS of claims; headers replace those that are usual, nil removes.
func (p pair) sign(t *testing.T, claims any, headers ...any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	opts := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"kid": p.kid}}
	for i := 0; i+1 < len(headers); i += 2 {
		name, _ := headers[i].(string)
		if headers[i+1] == nil {
			delete(opts.ExtraHeaders, jose.HeaderKey(name))
			continue
		}
		opts.ExtraHeaders[jose.HeaderKey(name)] = headers[i+1]
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.alg), Key: p.private}, opts)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var jtis atomic.Int64

// claims are those of a good assertion of id, changed by pairs of name and value; nil removes.
func (w *world) claims(id string, changes ...any) map[string]any {
	now := w.e.Now()
	c := map[string]any{
		"iss": id, "sub": id, "aud": issuer, "jti": fmt.Sprint("id-", jtis.Add(1)), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for i := 0; i+1 < len(changes); i += 2 {
		name, _ := changes[i].(string)
		if changes[i+1] == nil {
			delete(c, name)
			continue
		}
		c[name] = changes[i+1]
	}
	return c
}

// assert sends pairs with a client assertion to a path.
func (w *world) assert(h handler, path, assertion string, pairs ...string) reply {
	w.Helper()
	f := form(append([]string{"client_assertion_type", assertionType, "client_assertion", assertion}, pairs...)...)
	return w.send(h, newPost(path, strings.NewReader(f.Encode())))
}

// machineToken asks for a token for the client itself.
func (w *world) machineToken(assertion string, pairs ...string) reply {
	w.Helper()
	return w.assert(w.p.ServeToken, "/token", assertion, append([]string{"grant_type", "client_credentials"}, pairs...)...)
}

func keyJWT(t *testing.T, pairs ...pair) func(*client.Client) {
	t.Helper()
	return func(c *client.Client) {
		c.AuthMethod, c.Secrets, c.Keys = "private_key_jwt", nil, keySetOf(t, pairs...)
	}
}

func secretJWT(c *client.Client) {
	c.AuthMethod, c.Secrets = "client_secret_jwt", []client.Secret{{Plain: secret}}
}

func hs256(key string) pair { return pair{alg: "HS256", private: []byte(key)} }

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

// keySource is an https server with the key set of a client.
type keySource struct {
	*httptest.Server
	mu   sync.Mutex
	set  []byte
	hits int
	down bool
}

func (w *world) keySource(pairs ...pair) *keySource {
	w.Helper()
	s := &keySource{set: keySetOf(w.T, pairs...)}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits++
		if s.down {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = rw.Write(s.set)
	}))
	w.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	w.sources.Sources = outgoing.New(outgoing.Config{Hosts: []string{s.Listener.Addr().String()}, Roots: pool, Now: w.e.Now})
	return s
}

func (s *keySource) serve(t *testing.T, pairs ...pair) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = keySetOf(t, pairs...)
}

func (s *keySource) switchOff(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *keySource) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits
}

// Keys at jwks_uri are changed without telling us: the new one works at once, the old one ends within 5 minutes, and
// hostile kids make nothing but one request a minute.
func TestKeysByURI(t *testing.T) {
	w := newWorld(t)
	one, two, three := newPair(t, "one"), newPair(t, "two"), newPair(t, "three")
	s := w.keySource(one)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL+"/jwks" })
	use := func(what string, k pair, want, hits int) {
		t.Helper()
		before := s.count()
		if got := w.machineToken(k.sign(t, w.claims("app"))); got.status != want {
			t.Errorf("%s: %d %s, want %d", what, got.status, got.body, want)
		}
		if n := s.count() - before; n != hits {
			t.Errorf("%s: %d requests, want %d", what, n, hits)
		}
	}
	use("first", one, 200, 1)
	use("again", one, 200, 0)
	s.serve(t, one, two)
	use("a new key", two, 200, 1)
	use("both are known", one, 200, 0)
	for range 5 {
		use("a kid that nobody has", three, 401, 0)
	}
	w.e.Advance(time.Minute)
	use("a known kid, another key", newPair(t, "one"), 401, 0)
	use("a kid that nobody has, a minute later", three, 401, 1)
	s.serve(t, two, three)
	w.e.Advance(time.Minute)
	use("the next key", three, 200, 1)
	use("the key that was taken away", one, 401, 0)
	s.switchOff(true)
	w.e.Advance(10 * time.Minute)
	use("the source is away", two, 200, 1)
	w.e.Advance(25 * time.Hour)
	got := w.machineToken(two.sign(t, w.claims("app")))
	w.wantError("away for a day", got, 503, "temporarily_unavailable")
}

// A client whose keys cannot be fetched stops nobody else, and its assertion is not used up.
func TestKeysByURIAway(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL })
	w.client("inside", machine, func(c *client.Client) {
		c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, "https://169.254.169.254/jwks"
	})
	w.client("value", machine, keyJWT(t, k))
	s.switchOff(true)
	assertion := k.sign(t, w.claims("app"))
	w.wantError("away", w.machineToken(assertion), 503, "temporarily_unavailable")
	w.wantError("inside", w.machineToken(k.sign(t, w.claims("inside"))), 503, "temporarily_unavailable")
	if got := w.machineToken(k.sign(t, w.claims("value"))); got.status != 200 {
		t.Errorf("another client: %d %s", got.status, got.body)
	}
	s.switchOff(false)
	w.e.Advance(11 * time.Second)
	if got := w.machineToken(assertion); got.status != 200 {
		t.Errorf("when it is back: %d %s", got.status, got.body)
	}
}

// A set with a private key in it is worth nothing: who published it may have published more.
func TestPrivateKeyInTheSet(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL })
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.public, KeyID: "k"}, {Key: newPair(t, "x").private, KeyID: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.set = b
	s.mu.Unlock()
	w.wantError("private key", w.machineToken(k.sign(t, w.claims("app"))), 401, "invalid_client")
}
