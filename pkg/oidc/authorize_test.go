// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// location has the refusal sent and returns the redirect.
func (w *world) location(r *flow.Refusal) *url.URL {
	w.Helper()
	rec := httptest.NewRecorder()
	if err := w.p.Refuse(rec, w.get(), r.Redirect, r.Code); err != nil {
		w.Fatal(err)
	}
	u, err := url.Parse(rec.Header().Get("Location"))
	if err != nil || rec.Code != http.StatusSeeOther {
		w.Fatalf("Refuse() wrote %d %q", rec.Code, rec.Header())
	}
	return u
}

func TestAuthorizeRequest(t *testing.T) {
	w := newWorld(t)
	w.client("app", func(c *client.Client) { c.DefaultACRValues = []string{"x"} })
	q, err := w.p.Authorize(t.Context(), params("app", "prompt", "login consent", "max_age", "0", "login_hint", "ann",
		"ui_locales", "nl-NL <script> en", "unknown", "ignored", "claims", "{\n}", "response_mode", "form_post",
		"lychgate_reason", "pkce"))
	if err != nil {
		t.Fatal(err)
	}
	zero := int64(0)
	want := &flow.Request{
		ClientID: "app", RedirectURI: redirect, ResponseType: "code", ResponseMode: "form_post", State: "st",
		Scopes: []string{"openid", "email", "offline_access"}, Prompt: []string{"login", "consent"}, MaxAge: &zero,
		ACRValues: []string{"x"}, LoginHint: "ann", UILocales: []string{"nl-NL", "en"},
	}
	for _, name := range []string{"unknown", "claims", "lychgate_reason"} {
		if q.Params.Has(name) {
			t.Errorf("Params keeps %s", name)
		}
	}
	want.Params = q.Params
	if diff := cmp.Diff(want, q); diff != "" {
		t.Errorf("Authorize() differs (-want +got):\n%s", diff)
	}
	// The stored parameters are a request again.
	again, err := w.p.Authorize(t.Context(), q.Params)
	if diff := cmp.Diff(q, again); err != nil || diff != "" {
		t.Errorf("Authorize(stored) = %v, differs:\n%s", err, diff)
	}
}

func TestPR02ChallengeRequired(t *testing.T) {
	w := newWorld(t)
	w.client("public", public)
	w.client("secret")
	w.client("excepted", optional)
	for _, tt := range []struct {
		client string
		pairs  []string
		ok     bool
	}{
		{"public", []string{"code_challenge", "", "code_challenge_method", ""}, false},
		{"secret", []string{"code_challenge", "", "code_challenge_method", ""}, false},
		{"excepted", []string{"code_challenge", "", "code_challenge_method", ""}, true},
		{"excepted", []string{"code_challenge", verifier, "code_challenge_method", "plain"}, false},
		{"secret", []string{"code_challenge", challenge(), "code_challenge_method", "plain"}, false},
		{"secret", []string{"code_challenge_method", ""}, false},
		{"secret", []string{"code_challenge_method", "s256"}, false},
		{"excepted", []string{"code_challenge", ""}, false},
		{"secret", []string{"code_challenge", challenge()[:42]}, false},
		{"secret", []string{"code_challenge", challenge()[:42] + "="}, false},
	} {
		_, err := w.p.Authorize(t.Context(), params(tt.client, tt.pairs...))
		if (err == nil) != tt.ok {
			t.Errorf("%s %v: Authorize() = %v, want ok %v", tt.client, tt.pairs, err, tt.ok)
		}
		if !tt.ok {
			if r := w.refusal(params(tt.client, tt.pairs...)); r.Code != "invalid_request" || r.Redirect == nil {
				t.Errorf("%s %v: refusal %s redirect %v", tt.client, tt.pairs, r.Code, r.Redirect != nil)
			}
		}
	}
}

func TestPR05RedirectIsExact(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for _, uri := range []string{
		"", redirect + "/", redirect + "?x=1", redirect + "#", redirect + "/extra", "https://app.example.com:443/cb",
		"https://APP.example.com/cb", "https://app.example.com/x/..;/cb", "https://app.example.com/%63b",
		"https://evil@app.example.com/cb", `https://app.example.com\cb`, redirect + "\t", redirect + "\x00", "//app.example.com/cb",
		"http://app.example.com/cb", "javascript:alert(1)", "https://app.example.com@evil.example/cb",
	} {
		r := w.refusal(params("app", "redirect_uri", uri))
		if r.Redirect != nil || r.Parameter != "redirect_uri" || r.Client != "app" {
			t.Errorf("redirect_uri %q: refusal %+v, want a page", uri, r)
		}
		if uri != "" && strings.Contains(r.Description, uri) {
			t.Errorf("redirect_uri %q is reflected: %q", uri, r.Description)
		}
	}
}

