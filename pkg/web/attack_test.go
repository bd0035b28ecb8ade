// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestPL03 is PL-03 and J2: unknown, wrong, empty, disabled and locked are one answer with one amount of work.
func TestPL03(t *testing.T) {
	var hashes atomic.Int64
	p := idptest.New(t, idptest.Setup{Hashes: &hashes})
	p.AddEnrolled(t, anna, "acme")
	p.AddEnrolled(t, "disabled@acme.example", "acme")
	if _, err := p.Node.Office.Apply(t.Context(), "disabled@acme.example", authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		status        int
		alert, header string
		hashes        int64
		trips         uint64
	}
	try := func(name, password string) answer {
		page := p.Browser(t).Get(t, p.RP.AuthURL())
		hashed, trips := hashes.Load(), p.Node.Trips()
		got := page.Login(t, name, password)
		return answer{got.Status, got.Alert(), headerNames(got.Header), hashes.Load() - hashed, p.Node.Trips() - trips}
	}
	try("nobody@acme.example", idptest.Password) // the scripts are sent to the server once
	want := try("nobody@acme.example", idptest.Password)
	if want.hashes != 1 || want.alert == "" {
		t.Fatalf("unknown name: %+v", want)
	}
	for what, got := range map[string]answer{
		"wrong password":           try(anna, "wrong-password-wrong"),
		"disabled, right password": try("disabled@acme.example", idptest.Password),
		"disabled, wrong password": try("disabled@acme.example", "wrong-password-wrong"),
		"empty password":           try(anna, ""),
		"long password":            try(anna, strings.Repeat("x", 300)),
		"name of another alphabet": try("аnna@acme.example", idptest.Password),
		"unknown, empty password":  try("nobody@acme.example", ""),
	} {
		if got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
}

func headerNames(h http.Header) string {
	var names []string
	for _, n := range []string{"Set-Cookie", "Content-Security-Policy", "Cache-Control", "Retry-After", "Location"} {
		names = append(names, fmt.Sprintf("%s:%d", n, len(h.Values(n))))
	}
	return strings.Join(names, " ")
}

// TestSF07 is SF-07 and SF-10: guesses over many sessions are charged to the account; nothing clears them.
func TestSF07SF10(t *testing.T) {
	p, _ := enrolled(t)
	evaluated, waited := 0, 0
	for range 30 {
		page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		for guess := range 3 {
			got := page.Code(t, fmt.Sprintf("%06d", guess))
			if got.Status == http.StatusTooManyRequests {
				waited++
				if got.Header.Get("Retry-After") == "" {
					t.Fatal("a wait without Retry-After")
				}
			} else {
				evaluated++
			}
			if got.Status < 500 && got.H1() != "Enter your code" {
				t.Fatalf("%d %q", got.Status, got.H1())
			}
		}
	}
	if evaluated > 5 || waited == 0 {
		t.Errorf("%d guesses evaluated before the first wait, want at most 5", evaluated)
	}
	node := p.AddNode(t)
	page := p.BrowserAt(t, node).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	if page.Status != http.StatusTooManyRequests {
		t.Errorf("SF-10: another node forgets the wait: %d", page.Status)
	}
	p.Advance(time.Hour)
	p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
}

// TestSF09 is SF-09 and SF-13: at the cap the factor is locked, whatever is tried after it, and a flow or a token
// from before it is dead.
func TestSF09SF13(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) { c.Guesses.Cap = 10 }})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	p.RP.OAuth.Scopes = append(p.RP.OAuth.Scopes, "offline_access")
	tok := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	if tok.RefreshToken == "" {
		t.Fatal("no refresh token")
	}
	parked := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	wantPage(t, parked, 200, "Enter your code")
	guesser := p.Browser(t)
	locked := false
	for i := 0; i < 40 && !locked; i++ {
		p.Advance(2 * time.Hour)
		page := guesser.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		if page.H1() != "Enter your code" {
			t.Fatalf("guess %d: %d %q", i, page.Status, page.H1())
		}
		got := page.Code(t, fmt.Sprintf("%06d", i))
		locked = got.Find("form").Length() == 0
	}
	if !locked {
		t.Fatal("never locked")
	}
	p.NextStep()
	right := guesser.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if right.Find("main form").Length() > 0 {
		right = right.Code(t, p.Code(t, 0))
	}
	if strings.HasPrefix(right.URL.String(), p.RP.URL) {
		t.Errorf("the right code passes a locked factor")
	}
	if page := parked.Code(t, p.Code(t, 0)); page.Status != 400 {
		t.Errorf("SF-13: the parked flow goes on: %d %q", page.Status, page.H1())
	}
	if status, body := p.RP.Refresh(t, tok.RefreshToken); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("SF-13: refresh of a locked account: %d %v", status, body)
	}
	device := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password)
	if strings.HasPrefix(device.URL.String(), p.RP.URL) {
		t.Errorf("SF-13: a remembered device passes a locked factor")
	}
}

