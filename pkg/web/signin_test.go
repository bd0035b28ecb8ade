// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	anna = "anna@acme.example"
	bert = "bert@acme.example"
	sam  = "sam@plain.example"
)

// enrolled starts a provider with anna, enrolled at acme.
func enrolled(t *testing.T) (*idptest.IDP, *idptest.Browser) {
	t.Helper()
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	return p, p.Browser(t)
}

// signIn goes the whole way with the code of the present step, and moves on to the next one.
func signIn(t *testing.T, p *idptest.IDP, b *idptest.Browser) idptest.Tokens {
	t.Helper()
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	tok := p.RP.Exchange(t, page)
	p.NextStep()
	return tok
}

func wantPage(t *testing.T, page *idptest.Page, status int, h1 string) {
	t.Helper()
	if page.Status != status || page.H1() != h1 {
		t.Fatalf("page %d %q at %s (alert %q), want %d %q", page.Status, page.H1(), page.URL.Path, page.Alert(), status, h1)
	}
}

// TestSF01 is SF-01: a code only after both; truthful amr, acr, auth_time.
func TestSF01(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	wantPage(t, page, 200, "Sign in")
	page = page.Login(t, anna, idptest.Password)
	wantPage(t, page, 200, "Enter your code")
	at := p.Now()
	tok := p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
	if got := tok.Claims["acr"]; got != authn.ACRFactor {
		t.Errorf("acr = %v", got)
	}
	if got := strings.Join(list(tok.Claims["amr"]), " "); got != "pwd otp mfa" {
		t.Errorf("amr = %q", got)
	}
	if got := authTime(tok); got != at.Unix() {
		t.Errorf("auth_time = %d, want the time of the password, %d", got, at.Unix())
	}
	live := p.RP.Introspect(t, tok.AccessToken)
	if live["active"] != true || live["acr"] != authn.ACRFactor || live["auth_time"] == nil || strings.Join(list(live["amr"]), " ") != "pwd otp mfa" {
		t.Errorf("introspection = %v", live)
	}
}

// authTime is the claim auth_time, in Unix seconds; -1 if it is no number.
func authTime(tok idptest.Tokens) int64 {
	if n, ok := tok.Claims["auth_time"].(float64); ok {
		return int64(n)
	}
	return -1
}

func list(v any) []string {
	var out []string
	items, _ := v.([]any)
	for _, item := range items {
		s, _ := item.(string)
		out = append(out, s)
	}
	return out
}

// TestEnrolment is SF-05, SF-16, SF-23 and journeys J3 to J5: set-up, the secret never again, the code never again.
func TestSF05SF16SF23Enrolment(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, bert, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	wantPage(t, page, 200, "Secure your account")
	setup := page.URL.String()
	key := page.Find("#totp-key").Text()
	if again := b.Get(t, setup).Find("#totp-key").Text(); again != key {
		t.Errorf("a reload shows another key: the code that was scanned would never fit")
	}
	wrong := page.Code(t, "000000")
	wantPage(t, wrong, 200, "Secure your account")
	if wrong.Alert() == "" || wrong.Find("#totp-key").Text() != key {
		t.Errorf("a wrong code leaves nothing behind: alert %q", wrong.Alert())
	}
	code := idptest.CodeOf(t, idptest.SecretOf(t, key), p.Now())
	done := wrong.Code(t, code[:3]+" "+code[3:])
	wantPage(t, done, 200, "Set-up complete")
	if again := b.Get(t, setup); strings.Contains(again.Body, strings.ReplaceAll(key, " ", "")) || strings.Contains(again.Body, key) || again.H1() != "Set-up complete" {
		t.Errorf("SF-23: the secret is served again at %s", again.URL)
	}
	if cc := done.Header.Get("Cache-Control"); cc != "no-store" {
		t.Errorf("Cache-Control = %q", cc)
	}
	tok := p.RP.Exchange(t, done.Submit(t, nil))
	if tok.Claims["acr"] != authn.ACRFactor {
		t.Errorf("acr = %v after a set-up with password and code", tok.Claims["acr"])
	}
	next := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	wantPage(t, next, 200, "Enter your code")
	refused := next.Code(t, code)
	wantPage(t, refused, 200, "Enter your code")
	if !strings.Contains(refused.Alert(), "That code did not work. Codes can be used once and change every 30 seconds. Wait for the next one.") {
		t.Errorf("SF-05: the set-up code is accepted again, or the words differ: %q", refused.Alert())
	}
	p.NextStep()
	p.RP.Exchange(t, refused.Code(t, idptest.CodeOf(t, idptest.SecretOf(t, key), p.Now())))
}

