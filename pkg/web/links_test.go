// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/notify"
)

const newPassword = "a quiet morning by the canal"

// mailed starts a provider that sends mail, with anna enrolled at acme.
func mailed(t *testing.T) *idptest.IDP {
	t.Helper()
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	p.AddEnrolled(t, anna, "acme")
	return p
}

// ask asks for a new password in a browser, from the sign-in page on.
func ask(t *testing.T, p *idptest.IDP, b *idptest.Browser, name string) *idptest.Page {
	t.Helper()
	page := b.Get(t, p.RP.AuthURL())
	href, ok := page.Find("ul.links a").First().Attr("href")
	if !ok {
		t.Fatal("the sign-in page has no way for those who forgot the password")
	}
	form := b.Get(t, href)
	wantPage(t, form, 200, "Choose a new password")
	return form.Submit(t, url.Values{"username": {name}})
}

// resetLink asks for anna's new password in a browser and returns the link of the mail.
func resetLink(t *testing.T, p *idptest.IDP, b *idptest.Browser) string {
	t.Helper()
	wantPage(t, ask(t, p, b, anna), 200, "Check your e-mail")
	mails := p.Mails(t, anna)
	// Mails that are due together arrive in any order.
	i := slices.IndexFunc(mails, func(m notify.Mail) bool { return m.Subject == "Choose a new password" })
	if i < 0 {
		t.Fatalf("mails = %+v", mails)
	}
	return p.MailLink(t, mails[i])
}

func choose(t *testing.T, page *idptest.Page, password string) *idptest.Page {
	t.Helper()
	return page.Submit(t, url.Values{"new_password": {password}})
}

const dead = "This link does not work"

// TestSF27Reset is M7 and SF-27: the new password ends what was there, and the second factor is asked for as before; a
// flow that is parked in the factor step is dead.
func TestSF27Reset(t *testing.T) {
	p := mailed(t)
	owner, thief := p.Browser(t), p.Browser(t)
	signIn(t, p, owner)
	parked := thief.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	b := p.Browser(t)
	link := resetLink(t, p, b)
	for range 50 {
		wantPage(t, b.Get(t, link), 200, "Choose a new password")
	}
	form := b.Get(t, link)
	if got := form.Find("input[autocomplete=username]").AttrOr("value", ""); got != anna {
		t.Errorf("password managers are told of %q", got)
	}
	if form.Find("input[autocomplete=new-password]").Length() != 1 || strings.Contains(form.Body, "otpauth") {
		t.Error("the form is not one for a new password alone")
	}
	for h, want := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"} {
		if got := form.Header.Get(h); got != want {
			t.Errorf("%s = %q, want %q", h, got, want)
		}
	}
	for password, want := range map[string]string{
		"short": "too short", "password1234": "tried first", "anna-example1": "names", strings.Repeat("x1y2z3w4v5", 26): "too long",
	} {
		refused := choose(t, form, password)
		if refused.Status != 200 || !strings.Contains(refused.Alert(), want) || strings.Contains(refused.Body, password) && password != "short" {
			t.Errorf("%q: %d %q, want words with %q", password, refused.Status, refused.Alert(), want)
		}
	}
	done := choose(t, form, newPassword)
	wantPage(t, done, 200, "Your password is changed")
	if got := done.Find("a.button").AttrOr("href", ""); got != p.RP.URL+"/" {
		t.Errorf("the way back = %q, want the app", got)
	}
	wantPage(t, choose(t, form, "another quiet morning"), 400, dead)
	if page := parked.Code(t, p.Code(t, 0)); strings.HasPrefix(page.URL.String(), p.RP.URL) || page.Status != 400 {
		t.Errorf("the parked flow goes on: %d %q", page.Status, page.H1())
	}
	wantPage(t, owner.Get(t, p.RP.AuthURL()), 200, "Sign in")
	p.NextStep()
	if old := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password); old.Alert() == "" {
		t.Error("the old password is taken")
	}
	next := b.Get(t, p.RP.AuthURL()).Login(t, anna, newPassword)
	wantPage(t, next, 200, "Enter your code")
	p.RP.Exchange(t, next.Code(t, p.Code(t, 0)))
	if m := p.Mails(t, anna)[0]; m.Subject != "Your password was changed" || strings.Contains(m.Text, "/link/") {
		t.Errorf("mail = %+v", m)
	}
}

// TestLinkElsewhere: a stranger asks, the victim opens the mail: the address has to be typed, a few times at most.
func TestLinkElsewhere(t *testing.T) {
	p := mailed(t)
	link := resetLink(t, p, p.Browser(t))
	victim := p.Browser(t)
	form := victim.Get(t, link)
	wantPage(t, form, 200, "Choose a new password")
	if strings.Contains(form.Body, anna) {
		t.Error("the page tells another browser whose account it is")
	}
	send := func(name string) *idptest.Page {
		return victim.Post(t, link, url.Values{"username": {name}, "new_password": {newPassword}})
	}
	wantPage(t, send(""), 400, dead)
	wantPage(t, send("bert@acme.example"), 400, dead)
	wantPage(t, victim.Post(t, link, url.Values{"new_password": {"short"}}), 400, dead)
	wantPage(t, send(" Anna@ACME.example "), 200, "Your password is changed")
	p.Advance(time.Hour)
	link = resetLink(t, p, p.Browser(t))
	for range 5 {
		wantPage(t, send("bert@acme.example"), 400, dead)
	}
	wantPage(t, send(anna), 400, dead)
}