// TestSF12 is SF-12: without the password nothing is charged to the victim.
func TestSF12(t *testing.T) {
	p, b := enrolled(t)
	stranger := p.Browser(t)
	page := stranger.Get(t, p.RP.AuthURL())
	base := strings.TrimSuffix(page.URL.Path, "/login")
	for range 100 {
		for _, step := range []string{"/factor", "/enrol", "/consent"} {
			stranger.Post(t, base+step, url.Values{"code": {"123456"}, "username": {anna}, "ticket": {"x"}})
			stranger.Post(t, "/flow/lgf_"+strings.Repeat("A", 76)+step, url.Values{"code": {"123456"}})
		}
	}
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
}

// TestSF14 is SF-14: a flood of passwords from one source makes that source wait; the owner elsewhere signs in.
func TestSF14(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) { c.Proxies = []string{"127.0.0.1"} }})
	p.AddEnrolled(t, anna, "acme")
	bot := p.Browser(t)
	bot.Header.Set("X-Forwarded-For", "203.0.113.7")
	throttled := false
	page := bot.Get(t, p.RP.AuthURL())
	for range 12 {
		page = page.Login(t, anna, "wrong-password-wrong")
		throttled = throttled || page.Status == http.StatusTooManyRequests
	}
	if !throttled {
		t.Errorf("twelve wrong passwords in no time and no wait")
	}
	owner := p.Browser(t)
	owner.Header.Set("X-Forwarded-For", "198.51.100.9")
	p.RP.Exchange(t, owner.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
}

// TestSF14Known is SF-14 when the flood comes from the owner's own office: the browser that is remembered for the
// account has a count of its own; somebody else's device cookie has not.
func TestSF14Known(t *testing.T) {
	p, owner := enrolled(t)
	p.AddEnrolled(t, bert, "acme")
	p.RP.Exchange(t, owner.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	other := p.Browser(t)
	p.RP.Exchange(t, other.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password).Remember(t, p.Code(t, 0)))
	p.NextStep()
	flood := func(name string) {
		page := p.Browser(t).Get(t, p.RP.AuthURL())
		for range 8 {
			page = page.Login(t, name, "wrong-password-wrong")
		}
		if page.Status != http.StatusTooManyRequests {
			t.Fatalf("the flood is not throttled: %d", page.Status)
		}
	}
	flood(anna)
	again := idptest.With("prompt", "login")
	if page := other.Get(t, p.RP.AuthURL(again)).Login(t, anna, idptest.Password); page.Status != http.StatusTooManyRequests {
		t.Errorf("somebody else's device escapes the throttle: %d %q", page.Status, page.H1())
	}
	p.RP.Exchange(t, owner.Get(t, p.RP.AuthURL(again)).Login(t, anna, idptest.Password))
}

// TestForwardedForIsNotTrusted: the header of somebody who is no proxy does not give a new source for each guess.
func TestForwardedForIsNotTrusted(t *testing.T) {
	p, bot := enrolled(t)
	page := bot.Get(t, p.RP.AuthURL())
	throttled := false
	for i := range 12 {
		bot.Header.Set("X-Forwarded-For", fmt.Sprintf("203.0.113.%d", i))
		page = page.Login(t, anna, "wrong-password-wrong")
		throttled = throttled || page.Status == http.StatusTooManyRequests
	}
	if !throttled {
		t.Errorf("a forged X-Forwarded-For escapes the throttle")
	}
}