// TestSF02 is SF-02: a code that was accepted is refused in any other session, with the words of a wrong one.
func TestSF02(t *testing.T) {
	p, b := enrolled(t)
	code := p.Code(t, 0)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, code))
	other := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	used := other.Code(t, code)
	wrong := used.Code(t, "000000")
	wantPage(t, used, 200, "Enter your code")
	if used.Alert() != wrong.Alert() || used.Alert() == "" {
		t.Errorf("used %q, wrong %q: the same words are needed", used.Alert(), wrong.Alert())
	}
}

// TestSF04 is SF-04: the last step only moves forward.
func TestSF04(t *testing.T) {
	p, b := enrolled(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 1)))
	page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	for _, step := range []int{0, -1} {
		page = page.Code(t, p.Code(t, step))
		wantPage(t, page, 200, "Enter your code")
	}
}

// TestSF06 is SF-06: only the steps before, now and after.
func TestSF06(t *testing.T) {
	for step, good := range map[int]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		p, b := enrolled(t)
		page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, step))
		if at := strings.HasPrefix(page.URL.String(), p.RP.URL); at != good {
			t.Errorf("code of T%+d accepted = %v, want %v", step, at, good)
		}
	}
}

// TestSF17 is SF-17: with the password alone no set-up of an enrolled account can be opened or posted.
func TestSF17(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	enrol := strings.TrimSuffix(page.URL.Path, "/factor") + "/enrol"
	for _, got := range []*idptest.Page{b.Get(t, enrol), b.Post(t, enrol, url.Values{"code": {p.Code(t, 0)}})} {
		wantPage(t, got, 200, "Enter your code")
		if got.Find("#totp-key").Length() != 0 || strings.Contains(got.Body, "otpauth:") {
			t.Errorf("a set-up is shown to somebody who is enrolled")
		}
	}
	p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
}

// TestSF24 is SF-24: with the password step done, nothing else opens.
func TestSF24(t *testing.T) {
	p, b := enrolled(t)
	third := p.NewRP(t, "third", func(c *client.Client) { c.Company = "" })
	page := b.Get(t, third.AuthURL()).Login(t, anna, idptest.Password)
	base := strings.TrimSuffix(page.URL.Path, "/factor")
	for _, got := range []*idptest.Page{
		b.Get(t, base+"/consent"), b.Post(t, base+"/consent", url.Values{"answer": {"allow"}}), b.Get(t, base), b.Get(t, base+"/login"),
		b.Get(t, third.AuthURL(idptest.With("prompt", "none"))),
	} {
		if got.Status == 200 && got.H1() == "Enter your code" {
			continue
		}
		if form := third.Answer(t, got); form.Get("error") != "login_required" || form.Get("code") != "" {
			t.Errorf("%s: %v", got.URL.Path, form)
		}
	}
	if b.Cookie("lg_s") != "" {
		t.Errorf("a session exists before the second factor")
	}
}

// TestPR13 is PR-13: max_age=0 asks both anew.
func TestPR13(t *testing.T) {
	p, b := enrolled(t)
	first := signIn(t, p, b)
	p.Advance(time.Hour - time.Minute)
	page := b.Get(t, p.RP.AuthURL(idptest.With("max_age", "0")))
	wantPage(t, page, 200, "Sign in")
	page = page.Login(t, anna, idptest.Password)
	wantPage(t, page, 200, "Enter your code")
	tok := p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
	if authTime(tok) <= authTime(first) {
		t.Errorf("auth_time did not move")
	}
}

