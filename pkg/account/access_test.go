// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// codes makes new recovery codes from the account page and returns them.
func codes(t *testing.T, page *idptest.Page, name string) (*idptest.Page, []string) {
	t.Helper()
	ask := want(t, page.Press(t, "#recovery", "Make new codes", nil).Prove(t, name), "Make new recovery codes")
	made := want(t, ask.Press(t, "main", "Make new codes", nil), "Save your new recovery codes")
	var list []string
	made.Find("#recovery-codes li").Each(func(_ int, li *idptest.Selection) { list = append(list, li.Text()) })
	if len(list) != 10 {
		t.Fatalf("%d codes, want 10", len(list))
	}
	return made, list
}

// TestM4: how many are left; new ones are shown once and end the old ones; using one shows in the count.
func TestM4RecoveryCodes(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	made, old := codes(t, page, anna)
	told(t, p, "New recovery codes")
	happened(t, p, id, "recovery.made")
	page = made.Submit(t, nil)
	note(t, page, "new recovery codes")
	if !strings.Contains(page.Find("#recovery").Text(), "10 of 10 are left") {
		t.Errorf("recovery = %q", page.Find("#recovery").Text())
	}
	for _, c := range old {
		if strings.Contains(page.Body+b.Get(t, "/account/recovery").Body, c) {
			t.Errorf("a code is shown again")
		}
	}
	_, fresh := codes(t, want(t, b.Get(t, "/account"), home), anna)
	try := func(c string) bool {
		ask := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		p.Advance(time.Minute)
		lost, ok := ask.Find("a[href$='/recovery']").Attr("href")
		if !ok {
			t.Fatalf("no way to a recovery code on %s", ask.URL)
		}
		return ask.Follow(t, lost).Submit(t, form("recovery_code", c)).H1() == "Recovery code used"
	}
	if try(old[0]) {
		t.Errorf("an old code works")
	}
	if !try(fresh[0]) {
		t.Errorf("a new code does not work")
	}
	p.Advance(time.Minute)
	if left := want(t, b.Own(t, anna), home).Find("#recovery").Text(); !strings.Contains(left, "9 of 10 are left") {
		t.Errorf("recovery = %q, want 9 left", left)
	}
}

// TestM4SentTwice: a form that is sent again, by a reload or by two presses at once, makes codes once: what its person
// has just written down stays in force.
func TestM4SentTwice(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	ask := want(t, b.Own(t, anna), home).Press(t, "#recovery", "Make new codes", nil)
	var made atomic.Int64
	var presses sync.WaitGroup
	for range 4 {
		presses.Go(func() {
			if ask.Submit(t, nil).Find("#recovery-codes li").Length() == 10 {
				made.Add(1)
			}
		})
	}
	presses.Wait()
	if made.Load() != 1 {
		t.Errorf("four posts of one form showed codes %d times, want once", made.Load())
	}
	note(t, ask.Submit(t, nil), "we did nothing")
	if again := ask.Submit(t, form("gen", "")); again.Find("#recovery-codes").Length() != 0 {
		t.Error("a form without its generation makes codes")
	}
	told(t, p, "New recovery codes")
	if _, list := codes(t, want(t, b.Get(t, "/account"), home), anna); len(list) != 10 {
		t.Errorf("%d codes by a new form, want 10", len(list))
	}
}