// TestSE06 is SE-06, and J13: signed out on the server; the old cookie opens nothing.
func TestSE06(t *testing.T) {
	p, b := enrolled(t)
	tok := signIn(t, p, b)
	old := b.Cookie("lg_s")
	bye := b.Get(t, "/logout?"+url.Values{
		"id_token_hint": {tok.Raw}, "post_logout_redirect_uri": {p.RP.URL + "/bye"}, "state": {strings.Repeat("s", 128)},
	}.Encode())
	if got := bye.URL.String(); got != p.RP.URL+"/bye?state="+strings.Repeat("s", 128) {
		t.Errorf("after logout at %s", got)
	}
	if b.Cookie("lg_s") != "" {
		t.Errorf("the session cookie is still there")
	}
	b.SetCookie("lg_s", old)
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
		t.Errorf("the old cookie opens a session: %v", got)
	}
}

// TestLogoutByPost: a post from the app's site brings no cookie of ours; the session ends all the same.
func TestLogoutByPost(t *testing.T) {
	p, b := enrolled(t)
	tok := signIn(t, p, b)
	session := b.Cookie("lg_s")
	app := p.Browser(t) // what the browser sends of its cookies with a cross-site post: none
	app.Header.Set("Sec-Fetch-Site", "cross-site")
	app.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	page := app.Post(t, "/logout", url.Values{"id_token_hint": {tok.Raw}, "post_logout_redirect_uri": {p.RP.URL + "/bye"}, "state": {"s"}})
	if page.Status != http.StatusSeeOther {
		t.Fatalf("post: %d", page.Status)
	}
	if bye := b.Get(t, page.Header.Get("Location")); bye.URL.String() != p.RP.URL+"/bye?state=s" {
		t.Errorf("after logout at %s", bye.URL)
	}
	b.SetCookie("lg_s", session)
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
		t.Errorf("the session lives on: %v", got)
	}
}

// TestPR23 is PR-23: without a good hint there is a question first, and no way to the address that was sent.
func TestPR23(t *testing.T) {
	p, b := enrolled(t)
	tok := signIn(t, p, b)
	tampered := tok.Raw[:len(tok.Raw)-4] + "AAAA"
	none := strings.Join([]string{"eyJhbGciOiJub25lIn0", strings.Split(tok.Raw, ".")[1], ""}, ".")
	bye := p.RP.URL + "/bye"
	for what, q := range map[string]url.Values{
		"nothing":        {},
		"state alone":    {"state": {"x"}},
		"no hint":        {"post_logout_redirect_uri": {bye}, "client_id": {p.RP.ID}},
		"tampered hint":  {"id_token_hint": {tampered}, "post_logout_redirect_uri": {bye}},
		"unsigned hint":  {"id_token_hint": {none}, "post_logout_redirect_uri": {bye}},
		"foreign client": {"id_token_hint": {tampered}, "client_id": {"nobody"}, "post_logout_redirect_uri": {bye}},
	} {
		page := b.Get(t, "/logout?"+q.Encode())
		wantPage(t, page, 200, "Do you want to sign out?")
		if page.URL.Host != strings.TrimPrefix(p.Issuer, "http://") {
			t.Errorf("%s: led to %s", what, page.URL)
		}
		p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none"))))
	}
	for what, uri := range map[string]string{"not registered": "https://evil.example/", "query added": bye + "?x=1"} {
		p.NextStep()
		again := p.Browser(t)
		good := signIn(t, p, again)
		page := again.Get(t, "/logout?"+url.Values{"id_token_hint": {good.Raw}, "post_logout_redirect_uri": {uri}}.Encode())
		wantPage(t, page, 200, "Do you want to sign out?")
		if page.URL.Path != "/logout" || page.URL.Host != strings.TrimPrefix(p.Issuer, "http://") {
			t.Errorf("%s: led to %s", what, page.URL)
		}
		p.RP.Exchange(t, again.Get(t, p.RP.AuthURL(idptest.With("prompt", "none"))))
		page = page.Submit(t, nil)
		wantPage(t, page, 200, "You are signed out")
		if page.URL.Host != strings.TrimPrefix(p.Issuer, "http://") {
			t.Errorf("%s: led to %s after the button", what, page.URL)
		}
	}
	page := b.Get(t, "/logout").Submit(t, nil)
	wantPage(t, page, 200, "You are signed out")
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
		t.Errorf("after the button: %v", got)
	}
	p.NextStep()
	expired := signIn(t, p, b)
	p.Advance(30 * time.Minute)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()))
	p.Advance(45 * time.Minute)
	page = b.Get(t, "/logout?"+url.Values{"id_token_hint": {expired.Raw}, "post_logout_redirect_uri": {bye}}.Encode())
	if page.URL.String() != bye {
		t.Errorf("a hint that is only expired: led to %s", page.URL)
	}
}

