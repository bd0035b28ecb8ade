// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// claims is the parameter of OIDC Core §5.5 with what is asked of the ID token.
func claims(idToken string) func(url.Values) {
	return idptest.With("claims", `{"id_token":{`+idToken+`}}`)
}

func essentialACR(values ...string) func(url.Values) {
	return claims(`"acr":{"essential":true,"values":["` + strings.Join(values, `","`) + `"]}`)
}

func evidenceAge(ages string) func(url.Values) {
	return claims(`"lg_evidence":{"max_age":{` + ages + `}}`)
}

// entry is one of lg_evidence.
func entry(method string, at time.Time, how string) map[string]any {
	e := map[string]any{"method": method, "at": float64(at.Unix())}
	if how != "" {
		e["how"] = how
	}
	return e
}

func userinfo(t *testing.T, rp *idptest.RelyingParty, tok idptest.Tokens) map[string]any {
	t.Helper()
	info, err := rp.Discover(t).UserInfo(t.Context(), oauth2.StaticTokenSource(tok.Token))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]any{}
	if err := info.Claims(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// payload reads the claims of a JWT that somebody else has verified.
func payload(t *testing.T, token string) map[string]any {
	t.Helper()
	out := map[string]any{}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is not a JWT", token)
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// place is where an app can read of a sign-in.
type place struct {
	name   string
	claims map[string]any
}

// wantProof compares what one place says of a sign-in.
func wantProof(t *testing.T, at time.Time, amr string, p place, evidence ...any) {
	t.Helper()
	where, got := p.name, p.claims
	acr := authn.ACRPassword
	if strings.HasSuffix(amr, "mfa") {
		acr = authn.ACRFactor
	}
	if got["acr"] != acr || strings.Join(list(got["amr"]), " ") != amr || got["auth_time"] != float64(at.Unix()) {
		t.Errorf("%s: acr %v amr %v auth_time %v, want %s, %s, %d", where, got["acr"], got["amr"], got["auth_time"], acr, amr, at.Unix())
	}
	if diff := cmp.Diff(evidence, got["lg_evidence"]); diff != "" {
		t.Errorf("%s: lg_evidence differs (-want +got):\n%s", where, diff)
	}
}

// TestRD08PR17StepUp is RD-08, PR-17 and RFC 9470 §4: what a remembered sign-in proves is said truthfully wherever an
// app can read it, and an app that was told insufficient_user_authentication gets what it asks for.
func TestRD08PR17StepUp(t *testing.T) {
	p, b := enrolled(t)
	jwt := p.NewRP(t, "jwt", func(c *client.Client) { c.AccessTokenFormat = "at+jwt" })
	ticked := p.Now()
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	p.Advance(25 * time.Hour)
	signed := p.Now()
	device := []any{entry("pwd", signed, ""), entry("otp", ticked, "device")}
	tok := jwt.Exchange(t, b.Get(t, jwt.AuthURL(idptest.With("scope", "openid offline_access"))).Login(t, anna, idptest.Password))
	wantProof(t, signed, "pwd", place{"RD-08: ID token", tok.Claims}, device...)
	wantProof(t, signed, "pwd", place{"RD-08: at+jwt", payload(t, tok.AccessToken)}, device...)
	wantProof(t, signed, "pwd", place{"RD-08: introspection", jwt.Introspect(t, tok.AccessToken)}, device...)
	if diff := cmp.Diff(device, userinfo(t, jwt, tok)["lg_evidence"]); diff != "" {
		t.Errorf("RD-08: userinfo differs (-want +got):\n%s", diff)
	}

	p.Advance(10 * time.Minute)
	mfa := idptest.With("acr_values", authn.ACRFactor)
	if got := jwt.Answer(t, b.Get(t, jwt.AuthURL(mfa, idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
		t.Errorf("prompt=none: %v", got)
	}
	page := b.Get(t, jwt.AuthURL(mfa, idptest.With("scope", "openid offline_access")))
	wantPage(t, page, 200, "Enter your code")
	risen := p.Now()
	fresh := []any{entry("pwd", signed, ""), entry("otp", risen, "fresh")}
	tok = jwt.Exchange(t, page.Code(t, p.Code(t, 0)))
	wantProof(t, signed, "pwd otp mfa", place{"PR-17: ID token", tok.Claims}, fresh...)
	wantProof(t, signed, "pwd otp mfa", place{"PR-17: at+jwt", payload(t, tok.AccessToken)}, fresh...)
	wantProof(t, signed, "pwd otp mfa", place{"PR-17: introspection", jwt.Introspect(t, tok.AccessToken)}, fresh...)
	wantProof(t, signed, "pwd otp mfa", place{"PR-17: introspection of the refresh token", jwt.Introspect(t, tok.RefreshToken)}, fresh...)

	p.Advance(time.Hour)
	status, body := jwt.Refresh(t, tok.RefreshToken)
	again, _ := body["id_token"].(string)
	if status != 200 || again == "" {
		t.Fatalf("refresh: %d %v", status, body)
	}
	wantProof(t, signed, "pwd otp mfa", place{"refreshed ID token", payload(t, again)}, fresh...)

	// RFC 9470 §4: the other challenge. The password again, the session's code is too old for it as well.
	opaque := b.Get(t, p.RP.AuthURL(mfa, idptest.With("max_age", "60")))
	wantPage(t, opaque, 200, "Sign in")
	signed = p.Now()
	opaque = opaque.Login(t, anna, idptest.Password)
	wantPage(t, opaque, 200, "Enter your code")
	tok = p.RP.Exchange(t, opaque.Code(t, p.Code(t, 0)))
	wantProof(t, signed, "pwd otp mfa", place{"max_age: introspection", p.RP.Introspect(t, tok.AccessToken)},
		entry("pwd", signed, ""), entry("otp", signed, "fresh"))
}

// TestPR17Unmet is PR-17: an essential acr that cannot be reached is an error, which asks nobody for anything in vain.
func TestPR17Unmet(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddCompany(t, company.Company{ID: "free", Name: "Free Choice", SecondFactor: "optional"})
	p.AddAccount(t, sam, "plain")
	p.AddAccount(t, bert, "free")
	none := idptest.With("prompt", "none")
	unmet := func(name string, page *idptest.Page) {
		t.Helper()
		if got := p.RP.Answer(t, page); got.Get("error") != "unmet_authentication_requirements" || got.Get("code") != "" || got.Get("state") == "" {
			t.Errorf("%s: %v", name, got)
		}
	}
	wantError := func(name string, page *idptest.Page, want string) {
		t.Helper()
		if got := p.RP.Answer(t, page); got.Get("error") != want {
			t.Errorf("%s: %v, want %s", name, got, want)
		}
	}
	b := p.Browser(t)
	hardware := essentialACR("urn:example:hardware", "0")
	unmet("unknown, no session", b.Get(t, p.RP.AuthURL(hardware)))
	unmet("unknown, prompt=none, no session", b.Get(t, p.RP.AuthURL(hardware, none)))
	mfa := essentialACR("urn:example:hardware", authn.ACRFactor)
	wantError("mfa, prompt=none, no session", b.Get(t, p.RP.AuthURL(mfa, none)), "login_required")
	unmet("policy off", b.Get(t, p.RP.AuthURL(mfa)).Login(t, sam, idptest.Password))
	if b.Cookie("lg_s") != "" {
		t.Errorf("a session exists after an error")
	}
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, sam, idptest.Password))
	unmet("policy off, session", b.Get(t, p.RP.AuthURL(mfa)))
	unmet("policy off, session, prompt=none", b.Get(t, p.RP.AuthURL(mfa, none)))
	tok := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(essentialACR(authn.ACRFactor, authn.ACRPassword))))
	if tok.Claims["acr"] != authn.ACRPassword {
		t.Errorf("one essential value reached: acr %v", tok.Claims["acr"])
	}

	other := p.Browser(t)
	p.RP.Exchange(t, other.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password))
	wantError("may be set up, prompt=none", other.Get(t, p.RP.AuthURL(mfa, none)), "interaction_required")
	setup := other.Get(t, p.RP.AuthURL(mfa))
	wantPage(t, setup, 200, "Secure your account")
	code := idptest.CodeOf(t, idptest.SecretOf(t, setup.Find("#totp-key").Text()), p.Now())
	tok = p.RP.Exchange(t, setup.Code(t, code).Submit(t, nil))
	if tok.Claims["acr"] != authn.ACRFactor {
		t.Errorf("set up for an essential acr: acr %v", tok.Claims["acr"])
	}
}

