// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/outgoing"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

const (
	issuer   = "https://id.example.com"
	redirect = "https://app.example.com/cb"
	secret   = "lgcs_0123456789012345678901234567890123456789012"
	verifier = "verifier-verifier-verifier-verifier-verifier-1"
)

func start() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

func challenge() string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// world is a provider on a real store inside the process, with a clock that stands.
type world struct {
	*testing.T
	e    *embedded.Embedded
	s    *store.Store
	ring *keys.Ring
	p    *oidc.Provider
	log  *syncBuffer
	acc  authn.Account
	// sources are what clients registered the address of; a test puts one in.
	sources switched
	// posted are the fields of the last form_post answer.
	posted [][2]string
}

type switched struct{ oidc.Sources }

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// ringRecord is made once: RSA keys take their time.
var ringRecord = sync.OnceValues(func() ([]byte, error) {
	e, s, err := open()
	if err != nil {
		return nil, err
	}
	defer e.Close()
	defer s.Close()
	if err := keys.New(keys.Config{Store: s.SigningKeys(), Now: start}).Refresh(context.Background()); err != nil {
		return nil, err
	}
	b, _, err := s.SigningKeys().LoadKeys(context.Background())
	return b, err
})

func open() (*embedded.Embedded, *store.Store, error) {
	e, err := embedded.StartManual(start())
	if err != nil {
		return nil, nil, err
	}
	k, err := seal.NewKey(nil)
	if err != nil {
		return nil, nil, err
	}
	r, err := seal.NewRing(k)
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(context.Background(), store.Config{
		Addrs: []string{e.Addr()}, Embedded: true, Ring: r, Now: e.Now,
		IndexKey: make([]byte, 32), PairwiseKey: make([]byte, 32), Pepper: make([]byte, 32),
	})
	return e, s, err
}

func digest(s string) string { return seal.Digest(make([]byte, 32), s) }

