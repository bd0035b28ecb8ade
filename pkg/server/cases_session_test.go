// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// behind is a browser of a node whose issuer is https, behind a proxy that ends TLS.
type behind struct {
	*testing.T
	p       *idptest.IDP
	n       *idptest.Node
	cookies map[string]string
}

// reply is an answer that was read.
type reply struct {
	status         int
	header         http.Header
	body, location string
	cookies        int
}

const secureHost = "login.example.com"

func (b *behind) send(method, path string, form url.Values) reply {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, "http://"+b.n.Addr+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	req.Host = secureHost
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	for _, c := range res.Cookies() {
		b.cookies[c.Name] = c.Value
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		}
	}
	return reply{res.StatusCode, res.Header, string(body), res.Header.Get("Location"), len(res.Cookies())}
}

// answer reads the response at the app.
func (b *behind) answer(location string) url.Values {
	b.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, b.p.RP.URL) {
		b.Fatalf("not at the app: %q", location)
	}
	return u.Query()
}

func (b *behind) authorize(change ...func(url.Values)) string {
	b.Helper()
	u, err := url.Parse(b.p.RP.AuthURL(change...))
	if err != nil {
		b.Fatal(err)
	}
	return b.send(http.MethodGet, "/authorize?"+u.RawQuery, nil).location
}

func (b *behind) signIn() url.Values {
	b.Helper()
	at, _, _ := strings.Cut(b.authorize(), "?")
	res := b.send(http.MethodPost, at+"/login", url.Values{"username": {anna}, "password": {idptest.Password}})
	at = res.location
	b.send(http.MethodPost, at+"/factor", url.Values{"code": {b.p.Code(b, 0)}})
	res = b.send(http.MethodGet, at, nil)
	return b.answer(res.location)
}

// unchanged is what the frame of the app would find (Session Management 1.0 §3.2).
func (b *behind) unchanged(answer url.Values) bool {
	b.Helper()
	hash, salt, ok := strings.Cut(answer.Get("session_state"), ".")
	if !ok || hash == "" || salt == "" || strings.ContainsAny(answer.Get("session_state"), " ") {
		b.Fatalf("session_state %q", answer.Get("session_state"))
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{b.p.RP.ID, b.p.RP.URL, b.cookies["__Host-lg_ss"], salt}, " ")))
	return base64.RawURLEncoding.EncodeToString(sum[:]) == hash
}

// TestSessionState is Session Management 1.0: what an app was told with its answer is unchanged while the sign-in is, also
// by answers to others, and has changed after a sign-out and after another sign-in. The page for its frame may be framed,
// and nothing else may. With an http issuer none of it is there.
func TestSessionState(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	b := &behind{T: t, p: p, n: p.Secure(t, secureHost), cookies: map[string]string{}}
	first := b.signIn()
	if !b.unchanged(first) {
		t.Error("changed right after the sign-in")
	}
	again := b.answer(b.authorize(idptest.With("prompt", "none")))
	if again.Get("session_state") == first.Get("session_state") || !b.unchanged(again) || !b.unchanged(first) {
		t.Errorf("after an answer by the session: %q and %q", first.Get("session_state"), again.Get("session_state"))
	}
	before := b.cookies["__Host-lg_ss"]
	p.NextStep()
	at, _, _ := strings.Cut(b.authorize(idptest.With("prompt", "login")), "?")
	if !b.unchanged(first) {
		t.Error("changed by a sign-in that only began")
	}
	res := b.send(http.MethodPost, at+"/login", url.Values{"username": {anna}, "password": {idptest.Password}})
	b.send(http.MethodPost, res.location+"/factor", url.Values{"code": {p.Code(t, 0)}})
	if b.cookies["__Host-lg_ss"] == before || b.unchanged(first) {
		t.Error("unchanged by another sign-in")
	}
	last := b.answer(b.authorize(idptest.With("prompt", "none")))
	b.send(http.MethodGet, "/logout", nil)
	if !b.unchanged(last) {
		t.Error("changed by the question alone")
	}
	b.send(http.MethodPost, "/logout/confirm", url.Values{"answer": {"sign-out"}})
	if b.unchanged(last) || b.cookies["__Host-lg_ss"] != "" {
		t.Error("unchanged by a sign-out")
	}
	res = b.send(http.MethodGet, "/session/check", nil)
	csp := res.header.Get("Content-Security-Policy")
	if res.status != http.StatusOK || !strings.Contains(res.body, "session-check.js") || strings.Contains(csp, "frame-ancestors") ||
		!strings.Contains(csp, "script-src 'self'") || !strings.Contains(csp, "default-src 'none'") || res.header.Get("X-Frame-Options") != "" || res.cookies != 0 {
		t.Errorf("the page for frames: %d %v %s", res.status, res.header, res.body)
	}
	res = b.send(http.MethodGet, "/.well-known/openid-configuration", nil)
	if !strings.Contains(res.body, `"check_session_iframe":"https://`+secureHost+`/session/check"`) {
		t.Errorf("discovery: %d %s", res.status, res.body)
	}
	plain := p.Browser(t)
	answer := p.RP.Answer(t, plain.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Prove(t, anna))
	if answer.Has("session_state") || plain.Cookie("lg_ss") != "" || plain.Get(t, "/session/check").Status != http.StatusNotFound {
		t.Errorf("with an http issuer: %v", answer)
	}
	if page := plain.Get(t, "/.well-known/openid-configuration"); strings.Contains(page.Body, "check_session_iframe") {
		t.Error("with an http issuer: discovery names the page")
	}
}