// TestSE07 is SE-07: a disabled person is out at once, on every node.
func TestSE07(t *testing.T) {
	p, b := enrolled(t)
	node := p.AddNode(t)
	p.RP.OAuth.Scopes = append(p.RP.OAuth.Scopes, "offline_access")
	tok := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	if _, err := node.Office.Apply(t.Context(), anna, authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	if got := p.RP.Answer(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
		t.Errorf("session: %v", got)
	}
	if live := p.RP.Introspect(t, tok.AccessToken); live["active"] != false {
		t.Errorf("access token: %v", live)
	}
	if status, body := p.RP.Refresh(t, tok.RefreshToken); status != 400 || body["error"] != "invalid_grant" {
		t.Errorf("refresh: %d %v", status, body)
	}
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	wantPage(t, page, 200, "Sign in")
	if _, err := node.Office.Apply(t.Context(), anna, authn.Enable, ""); err != nil {
		t.Fatal(err)
	}
	p.NextStep()
	wantPage(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Enter your code")
}

// TestSE08 is SE-08: posts from another site are refused before anything is read or charged.
func TestSE08(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	base := strings.TrimSuffix(page.URL.Path, "/login")
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}},
	} {
		b.Header = header
		for _, path := range []string{base + "/login", base + "/factor", base + "/enrol", base + "/consent", "/logout/confirm"} {
			got := b.Post(t, path, url.Values{"username": {anna}, "password": {"wrong-password-wrong"}, "code": {"1"}, "answer": {"sign-out"}})
			if got.Status != http.StatusForbidden || got.Find("form").Length() != 0 {
				t.Errorf("%s with %v: %d", path, header, got.Status)
			}
		}
	}
	b.Header = http.Header{}
	wantPage(t, page.Login(t, anna, idptest.Password), 200, "Enter your code")
}

// TestSE03 is SE-03 and SE-10 on a provider behind TLS: the cookies' names and marks, the headers of every page.
func TestSE03SE10PL06(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	pages := []*idptest.Page{page, b.Get(t, "/nothing"), b.Get(t, "/flow/none"), b.Get(t, "/authorize"), b.Get(t, "/logout")}
	pages = append(pages, page.Login(t, anna, idptest.Password))
	for _, got := range pages {
		h := got.Header
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "unsafe") || !strings.Contains(csp, "default-src 'none'") ||
			h.Get("X-Frame-Options") != "DENY" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" ||
			h.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", got.URL.Path, h)
		}
		if got.Find("script:not([src])").Length() > 0 || got.Find("style, [style], [onload], [onclick]").Length() > 0 {
			t.Errorf("%s: inline script or style", got.URL.Path)
		}
	}
}