func newWorld(t *testing.T) *world {
	t.Helper()
	e, s, err := open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		e.Close()
	})
	w := &world{T: t, e: e, s: s, log: &syncBuffer{}}
	w.sources.Sources = outgoing.New(outgoing.Config{Now: e.Now})
	record, err := ringRecord()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SigningKeys().SaveKeys(t.Context(), record, 0); err != nil {
		t.Fatal(err)
	}
	w.ring = keys.New(keys.Config{Store: s.SigningKeys(), Now: e.Now})
	if err := w.ring.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	w.p, err = oidc.New(oidc.Config{
		Issuer: issuer, Clients: s.Clients(), Grants: s.Grants(), Proofs: s.Proofs(), Pushed: s.Pushed(), Sources: &w.sources, Keys: w.ring, Digest: digest,
		Pairwise: func(sector, id string) string { return seal.Pairwise(make([]byte, 32), sector, id) },
		Audit:    audit.New(logger, e.Now, nil), Now: e.Now, Log: logger,
		FormPost: func(rw http.ResponseWriter, _ *http.Request, action string, fields [][2]string, _ []string) error {
			w.posted = append([][2]string{{"action", action}}, fields...)
			_, err := rw.Write([]byte("form"))
			return err
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.acc, err = s.Accounts().Create(t.Context(), authn.NewAccount{
		Name: "ann@example.com", PasswordRecord: "x", Profile: authn.Profile{Claims: map[string]any{
			"name": "Ann", "email": "ann@example.com", "email_verified": true, "updated_at": 1700000000,
			"nickname": "", "phone_number": 31, "address": map[string]any{"locality": "Utrecht", "x": "y"}, "secret": "s",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// client registers a client with the secret above, changed as said.
func (w *world) client(id string, change ...func(*client.Client)) *client.Client {
	w.Helper()
	c := &client.Client{
		ID: id, Company: "acme", RedirectURIs: []string{redirect}, GrantTypes: []string{"authorization_code", "refresh_token"},
		PostLogoutRedirectURIs: []string{"https://app.example.com/bye"}, Secrets: []client.Secret{{Digest: digest(secret)}},
	}
	for _, f := range change {
		f(c)
	}
	client.Defaults(c)
	if err := client.Validate(c); err != nil {
		w.Fatal(err)
	}
	if err := w.s.Clients().PutClient(w.Context(), c); err != nil {
		w.Fatal(err)
	}
	return c
}

func public(c *client.Client)   { c.AuthMethod, c.Secrets = "none", nil }
func optional(c *client.Client) { c.PKCE = "optional" }
func jwtAccess(c *client.Client) {
	c.AccessTokenFormat = "at+jwt"
}
func alg(a string) func(*client.Client) { return func(c *client.Client) { c.IDTokenAlg = a } }
func everyType(c *client.Client) {
	c.GrantTypes, c.ResponseTypes = append(c.GrantTypes, "implicit"), client.ResponseTypes()
}
func thirdParty(c *client.Client) { c.Company = "" }
func machine(c *client.Client) {
	c.GrantTypes, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scope = []string{"client_credentials"}, nil, nil, "openid api.read api.write"
}

// params are those of a good authorization request, changed by pairs of name and value; an empty value removes.
func params(clientID string, pairs ...string) url.Values {
	v := url.Values{
		"client_id": {clientID}, "redirect_uri": {redirect}, "response_type": {"code"},
		"scope": {"openid email offline_access"}, "state": {"st"}, "nonce": {"n-1"},
		"code_challenge": {challenge()}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
		if pairs[i+1] == "" {
			v.Del(pairs[i])
		}
	}
	return v
}

// refusal is the refusal of an authorization request.
func (w *world) refusal(in url.Values) *flow.Refusal {
	w.Helper()
	q, err := w.p.Authorize(w.Context(), in)
	var r *flow.Refusal
	if !errors.As(err, &r) {
		w.Fatalf("Authorize() = %+v, %v, want a refusal", q, err)
	}
	return r
}

// flow is a flow that passes every rule, as of a password given now.
func (w *world) flow(in url.Values) *flow.Flow {
	w.Helper()
	q, err := w.p.Authorize(w.Context(), in)
	if err != nil {
		w.Fatalf("Authorize() = %v, want a request", err)
	}
	a := w.acc
	return &flow.Flow{
		Request: *q, Created: w.e.Now(), Account: &a, AccountName: a.Name, Epoch: a.Epoch, PasswordGen: a.PasswordGen,
		Subject: a.ID, PasswordAt: w.e.Now(), Policy: flow.Policy{Factor: flow.FactorOptional, Allowed: true},
	}
}

func (w *world) get() *http.Request {
	return httptest.NewRequestWithContext(w.Context(), http.MethodGet, issuer+"/authorize", nil)
}

// answer has the flow answered and returns the fields of the response.
func (w *world) answer(f *flow.Flow) url.Values {
	w.Helper()
	step, _, pass := flow.Next(f, w.e.Now())
	if step != flow.StepDone {
		w.Fatalf("Next() = %s, want done", step)
	}
	rec := httptest.NewRecorder()
	if err := w.p.Answer(rec, w.get(), f, pass); err != nil {
		w.Fatalf("Answer() = %v", err)
	}
	if f.Request.ResponseMode == "form_post" {
		out := url.Values{}
		for _, p := range w.posted {
			out.Set(p[0], p[1])
		}
		return out
	}
	if rec.Code != http.StatusSeeOther {
		w.Fatalf("Answer() wrote %d, want 303", rec.Code)
	}
	u, err := url.Parse(rec.Header().Get("Location"))
	if err != nil {
		w.Fatal(err)
	}
	if f.Request.ResponseMode == "fragment" {
		q, err := url.ParseQuery(u.EscapedFragment())
		if u.RawQuery != "" || err != nil {
			w.Errorf("Answer() in the fragment has a query %q, and %v", u.RawQuery, err)
		}
		return q
	}
	return u.Query()
}

// tryAnswer has the flow answered and returns the error.
func (w *world) tryAnswer(f *flow.Flow) error {
	w.Helper()
	_, _, pass := flow.Next(f, w.e.Now())
	return w.p.Answer(httptest.NewRecorder(), w.get(), f, pass)
}

// wait lets a second pass, after which every node sees a change of the registry.
func (w *world) wait() { w.e.Advance(2 * time.Second) }

// find returns a registered client.
func (w *world) find(id string) *client.Client {
	w.Helper()
	c, err := w.s.Clients().Client(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

func (w *world) code(clientID string, pairs ...string) string {
	w.Helper()
	return w.answer(w.flow(params(clientID, pairs...))).Get("code")
}

// reply is an answer of a protocol endpoint.
type reply struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (r reply) text(name string) string {
	s, _ := r.json[name].(string)
	return s
}

type handler func(http.ResponseWriter, *http.Request) error

func (w *world) send(h handler, r *http.Request) reply {
	w.Helper()
	rec := httptest.NewRecorder()
	if err := h(rec, r.WithContext(w.Context())); err != nil {
		w.Fatalf("%s: handler error %v", r.URL.Path, err)
	}
	out := reply{status: rec.Code, header: rec.Header(), body: rec.Body.String()}
	_ = json.Unmarshal(rec.Body.Bytes(), &out.json)
	return out
}

func newPost(path string, body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, issuer+path, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return r
}

// form makes values of pairs.
func form(pairs ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v
}

// post sends pairs as clientID with the secret by client_secret_basic; without the header for an empty clientID.
func (w *world) post(h handler, clientID string, pairs ...string) reply {
	w.Helper()
	r := newPost("/x", strings.NewReader(form(pairs...).Encode()))
	if clientID != "" {
		r.SetBasicAuth(url.QueryEscape(clientID), url.QueryEscape(secret))
	}
	return w.send(h, r)
}

func (w *world) redeem(clientID, code string, pairs ...string) reply {
	w.Helper()
	args := []string{"grant_type", "authorization_code", "code", code}
	base := map[string]string{"redirect_uri": redirect, "code_verifier": verifier}
	for i := 0; i < len(pairs); i += 2 {
		base[pairs[i]] = pairs[i+1]
	}
	for k, v := range base {
		args = append(args, k, v)
	}
	return w.post(w.p.ServeToken, clientID, args...)
}

// refresh refreshes a token of the client app.
func (w *world) refresh(token string, pairs ...string) reply {
	w.Helper()
	return w.post(w.p.ServeToken, "app", append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
}

func (w *world) introspect(clientID, token string) reply {
	w.Helper()
	return w.post(w.p.ServeIntrospect, clientID, "token", token)
}

func (w *world) userinfo(token string) reply {
	w.Helper()
	r := httptest.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return w.send(w.p.ServeUserinfo, r)
}

// tokens signs in at the client and redeems the code.
func (w *world) tokens(clientID string, pairs ...string) reply {
	w.Helper()
	r := w.redeem(clientID, w.code(clientID, pairs...))
	if r.status != http.StatusOK {
		w.Fatalf("token endpoint = %d %s, want 200", r.status, r.body)
	}
	return r
}

// wantError asserts a protocol error with a fixed text.
func (w *world) wantError(what string, r reply, status int, code string) {
	w.Helper()
	if r.status != status || r.text("error") != code {
		w.Errorf("%s: got %d %s, want %d %s", what, r.status, r.body, status, code)
	}
	for _, c := range r.text("error_description") {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.Errorf("%s: error_description %q has a character outside RFC 6749", what, r.text("error_description"))
		}
	}
	if r.header.Get("Cache-Control") != "no-store" {
		w.Errorf("%s: Cache-Control %q, want no-store", what, r.header.Get("Cache-Control"))
	}
}

// verify checks an ID token with go-oidc on the published keys and returns its claims.
func (w *world) verify(token, clientID string) map[string]any {
	w.Helper()
	set := w.send(w.p.ServeJWKS, httptest.NewRequest(http.MethodGet, issuer+"/jwks", nil))
	v := gooidc.NewVerifier(issuer, keySet(set.body), &gooidc.Config{
		ClientID: clientID, Now: w.e.Now, SupportedSigningAlgs: keys.Algs(),
	})
	id, err := v.Verify(w.Context(), token)
	if err != nil {
		w.Fatalf("go-oidc: Verify() = %v", err)
	}
	out := map[string]any{}
	if err := id.Claims(&out); err != nil {
		w.Fatal(err)
	}
	return out
}

// segment decodes a part of a JWT.
func segment(t *testing.T, token string, i int) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a JWT", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[i])
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// trips says how many round trips f makes.
func (w *world) trips(f func()) uint64 {
	n := w.s.Trips()
	f()
	return w.s.Trips() - n
}

// back ends the store's outage and waits until the store's guard has seen that.
func (w *world) back() {
	w.Helper()
	w.e.SetError("")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		if len(w.s.Ready(w.Context())) == 0 {
			return
		}
		<-tick.C
	}
	w.Fatal("the store does not come back within 5 s")
}