func TestPR07NoRedirectBeforeBothAreRight(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("off", func(c *client.Client) { c.Disabled = true })
	bad := []string{"response_type", "token", "prompt", "none login", "scope", "", "max_age", "x", "request", "e30"}
	for name, in := range map[string]url.Values{
		"unknown client":   params("nobody<script>", bad...),
		"no client":        params("", bad...),
		"disabled client":  params("off", bad...),
		"other redirect":   params("app", append(bad, "redirect_uri", "https://evil.example/")...),
		"two clients":      func() url.Values { v := params("app"); v.Add("client_id", "app"); return v }(),
		"two redirects":    func() url.Values { v := params("app"); v.Add("redirect_uri", "https://evil.example/"); return v }(),
		"client with NUL":  params("app\x00"),
		"redirect too big": params("app", "redirect_uri", redirect+strings.Repeat("a", 3000)),
	} {
		r := w.refusal(in)
		if r.Redirect != nil || strings.ContainsAny(r.Description+r.Parameter+r.Code, "<>") {
			t.Errorf("%s: refusal %+v, want a page without what was sent", name, r)
		}
	}
}

func TestPR15PromptAndHint(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for prompt, ok := range map[string]bool{
		"login": true, "none": true, "consent login": true, "select_account": true,
		"none login": false, "NONE": false, "create": false, "login none": false,
	} {
		_, err := w.p.Authorize(t.Context(), params("app", "prompt", prompt))
		if (err == nil) != ok {
			t.Errorf("prompt %q: Authorize() = %v, want ok %v", prompt, err, ok)
		}
	}
	rec := httptest.NewRecorder()
	q, _ := w.p.Authorize(t.Context(), params("app", "prompt", "none"))
	if err := w.p.Refuse(rec, w.get(), q, "login_required"); err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(rec.Header().Get("Location"))
	want := url.Values{"error": {"login_required"}, "error_description": {"The person must sign in."}, "state": {"st"}, "iss": {issuer}}
	if diff := cmp.Diff(want, u.Query()); diff != "" {
		t.Errorf("error response differs (-want +got):\n%s", diff)
	}
}

func TestPR18IssuerInEveryResponse(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	w.client("query", func(c *client.Client) { c.RedirectURIs = []string{redirect + "?tenant=a%20b"} })
	for _, mode := range []string{"", "query", "form_post"} {
		got := w.answer(w.flow(params("app", "response_mode", mode)))
		if got.Get("iss") != issuer || got.Get("code") == "" || got.Get("state") != "st" {
			t.Errorf("mode %q: success response %v", mode, got)
		}
	}
	u := w.location(w.refusal(params("query", "redirect_uri", redirect+"?tenant=a%20b", "max_age", "x")))
	if u.Query().Get("iss") != issuer || !strings.HasPrefix(u.RawQuery, "tenant=a%20b&error=invalid_request&") {
		t.Errorf("error response %q", u)
	}
	r := w.refusal(params("app", "response_mode", "form_post", "max_age", "x"))
	rec := httptest.NewRecorder()
	if err := w.p.Refuse(rec, w.get(), r.Redirect, r.Code); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(w.posted, [2]string{"iss", issuer}) || rec.Header().Get("Location") != "" {
		t.Errorf("form_post error has fields %v and Location %q", w.posted, rec.Header().Get("Location"))
	}
}

func TestPR19OtherTypesAndGrants(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for _, rt := range []string{"token", "id_token", "id_token token", "code token", "code id_token", "none", "CODE", "code code", "code id_token id_token"} {
		r := w.refusal(params("app", "response_type", rt))
		u := w.location(r)
		if r.Code != "unsupported_response_type" || strings.Contains(u.String(), "access_token") || strings.Contains(u.String(), "code=") {
			t.Errorf("response_type %q: %s, %s", rt, r.Code, u)
		}
	}
	for _, g := range []string{
		"password", "urn:ietf:params:oauth:grant-type:jwt-bearer", "urn:ietf:params:oauth:grant-type:device_code",
		"implicit", "AUTHORIZATION_CODE", "authorization_code refresh_token",
	} {
		w.wantError(g, w.post(w.p.ServeToken, "app", "grant_type", g, "username", "a", "password", "b"), 400, "unsupported_grant_type")
	}
}