// TestPR15 is PR-15, and single sign-on (J12).
func TestPR15(t *testing.T) {
	p, b := enrolled(t)
	none := p.RP.AuthURL(idptest.With("prompt", "none"))
	if got := p.RP.Answer(t, b.Get(t, none)); got.Get("error") != "login_required" || got.Get("state") != "state-of-the-app" {
		t.Errorf("prompt=none without a session: %v", got)
	}
	first := signIn(t, p, b)
	p.Advance(time.Minute)
	again := p.RP.Exchange(t, b.Get(t, none))
	if again.Claims["auth_time"] != first.Claims["auth_time"] || again.Claims["sub"] != first.Claims["sub"] {
		t.Errorf("silent sign-in: %v, want the same sub and auth_time as %v", again.Claims, first.Claims)
	}
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("max_age", "10000"))))
	page := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login")))
	wantPage(t, page, 200, "Sign in")
	later := p.RP.Exchange(t, page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	if authTime(later) <= authTime(first) {
		t.Errorf("prompt=login: auth_time did not move")
	}
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none login")))); got.Get("error") != "invalid_request" {
		t.Errorf("prompt=none login: %v", got)
	}
}

// TestPR17 is PR-17: acr_values asks for a code on a remembered device; what cannot be reached is no error.
func TestPR17(t *testing.T) {
	p, b := enrolled(t)
	p.AddAccount(t, sam, "plain")
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	p.Advance(24 * time.Hour)
	mfa := idptest.With("acr_values", authn.ACRFactor)
	page := b.Get(t, p.RP.AuthURL(mfa)).Login(t, anna, idptest.Password)
	wantPage(t, page, 200, "Enter your code")
	tok := p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
	if tok.Claims["acr"] != authn.ACRFactor {
		t.Errorf("acr = %v", tok.Claims["acr"])
	}
	plain := p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL(mfa)).Login(t, sam, idptest.Password))
	if plain.Claims["acr"] != authn.ACRPassword {
		t.Errorf("acr of an account without a factor = %v", plain.Claims["acr"])
	}
}

// TestPR21 is PR-21: a flow opened in another browser is refused before credentials.
func TestPR21(t *testing.T) {
	p, attacker := enrolled(t)
	page := attacker.Get(t, p.RP.AuthURL())
	victim := p.Browser(t)
	for _, path := range []string{page.URL.Path, strings.TrimSuffix(page.URL.Path, "/login")} {
		got := victim.Get(t, path)
		if got.Status != 400 || got.Find("form").Length() != 0 {
			t.Errorf("without a cookie: %d %q", got.Status, got.H1())
		}
	}
	victim.Get(t, p.RP.AuthURL())
	if got := victim.Get(t, page.URL.Path); got.Status != 400 || got.Find("form").Length() != 0 {
		t.Errorf("with a cookie of its own: %d %q", got.Status, got.H1())
	}
	if got := victim.Post(t, page.URL.Path, url.Values{"username": {anna}, "password": {idptest.Password}}); got.Status != 400 {
		t.Errorf("post: %d", got.Status)
	}
	after := page.Login(t, anna, idptest.Password)
	if got := victim.Get(t, after.URL.Path); got.Status != 400 {
		t.Errorf("after the password: %d", got.Status)
	}
}

// TestConsent is J14, and offline access for a third party.
func TestConsent(t *testing.T) {
	p, b := enrolled(t)
	third := p.NewRP(t, "third", func(c *client.Client) { c.Company = "" })
	page := b.Get(t, third.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	if page.Find("button[value=allow]").Text() != "Allow" || page.Find("button[value=deny]").Text() != "Deny" {
		t.Fatalf("no consent page: %q", page.H1())
	}
	if got := third.Answer(t, page.Submit(t, url.Values{"answer": {"deny"}})); got.Get("error") != "access_denied" || got.Get("state") != "state-of-the-app" {
		t.Errorf("deny: %v", got)
	}
	third.Exchange(t, b.Get(t, third.AuthURL()).Submit(t, nil))
	third.Exchange(t, b.Get(t, third.AuthURL(idptest.With("prompt", "none"))))
	quiet := third.Exchange(t, b.Get(t, third.AuthURL(idptest.With("scope", "openid offline_access"))))
	if quiet.RefreshToken != "" {
		t.Errorf("offline_access without consent gave a refresh token")
	}
	asked := b.Get(t, third.AuthURL(idptest.With("scope", "openid offline_access"), idptest.With("prompt", "consent")))
	if tok := third.Exchange(t, asked.Submit(t, nil)); tok.RefreshToken == "" {
		t.Errorf("offline_access with consent gave no refresh token")
	}
	own := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "consent")))
	if own.Find("button[value=allow]").Length() != 1 {
		t.Errorf("prompt=consent shows the page for own apps too: %q", own.H1())
	}
}

