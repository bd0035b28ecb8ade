// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// hearer is the back channel of apps: each has a path, and answers as its name says.
type hearer struct {
	*httptest.Server
	release chan struct{}
	file    string
	mu      sync.Mutex
	heard   map[string][]string
}

func newHearer(t *testing.T) *hearer {
	t.Helper()
	h := &hearer{heard: map[string][]string{}, release: make(chan struct{})}
	h.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		app := strings.TrimPrefix(r.URL.Path, "/")
		if r.Method != http.MethodPost || len(r.PostForm) != 1 || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s is asked by %s with %v", app, r.Method, r.PostForm)
		}
		h.mu.Lock()
		h.heard[app] = append(h.heard[app], r.PostForm.Get("logout_token"))
		h.mu.Unlock()
		switch app {
		case "bad":
			w.WriteHeader(http.StatusBadRequest)
		case "empty":
			w.WriteHeader(http.StatusNoContent)
		case "hangs":
			<-h.release
		}
	}))
	t.Cleanup(h.Close)
	h.file = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(h.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *hearer) allowed(c *config.Config) {
	c.OutgoingAllow, c.OutgoingCAFile = []string{h.Listener.Addr().String(), "127.0.0.1:1"}, h.file
}

func (h *hearer) tokens(app string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.heard[app])
}

// hears waits until an app was told n times, and holds that it is not told more often.
func (h *hearer) hears(t *testing.T, p *idptest.IDP, app string, n int) []string {
	t.Helper()
	if err := p.Node.FlushEnds(t.Context()); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return len(h.tokens(app)) >= n })
	got := h.tokens(app)
	if len(got) != n {
		t.Fatalf("%s was told %d times, want %d", app, len(got), n)
	}
	return got
}

// app registers an app with a back channel at the hearer.
func (h *hearer) app(t *testing.T, p *idptest.IDP, id string, change ...func(*client.Client)) *idptest.RelyingParty {
	t.Helper()
	return p.NewRP(t, id, func(c *client.Client) {
		c.BackchannelURI, c.BackchannelSession = h.URL+"/"+id, true
		for _, f := range change {
			f(c)
		}
	})
}

// read verifies a logout token with the published keys and returns its header and claims.
func read(t *testing.T, p *idptest.IDP, token string) (header, claims map[string]any) {
	t.Helper()
	res, err := http.Get(p.Issuer + "/jwks")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var set jose.JSONWebKeySet
	if err := json.NewDecoder(res.Body).Decode(&set); err != nil {
		t.Fatal(err)
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{"RS256", "ES256"})
	if err != nil {
		t.Fatalf("logout token %q: %v", token, err)
	}
	h := jws.Signatures[0].Protected
	payload, err := jws.Verify(set.Key(h.KeyID)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"alg": h.Algorithm, "typ": h.ExtraHeaders[jose.HeaderType]}, claims
}

// good holds a logout token to Back-Channel Logout 1.0 §2.4.
func good(t *testing.T, p *idptest.IDP, token string, id idptest.Tokens, wantSID bool) map[string]any { //nolint:revive // a test's own wish
	t.Helper()
	header, c := read(t, p, token)
	if header["typ"] != "logout+jwt" {
		t.Errorf("header %v", header)
	}
	names := slices.Sorted(maps.Keys(c))
	want := []string{"aud", "events", "exp", "iat", "iss", "jti", "sub"}
	if wantSID {
		want = []string{"aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"}
	}
	if !slices.Equal(names, want) {
		t.Errorf("claims %v, want %v", names, want)
	}
	iat, _ := c["iat"].(float64)
	exp, _ := c["exp"].(float64)
	if exp-iat <= 0 || exp-iat > 120 || iat > float64(p.Now().Unix()) || iat < float64(p.Now().Add(-time.Minute).Unix()) {
		t.Errorf("iat %v, exp %v at %d", iat, exp, p.Now().Unix())
	}
	events, _ := json.Marshal(c["events"])
	if string(events) != `{"http://schemas.openid.net/event/backchannel-logout":{}}` {
		t.Errorf("events %s", events)
	}
	if c["iss"] != p.Issuer || c["sub"] != id.Claims["sub"] || c["aud"] != id.Claims["aud"] || c["jti"] == "" || (wantSID && c["sid"] != id.Claims["sid"]) {
		t.Errorf("claims %v beside those of the ID token %v", c, id.Claims)
	}
	return c
}

