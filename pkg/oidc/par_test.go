// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

const urn = "urn:ietf:params:oauth:request_uri:"

// push pushes a request of id with its secret.
func (w *world) push(id string, pairs ...string) reply {
	w.Helper()
	r := newPost("/par", strings.NewReader(params(id, pairs...).Encode()))
	r.SetBasicAuth(id, secret)
	return w.send(w.p.ServePAR, r)
}

// pushed pushes a good request and returns its request_uri.
func (w *world) pushed(id string, pairs ...string) string {
	w.Helper()
	r := w.push(id, pairs...)
	if r.status != http.StatusCreated || !strings.HasPrefix(r.text("request_uri"), urn) || len(r.text("request_uri")) != len(urn)+43 {
		w.Fatalf("push = %d %s, want 201 and a request_uri", r.status, r.body)
	}
	return r.text("request_uri")
}

func opening(id, uri string, pairs ...string) url.Values {
	v := form("client_id", id, "request_uri", uri)
	for i := 0; i+1 < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return v
}

// A pushed request can be opened until it is answered, and is answered once (RFC 9126 §2.2, §4).
func TestPushedRequest(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	var r reply
	if n := w.trips(func() { r = w.push("app") }); n != 1 {
		t.Errorf("push: %d round trips, want 1", n)
	}
	if r.json["expires_in"] != 300.0 || r.header.Get("Cache-Control") != "no-store" || r.header.Get("Content-Type") != "application/json" {
		t.Errorf("push: %s %v", r.body, r.header)
	}
	uri := w.pushed("app")
	var flows []*flow.Flow
	for range 16 {
		var f *flow.Flow
		if n := w.trips(func() { f = w.flow(opening("app", uri)) }); n != 1 {
			t.Errorf("open: %d round trips, want 1", n)
		}
		flows = append(flows, f)
	}
	q := flows[0].Request
	if q.State != "st" || q.RedirectURI != redirect || q.Params.Get("nonce") != "n-1" || !slices.Equal(q.Scopes, []string{"openid", "email", "offline_access"}) {
		t.Errorf("opened %+v", q)
	}
	// Sixteen tabs, one code.
	var mu sync.Mutex
	var codes []string
	var wg sync.WaitGroup
	for _, f := range flows {
		_, _, pass := flow.Next(f, w.e.Now())
		wg.Go(func() {
			rec := httptest.NewRecorder()
			err := w.p.Answer(rec, w.get(), f, pass)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				u, _ := url.Parse(rec.Header().Get("Location"))
				codes = append(codes, u.Query().Get("code"))
			} else if !errors.Is(err, authn.ErrGone) {
				t.Errorf("Answer() = %v, want gone", err)
			}
		})
	}
	wg.Wait()
	if len(codes) != 1 {
		t.Fatalf("%d of 16 answers had a code, want 1", len(codes))
	}
	if got := w.redeem("app", codes[0]); got.status != 200 {
		t.Errorf("redeem: %d %s", got.status, got.body)
	}
	if r := w.refusal(opening("app", uri)); r.Code != "invalid_request_uri" || r.Redirect != nil {
		t.Errorf("opened after the answer: %+v", r)
	}
	f := w.flow(opening("app", w.pushed("app")))
	if n := w.trips(func() { w.answer(f) }); n != 2 {
		t.Errorf("answer: %d round trips, want 2", n)
	}
}

// TestTrap02 and 36: only what was pushed counts, and a page can be loaded again.
func TestTrap02And36PushedRequests(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	uri := w.pushed("app", "nonce", "", "state", "")
	for range 3 {
		q, err := w.p.Authorize(t.Context(), opening("app", uri, "nonce", "injected", "state", "injected", "prompt", "none", "max_age", "0",
			"redirect_uri", "https://evil.example/cb", "scope", "openid phone", "response_mode", "form_post", "login_hint", "eve", "request", "x",
			"code_challenge", strings.Repeat("x", 43), "response_type", "token", "claims", "{"))
		if err != nil {
			t.Fatal(err)
		}
		if q.State != "" || q.Params.Has("nonce") || len(q.Prompt) != 0 || q.MaxAge != nil || q.RedirectURI != redirect || q.LoginHint != "" ||
			q.ResponseMode != "query" || slices.Contains(q.Scopes, "phone") || q.Params.Get("code_challenge") != challenge() {
			t.Errorf("something came from outside: %+v", q)
		}
	}
}