// TestEvidenceAge: a per-factor age asks again for what is too old, once.
func TestEvidenceAge(t *testing.T) {
	p, b := enrolled(t)
	first := p.Now()
	signIn(t, p, b)
	p.Advance(269 * time.Second)
	tok := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(evidenceAge(`"otp":300,"hwk":60`))))
	wantProof(t, first, "pwd otp mfa", place{"young enough", tok.Claims}, entry("pwd", first, ""), entry("otp", first, "fresh"))
	p.Advance(2 * time.Second)
	for _, age := range []string{`"otp":300`, `"otp":0`} {
		page := b.Get(t, p.RP.AuthURL(evidenceAge(age)))
		wantPage(t, page, 200, "Enter your code")
		at := p.Now()
		tok = p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
		wantProof(t, first, "pwd otp mfa", place{age, tok.Claims}, entry("pwd", first, ""), entry("otp", at, "fresh"))
		p.NextStep()
	}
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(evidenceAge(`"hwk":0,"pwd":3600`))))
	page := b.Get(t, p.RP.AuthURL(evidenceAge(`"pwd":60`)))
	wantPage(t, page, 200, "Sign in")
	again := p.Now()
	tok = p.RP.Exchange(t, page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	if authTime(tok) != again.Unix() {
		t.Errorf("auth_time = %d, want that of the new password", authTime(tok))
	}
}