// into signs in at an app.
func into(t *testing.T, b *idptest.Browser, rp *idptest.RelyingParty) idptest.Tokens {
	t.Helper()
	return rp.Exchange(t, b.Get(t, rp.AuthURL()).Prove(t, anna))
}

// TestPR25 is PR-25: an app answers 200, 204, 400, hangs, or is down while its person signs out. The token is right; each
// app is told until it has understood, at most four times and never after; the person waits for none of them, nor does
// one app for another. Three nodes tell each once.
func TestPR25(t *testing.T) {
	h, log := newHearer(t), &idptest.Log{}
	p, nodes, _ := logged3(t, log, h.allowed)
	b := p.Browser(t)
	ids, apps := map[string]idptest.Tokens{}, map[string]*idptest.RelyingParty{
		"ok": h.app(t, p, "ok", func(c *client.Client) { c.IDTokenAlg = "ES256" }), "empty": h.app(t, p, "empty"),
		"bad": h.app(t, p, "bad"), "hangs": h.app(t, p, "hangs"),
		"pair": h.app(t, p, "pair", func(c *client.Client) { c.SubjectType, c.BackchannelSession = client.SubjectPairwise, false }),
		"down": h.app(t, p, "down", func(c *client.Client) { c.BackchannelURI = "https://127.0.0.1:1/down" }),
	}
	for i, id := range slices.Sorted(maps.Keys(apps)) {
		b.At(t, nodes[i%3])
		ids[id] = into(t, b, apps[id])
	}
	into(t, b, p.RP)
	bye := b.Get(t, "/logout?"+url.Values{"id_token_hint": {ids["ok"].Raw}, "post_logout_redirect_uri": {apps["ok"].URL + "/bye"}}.Encode())
	if bye.URL.String() != apps["ok"].URL+"/bye" {
		t.Fatalf("after logout at %s (%d %q)", bye.URL, bye.Status, bye.H1())
	}
	await(t, func() bool { return len(h.tokens("hangs")) == 1 })
	for _, id := range []string{"ok", "empty", "bad"} {
		good(t, p, h.hears(t, p, id, 1)[0], ids[id], true)
	}
	if header, _ := read(t, p, h.tokens("ok")[0]); header["alg"] != "ES256" {
		t.Errorf("alg %v, want that of the ID tokens", header)
	}
	if c := good(t, p, h.hears(t, p, "pair", 1)[0], ids["pair"], false); c["sub"] == ids["ok"].Claims["sub"] {
		t.Error("a pairwise client is told the public subject")
	}
	good(t, p, h.tokens("hangs")[0], ids["hangs"], true)
	close(h.release)
	tries, seen := 1, map[any]bool{}
	for _, wait := range []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute} {
		p.Advance(wait - 5*time.Second)
		h.hears(t, p, "bad", tries)
		p.Advance(8 * time.Second)
		tries++
		for _, token := range h.hears(t, p, "bad", tries)[tries-1:] {
			if c := good(t, p, token, ids["bad"], true); seen[c["jti"]] {
				t.Errorf("jti %v was used before", c["jti"])
			} else {
				seen[c["jti"]] = true
			}
		}
	}
	await(t, func() bool { return strings.Count(log.String(), `"event":"logout.failed"`) == 2 })
	p.Advance(3 * time.Hour)
	h.hears(t, p, "bad", 4)
	for _, id := range []string{"ok", "empty", "pair"} {
		h.hears(t, p, id, 1)
	}
	if n := len(h.tokens("hangs")); n > 2 {
		t.Errorf("an app that hung and then answered was told %d times", n)
	}
	for _, token := range h.tokens("ok") {
		if strings.Contains(log.String(), token) {
			t.Error("the log holds a logout token")
		}
	}
}

