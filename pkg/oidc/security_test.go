// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

func (w *world) inactive(what, caller, token string) {
	w.Helper()
	if got := w.introspect(caller, token); got.status != 200 || got.body != `{"active":false}` {
		w.Errorf("%s: introspection = %d %s, want inactive", what, got.status, got.body)
	}
}

func TestPR04VerifierWithoutChallenge(t *testing.T) {
	w := newWorld(t)
	w.client("app", optional)
	code := w.code("app", "code_challenge", "", "code_challenge_method", "")
	w.wantError("verifier", w.redeem("app", code), 400, "invalid_grant")
	if r := w.redeem("app", code, "code_verifier", ""); r.status != 200 {
		t.Errorf("no verifier: %d %s, want 200", r.status, r.body)
	}
}

func TestPR09CodeReuseKillsTheGrant(t *testing.T) {
	for _, format := range []func(*client.Client){nil, jwtAccess} {
		w := newWorld(t)
		if format == nil {
			format = func(*client.Client) {}
		}
		w.client("app", format)
		code := w.code("app")
		r := w.redeem("app", code)
		w.e.Advance(30 * time.Second)
		w.wantError("second use", w.redeem("app", code), 400, "invalid_grant")
		w.inactive("access token", "app", r.text("access_token"))
		w.inactive("refresh token", "app", r.text("refresh_token"))
		w.wantError("userinfo", w.userinfo(r.text("access_token")), 401, "invalid_token")
		w.wantError("refresh", w.refresh(r.text("refresh_token")), 400, "invalid_grant")
		if !strings.Contains(w.log.String(), "event=grant.reuse client=app") {
			t.Error("no event grant.reuse")
		}
	}
}

func TestPR11CodeOfAnotherClientOrAddress(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("other")
	code := w.code("app")
	w.wantError("other client", w.redeem("other", code), 400, "invalid_grant")
	w.wantError("other address", w.redeem("app", code, "redirect_uri", redirect+"/"), 400, "invalid_grant")
	w.wantError("no address", w.redeem("app", code, "redirect_uri", ""), 400, "invalid_grant")
	if r := w.redeem("app", code); r.status != 200 {
		t.Errorf("the owner: %d %s, want 200", r.status, r.body)
	}
}

func TestPR12CodeLife(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	code, late := w.code("app"), w.code("app")
	w.e.Advance(59 * time.Second)
	if r := w.redeem("app", code); r.status != 200 {
		t.Errorf("at 59 s: %d %s", r.status, r.body)
	}
	w.e.Advance(3 * time.Second)
	w.wantError("at 62 s", w.redeem("app", late), 400, "invalid_grant")
}

