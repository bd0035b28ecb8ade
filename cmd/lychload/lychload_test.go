// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestTOTPVectors(t *testing.T) { // RFC 6238, appendix B, SHA-1, last 6 digits
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1234567890: "005924", 20000000000: "353130"} {
		got, err := totp(secret, time.Unix(at, 0))
		if err != nil || got != want {
			t.Errorf("totp at %d: %s %v, want %s", at, got, err, want)
		}
	}
}

func TestTOTPUserOncePerStep(t *testing.T) {
	u := &UserSet{list: []*User{{Name: "a", TOTP: "AA"}, {Name: "b", TOTP: "AA"}}}
	if a, b := u.take(), u.take(); a == b {
		t.Fatal("the same user twice in one step")
	}
}

func TestFormRoles(t *testing.T) {
	page := `<html><body><form id=other action=/search><input name=q></form>
<form action="/login?x=1" method="post"><input type=hidden name=csrf value="a&amp;b">
<input name=acct autocomplete="section-a username"><input type=password name=pw autocomplete="current-password">
<input type=checkbox name=remember><input type=checkbox name=terms checked>
<select name=lang><option value=en>English<option value=de selected>Deutsch</select>
<button type=button name=toggle>show</button><button name=act value=cancel>Cancel</button><button name=act value=go>Sign in</button></form></body></html>`
	forms, _, err := parseForms(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	f := choose(forms)
	v, action, err := f.fill(&User{Name: "ann", Password: "pw1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{"csrf": {"a&b"}, "acct": {"ann"}, "pw": {"pw1"}, "terms": {"on"}, "lang": {"de"}, "act": {"go"}}
	if action != "/login?x=1" || f.method != "POST" || v.Encode() != want.Encode() {
		t.Fatalf("%s %s", action, v.Encode())
	}
	if _, _, err := f.fill(nil, time.Now()); err == nil {
		t.Fatal("a password form must fail where a live session was expected")
	}
}

func TestFormFallbacks(t *testing.T) {
	for _, c := range []struct {
		f    field
		role int
	}{
		{field{tag: "input", typ: "text", name: "otp"}, roleCode},
		{field{tag: "input", typ: "password", name: "totp_code"}, roleCode},
		{field{tag: "input", typ: "password", name: "secret"}, rolePassword},
		{field{tag: "input", typ: "email", name: "mail", auto: "email"}, roleUser},
		{field{tag: "input", typ: "text", name: "login"}, roleUser},
		{field{tag: "input", typ: "hidden", name: "otp"}, roleNone},
		{field{tag: "input", typ: "text", name: "q"}, roleNone},
	} {
		if got := c.f.role(); got != c.role {
			t.Errorf("%+v: role %d, want %d", c.f, got, c.role)
		}
	}
}

func TestConsentButton(t *testing.T) {
	page := `<form method=post action=/consent><input type=hidden name=c value=1><button name=d value=deny>No</button><button name=d value=allow>Yes, allow</button></form>`
	forms, _, _ := parseForms(strings.NewReader(page))
	v, _, err := choose(forms).fill(nil, time.Now())
	if err != nil || v.Get("d") != "allow" {
		t.Fatal(v, err)
	}
}

func TestLoopbackOnly(t *testing.T) {
	for _, u := range []string{"http://192.0.2.1/", "https://example.org", "http://10.0.0.1:8080"} {
		if loopbackURL(u) == nil {
			t.Errorf("%s was accepted", u)
		}
	}
	for _, u := range []string{"http://127.0.0.1:1", "http://localhost:2", "http://[::1]:3", "http://127.8.9.1"} {
		if err := loopbackURL(u); err != nil {
			t.Error(err)
		}
	}
}

func TestParseSpeed(t *testing.T) {
	for _, l := range []struct {
		out  string
		want float64
	}{
		{"                  sign    verify    sign/s verify/s\nrsa 2048 bits 0.000426s 0.000024s   2345.4  42177.7\n", 1000 / 2345.4},
		{"                              sign    verify    sign/s verify/s\n 256 bits ecdsa (nistp256)   0.0000s   0.0001s  28477.8   9559.0\n", 1000 / 28477.8},
	} {
		got, err := parseSpeed(l.out)
		if err != nil || got != l.want {
			t.Errorf("%v %v", got, err)
		}
	}
}

func TestPercentile(t *testing.T) {
	v := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	if percentile(v, .5) != 5 || percentile(v, .95) != 10 || percentile(v, .99) != 10 || percentile(nil, .5) != 0 {
		t.Fatal("percentile")
	}
}

// mini is a provider small enough to test the flows with. Its broken field
// makes one thing wrong, which the tool must notice.
type mini struct {
	mu      sync.Mutex
	url     string
	key     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	codes   map[string]url.Values
	refresh map[string]bool
	revoked map[string]bool
	broken  string
	used    map[string]bool
}

func newMini(t *testing.T, broken string) *mini {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	m := &mini{key: k, codes: map[string]url.Values{}, refresh: map[string]bool{}, revoked: map[string]bool{}, used: map[string]bool{}, broken: broken}
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	m.url = srv.URL
	return m
}

func (m *mini) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	reply := func(v any) { json.NewEncoder(w).Encode(v) }
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		reply(map[string]any{"issuer": m.url, "authorization_endpoint": m.url + "/auth", "token_endpoint": m.url + "/token", "jwks_uri": m.url + "/jwks",
			"userinfo_endpoint": m.url + "/userinfo", "introspection_endpoint": m.url + "/introspect", "revocation_endpoint": m.url + "/revoke"})
	case "/jwks":
		reply(map[string]any{"keys": []jwk{{Kty: "RSA", Kid: "k", N: b64.EncodeToString(m.key.N.Bytes()), E: b64.EncodeToString(big.NewInt(int64(m.key.E)).Bytes())}}})
	case "/auth":
		q := r.URL.Query()
		if r.Method == "POST" {
			r.ParseForm()
			q, _ = url.ParseQuery(r.PostForm.Get("q"))
			switch {
			case r.PostForm.Get("password") == "pw" && strings.HasPrefix(r.PostForm.Get("username"), "t"):
				fmt.Fprintf(w, `<form method=post><input type=hidden name=q value="%s"><input name=code autocomplete=one-time-code></form>`, r.PostForm.Get("q"))
				return
			case r.PostForm.Get("password") == "pw":
			case r.PostForm.Get("code") != "":
				if c, _ := totp("JBSWY3DPEHPK3PXP", time.Now()); c != r.PostForm.Get("code") {
					http.Error(w, "code", 403)
					return
				}
			default:
				http.Error(w, "password", 403)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "s", Value: "1", Path: "/", Secure: true})
		} else if _, err := r.Cookie("s"); err != nil || m.broken == "session" {
			fmt.Fprintf(w, `<form method=post><input type=hidden name=q value="%s"><input name=username><input type=password name=password></form>`, r.URL.RawQuery)
			return
		}
		code := randToken(8)
		m.codes[code] = q
		st := q.Get("state")
		if m.broken == "state" {
			st = "x"
		}
		http.Redirect(w, r, q.Get("redirect_uri")+"?code="+code+"&state="+st, 302)
	case "/token":
		r.ParseForm()
		out := map[string]any{"access_token": randToken(8), "token_type": "Bearer"}
		if r.PostForm.Get("grant_type") == "refresh_token" {
			old := r.PostForm.Get("refresh_token")
			if !m.refresh[old] {
				http.Error(w, `{"error":"invalid_grant"}`, 400)
				return
			}
			delete(m.refresh, old)
		}
		if r.PostForm.Get("grant_type") == "authorization_code" {
			q, ok := m.codes[r.PostForm.Get("code")]
			sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
			if !ok || q.Get("code_challenge") != b64.EncodeToString(sum[:]) {
				http.Error(w, `{"error":"invalid_grant"}`, 400)
				return
			}
			delete(m.codes, r.PostForm.Get("code"))
			key := m.key
			if m.broken == "signature" {
				key, _ = rsa.GenerateKey(rand.Reader, 2048)
			}
			cl := map[string]any{"iss": m.url, "sub": "s", "aud": "web", "exp": time.Now().Unix() + 60, "nonce": q.Get("nonce")}
			if m.broken == "nonce" {
				cl["nonce"] = "x"
			}
			out["id_token"], _ = signRS256(key, "k", cl)
		}
		if r.PostForm.Get("grant_type") != "client_credentials" {
			rt := randToken(8)
			m.refresh[rt] = true
			out["refresh_token"] = rt
		}
		reply(out)
	case "/userinfo":
		sub := "s"
		if m.broken == "sub" {
			sub = "other"
		}
		reply(map[string]any{"sub": sub})
	case "/introspect":
		r.ParseForm()
		reply(map[string]any{"active": !m.revoked[r.PostForm.Get("token")]})
	case "/revoke":
		r.ParseForm()
		if m.broken != "revoke" {
			m.revoked[r.PostForm.Get("token")] = true
		}
	}
}