// TestLinkDies: after ten minutes, after another change of the password, and of two the second one kills the first.
func TestLinkDies(t *testing.T) {
	p := mailed(t)
	b := p.Browser(t)
	link := resetLink(t, p, b)
	p.Advance(10*time.Minute - time.Second)
	late := b.Get(t, link)
	wantPage(t, late, 200, "Choose a new password")
	p.Advance(time.Second)
	wantPage(t, b.Get(t, link), 400, dead)
	wantPage(t, choose(t, late, newPassword), 400, dead)
	one := resetLink(t, p, b)
	two := resetLink(t, p, b)
	form := b.Get(t, one)
	wantPage(t, choose(t, b.Get(t, two), newPassword), 200, "Your password is changed")
	wantPage(t, b.Get(t, one), 400, dead)
	wantPage(t, choose(t, form, "another quiet morning"), 400, dead)
}

// TestLinkOneAnswer: unknown, used, broken and expired links are one page.
func TestLinkOneAnswer(t *testing.T) {
	p := mailed(t)
	b := p.Browser(t)
	link := resetLink(t, p, b)
	form := b.Get(t, link)
	choose(t, form, newPassword)
	text := func(page *idptest.Page) string {
		page.Find(".nowrap").Remove()
		return fmt.Sprint(page.Status, page.Find("main").Text())
	}
	want := text(b.Get(t, link))
	if !strings.Contains(want, dead) || b.Get(t, link).Find("a.button").AttrOr("href", "") != p.RP.URL+"/" {
		t.Fatalf("a used link: %s", want)
	}
	for _, bad := range []string{strings.Repeat("A", 43), "x", strings.Repeat("x", 5000), link[len(p.Issuer)+6:len(link)-1] + "!", "a.b"} {
		if got := text(b.Get(t, "/link/"+bad)); got != want {
			t.Errorf("%.50s: %s, want %s", bad, got, want)
		}
		if got := text(b.Post(t, "/link/"+bad, url.Values{"new_password": {newPassword}})); got != want {
			t.Errorf("post to %.50s: %s", bad, got)
		}
	}
}

// TestLinkRace: 32 posts of one link, each with a password of its own: one wins.
func TestLinkRace(t *testing.T) {
	const n = 32
	p := mailed(t)
	b := p.Browser(t)
	link := resetLink(t, p, b)
	var wg sync.WaitGroup
	start, won := make(chan struct{}), make([]bool, n)
	for i := range n {
		wg.Go(func() {
			<-start
			page := b.Post(t, link, url.Values{"new_password": {fmt.Sprintf("%s %d", newPassword, i)}})
			won[i] = page.Status == 200 && page.H1() == "Your password is changed"
		})
	}
	close(start)
	wg.Wait()
	winner := -1
	for i := range n {
		if won[i] && winner >= 0 {
			t.Errorf("%d and %d both won", winner, i)
		}
		if won[i] {
			winner = i
		}
	}
	if winner < 0 {
		t.Fatal("nobody won")
	}
	wantPage(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, fmt.Sprintf("%s %d", newPassword, winner)), 200, "Enter your code")
}

// TestSE08SE11Link is SE-08 and SE-11 for links: a post from another site does nothing, and no parameter leads anywhere.
func TestSE08SE11Link(t *testing.T) {
	p := mailed(t)
	b := p.Browser(t)
	link := resetLink(t, p, b)
	for _, site := range []string{"cross-site", "same-site"} {
		evil := p.Browser(t)
		evil.Jar, evil.Client.Jar = b.Jar, b.Jar
		evil.Header.Set("Sec-Fetch-Site", site)
		evil.Header.Set("Origin", "https://evil.example")
		if page := evil.Post(t, link, url.Values{"new_password": {newPassword}}); page.Status != http.StatusForbidden {
			t.Errorf("%s: %d", site, page.Status)
		}
	}
	query := "?client=evil&next=//e.example&return_to=https://e.example&redirect_uri=https://e.example"
	if page := b.Get(t, link+query); strings.Contains(page.Body, "e.example/") || strings.Contains(page.Body, "//e.example") {
		t.Error("the page repeats an address of the request")
	}
	done := b.Post(t, link+query, url.Values{"new_password": {newPassword}, "next": {"//e.example"}})
	wantPage(t, done, 200, "Your password is changed")
	if got := done.Find("a.button").AttrOr("href", ""); got != p.RP.URL+"/" {
		t.Errorf("the way back = %q", got)
	}
}