func TestCA04OneRegisteredMethod(t *testing.T) {
	w := newWorld(t)
	w.client("basic", machine)
	w.client("post", machine, func(c *client.Client) { c.AuthMethod = "client_secret_post" })
	w.client("public", public)
	w.client("two", machine, func(c *client.Client) {
		c.Secrets = []client.Secret{{Digest: digest("older")}, {Digest: digest(secret)}}
	})
	w.client("none-yet", machine, func(c *client.Client) { c.Secrets = nil })
	w.client("off", machine, func(c *client.Client) { c.Disabled = true })
	w.client("a b:c%"[:1]+"+x", machine)
	auth := func(id, pw string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+pw)) }
	for name, tt := range map[string]struct {
		headers []string
		body    string
		want    int
	}{
		"basic":                {[]string{auth("basic", secret)}, "", 200},
		"basic, same id":       {[]string{auth("basic", secret)}, "&client_id=basic", 200},
		"basic, encoded":       {[]string{auth("a%2Bx", secret)}, "", 200},
		"scheme case":          {[]string{strings.Replace(auth("basic", secret), "Basic", "bASIC", 1)}, "", 200},
		"either secret":        {[]string{auth("two", "older")}, "", 200},
		"post":                 {nil, "&client_id=post&client_secret=" + secret, 200},
		"basic by post":        {nil, "&client_id=basic&client_secret=" + secret, 401},
		"post by basic":        {[]string{auth("post", secret)}, "", 401},
		"both":                 {[]string{auth("basic", secret)}, "&client_secret=" + secret, 401},
		"other id":             {[]string{auth("basic", secret)}, "&client_id=post", 401},
		"none":                 {nil, "&client_id=basic", 401},
		"public with secret":   {nil, "&client_id=public&client_secret=x", 401},
		"nothing":              {nil, "", 401},
		"wrong":                {[]string{auth("basic", secret+"x")}, "", 401},
		"empty":                {[]string{auth("basic", "")}, "", 401},
		"digest as secret":     {[]string{auth("basic", digest(secret))}, "", 401},
		"no secret registered": {[]string{auth("none-yet", "")}, "", 401},
		"disabled":             {[]string{auth("off", secret)}, "", 401},
		"assertion":            {nil, "&client_id=basic&client_assertion=e30.e30.e30", 401},
		"FZ04 bad percent":     {[]string{auth("%zz", secret)}, "", 401},
		"FZ04 no colon":        {[]string{"Basic " + base64.StdEncoding.EncodeToString([]byte("basic"))}, "", 401},
		"FZ04 bad base64":      {[]string{"Basic %%%"}, "", 401},
		"FZ04 no value":        {[]string{"Basic"}, "", 401},
		"FZ04 empty":           {[]string{""}, "&client_id=basic", 401},
		"FZ04 two headers":     {[]string{auth("basic", secret), auth("basic", secret)}, "", 401},
		"FZ04 1 MB":            {[]string{auth("basic", strings.Repeat("x", 1<<20))}, "", 401},
		"FZ04 control":         {[]string{auth("basic%00", secret)}, "", 401},
	} {
		r := newPost("/token", strings.NewReader("grant_type=client_credentials"+tt.body))
		for _, h := range tt.headers {
			r.Header.Add("Authorization", h)
		}
		got := w.send(w.p.ServeToken, r)
		if got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
		if tt.want == 401 {
			w.wantError(name, got, 401, "invalid_client")
			if got.text("error_description") != "Client authentication failed." {
				t.Errorf("%s: text %q", name, got.text("error_description"))
			}
		}
	}
}

func TestTK01Headers(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	for _, a := range keys.Algs() {
		id := "app-" + a
		w.client(id, alg(a), jwtAccess, func(c *client.Client) { c.Audience = []string{"https://api.example.com"} })
		r := w.tokens(id)
		c := w.verify(r.text("id_token"), id)
		for part, typ := range map[string]string{"id_token": "JWT", "access_token": "at+jwt"} {
			h := segment(t, r.text(part), 0)
			if h["alg"] != a || h["typ"] != typ || !strings.Contains(string(w.ring.JWKS()), fmt.Sprintf("%q", h["kid"])) || len(h) != 3 {
				t.Errorf("%s %s: header %v", a, part, h)
			}
		}
		at := segment(t, r.text("access_token"), 1)
		for name, want := range map[string]any{
			"iss": issuer, "sub": w.acc.ID, "client_id": id, "scope": "openid email offline_access",
			"exp": float64(start().Add(5 * time.Minute).Unix()), "iat": float64(start().Unix()), "acr": authn.ACRPassword,
			"auth_time": float64(start().Unix()),
		} {
			if at[name] != want {
				t.Errorf("%s: at+jwt %s = %v, want %v", a, name, at[name], want)
			}
		}
		if fmt.Sprint(at["aud"]) != "[https://api.example.com]" || !strings.HasPrefix(fmt.Sprint(at["jti"]), "lga_") {
			t.Errorf("%s: aud %v jti %v", a, at["aud"], at["jti"])
		}
		// at_hash, worked out here from OIDC Core §3.1.3.6.
		if want := half(a, r.text("access_token")); c["at_hash"] != want {
			t.Errorf("%s: at_hash = %v, want %s", a, c["at_hash"], want)
		}
		if got := w.introspect(id, r.text("access_token")); got.json["active"] != true || got.json["exp"] != at["exp"] {
			t.Errorf("%s: introspection of an at+jwt = %s", a, got.body)
		}
		if got := w.userinfo(r.text("access_token")); got.text("sub") != w.acc.ID {
			t.Errorf("%s: userinfo by at+jwt = %s", a, got.body)
		}
	}
}