func runMini(t *testing.T, broken string, names ...string) map[string]Result {
	m := newMini(t, broken)
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pem")
	if err := writeKey(key); err != nil {
		t.Fatal(err)
	}
	c := `{"id":"web","secret":"s","auth":"client_secret_basic","redirect_uri":"http://127.0.0.1:9/cb"}`
	cfg := fmt.Sprintf(`{"name":"mini","issuer":%q,"clients":{"web":%s,"service":%s,"service_jwt":{"id":"j","auth":"private_key_jwt","key_file":"key.pem"}},
"users":{"prefix":"u","count":3,"password":"pw"},"totp_users":{"prefix":"t","digits":4,"count":5000,"password":"pw","totp_secret":"JBSWY3DPEHPK3PXP"}}`, m.url, c, c)
	path := filepath.Join(dir, "t.json")
	if err := os.WriteFile(path, []byte(cfg), 0o600); err != nil {
		t.Fatal(err)
	}
	tg, err := loadTarget(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPeer(tg, 2)
	if err != nil {
		t.Fatal(err)
	}
	o := options{concurrency: 2, batch: 5, maxOps: 20, warm: 0, dur: 2 * time.Second, slice: time.Second, out: filepath.Join(dir, "out")}
	if len(names) > 0 {
		o.only = map[string]bool{}
		for _, n := range names {
			o.only[n] = true
		}
	}
	if err := runAll(os.Stderr, []*peer{p}, o); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(o.out)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Result{}
	for line := range strings.Lines(string(raw)) {
		var r Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind == "result" {
			out[r.Scenario] = r
		}
	}
	return out
}

func writeKey(path string) error {
	old := os.Stdout
	defer func() { os.Stdout = old }()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	os.Stdout = null
	return keygen(path)
}

func TestAllScenariosOnAGoodProvider(t *testing.T) {
	got := runMini(t, "")
	for _, s := range scenarios {
		r := got[s.name]
		if r.Ops != 20 || r.Errors != 0 {
			t.Errorf("%s: %d ops, %d errors %v", s.name, r.Ops, r.Errors, r.Messages)
		}
	}
}

func TestBrokenProvidersAreNoticed(t *testing.T) {
	for broken, name := range map[string]string{"signature": "signin", "state": "signin", "nonce": "signin_totp", "session": "sso", "sub": "userinfo", "revoke": "revocation"} {
		got := runMini(t, broken, name)
		if r, ok := got[name]; ok && r.Errors == 0 {
			t.Errorf("%s: %s counted %d good operations and no error", broken, name, r.Ops)
		}
	}
}

func TestES256RoundTrip(t *testing.T) {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tok, err := signES256(k, "k", map[string]any{"a": 1})
	if err != nil {
		t.Fatal(err)
	}
	h, _, signed, sig, err := splitJWT(tok)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := publicJWK(k, "k").public()
	if err != nil {
		t.Fatal(err)
	}
	if err := verifySig(h.Alg, pub, signed, sig); err != nil {
		t.Fatal(err)
	}
	sig[3] ^= 1
	if verifySig(h.Alg, pub, signed, sig) == nil {
		t.Fatal("a changed signature was accepted")
	}
}
