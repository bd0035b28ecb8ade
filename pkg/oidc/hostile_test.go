// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/keys"
)

func TestTK12Revocation(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("jwt", jwtAccess)
	w.client("other")
	w.client("machine", machine, jwtAccess)
	revoke := func(id, token string) reply {
		return w.post(w.p.ServeRevoke, id, "token", token, "token_type_hint", "x")
	}
	for _, token := range []string{"lga_x", "lgr_x", "x", "a.b.c", strings.Repeat("x", 5000), w.tokens("app").text("id_token")} {
		if got := revoke("app", token); got.status != 200 || got.body != "" {
			t.Errorf("unknown token: %d %s", got.status, got.body)
		}
	}
	r := w.tokens("app")
	if revoke("app", r.text("access_token")); w.refresh(r.text("refresh_token")).status != 200 {
		t.Error("revoking an access token ended the grant")
	}
	w.inactive("revoked", "app", r.text("access_token"))
	r = w.tokens("app")
	revoke("app", r.text("refresh_token"))
	w.inactive("grant revoked", "app", r.text("access_token"))
	r = w.tokens("jwt")
	w.wantError("other client's jwt", revoke("other", r.text("access_token")), 400, "unauthorized_client")
	if got := revoke("jwt", r.text("access_token")); got.status != 200 {
		t.Errorf("at+jwt: %d %s", got.status, got.body)
	}
	w.inactive("at+jwt revoked", "jwt", r.text("access_token"))
	m := w.post(w.p.ServeToken, "machine", "grant_type", "client_credentials")
	w.wantError("machine jwt", revoke("machine", m.text("access_token")), 400, "unsupported_token_type")
	w.wantError("no token", w.post(w.p.ServeRevoke, "app", "x", "y"), 400, "invalid_request")
	w.wantError("no client", w.post(w.p.ServeRevoke, "", "token", "x"), 401, "invalid_client")
}

func TestTK16MangledTokens(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	access, refresh, code := r.text("access_token"), r.text("refresh_token"), w.code("app")
	mangle := func(s string) []string {
		flip := "A"
		if strings.HasSuffix(s, "A") {
			flip = "B"
		}
		return []string{
			s[:40] + "\n" + s[40:], s + "\n", " " + s, s + " ", s + "=", s + ".", strings.ToUpper(s), s[:len(s)-1], s[:len(s)-1] + flip,
			"lgx_" + s[4:], s[4:], s + s, s[:4] + "." + s[4:],
		}
	}
	n := w.trips(func() {
		for _, m := range mangle(access) {
			// A form keeps a line end; our form refuses it, and no token has one.
			if got := w.introspect("app", m); got.json["active"] == true {
				t.Errorf("%q is active", m)
			}
			if got := w.userinfo(strings.NewReplacer("\n", "\t").Replace(m)); m[0] != ' ' && m[len(m)-1] != ' ' && got.status == 200 {
				t.Errorf("userinfo takes %q", m)
			}
		}
		for _, m := range mangle(refresh) {
			if got := w.refresh(m); got.status != 400 {
				t.Errorf("refresh with %q = %d", m, got.status)
			}
		}
		for _, m := range mangle(code) {
			if got := w.redeem("app", m); got.status != 400 {
				t.Errorf("code %q = %d", m, got.status)
			}
		}
		w.wantError("access as refresh", w.refresh(access), 400, "invalid_grant")
		w.wantError("refresh as code", w.redeem("app", refresh), 400, "invalid_grant")
	})
	if n > 2 {
		t.Errorf("mangled tokens took %d round trips", n)
	}
}