// TestTrap05: what authenticated the client is not kept, and nothing is taken from the address.
func TestTrap05CredentialsAreNotKept(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("post", func(c *client.Client) { c.AuthMethod = "client_secret_post" })
	w.client("jwt", keyJWT(t, k))
	body := params("post")
	body.Set("client_secret", secret)
	r := w.send(w.p.ServePAR, newPost("/par", strings.NewReader(body.Encode())))
	if q := w.flow(opening("post", r.text("request_uri"))).Request; q.Params.Has("client_secret") {
		t.Errorf("the secret is kept: %v", q.Params)
	}
	for _, aud := range []string{issuer, issuer + "/token", issuer + "/par"} {
		body := params("jwt", "client_assertion_type", assertionType, "client_assertion", k.sign(t, w.claims("jwt", "aud", aud)))
		r := w.send(w.p.ServePAR, newPost("/par", strings.NewReader(body.Encode())))
		if q := w.flow(opening("jwt", r.text("request_uri"))).Request; q.Params.Has("client_assertion") || q.Params.Has("client_assertion_type") {
			t.Errorf("the assertion is kept: %v", q.Params)
		}
	}
	in := newPost("/par?client_id=post&client_secret="+secret, strings.NewReader(params("post").Encode()))
	w.wantError("secret in the address", w.send(w.p.ServePAR, in), 401, "invalid_client")
	in = newPost("/par?"+params("post").Encode(), strings.NewReader(form("client_id", "post", "client_secret", secret).Encode()))
	w.wantError("parameters in the address", w.send(w.p.ServePAR, in), 400, "invalid_request")
}

// What is wrong with a request is said when it is pushed, to the client.
func TestPushedRequestsAreChecked(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	w.client("app")
	w.client("signed", withKeys(t, k), func(c *client.Client) { c.RequireSigned = true })
	w.client("other", withKeys(t, k))
	w.client("machine", machine)
	w.client("public", public)
	for name, tt := range map[string]struct {
		got    reply
		status int
		want   string
	}{
		"request_uri inside":  {w.push("app", "request_uri", w.pushed("app")), 400, "invalid_request"},
		"no address":          {w.push("app", "redirect_uri", ""), 400, "invalid_request"},
		"another address":     {w.push("app", "redirect_uri", redirect+"/x"), 400, "invalid_request"},
		"no challenge":        {w.push("app", "code_challenge", "", "code_challenge_method", ""), 400, "invalid_request"},
		"plain":               {w.push("app", "code_challenge_method", "plain"), 400, "invalid_request"},
		"response type":       {w.push("app", "response_type", "token"), 400, "unsupported_response_type"},
		"scope":               {w.push("app", "scope", "unknown"), 400, "invalid_scope"},
		"prompt":              {w.push("app", "prompt", "none login"), 400, "invalid_request"},
		"hint":                {w.push("app", "id_token_hint", "x"), 400, "invalid_request"},
		"object without keys": {w.push("app", "request", "e30.e30.AA"), 400, "request_not_supported"},
		"another client_id":   {w.push("app", "client_id", "other"), 401, "invalid_client"},
		"no authorization":    {w.push("machine", "scope", "api.read"), 400, "invalid_request"},
		"unsigned":            {w.push("signed"), 400, "invalid_request"},
		"signed by another":   {w.push("signed", "request", k.sign(t, w.object("other"))), 400, "invalid_request_object"},
		"alg none":            {w.push("signed", "request", "eyJhbGciOiJub25lIn0.e30."), 400, "invalid_request_object"},
		"wrong secret":        {w.post(w.p.ServePAR, "nobody", "response_type", "code"), 401, "invalid_client"},
		"no client":           {w.post(w.p.ServePAR, "", "response_type", "code"), 401, "invalid_client"},
	} {
		w.wantError(name, tt.got, tt.status, tt.want)
	}
	if got := w.send(w.p.ServePAR, httptest.NewRequest(http.MethodPut, issuer+"/par", nil)); got.status != http.StatusMethodNotAllowed {
		t.Errorf("PUT: %d", got.status)
	}
	uri := w.pushed("signed", "request", k.sign(t, w.object("signed", "state", "inside")), "state", "outside")
	if q := w.flow(opening("signed", uri)).Request; q.State != "inside" {
		t.Errorf("signed: state %q", q.State)
	}
	r := w.send(w.p.ServePAR, newPost("/par", strings.NewReader(params("public").Encode())))
	if r.status != 201 {
		t.Errorf("public client: %d %s", r.status, r.body)
	}
	w.e.SetError("away")
	w.wantError("store away", w.push("app"), 503, "temporarily_unavailable")
	if _, err := w.p.Authorize(t.Context(), opening("app", uri)); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("store away: Authorize() = %v", err)
	}
}