// TestJ15 is J15: back button, reload, two tabs, a bookmark, an expired flow: never a loop, never a 500.
func TestJ15(t *testing.T) {
	p, b := enrolled(t)
	login := b.Get(t, p.RP.AuthURL())
	other := b.Get(t, p.RP.AuthURL())
	factor := login.Login(t, anna, idptest.Password)
	wantPage(t, factor, 200, "Enter your code")
	if back := b.Get(t, login.URL.Path); back.Status != 400 || back.Find("form").Length() != 0 {
		t.Errorf("back to the sign-in page: %d %q", back.Status, back.H1())
	}
	p.RP.Exchange(t, factor.Code(t, p.Code(t, 0)))
	if again := b.Get(t, factor.URL.Path); again.Status != 400 || again.Find("form").Length() != 0 {
		t.Errorf("back to the code page after the end: %d", again.Status)
	}
	p.NextStep()
	p.RP.Exchange(t, other.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	stale := p.Browser(t)
	page := stale.Get(t, p.RP.AuthURL())
	p.Advance(10*time.Minute + time.Second)
	expired := page.Login(t, anna, idptest.Password)
	wantPage(t, expired, 400, "This sign-in has expired")
	if expired.Find("form").Length() != 0 || expired.Find(".foot a").Length() == 0 {
		t.Errorf("an ended flow has no form, and a way to get help")
	}
}

// TestRestart is "Not you?": somebody else signs in, and the first person's session is not used.
func TestRestart(t *testing.T) {
	p, b := enrolled(t)
	p.AddEnrolled(t, bert, "acme")
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	link, ok := page.Find(".who a").Attr("href")
	if !ok {
		t.Fatal("no way for somebody else")
	}
	login := b.Get(t, link)
	wantPage(t, login, 200, "Sign in")
	tok := p.RP.Exchange(t, login.Login(t, bert, idptest.Password).Code(t, p.Code(t, 0)))
	if tok.ID.Subject == "" {
		t.Error("no subject")
	}
}

// TestTicket: after a reset the password alone opens nothing; with the ticket one set-up, once.
func TestTicket(t *testing.T) {
	p, b := enrolled(t)
	if _, err := p.Node.Office.Apply(t.Context(), anna, authn.ResetFactor, ""); err != nil {
		t.Fatal(err)
	}
	ticket := p.Ticket(t, anna)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.Find("#totp-key").Length() != 0 || page.Find("input[name=ticket]").Length() != 1 {
		t.Fatalf("without the ticket: %q", page.H1())
	}
	setup := page.Submit(t, url.Values{"ticket": {ticket}})
	code := idptest.CodeOf(t, idptest.SecretOf(t, setup.Find("#totp-key").Text()), p.Now())
	p.RP.Exchange(t, setup.Code(t, code).Submit(t, nil))
	if _, err := p.Node.Office.Apply(t.Context(), anna, authn.ResetFactor, ""); err != nil {
		t.Fatal(err)
	}
	thief := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Submit(t, url.Values{"ticket": {ticket}})
	if key := thief.Find("#totp-key"); key.Length() == 1 {
		code := idptest.CodeOf(t, idptest.SecretOf(t, key.Text()), p.Now())
		thief = thief.Code(t, code)
	}
	if thief.H1() == "Set-up complete" || strings.HasPrefix(thief.URL.String(), p.RP.URL) {
		t.Errorf("a ticket was taken twice")
	}
}

// TestWayOn is J15: a page that ends a flow leads back to the app that sent the person, also where cookies are
// blocked; an address that names somebody else's page leads nowhere.
func TestWayOn(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	p.Advance(11 * time.Minute)
	expired := page.Login(t, anna, idptest.Password)
	wantPage(t, expired, 400, "This sign-in has expired")
	if got := expired.Find("main a.button").AttrOr("href", ""); got != p.RP.URL+"/" {
		t.Errorf("the way on leads to %q, want the app", got)
	}
	blocked := p.Browser(t)
	blocked.Client.Jar = nil
	got := blocked.Get(t, p.RP.AuthURL())
	wantPage(t, got, 400, "Your browser blocks our cookie")
	if href := got.Find("main a.button").AttrOr("href", ""); href != p.RP.URL+"/" {
		t.Errorf("with cookies blocked the way on leads to %q, want the app", href)
	}
	evil := blocked.Get(t, "/flow/AAAAAAAAAAAAAAAAAAAAAA?client=https://evil.example/")
	if evil.Find("main a.button").Length() != 0 || strings.Contains(evil.Body, "evil") {
		t.Errorf("a made-up client is shown: %s", evil.Find("main").Text())
	}
}