func TestTK17OnlyOwnTokens(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("jwt", jwtAccess)
	w.client("other", func(c *client.Client) { c.Audience = []string{"app"} })
	w.client("api", machine, func(c *client.Client) { c.Introspect = []string{"app"} })
	w.client("all", machine, func(c *client.Client) { c.Introspect = []string{"*"} })
	w.client("public", public)
	r, j := w.tokens("app"), w.tokens("jwt")
	for _, id := range []string{"app", "api", "all"} {
		if got := w.introspect(id, r.text("access_token")); got.json["active"] != true || got.text("client_id") != "app" {
			t.Errorf("%s: %s, want active", id, got.body)
		}
	}
	w.inactive("other client", "other", r.text("access_token"))
	w.inactive("not in the list", "api", j.text("access_token"))
	w.inactive("refresh token of another", "all", r.text("refresh_token"))
	w.inactive("ID token", "app", r.text("id_token"))
	jti := fmt.Sprint(segment(t, j.text("access_token"), 1)["jti"])
	w.inactive("jti alone", "jwt", jti)
	w.wantError("ID token", w.userinfo(r.text("id_token")), 401, "invalid_token")
	w.wantError("jti alone", w.userinfo(jti), 401, "invalid_token")
	m := w.post(w.p.ServeToken, "api", "grant_type", "client_credentials")
	w.wantError("machine", w.userinfo(m.text("access_token")), 401, "invalid_token")
	// Tokens that we signed for another purpose or issuer.
	now := start().Unix()
	for name, c := range map[string]map[string]any{
		"foreign issuer":   {"iss": "https://evil.example", "aud": []string{"jwt"}},
		"foreign audience": {"iss": issuer, "aud": []string{"https://evil.example"}},
		"expired":          {"iss": issuer, "aud": []string{"jwt"}, "exp": now},
		"future":           {"iss": issuer, "aud": []string{"jwt"}, "iat": now + 60},
	} {
		at := segment(t, j.text("access_token"), 1)
		maps.Copy(at, c)
		b, _ := json.Marshal(at)
		token, err := w.ring.Sign("RS256", keys.TypAccess, b)
		if err != nil {
			t.Fatal(err)
		}
		w.inactive(name, "jwt", token)
		w.wantError(name, w.userinfo(token), 401, "invalid_token")
	}
	// The type of a JWT says what it is for (RFC 8725 §3.11): the same claims under another one are nothing.
	at, _ := json.Marshal(segment(t, j.text("access_token"), 1))
	id, _ := json.Marshal(segment(t, j.text("id_token"), 1))
	for _, typ := range []keys.Typ{keys.TypID, keys.TypLogout, keys.TypAccess} {
		token, err := w.ring.Sign("RS256", typ, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.introspect("jwt", token); got.json["active"] != (typ == keys.TypAccess) {
			t.Errorf("claims of an access token as %s: %s", typ, got.body)
		}
		if token, err = w.ring.Sign("RS256", typ, id); err != nil {
			t.Fatal(err)
		}
		if _, err := w.p.Authorize(t.Context(), params("jwt", "id_token_hint", token)); (err == nil) != (typ == keys.TypID) {
			t.Errorf("claims of an ID token as %s: hint %v", typ, err)
		}
	}
	w.wantError("public client", w.send(w.p.ServeIntrospect, newPost("/introspect", strings.NewReader("client_id=public&token=x"))), 401, "invalid_client")
}

func TestFZ02Bodies(t *testing.T) {
	w := newWorld(t)
	w.client("app", machine)
	form, _, _ := strings.Cut("application/x-www-form-urlencoded", ";")
	for name, tt := range map[string]struct {
		method, kind string
		body         string
		want         int
	}{
		"json":      {"POST", "application/json", `{"grant_type":"client_credentials"}`, 400},
		"multipart": {"POST", "multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--", 400},
		"text":      {"POST", "text/plain", "grant_type=client_credentials", 400},
		"no type":   {"POST", "", "grant_type=client_credentials", 400},
		"utf-16":    {"POST", form + "; charset=utf-16", "grant_type=client_credentials", 400},
		"latin":     {"POST", form, "grant_type=client_credentials&x=%ff", 400},
		"percent":   {"POST", form, "grant_type=%zz", 400},
		"semicolon": {"POST", form, "grant_type=client_credentials;a=b", 400},
		"1 MB":      {"POST", form, "grant_type=client_credentials&x=" + strings.Repeat("a", 1<<20), 413},
		"GET":       {"GET", form, "", 405},
		"HEAD":      {"HEAD", form, "", 405},
		"PUT":       {"PUT", form, "grant_type=client_credentials", 405},
		"fine":      {"POST", form + ";charset=UTF-8", "grant_type=client_credentials", 200},
	} {
		body := &counted{r: strings.NewReader(tt.body)}
		r := httptest.NewRequest(tt.method, issuer+"/token", body)
		r.Header.Set("Content-Type", tt.kind)
		r.Header.Set("X-HTTP-Method-Override", "POST")
		r.SetBasicAuth("app", secret)
		if got := w.send(w.p.ServeToken, r); got.status != tt.want {
			t.Errorf("%s: %d %s, want %d", name, got.status, got.body, tt.want)
		}
		if body.n > 64<<10+4096 {
			t.Errorf("%s: %d bytes were read", name, body.n)
		}
	}
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p[:min(len(p), 4096)])
	c.n += n
	return n, err
}