// A pushed request is its client's, for its time, as long as the client is what it was.
func TestPushedRequestsAreBound(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("other")
	w.client("must", func(c *client.Client) { c.RequirePushed = true })
	uri := w.pushed("app")
	for name, in := range map[string]url.Values{
		"another client":        opening("other", uri),
		"with a good address":   opening("other", uri, "redirect_uri", redirect, "state", "s"),
		"unknown":               opening("app", urn+strings.Repeat("A", 43)),
		"no id":                 opening("app", urn),
		"another spelling":      opening("app", uri+"="),
		"with another address":  opening("app", urn+"x", "redirect_uri", "https://evil.example/cb"),
		"unknown and an answer": opening("app", urn+"x", "redirect_uri", redirect, "state", "s"),
	} {
		r := w.refusal(in)
		if answers := in.Get("redirect_uri") == redirect; r.Code != "invalid_request_uri" || (r.Redirect != nil) != answers {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if _, err := w.p.Authorize(t.Context(), form("request_uri", uri)); err == nil {
		t.Error("no client_id: accepted")
	}
	if r := w.refusal(params("must")); r.Code != "invalid_request" || r.Redirect == nil || r.Redirect.State != "st" {
		t.Errorf("not pushed though it must be: %+v", r)
	}
	w.answer(w.flow(opening("must", w.pushed("must"))))
	// In time is in time: who opened it at 4:59 has ten minutes to sign in.
	uri = w.pushed("app")
	w.e.Advance(299 * time.Second)
	f := w.flow(opening("app", uri))
	w.e.Advance(2 * time.Second)
	if r := w.refusal(opening("app", uri)); r.Code != "invalid_request_uri" {
		t.Errorf("after 5 minutes: %+v", r)
	}
	w.e.Advance(9 * time.Minute)
	if w.answer(f).Get("code") == "" {
		t.Error("no code for a flow that began in time")
	}
	// An error is an answer too.
	uri = w.pushed("app")
	f = w.flow(opening("app", uri))
	if err := w.p.Refuse(httptest.NewRecorder(), w.get(), &f.Request, "access_denied"); err != nil {
		t.Fatal(err)
	}
	if r := w.refusal(opening("app", uri)); r.Code != "invalid_request_uri" {
		t.Errorf("opened after a no: %+v", r)
	}
	uri = w.pushed("app")
	w.client("app", func(c *client.Client) { c.RedirectURIs = []string{"https://app.example.com/new"} })
	if r := w.refusal(opening("app", uri)); r.Redirect != nil {
		t.Errorf("the client's address has changed: %+v", r)
	}
}