// TestM5RD06 is M5 and RD-06: devices are listed with what is known of them, one is forgotten, then all; what is forgotten
// is refused on the next request, through every node.
func TestM5RD06Devices(t *testing.T) {
	p, _ := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	n2 := p.AddNode(t)
	b, ipad, third := remembered(t, p, anna, firefox), remembered(t, p, anna, safari), remembered(t, p, anna, safari)
	name := b.CookieName("lgd_")
	page := want(t, b.Own(t, anna), home)
	if n := page.Find("#devices li").Length(); n != 3 {
		t.Fatalf("%d devices, want 3", n)
	}
	own := page.Find("#devices li:has(.badge)")
	if own.Length() != 1 || !strings.Contains(own.Text(), "Firefox, Windows") || !strings.Contains(own.Text(), "This device") || !strings.Contains(own.Text(), "Until 22 December 2026.") {
		t.Errorf("own device = %q", own.Text())
	}
	kept, lost := ipad.Cookie("lgd_"), third.Cookie("lgd_")
	if asksCode(t, p, name, lost, idptest.Password) {
		t.Fatalf("a code is asked on a remembered device")
	}
	// The id of a device is the first 16 bytes of its cookie.
	forgotten := page.Find("#devices input[value^='" + lost[:21] + "']").Closest("form")
	if forgotten.Length() != 1 {
		t.Fatalf("the third device is not on the page")
	}
	gone := b.Post(t, "/account/devices/forget", form("id", forgotten.Find("input").AttrOr("value", "")))
	note(t, gone, "forgotten")
	for _, n := range []*idptest.Node{p.Node, n2} {
		at := p.BrowserAt(t, n)
		at.SetCookie(name, lost)
		if got := at.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).H1(); got != "Enter your code" {
			t.Errorf("a forgotten device at node %s: %q", n.Addr, got)
		}
	}
	if asksCode(t, p, name, kept, idptest.Password) {
		t.Errorf("another device is forgotten too")
	}
	happened(t, p, id, "device.forgotten")
	note(t, b.Post(t, "/account/devices/forget", form("id", forgotten.Find("input").AttrOr("value", ""))), "changed meanwhile")
	note(t, gone.Press(t, "#devices", "Forget all", nil), "All remembered devices are forgotten")
	if b.Cookie("lgd_") != "" {
		t.Errorf("the browser keeps the cookie of a forgotten device")
	}
	if !asksCode(t, p, name, kept, idptest.Password) {
		t.Errorf("a device is remembered after all were forgotten")
	}
	if n := want(t, b.Get(t, "/account"), home).Find("#devices li").Length(); n != 0 {
		t.Errorf("%d devices are left", n)
	}
}

// TestRD05 is RD-05 from the account page: a changed password and a removed authenticator end every device.
func TestRD05(t *testing.T) {
	const fresh = "vier-paarse-ramen-zingen"
	acts := map[string]func(t *testing.T, p *idptest.IDP, page *idptest.Page) string{
		"password": func(t *testing.T, _ *idptest.IDP, page *idptest.Page) string {
			t.Helper()
			note(t, page.Follow(t, "/account/password").Prove(t, anna).Submit(t, form("new_password", fresh)), "password is changed")
			return fresh
		},
		"authenticator": func(t *testing.T, p *idptest.IDP, page *idptest.Page) string {
			t.Helper()
			page, _ = add(t, p, page)
			remembered(t, p, anna, safari)
			note(t, page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil).Press(t, "main", "Remove", nil), "removed")
			return idptest.Password
		},
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			p, b := start(t)
			p.AddEnrolled(t, anna, "acme")
			device := remembered(t, p, anna, safari)
			cookie, value := device.CookieName("lgd_"), device.Cookie("lgd_")
			password := act(t, p, want(t, b.Own(t, anna), home))
			p.Advance(time.Minute)
			if !asksCode(t, p, cookie, value, password) {
				t.Errorf("the device is remembered still")
			}
			if n := want(t, b.Get(t, "/account"), home).Find("#devices li").Length(); n != 0 {
				t.Errorf("%d devices on the page", n)
			}
		})
	}
}

// TestM6Sessions: the own one is marked; another one is ended; all others; all, this one too.
func TestM6Sessions(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	one, two := p.Browser(t), p.Browser(t)
	one.Header.Set("User-Agent", safari)
	want(t, one.Own(t, anna), home)
	want(t, two.Own(t, anna), home)
	page = want(t, page.Follow(t, "/account"), home)
	if n, own := page.Find("#sessions li").Length(), page.Find("#sessions li:has(.badge)").Text(); n != 3 || !strings.Contains(own, "Firefox, Windows") {
		t.Errorf("%d sessions, own %q", n, own)
	}
	ended := page.Find("#sessions li:contains('Safari') input").AttrOr("value", "")
	note(t, b.Post(t, "/account/sessions/end", form("id", ended)), "session is ended")
	want(t, one.Get(t, "/account"), "Sign in")
	want(t, two.Get(t, "/account"), home)
	note(t, b.Post(t, "/account/sessions/end", form("id", ended)), "changed meanwhile")
	thief := b.Copy(t)
	page = b.Post(t, "/account/sessions/end-others", empty())
	note(t, page, "All other sessions are ended")
	want(t, two.Get(t, "/account"), "Sign in")
	// A copy of the cookie from before is another session.
	want(t, thief.Get(t, "/account"), "Sign in")
	want(t, two.Own(t, anna), home)
	want(t, page.Press(t, "#sessions", "Sign out everywhere", nil), "You are signed out")
	want(t, b.Get(t, "/account"), "Sign in")
	want(t, two.Get(t, "/account"), "Sign in")
	happened(t, p, id, "session.ended")
	happened(t, p, id, "account.signed_out")
}