// TestPR13PR15Remembered: what a remembered device may stand for when the password is asked again (decisions.md).
func TestPR13PR15Remembered(t *testing.T) {
	p, b := enrolled(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	p.Advance(time.Minute)
	tok := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password))
	if tok.Claims["acr"] != authn.ACRPassword || authTime(tok) != p.Now().Unix() {
		t.Errorf("prompt=login: %v", tok.Claims)
	}
	p.Advance(time.Minute)
	tok = p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("max_age", "59"))).Login(t, anna, idptest.Password))
	if tok.Claims["acr"] != authn.ACRPassword || authTime(tok) != p.Now().Unix() {
		t.Errorf("max_age passed: %v", tok.Claims)
	}
	for name, change := range map[string][]func(url.Values){
		"prompt=login, mfa wanted":  {idptest.With("prompt", "login"), idptest.With("acr_values", authn.ACRFactor)},
		"max_age passed, essential": {idptest.With("max_age", "59"), essentialACR(authn.ACRFactor)},
		"PR-13 max_age=0":           {idptest.With("max_age", "0")},
		"evidence by age":           {idptest.With("prompt", "login"), evidenceAge(`"otp":86400`)},
	} {
		p.Advance(time.Minute)
		page := b.Get(t, p.RP.AuthURL(change...))
		wantPage(t, page, 200, "Sign in")
		page = page.Login(t, anna, idptest.Password)
		if page.H1() != "Enter your code" {
			t.Errorf("%s: %q, want the page that asks for a code", name, page.H1())
			continue
		}
		if tok := p.RP.Exchange(t, page.Code(t, p.Code(t, 0))); tok.Claims["acr"] != authn.ACRFactor || authTime(tok) != p.Now().Unix() {
			t.Errorf("%s: %v", name, tok.Claims)
		}
	}
}

// TestClaimsSubject: somebody else than the one asked for is no positive answer (OIDC Core §3.1.2.1).
func TestClaimsSubject(t *testing.T) {
	p, b := enrolled(t)
	tok := signIn(t, p, b)
	sub := func(id any) func(url.Values) { return claims(fmt.Sprintf(`"sub":{"value":"%v"}`, id)) }
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(sub(tok.Claims["sub"]))))
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(sub("somebody")))); got.Get("error") != "login_required" {
		t.Errorf("another subject: %v", got)
	}
	page := p.Browser(t).Get(t, p.RP.AuthURL(sub("somebody"))).Login(t, anna, idptest.Password)
	if got := p.RP.Answer(t, page); got.Get("error") != "login_required" {
		t.Errorf("another subject, after the password: %v", got)
	}
	got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(claims(`"acr":1e999`))))
	if got.Get("error") != "invalid_request" || !strings.Contains(got.Get("error_description"), " claims ") {
		t.Errorf("claims that are no JSON: %v", got)
	}
}

// TestEvidenceOff: the ID token says nothing of it where the client has it off; userinfo does.
func TestEvidenceOff(t *testing.T) {
	p, b := enrolled(t)
	quiet := p.NewRP(t, "quiet", func(c *client.Client) { c.Evidence = client.EvidenceOff })
	at := p.Now()
	tok := quiet.Exchange(t, b.Get(t, quiet.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	if v, ok := tok.Claims["lg_evidence"]; ok {
		t.Errorf("ID token: lg_evidence = %v", v)
	}
	if diff := cmp.Diff([]any{entry("pwd", at, ""), entry("otp", at, "fresh")}, userinfo(t, quiet, tok)["lg_evidence"]); diff != "" {
		t.Errorf("userinfo differs (-want +got):\n%s", diff)
	}
}