func TestPR20RequestObjects(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	none := "eyJhbGciOiJub25lIn0.eyJzdGF0ZSI6ImV2aWwifQ."
	for _, tt := range [][2]string{
		{"request", none},
		{"request", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"},
		{"request", "x"},
		{"request_uri", "https://evil.example/object"},
		{"registration", "{}"},
	} {
		r := w.refusal(params("app", tt[0], tt[1], "scope", "openid"))
		if r.Code != tt[0]+"_not_supported" || r.Redirect == nil || r.Redirect.State != "st" {
			t.Errorf("%s: refusal %+v", tt[0], r)
		}
	}
	two := params("app", "request", none)
	two.Add("request", none)
	if r := w.refusal(two); r.Code != "request_not_supported" {
		t.Errorf("repeated request: refusal %s", r.Code)
	}
}

func TestFZ07HostileParameters(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	long := strings.Repeat("s", 4096)
	for _, state := range []string{long, "a b+c&d=e%41", "\u202eevil", "\U0001F511", `"><script>alert(1)</script>`, "é", "0"} {
		if got := w.answer(w.flow(params("app", "state", state))).Get("state"); got != state {
			t.Errorf("state %q came back as %q", state, got)
		}
		if got := w.answer(w.flow(params("app", "state", state, "response_mode", "form_post"))).Get("state"); got != state {
			t.Errorf("form_post: state %q came back as %q", state, got)
		}
		if got := w.location(w.refusal(params("app", "state", state, "max_age", "x"))).Query().Get("state"); got != state {
			t.Errorf("error: state %q came back as %q", state, got)
		}
	}
	for _, evil := range []string{"a\r\nSet-Cookie: x=y", "a\x00b", "a\nb", "\x7f", "\xff\xfe"} {
		for _, name := range []string{"state", "nonce", "login_hint", "scope", "prompt", "acr_values", "ui_locales", "unknown", "max_age"} {
			r := w.refusal(params("app", name, evil))
			u := w.location(r)
			if r.Code != "invalid_request" || strings.Contains(u.String(), "Cookie") || (name == "state") == u.Query().Has("state") {
				t.Errorf("%s=%q: %s, %s", name, evil, r.Code, u)
			}
		}
	}
	if r := w.refusal(params("app", "state", long+"s")); r.Code != "invalid_request" || r.Redirect.State != "" {
		t.Errorf("state of 4097 bytes: %+v", r)
	}
}

// What the person proved is told as it was, whatever the request asked for.
func TestTruthfulEvidence(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for name, tt := range map[string]struct {
		evidence []authn.Evidence
		acr      string
		amr      []any
	}{
		"password": {nil, authn.ACRPassword, []any{"pwd"}},
		"device":   {[]authn.Evidence{{Method: "otp", At: start(), Device: true}}, authn.ACRPassword, []any{"pwd"}},
		"code":     {[]authn.Evidence{{Method: "otp", At: start()}}, authn.ACRFactor, []any{"pwd", "otp", "mfa"}},
		"recovery": {[]authn.Evidence{{Method: "recovery", At: start()}}, authn.ACRFactor, []any{"pwd", "mfa"}},
	} {
		f := w.flow(params("app"))
		f.Factors, f.PasswordAt = tt.evidence, f.Created.Add(-time.Hour)
		r := w.redeem("app", w.answer(f).Get("code"))
		for where, c := range map[string]map[string]any{
			"ID token": w.verify(r.text("id_token"), "app"), "introspection": w.introspect("app", r.text("access_token")).json,
		} {
			if c["acr"] != tt.acr || !cmp.Equal(c["amr"], any(tt.amr)) || c["auth_time"] != float64(f.PasswordAt.Unix()) {
				t.Errorf("%s: %s has acr %v amr %v auth_time %v", name, where, c["acr"], c["amr"], c["auth_time"])
			}
		}
	}
}

func TestAnswerNeedsAPass(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	f, other := w.flow(params("app")), w.flow(params("app"))
	_, _, pass := flow.Next(other, w.e.Now())
	for name, p := range map[string]flow.Pass{"none": {}, "of another flow": pass} {
		rec := httptest.NewRecorder()
		if err := w.p.Answer(rec, w.get(), f, p); err == nil || rec.Body.Len() > 0 || len(rec.Header()) > 0 {
			t.Errorf("pass %s: Answer() = %v, wrote %v", name, err, rec.Header())
		}
	}
}