// TestEveryEndTells: by whatever way a person's sessions end, the apps of those that ended are told, with the sid of
// their own ID tokens, and those of a session that lives are not.
func TestEveryEndTells(t *testing.T) {
	h := newHearer(t)
	p, nodes, _ := nodes3(t, h.allowed)
	rp := h.app(t, p, "ok")
	told := 0
	for _, c := range []struct {
		what string
		do   func(own *idptest.Browser)
		// other: the act comes from another browser than the app's; both: the app has a session there as well, which ends.
		other, both bool
	}{
		{"its own sign-out", func(own *idptest.Browser) { own.Own(t, anna).Press(t, "#sessions", "Sign out", nil) }, false, false},
		{"sign out everywhere", func(own *idptest.Browser) { own.Own(t, anna).Press(t, "#sessions", "Sign out everywhere", nil) }, true, true},
		{"an admin's disable", func(*idptest.Browser) {
			for _, act := range []authn.Change{authn.Disable, authn.Enable} {
				if _, err := nodes[2].Office.Apply(t.Context(), anna, act, ""); err != nil {
					t.Fatal(err)
				}
			}
		}, true, true},
		{"the question", func(own *idptest.Browser) { own.Get(t, "/logout").Submit(t, nil) }, false, false},
	} {
		p.Advance(5 * time.Minute)
		app := p.BrowserAt(t, nodes[told%3])
		ids := []idptest.Tokens{into(t, app, rp)}
		own := app
		if c.other {
			p.Advance(time.Minute)
			own = p.BrowserAt(t, nodes[1])
			own.Own(t, anna)
		}
		if c.both {
			p.Advance(time.Minute)
			ids = append(ids, into(t, own, rp))
		}
		h.hears(t, p, "ok", told)
		c.do(own)
		told += len(ids)
		got, sids := h.hears(t, p, "ok", told)[told-len(ids):], map[any]bool{}
		for _, token := range got {
			_, claims := read(t, p, token)
			sids[claims["sid"]] = true
		}
		for _, id := range ids {
			if id.Claims["sid"] == nil || !sids[id.Claims["sid"]] {
				t.Errorf("%s: sid %v is not among those told: %v", c.what, id.Claims["sid"], sids)
			}
		}
	}
}

// TestRiseKeepsTheApps: a session whose handle is renewed by a rise keeps the apps it had served. None is told by the
// rise; at the end each is told the sid of its own ID token, and a hint with the older one fits.
func TestRiseKeepsTheApps(t *testing.T) {
	h := newHearer(t)
	p, _, _ := nodes3(t, h.allowed)
	first, second := h.app(t, p, "ok"), h.app(t, p, "empty")
	b := p.Browser(t)
	before := into(t, b, first)
	p.Advance(2 * time.Minute)
	after := second.Exchange(t, b.Get(t, second.AuthURL(idptest.With("prompt", "login"))).Prove(t, anna))
	if before.Claims["sid"] == after.Claims["sid"] {
		t.Fatal("the session was not made anew: the test is worth nothing")
	}
	h.hears(t, p, "ok", 0)
	bye := b.Get(t, "/logout?"+url.Values{"id_token_hint": {before.Raw}, "post_logout_redirect_uri": {first.URL + "/bye"}}.Encode())
	if bye.URL.String() != first.URL+"/bye" {
		t.Fatalf("a hint of before the rise: at %s (%q)", bye.URL, bye.H1())
	}
	good(t, p, h.hears(t, p, "ok", 1)[0], before, true)
	good(t, p, h.hears(t, p, "empty", 1)[0], after, true)
}

// TestLockTells: the lock of a factor, which ends every session, tells their apps, once.
func TestLockTells(t *testing.T) {
	h := newHearer(t)
	p, nodes, _ := nodes3(t, h.allowed, func(c *config.Config) { c.Guesses.Cap, c.Guesses.Free = 5, 9 })
	id := into(t, p.Browser(t), h.app(t, p, "ok"))
	p.Advance(time.Minute)
	page := asked(t, p, nodes[1])
	for i := 0; page.H1() == "Enter your code" && i < 9; i++ {
		h.hears(t, p, "ok", 0)
		page = page.Code(t, fmt.Sprintf("00000%d", i))
		p.Advance(time.Second)
	}
	if !strings.HasPrefix(page.Title(), "Your second step is locked") {
		t.Fatalf("not locked: %q %q", page.Title(), page.Alert())
	}
	good(t, p, h.hears(t, p, "ok", 1)[0], id, true)
}
