// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/lychgate/lychgate/pkg/client"
)

func benchDigest(secret string) string {
	m := hmac.New(sha256.New, []byte("pepper"))
	_, _ = m.Write([]byte(secret))
	return hex.EncodeToString(m.Sum(nil))
}

func BenchmarkClientSecret(b *testing.B) {
	p := &Provider{cfg: Config{Digest: benchDigest, Now: time.Now}}
	c := &client.Client{ID: "app", Secrets: []client.Secret{{Digest: benchDigest("old")}, {Digest: benchDigest("secret")}}}
	form := url.Values{"grant_type": {"client_credentials"}}
	r := httptest.NewRequest("POST", "/token", nil)
	r.SetBasicAuth("app", "secret")
	b.ReportAllocs()
	for b.Loop() {
		got, problem := shown(r, form)
		if problem == "" {
			problem, _ = p.check(c, got)
		}
		if problem != "" {
			b.Fatal(problem)
		}
	}
}

// Whatever is sent, the reader of parameters keeps single, clean, bounded values only.
func FuzzAuthorizeParams(f *testing.F) { //nolint:gocognit // a table read from top to bottom
	f.Add("client_id=a&redirect_uri=https://a.example&state=x&max_age=0&prompt=none+login&scope=openid")
	f.Add("state=%00&state=b&nonce=%ff&claims={%0a}&code_challenge=x&request=e30&max_age=99999999999999999999")
	c := &client.Client{ID: "a", Scope: "openid email", GrantTypes: []string{"authorization_code"}, PKCE: "optional"}
	p := &Provider{}
	f.Fuzz(func(t *testing.T, query string) {
		in, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		q := readParams(in)
		for name, v := range q.values {
			control := name != "claims" && strings.ContainsAny(v, "\x00\r\n\x7f")
			if len(in[name]) != 1 || in[name][0] != v || !utf8.ValidString(v) || control || len(v) > limit(name) {
				t.Errorf("kept %q = %q of %q", name, v, in[name])
			}
		}
		req := q.base(c)
		if q.has("id_token_hint") {
			return
		}
		if fault := p.fill(c, q, &req); fault != nil {
			if fault.text() == "" || fault.detail == "" {
				t.Errorf("fault without a text: %+v", fault)
			}
			return
		}
		if req.MaxAge != nil && *req.MaxAge < 0 || !slices.Contains(req.Scopes, "openid") && !slices.Contains(req.Scopes, "email") {
			t.Errorf("accepted %+v", req)
		}
		again := readParams(req.Params)
		second := again.base(c)
		if fault := p.fill(c, again, &second); fault != nil {
			t.Errorf("stored parameters are refused: %v", fault)
		}
	})
}

func FuzzTokenForm(f *testing.F) {
	f.Add("grant_type=authorization_code&code=x&code_verifier=y")
	f.Add("grant_type=refresh_token&refresh_token=x&scope=a+b&scope=c")
	f.Fuzz(func(t *testing.T, body string) {
		form, fault := parseForm(body)
		if fault != nil {
			return
		}
		for name, v := range form {
			if (len(v) != 1 && name != "resource") || bad(v[0]) || v[0] == "" {
				t.Errorf("kept %q = %q", name, v)
			}
		}
		_ = checkCode(form)
		_ = checkRefresh(&work{form: form})
		_ = checkCredentials(&work{form: form, client: &client.Client{Scope: "openid a b"}})
	})
}

// Whatever is sent as a JWT, what is read is bounded and of a listed algorithm, and what it says as a request can be read
// as parameters.
func FuzzForeign(f *testing.F) {
	f.Add("eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.eyJpc3MiOiJhIiwibWF4X2FnZSI6MSwiY2xhaW1zIjp7fX0.AAAA")
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCJ9.eyJhdWQiOlsiYSJdLCJleHAiOjF9.AA")
	f.Fuzz(func(t *testing.T, token string) {
		got, err := readForeign(token, maxJWT, assertionAlgs())
		if err != nil {
			return
		}
		if !slices.Contains(assertionAlgs(), got.alg) || len(token) > maxJWT || len(got.claims) > maxClaimMembers {
			t.Errorf("read %+v of %q", got, token)
		}
		if got.verifiedBy([]byte(strings.Repeat("k", 32))) {
			t.Errorf("%q is signed by a key that nobody has", token)
		}
		_, _ = got.timing(time.Unix(1763802000, 0))
		_ = got.audience()
		if values, ok := objectParams(got.claims); ok {
			for name, v := range values {
				if len(v) != 1 || limit(name) == 0 {
					t.Errorf("parameter %q = %q", name, v)
				}
			}
		}
	})
}

func FuzzBasic(f *testing.F) {
	f.Add("Basic YTpi")
	f.Add("basic YSUyNWI6Yys=")
	f.Fuzz(func(t *testing.T, header string) {
		if c, ok := basic(header); ok && (c.id == "" || bad(c.id) || bad(c.secret) || c.method != client.AuthBasic) {
			t.Errorf("basic(%q) = %+v", header, c)
		}
	})
}

func TestDescribeIsASCII(t *testing.T) {
	for _, code := range []string{
		codeInvalidRequest, codeInvalidClient, codeInvalidGrant, codeInvalidScope, codeInvalidToken, codeInsufficientScope,
		codeUnauthorizedClient, codeUnsupportedGrant, codeUnsupportedType, codeUnsupportedToken, codeServerError,
		codeUnavailable, reasonDuplicate, reasonCharacters, reasonLength, reasonTypeMissing, reasonMode,
		reasonChallengeMissing, reasonChallenge, reasonPrompt, reasonMaxAge, reasonHint, reasonMethod, reasonForm,
		reasonMissing, "login_required", "interaction_required", "consent_required", "access_denied", "anything else",
		"request_not_supported", "request_uri_not_supported", "registration_not_supported",
		codeInvalidObject, codeInvalidRequestURI, reasonUnsigned, reasonTwoRequests, reasonUnpushed, reasonPushedURI, "account_selection_required", "unmet_authentication_requirements",
	} {
		text := describe(code)
		if text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' }) {
			t.Errorf("describe(%s) = %q", code, text)
		}
	}
}

// TestTrap24: no getter of fosite's configuration is left to assign a default while requests are served.
func TestTrap24NothingIsAssignedLater(t *testing.T) {
	p := &Provider{}
	e := newEngine(p)
	c, ok := e.f.Config.(*fositeConfig)
	if !ok {
		t.Fatal("another configuration is in use")
	}
	if c.ScopeStrategy == nil || c.AudienceMatchingStrategy == nil || c.ClientSecretsHasher == nil || c.ClientAuthenticationStrategy == nil ||
		c.RedirectSecureChecker == nil || c.RefreshTokenScopes == nil || c.JWKSFetcherStrategy != nil {
		t.Errorf("a field is not set: %+v", c.Config)
	}
	ctx := t.Context()
	_ = c.GetJWKSFetcherStrategy(ctx)
	if c.JWKSFetcherStrategy != nil {
		t.Error("a fetcher of keys was made")
	}
	if c.GetSecretsHasher(ctx).Compare(ctx, nil, nil) == nil {
		t.Error("an empty secret matches an empty digest")
	}
	if c.GetSendDebugMessagesToClients(ctx) || c.GetUseLegacyErrorFormat(ctx) || c.GetEnablePKCEPlainChallengeMethod(ctx) {
		t.Error("a dangerous setting is on")
	}
}