// forgeries of token: every way to sign or not to sign it that is not ours.
func (w *world) forgeries(token string) map[string]string {
	w.Helper()
	part := strings.Split(token, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	typ := segment(w.T, token, 0)["typ"]
	out := map[string]string{
		"two parts": part[0] + "." + part[1], "four parts": token + ".x", "empty signature": part[0] + "." + part[1] + ".",
		"changed payload": part[0] + "." + part[1][:len(part[1])-2] + "A." + part[2],
		"inner tab":       part[0] + ".\t" + part[1] + "." + part[2], "newline": token + "\n", "padding": token + "=",
	}
	for _, a := range []string{"none", "None", "NONE", "nOnE", ""} {
		h := b64([]byte(fmt.Sprintf(`{"alg":%q,"typ":%q}`, a, typ)))
		out["alg "+a] = h + "." + part[1] + "."
		out["alg with signature "+a] = h + "." + part[1] + "." + part[2]
	}
	kid := segment(w.T, token, 0)["kid"]
	pub, _ := w.ring.Verify(fmt.Sprint(kid), fmt.Sprint(segment(w.T, token, 0)["alg"]), keys.ForToken)
	der, _ := x509.MarshalPKIXPublicKey(pub)
	jwk, _ := (&jose.JSONWebKey{Key: pub}).MarshalJSON()
	for name, key := range map[string][]byte{
		"DER": der, "PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), "JWK": jwk, "JWKS": w.ring.JWKS(),
	} {
		input := b64([]byte(fmt.Sprintf(`{"alg":"HS256","typ":%q,"kid":%q}`, typ, kid))) + "." + part[1]
		m := hmac.New(sha256.New, key)
		_, _ = m.Write([]byte(input))
		out["HS256 over "+name] = input + "." + b64(m.Sum(nil))
	}
	own, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	payload, _ := base64.RawURLEncoding.DecodeString(part[1])
	for name, opts := range map[string]*jose.SignerOptions{
		"embedded jwk": {EmbedJWK: true},
		"jku":          (&jose.SignerOptions{}).WithHeader("jku", w.fetched()).WithHeader("kid", "x"),
		"x5u":          (&jose.SignerOptions{}).WithHeader("x5u", w.fetched()).WithHeader("kid", "x"),
		"our kid":      (&jose.SignerOptions{}).WithHeader("kid", kid),
	} {
		s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: own}, opts.WithType(jose.ContentType(fmt.Sprint(typ))))
		if err != nil {
			w.Fatal(err)
		}
		jws, err := s.Sign(payload)
		if err != nil {
			w.Fatal(err)
		}
		out[name], _ = jws.CompactSerialize()
	}
	return out
}

// fetched is an address that fails the test when it is asked for.
func (w *world) fetched() string {
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { w.Error("a key was fetched") }))
	w.Cleanup(srv.Close)
	return srv.URL
}