// TestPostAuthorize: the authorization endpoint takes POST (OIDC Core §3.1.2.1), also with a session.
func TestPostAuthorize(t *testing.T) {
	p, b := enrolled(t)
	u, err := url.Parse(p.RP.AuthURL())
	if err != nil {
		t.Fatal(err)
	}
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	page := b.Post(t, "/authorize", u.Query())
	b.Header.Del("Sec-Fetch-Site")
	wantPage(t, page, 200, "Sign in")
	p.RP.Exchange(t, page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	p.RP.Exchange(t, b.Post(t, "/authorize", u.Query()))
}

// TestFormPost is response_mode=form_post: the page's form leads to the app, and its policy lets it.
func TestFormPost(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL(idptest.With("response_mode", "form_post"))).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' "+p.RP.URL) {
		t.Errorf("CSP = %q", csp)
	}
	if page.Find("form").AttrOr("action", "") != p.RP.URL+"/callback" {
		t.Fatalf("form leads to %q", page.Find("form").AttrOr("action", ""))
	}
	form := url.Values{}
	page.Find("form input").Each(func(_ int, in *idptest.Selection) { form.Set(in.AttrOr("name", ""), in.AttrOr("value", "")) })
	p.RP.Exchange(t, b.Post(t, p.RP.URL+"/callback", form))
}

// TestSE05 is SE-05: idle and absolute end of a session, held at the server.
func TestSE05(t *testing.T) {
	p, b := enrolled(t)
	signIn(t, p, b)
	p.Advance(61 * time.Minute)
	page := b.Get(t, p.RP.AuthURL())
	wantPage(t, page, 200, "Sign in")
	p.RP.Exchange(t, page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	end := p.Now().Add(24 * time.Hour)
	for p.Now().Add(50 * time.Minute).Before(end) {
		p.Advance(50 * time.Minute)
		p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()))
	}
	p.Advance(end.Sub(p.Now()) + time.Second)
	wantPage(t, b.Get(t, p.RP.AuthURL()), 200, "Sign in")
}

// TestSE01 is SE-01 and SE-02: cookies are new at the password and at the factor, the old ones are dead, and planted
// ones are not adopted.
func TestSE01SE02(t *testing.T) {
	p, b := enrolled(t)
	b.SetCookie("lg_s", "lgs_planted")
	b.SetCookie("lg_b", strings.Repeat("A", 22))
	page := b.Get(t, p.RP.AuthURL())
	before := b.Cookie("lg_b")
	page = page.Login(t, anna, idptest.Password)
	if strings.HasPrefix(b.Cookie("lg_b"), before) {
		t.Errorf("SE-02: the binding of before the password leads on after it")
	}
	planted := p.Browser(t)
	planted.SetCookie("lg_b", before)
	if got := planted.Get(t, page.URL.Path); got.Status != http.StatusBadRequest {
		t.Errorf("SE-02: the planted cookie opens the flow after the password: %d", got.Status)
	}
	p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
	first := b.Cookie("lg_s")
	if first == "lgs_planted" || first == "" {
		t.Fatalf("session cookie %q", first)
	}
	p.NextStep()
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	if b.Cookie("lg_s") == first {
		t.Errorf("the session's handle is the same after a new sign-in")
	}
	old := p.Browser(t)
	old.SetCookie("lg_s", first)
	wantPage(t, old.Get(t, p.RP.AuthURL()), 200, "Sign in")
}

// TestSE13 is SE-13: a session from a client that asks for nothing more is judged anew at one that does.
func TestSE13(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, sam, "plain")
	b := p.Browser(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, sam, idptest.Password))
	strict := p.NewRP(t, "strict", func(c *client.Client) { c.SecondFactor = flow.FactorRequired })
	page := b.Get(t, strict.AuthURL())
	wantPage(t, page, 200, "Secure your account")
	if got := strict.Answer(t, b.Get(t, strict.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "interaction_required" {
		t.Errorf("prompt=none: %v", got)
	}
	closed := p.NewRP(t, "closed", func(c *client.Client) { c.Companies = []string{"acme"} })
	if got := closed.Answer(t, b.Get(t, closed.AuthURL())); got.Get("error") != "access_denied" {
		t.Errorf("a client of another company: %v", got)
	}
}