func TestFZ05HostileJWTs(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	b64 := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	for name, token := range map[string]string{
		"dots":  strings.Repeat(".", 60000),
		"jwe":   b64(`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":1000000000,"p2s":"AA","zip":"DEF"}`) + ".a.b.c.d",
		"deep":  b64(`{"alg":"RS256","typ":"at+jwt","kid":`+strings.Repeat("[", 5000)) + "." + b64("{}") + ".AA",
		"long":  strings.Repeat("a", 20000) + ".b.c",
		"crit":  b64(`{"alg":"RS256","typ":"at+jwt","crit":["b64"],"b64":false}`) + ".e30.AA",
		"empty": "..",
	} {
		allocated := testing.AllocsPerRun(1, func() { w.inactive(name, "app", token) })
		if allocated > 20000 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
		if r := w.refusal(params("app", "id_token_hint", token)); r.Code != "invalid_request" {
			t.Errorf("%s as hint: %s", name, r.Code)
		}
	}
}

func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	code, f := w.code("app"), w.flow(params("app"))
	_, _, pass := flow.Next(f, w.e.Now())
	w.e.SetError("LOADING away")
	for what, got := range map[string]reply{
		"code": w.redeem("app", code), "refresh": w.refresh(r.text("refresh_token")),
		"introspect": w.introspect("app", r.text("access_token")), "userinfo": w.userinfo(r.text("access_token")),
	} {
		w.wantError(what, got, 503, "temporarily_unavailable")
		if got.header.Get("Retry-After") != "2" {
			t.Errorf("%s: Retry-After %q", what, got.header.Get("Retry-After"))
		}
	}
	rec := httptest.NewRecorder()
	if err := w.p.Answer(rec, w.get(), f, pass); !errors.Is(err, authn.ErrUnavailable) || len(rec.Header()) > 0 || rec.Body.Len() > 0 {
		t.Errorf("Answer() = %v and wrote %v", err, rec.Header())
	}
	w.e.SetError("")
}

func TestSecretsStayOutOfTheLog(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	code := w.code("app")
	r := w.redeem("app", code)
	w.redeem("app", code)
	w.refresh(r.text("refresh_token"))
	w.refresh("lgr_" + strings.Repeat("P", 40))
	for _, s := range []string{secret, code, r.text("refresh_token"), r.text("access_token"), strings.Repeat("P", 40), verifier, "n-1"} {
		if strings.Contains(w.log.String(), s) {
			t.Errorf("the log holds %q", s)
		}
	}
}

// A record that is broken in the store is refused and reported, never read as something else.
func TestLostRecordsAreReported(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	r := w.tokens("app")
	code := w.code("app")
	for _, k := range w.e.Redis().Keys() {
		if strings.Contains(k, ":g:") {
			if err := w.e.Redis().Set(k, "broken"); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.inactive("broken grant", "app", r.text("access_token"))
	w.wantError("broken grant", w.userinfo(r.text("access_token")), 401, "invalid_token")
	w.wantError("broken grant", w.refresh(r.text("refresh_token")), 400, "invalid_grant")
	w.wantError("broken grant", w.redeem("app", code), 400, "invalid_grant")
	if n := strings.Count(w.log.String(), "event=record.lost"); n != 4 {
		t.Errorf("%d events record.lost, want 4", n)
	}
}