func TestTK02ForgedJWTs(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	for _, a := range keys.Algs() {
		id := "app-" + a
		w.client(id, alg(a), jwtAccess)
		r := w.tokens(id)
		n := w.trips(func() {
			for name, token := range w.forgeries(r.text("access_token")) {
				if name == "newline" || name == "inner tab" {
					if got := w.introspect(id, token); got.status != 400 {
						t.Errorf("%s: newline in a form = %d", a, got.status)
					}
				} else {
					w.inactive(a+" "+name, id, token)
				}
				if got := w.userinfo(token); got.status != 401 {
					t.Errorf("%s %s: userinfo = %d", a, name, got.status)
				}
			}
			for name, token := range w.forgeries(r.text("id_token")) {
				if _, err := w.p.Authorize(t.Context(), params(id, "id_token_hint", token)); err == nil {
					t.Errorf("%s %s: accepted as id_token_hint", a, name)
				}
				out, err := w.p.Logout(t.Context(), form("id_token_hint", token, "post_logout_redirect_uri", "https://app.example.com/bye"))
				if err != nil || out.HintSubject != "" || out.RedirectURI != "" {
					t.Errorf("%s %s: Logout() = %+v, %v", a, name, out, err)
				}
			}
		})
		if n != 0 {
			t.Errorf("%s: forgeries took %d round trips", a, n)
		}
	}
}

func TestTK07RefreshReuse(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	first := w.tokens("app")
	second := w.refresh(first.text("refresh_token"))
	w.e.Advance(9 * time.Second)
	again := w.refresh(first.text("refresh_token"))
	if again.status != 200 {
		t.Fatalf("within the grace: %d %s", again.status, again.body)
	}
	w.e.Advance(11 * time.Second)
	w.wantError("after the grace", w.refresh(first.text("refresh_token")), 400, "invalid_grant")
	for _, r := range []reply{first, second, again} {
		w.inactive("family", "app", r.text("access_token"))
		w.wantError("family", w.refresh(r.text("refresh_token")), 400, "invalid_grant")
	}
	if !strings.Contains(w.log.String(), "event=grant.reuse client=app grant_type=refresh_token") {
		t.Error("no event grant.reuse")
	}
}

func TestTK09RefreshEnds(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	for day := 1; day < 90; day++ {
		w.e.Advance(24 * time.Hour)
		if r = w.refresh(r.text("refresh_token")); r.status != 200 {
			t.Fatalf("day %d: %d %s", day, r.status, r.body)
		}
	}
	w.e.Advance(24*time.Hour - 10*time.Second)
	if r = w.refresh(r.text("refresh_token")); r.status != 200 || r.json["expires_in"] != 10.0 {
		t.Fatalf("10 s before the end: %d %s, want at most 10 s more", r.status, r.body)
	}
	w.e.Advance(11 * time.Second)
	w.wantError("after 90 days", w.refresh(r.text("refresh_token")), 400, "invalid_grant")
	w.inactive("after 90 days", "app", r.text("access_token"))
}

func TestTK10RefreshAfterChanges(t *testing.T) {
	for name, act := range map[string]func(*world, *client.Client) error{
		"user disabled": func(w *world, _ *client.Client) error {
			_, err := w.s.Accounts().Apply(w.Context(), w.acc.ID, "*", authn.Disable, "")
			return err
		},
		"signed out everywhere": func(w *world, _ *client.Client) error {
			_, err := w.s.Accounts().Apply(w.Context(), w.acc.ID, "*", authn.SignOut, "")
			return err
		},
		"scope withdrawn": func(w *world, c *client.Client) error {
			changed := *c
			changed.Scope = "openid offline_access"
			return w.s.Clients().PutClient(w.Context(), &changed)
		},
	} {
		w := newWorld(t)
		c := w.client("app")
		r := w.tokens("app")
		if err := act(w, c); err != nil {
			t.Fatal(err)
		}
		w.wantError(name, w.refresh(r.text("refresh_token")), 400, "invalid_grant")
	}
	w := newWorld(t)
	c := w.client("app")
	r := w.tokens("app")
	off := *c
	off.Disabled = true
	if err := w.s.Clients().PutClient(t.Context(), &off); err != nil {
		t.Fatal(err)
	}
	w.wantError("client disabled", w.refresh(r.text("refresh_token")), 401, "invalid_client")
	w.wantError("client disabled", w.userinfo(r.text("access_token")), 401, "invalid_token")
}