// TestM6SignOut: the button in the header ends this session alone.
func TestM6SignOut(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	other := p.Browser(t)
	want(t, other.Own(t, anna), home)
	page := want(t, b.Own(t, anna), home)
	copied := b.Copy(t)
	want(t, page.Press(t, "header", "Sign out", nil), "You are signed out")
	want(t, copied.Get(t, "/account"), "Sign in")
	want(t, other.Get(t, "/account"), home)
}

// TestM6Apps: an app is listed with what it gets, and ended; the other one goes on.
func TestM6Apps(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	third := p.NewRP(t, "reports", func(c *client.Client) { c.Company, c.Name = "", "Example Reports" })
	one := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Prove(t, anna))
	ask := want(t, b.Get(t, third.AuthURL(idptest.With("scope", "openid email offline_access"), idptest.With("prompt", "consent"))), "Allow Example Reports to use your account?")
	two := third.Exchange(t, ask.Submit(t, form("answer", "allow")))
	page := want(t, b.Own(t, anna), home)
	reports, cases := page.Find("#apps li:contains('Example Reports')"), page.Find("#apps li:contains('Case App')")
	if reports.Length() != 1 || cases.Length() != 1 {
		t.Fatalf("apps = %q", page.Find("#apps").Text())
	}
	for _, part := range []string{"see your e-mail address", "keep this access while you are away", "Since 22 November 2026"} {
		if !strings.Contains(reports.Text(), part) {
			t.Errorf("app = %q, want %q in it", reports.Text(), part)
		}
	}
	if reports.Find(".badge").Length() != 0 || cases.Find(".badge").Text() != "App of Acme Legal" {
		t.Errorf("badges %q and %q", reports.Find(".badge").Text(), cases.Find(".badge").Text())
	}
	note(t, page.Press(t, "#apps li:contains('Example Reports')", "End access", nil), "no access")
	if third.Introspect(t, two.AccessToken)["active"] == true {
		t.Errorf("the token of an app without access is active")
	}
	if status, body := third.Refresh(t, two.RefreshToken); status != 400 {
		t.Errorf("it refreshes: %d %v", status, body)
	}
	if p.RP.Introspect(t, one.AccessToken)["active"] != true {
		t.Errorf("the other app is ended too")
	}
	happened(t, p, id, "app.withdrawn")
	note(t, b.Post(t, "/account/apps/end", form("id", "reports")), "changed meanwhile")
	note(t, b.Post(t, "/account/apps/end", form("id", "no-such-app")), "changed meanwhile")
}

// TestM8Activity: sign-ins, changes and refused attempts in words, the newest first; what has no words is left out.
func TestM8Activity(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	b.Get(t, p.RP.AuthURL()).Login(t, anna, "not-the-password")
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, "000000")
	p.Advance(2 * time.Minute)
	p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
	b.Post(t, "/account/devices/forget-all", empty())
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var rows []string
	want(t, b.Get(t, "/account"), home).Find("#activity tbody tr").Each(func(_ int, tr *idptest.Selection) {
		rows = append(rows, tr.Find("td").Eq(0).Text())
		if where := tr.Find("td").Eq(1).Text(); where != "Firefox, Windows" {
			t.Errorf("where = %q", where)
		}
		if when := tr.Find("td").Eq(2).Text(); !strings.HasPrefix(when, "22 November 2026, 09:") || !strings.HasSuffix(when, " UTC") {
			t.Errorf("when = %q", when)
		}
	})
	if got, want := strings.Join(rows, "; "), "Device forgotten; Signed in to Case App; Code accepted; Refused: wrong code; Refused: wrong password"; got != want {
		t.Errorf("activity = %q, want %q", got, want)
	}
}
