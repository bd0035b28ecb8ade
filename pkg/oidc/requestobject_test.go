// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// withKeys registers keys for request objects and nothing else.
func withKeys(t *testing.T, pairs ...pair) func(*client.Client) {
	t.Helper()
	return func(c *client.Client) { c.Keys = keySetOf(t, pairs...) }
}

// object is the content of a good request object of id, changed by pairs of name and value; nil removes.
func (w *world) object(id string, changes ...any) map[string]any {
	c := map[string]any{"iss": id, "aud": issuer}
	for name, v := range params(id) {
		c[name] = v[0]
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

// byValue is a request with an object and, beside it, what OAuth 2.0 wants there.
func byValue(id, object string, pairs ...string) url.Values {
	v := form("client_id", id, "response_type", "code", "scope", "openid", "request", object)
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// requestObjectsAreTrue compares what discovery says of request objects with what happens to them.
func (w *world) requestObjectsAreTrue(d map[string]any) {
	w.Helper()
	all := make([]pair, 0, 5)
	for _, p := range madePairs() {
		all = append(all, p)
	}
	w.client("objects", withKeys(w.T, all...))
	algs := list(d["request_object_signing_alg_values_supported"])
	for _, a := range append(keys.Algs(), "HS256") {
		p, ok := madePairs()[a]
		if !ok {
			p = hs256(secret)
		}
		_, err := w.p.Authorize(w.Context(), byValue("objects", p.sign(w.T, w.object("objects"))))
		if (err == nil) != slices.Contains(algs, a) {
			w.Errorf("request object with %s: Authorize() = %v, advertised %v", a, err, algs)
		}
	}
	if d["request_parameter_supported"] != true || d["request_uri_parameter_supported"] != true || d["require_request_uri_registration"] != true {
		w.Errorf("request %v, request_uri %v, registered %v", d["request_parameter_supported"], d["request_uri_parameter_supported"], d["require_request_uri_registration"])
	}
}

// TestPR20 is the security case PR-20 for a client with keys: an object counts when its signature, recipient and time
// are right, and then it alone.
func TestPR20SignedRequests(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", withKeys(t, k))
	now := w.e.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	unsigned := func(alg string) string {
		b, err := json.Marshal(w.object("app"))
		if err != nil {
			t.Fatal(err)
		}
		return b64(`{"alg":"`+alg+`"}`) + "." + b64(string(b)) + "."
	}
	good := k.sign(t, w.object("app"))
	for name, tt := range map[string]struct {
		object string
		want   string
	}{
		"good":                  {good, ""},
		"its own type":          {k.sign(t, w.object("app"), "typ", "oauth-authz-req+jwt"), ""},
		"typ JWT":               {k.sign(t, w.object("app"), "typ", "JWT"), ""},
		"recipients":            {k.sign(t, w.object("app", "aud", []string{"https://other.example", issuer})), ""},
		"in force":              {k.sign(t, w.object("app", "exp", in(time.Hour), "nbf", in(-time.Hour), "iat", in(8*time.Second))), ""},
		"without client_id":     {k.sign(t, w.object("app", "client_id", nil)), ""},
		"without response_type": {k.sign(t, w.object("app", "response_type", nil)), ""},
		"what we do not know":   {k.sign(t, w.object("app", "x", []int{1}, "jti", "1")), ""},
		"none":                  {unsigned("none"), "invalid_request_object"},
		"None":                  {unsigned("None"), "invalid_request_object"},
		"NONE":                  {unsigned("NONE"), "invalid_request_object"},
		"none, a signature":     {unsigned("none") + "AAAA", "invalid_request_object"},
		"HS256":                 {hs256(secret).sign(t, w.object("app")), "invalid_request_object"},
		"HS256 over the JWKS":   {hs256(string(keySetOf(t, k))).sign(t, w.object("app")), "invalid_request_object"},
		"another key":           {newPair(t, "k").sign(t, w.object("app")), "invalid_request_object"},
		"another kid":           {k.sign(t, w.object("app"), "kid", "x"), "invalid_request_object"},
		"our own key":           {w.tokens("app").text("id_token"), "invalid_request_object"},
		"jku":                   {k.sign(t, w.object("app"), "jku", w.fetched()), "invalid_request_object"},
		"crit":                  {k.sign(t, w.object("app"), "crit", []string{"x"}), "invalid_request_object"},
		"another type":          {k.sign(t, w.object("app"), "typ", "at+jwt"), "invalid_request_object"},
		"an assertion":          {k.sign(t, w.object("app"), "typ", "client-authentication+jwt"), "invalid_request_object"},
		"no iss":                {k.sign(t, w.object("app", "iss", nil)), "invalid_request_object"},
		"another iss":           {k.sign(t, w.object("app", "iss", "other")), "invalid_request_object"},
		"no aud":                {k.sign(t, w.object("app", "aud", nil)), "invalid_request_object"},
		"another aud":           {k.sign(t, w.object("app", "aud", "https://other.example")), "invalid_request_object"},
		"another client_id":     {k.sign(t, w.object("app", "client_id", "other")), "invalid_request_object"},
		"another type inside":   {k.sign(t, w.object("app", "response_type", "token")), "invalid_request_object"},
		"expired":               {k.sign(t, w.object("app", "exp", in(-11*time.Second))), "invalid_request_object"},
		"nbf ahead":             {k.sign(t, w.object("app", "nbf", in(70*time.Second))), "invalid_request_object"},
		"iat ahead":             {k.sign(t, w.object("app", "iat", in(70*time.Second))), "invalid_request_object"},
		"exp a text":            {k.sign(t, w.object("app", "exp", "never")), "invalid_request_object"},
		"request inside":        {k.sign(t, w.object("app", "request", good)), "invalid_request_object"},
		"request_uri inside":    {k.sign(t, w.object("app", "request_uri", "https://app.example.com/r")), "invalid_request_object"},
		"state a number":        {k.sign(t, w.object("app", "state", 1)), "invalid_request_object"},
		"scope a list":          {k.sign(t, w.object("app", "scope", []string{"openid"})), "invalid_request_object"},
		"nonce null":            {k.sign(t, w.object("app", "nonce", json.RawMessage("null"))), "invalid_request_object"},
		"max_age a fraction":    {k.sign(t, w.object("app", "max_age", 1.5)), "invalid_request_object"},
		"max_age below 0":       {k.sign(t, w.object("app", "max_age", -1)), "invalid_request"},
		"prompt unknown":        {k.sign(t, w.object("app", "prompt", "dance")), "invalid_request"},
		"no challenge":          {k.sign(t, w.object("app", "code_challenge", nil, "code_challenge_method", nil)), "invalid_request"},
		"claims not an object":  {k.sign(t, w.object("app", "claims", map[string]any{"id_token": 1})), "invalid_request"},
		"state with a newline":  {k.sign(t, w.object("app", "state", "a\nb")), "invalid_request"},
		"changed":               {good[:len(good)-90] + "-A"[strings.Count(good[len(good)-90:len(good)-89], "-"):][:1] + good[len(good)-89:], "invalid_request_object"},
		"x":                     {"x", "invalid_request_object"},
		"empty":                 {"..", "invalid_request_object"},
	} {
		in := byValue("app", tt.object, "redirect_uri", redirect, "state", "outside")
		if tt.want == "" {
			q, err := w.p.Authorize(t.Context(), in)
			if err != nil || q.State != "st" || q.Params.Get("nonce") != "n-1" || !slices.Equal(q.Scopes, []string{"openid", "email", "offline_access"}) {
				t.Errorf("%s: %+v, %v", name, q, err)
			}
			continue
		}
		r := w.refusal(in)
		if r.Code != tt.want || r.Redirect == nil {
			t.Errorf("%s: refusal %+v, want %s", name, r, tt.want)
			continue
		}
		// What the object says is believed once it is verified; before that, the state comes from outside.
		if state := w.location(r).Query().Get("state"); (tt.want == "invalid_request_object") != (state == "outside") && name != "state with a newline" {
			t.Errorf("%s: answered with state %q", name, state)
		}
	}
}

// A signed request is what it says, and nothing from outside: neither a value it leaves out, nor an address.
func TestPR20NothingFromOutside(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", withKeys(t, k), func(c *client.Client) { c.RedirectURIs = append(c.RedirectURIs, redirect+"/2") })
	bare := k.sign(t, w.object("app", "nonce", nil, "state", nil))
	q, err := w.p.Authorize(t.Context(), byValue("app", bare, "redirect_uri", redirect+"/2", "nonce", "injected", "state", "injected",
		"scope", "openid phone", "prompt", "none", "max_age", "1", "login_hint", "eve", "response_mode", "form_post", "code_challenge", strings.Repeat("x", 43), "acr_values", "x", "registration", "{}"))
	if err != nil {
		t.Fatal(err)
	}
	if q.State != "" || q.Params.Has("nonce") || q.RedirectURI != redirect || q.MaxAge != nil || len(q.Prompt) > 0 || q.LoginHint != "" ||
		q.ResponseMode != "query" || q.Params.Get("code_challenge") != challenge() || q.ACRValues != nil || slices.Contains(q.Scopes, "phone") {
		t.Errorf("something came from outside: %+v", q)
	}
	// An address inside that is not registered is never used, though a good one stands outside.
	r := w.refusal(byValue("app", k.sign(t, w.object("app", "redirect_uri", "https://evil.example/cb")), "redirect_uri", redirect))
	if r.Redirect != nil || r.Code != "invalid_request" || r.Parameter != "redirect_uri" {
		t.Errorf("another address inside: %+v", r)
	}
	r = w.refusal(byValue("app", k.sign(t, w.object("app", "redirect_uri", nil)), "redirect_uri", redirect))
	if r.Redirect != nil {
		t.Errorf("no address inside: %+v", r)
	}
	// An address outside that is not registered does not matter when the object has a good one, and is not used when the
	// object cannot be believed.
	if _, err := w.p.Authorize(t.Context(), byValue("app", k.sign(t, w.object("app")), "redirect_uri", "https://evil.example/cb")); err != nil {
		t.Errorf("another address outside: %v", err)
	}
	r = w.refusal(byValue("app", newPair(t, "k").sign(t, w.object("app")), "redirect_uri", "https://evil.example/cb"))
	if r.Redirect != nil || r.Code != "invalid_request_object" {
		t.Errorf("a bad object and another address: %+v", r)
	}
}

// TestTrap03And04: numbers and objects of a request object arrive as they were meant, scopes are not mixed, and it
// does not matter whether openid is asked for.
func TestTrap03And04ObjectsAreRead(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", withKeys(t, k))
	claims := map[string]any{"id_token": map[string]any{
		"acr": map[string]any{"essential": true, "values": []string{"urn:lychgate:acr:mfa"}}, "lg_evidence": map[string]any{"max_age": map[string]any{"otp": 300}},
	}}
	asText, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	for name, object := range map[string]map[string]any{
		"JSON":  w.object("app", "max_age", 3600, "claims", claims, "scope", "email"),
		"texts": w.object("app", "max_age", "3600", "claims", string(asText), "scope", "email"),
	} {
		q, err := w.p.Authorize(t.Context(), byValue("app", k.sign(t, object)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if q.MaxAge == nil || *q.MaxAge != 3600 || !slices.Equal(q.EssentialACR, []string{"urn:lychgate:acr:mfa"}) ||
			!cmp.Equal(q.EvidenceAge, map[string]int64{"otp": 300}) || !slices.Equal(q.Scopes, []string{"email"}) {
			t.Errorf("%s: %+v", name, q)
		}
	}
	// The same request by parameters and as an object ends in the same code.
	got := w.answer(w.flow(byValue("app", k.sign(t, w.object("app")))))
	if got.Get("state") != "st" || w.redeem("app", got.Get("code")).status != 200 {
		t.Errorf("answer %v", got)
	}
}

// The words of a response type are the same in any order, inside and outside.
func TestPR20ResponseTypes(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", withKeys(t, k), everyType)
	for outside, want := range map[string]string{"code id_token": "", "id_token code": "", "": "", "code": "invalid_request_object", "id_token": "invalid_request_object"} {
		in := byValue("app", k.sign(t, w.object("app", "response_type", "id_token code")), "redirect_uri", redirect, "response_type", outside)
		if outside == "" {
			in.Del("response_type")
		}
		if want != "" {
			if r := w.refusal(in); r.Code != want {
				t.Errorf("%q outside: %+v", outside, r)
			}
			continue
		}
		if q, err := w.p.Authorize(t.Context(), in); err != nil || q.ResponseType != "code id_token" {
			t.Errorf("%q outside: %+v, %v", outside, q, err)
		}
	}
}

// The ways a client registered are the only ones.
func TestPR20Registration(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("one", withKeys(t, k), func(c *client.Client) { c.RequestAlg = "ES384" })
	w.client("must", withKeys(t, k), func(c *client.Client) { c.RequireSigned = true })
	if r := w.refusal(byValue("one", k.sign(t, w.object("one")), "redirect_uri", redirect)); r.Code != "invalid_request_object" {
		t.Errorf("another algorithm than the registered one: %+v", r)
	}
	if r := w.refusal(params("must")); r.Code != "invalid_request" || r.Redirect == nil || r.Redirect.State != "st" {
		t.Errorf("unsigned though it must be signed: %+v", r)
	}
	if _, err := w.p.Authorize(t.Context(), byValue("must", k.sign(t, w.object("must")))); err != nil {
		t.Errorf("signed: %v", err)
	}
	both := byValue("must", k.sign(t, w.object("must")), "request_uri", "https://app.example.com/r", "redirect_uri", redirect)
	if r := w.refusal(both); r.Code != "invalid_request" {
		t.Errorf("request and request_uri: %+v", r)
	}
	twice := byValue("must", k.sign(t, w.object("must")), "redirect_uri", redirect)
	twice.Add("request", "x")
	if r := w.refusal(twice); r.Code != "invalid_request" || r.Redirect == nil {
		t.Errorf("request twice: %+v", r)
	}
}

// A request_uri is fetched where it is registered, and nowhere else; what comes back is held to the same rules.
func TestPR20RequestURI(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	serve := func(content string) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.set = []byte(content)
	}
	uri := s.URL + "/object"
	hash := func(content string) string {
		sum := sha256.Sum256([]byte(content))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	w.client("app", withKeys(t, k), func(c *client.Client) {
		c.RequestURIs = []string{uri, "https://10.0.0.1/object", s.URL + "/fixed#" + hash("x")}
	})
	w.client("none", withKeys(t, k))
	w.client("keyless", func(c *client.Client) { c.RequestURIs = []string{uri} })
	ask := func(id, uri string) url.Values {
		return form("client_id", id, "response_type", "code", "scope", "openid", "request_uri", uri, "redirect_uri", redirect, "state", "outside")
	}
	good := k.sign(t, w.object("app"))
	serve(good)
	for _, u := range []string{uri, uri + "#" + hash(good), uri + "#" + hash("y"), uri + "#section", s.URL + "/fixed#" + hash("x")} {
		q, err := w.p.Authorize(t.Context(), ask("app", u))
		if err != nil || q.State != "st" {
			t.Errorf("%s: %+v, %v", u, q, err)
		}
	}
	if s.count() != 5 {
		t.Errorf("%d requests, want 5: nothing old is used", s.count())
	}
	for name, tt := range map[string]struct {
		id, uri, content, want string
		hits                   int
	}{
		"not registered":       {"app", s.URL + "/other", good, "invalid_request_uri", 0},
		"a query more":         {"app", uri + "?x=1", good, "invalid_request_uri", 0},
		"another case":         {"app", strings.ToUpper(uri), good, "invalid_request_uri", 0},
		"http":                 {"app", "http://app.example.com/object", good, "invalid_request_uri", 0},
		"file":                 {"app", "file:///etc/passwd", good, "invalid_request_uri", 0},
		"our own network":      {"app", "https://10.0.0.1/object", good, "invalid_request_uri", 0},
		"a fixed one, without": {"app", s.URL + "/fixed", good, "invalid_request_uri", 0},
		"a fixed one, another": {"app", s.URL + "/fixed#" + hash("y"), good, "invalid_request_uri", 0},
		"too large":            {"app", uri, strings.Repeat("x", 65<<10), "invalid_request_uri", 1},
		"not an object":        {"app", uri, "<html>", "invalid_request_object", 1},
		"unsigned":             {"app", uri, "eyJhbGciOiJub25lIn0.e30.", "invalid_request_object", 1},
		"none registered":      {"none", uri, good, "request_uri_not_supported", 0},
		"no keys":              {"keyless", uri, good, "request_uri_not_supported", 0},
	} {
		serve(tt.content)
		before := s.count()
		r := w.refusal(ask(tt.id, tt.uri))
		if r.Code != tt.want || r.Redirect == nil || r.Redirect.State != "outside" {
			t.Errorf("%s: %+v, want %s", name, r, tt.want)
		}
		if n := s.count() - before; n != tt.hits {
			t.Errorf("%s: %d requests, want %d", name, n, tt.hits)
		}
	}
	s.switchOff(true)
	if r := w.refusal(ask("app", uri)); r.Code != "invalid_request_uri" {
		t.Errorf("away: %+v", r)
	}
}

// The keys of request objects are fetched as those of assertions are; when they cannot be had the client is told to try
// again.
func TestPR20KeysByURI(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	w.client("app", func(c *client.Client) { c.KeysURI = s.URL })
	s.switchOff(true)
	in := byValue("app", k.sign(t, w.object("app")), "redirect_uri", redirect)
	if r := w.refusal(in); r.Code != "temporarily_unavailable" || r.Redirect == nil {
		t.Errorf("away: %+v", r)
	}
	s.switchOff(false)
	w.e.Advance(11 * time.Second)
	if _, err := w.p.Authorize(t.Context(), in); err != nil {
		t.Errorf("back: %v", err)
	}
}

// TestFZ05 for request objects: bounded in bytes and in depth.
func TestFZ05HostileObjects(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app", withKeys(t, k))
	nested := func(n int) string { return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n) }
	b64 := base64.RawURLEncoding.EncodeToString
	for name, tt := range map[string]struct{ object, want string }{
		"dots":        {strings.Repeat(".", 1e6), "invalid_request"},
		"64 KiB":      {strings.Repeat(".", 64<<10), "invalid_request_object"},
		"deep":        {b64([]byte(`{"alg":"ES256"}`)) + "." + b64([]byte(nested(5000))) + ".AA", "invalid_request_object"},
		"deep, valid": {k.sign(t, w.object("app", "claims", json.RawMessage(nested(9)))), "invalid_request_object"},
		"wide":        {k.sign(t, w.object("app", "x", make([]int, 65))), "invalid_request_object"},
		"PBES2":       {b64([]byte(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AA"}`)) + ".a.b.c.d", "invalid_request_object"},
		"zip":         {k.sign(t, w.object("app"), "zip", "DEF"), "invalid_request_object"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := w.refusal(byValue("app", tt.object, "redirect_uri", redirect))
		runtime.ReadMemStats(&after)
		if r.Code != tt.want {
			t.Errorf("%s: %+v, want %s", name, r, tt.want)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%s: %d bytes were allocated, want 1 MB at most", name, n)
		}
	}
	object := maps.Clone(w.object("app", "claims", json.RawMessage(nested(5))))
	if _, err := w.p.Authorize(t.Context(), byValue("app", k.sign(t, object))); err != nil {
		t.Errorf("claims as deep as they may be: %v", err)
	}
}
