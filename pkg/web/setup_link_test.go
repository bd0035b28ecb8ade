// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const fortnight = 14 * 24 * time.Hour

// setUp reads the key off the page, sends its code, and returns the secret with the page that answers.
func firstSetUp(t *testing.T, p *idptest.IDP, page *idptest.Page) ([]byte, *idptest.Page) {
	t.Helper()
	wantPage(t, page, 200, "Secure your account")
	secret := idptest.SecretOf(t, page.Find("#totp-key").Text())
	return secret, page.Code(t, idptest.CodeOf(t, secret, p.Now()))
}

// sendLink presses "Send me a link" on a ticket page.
func sendLink(t *testing.T, b *idptest.Browser, page *idptest.Page) *idptest.Page {
	t.Helper()
	if page.Find("button[value=mail]").Length() != 1 {
		t.Fatalf("no link is offered on %q", page.H1())
	}
	return b.Post(t, page.URL.Path, url.Values{"action": {"mail"}})
}

// TestSF16LateSetup: after 14 days the password alone opens no set-up; the link to the account's mail does, in the browser
// in which it is opened, and in no other.
func TestSF16LateSetup(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	p.AddAccount(t, bert, "acme")
	p.Advance(fortnight - time.Second)
	wantPage(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password), 200, "Secure your account")
	p.Advance(time.Second)
	b, thief := p.Browser(t), p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	wantPage(t, page, 200, "Type your set-up ticket")
	if !strings.Contains(page.Text(), "with your password alone is over") || strings.Contains(page.Text(), "was reset") || strings.Contains(page.Body, "otpauth") {
		t.Errorf("the words of the page: %s", page.Find("main").Text())
	}
	stolen := thief.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	if got := thief.Post(t, stolen.URL.Path, url.Values{"code": {"123456"}}); got.H1() != "Type your set-up ticket" {
		t.Errorf("a code without a ticket: %q", got.H1())
	}
	for range 5 {
		if got := sendLink(t, b, page); !strings.Contains(got.Find("[role=status]").Text(), "on its way") {
			t.Fatalf("no word that a mail is on its way: %s", got.Find("main").Text())
		}
	}
	mails := p.Mails(t, bert)
	if len(mails) != 3 || mails[0].Subject != "Set up your second step" {
		t.Fatalf("%d mails, want 3 in an hour: %+v", len(mails), mails)
	}
	link := p.MailLink(t, mails[0])
	for range 3 {
		wantPage(t, b.Get(t, link), 200, "Set up your second step")
	}
	wantPage(t, b.Get(t, page.URL.Path), 200, "Type your set-up ticket")
	on := b.Get(t, link).Submit(t, nil)
	wantPage(t, on, 200, "Now sign in with your password")
	wantPage(t, thief.Get(t, stolen.URL.Path), 200, "Type your set-up ticket")
	secret, done := firstSetUp(t, p, b.Get(t, page.URL.Path))
	wantPage(t, done, 200, "Set-up complete")
	if b.Cookie("lg_t") != "" {
		t.Error("the ticket stays in the browser")
	}
	wantPage(t, b.Get(t, link), 400, dead)
	p.NextStep()
	next := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	p.RP.Exchange(t, next.Code(t, idptest.CodeOf(t, secret, p.Now())))
}

// TestLateSetupByTicket: an admin's ticket opens it too, typed; and a link dies with a new password.
func TestLateSetupByTicket(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	p.AddAccount(t, bert, "acme")
	p.Advance(fortnight)
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	sendLink(t, b, page)
	link := p.MailLink(t, p.Mails(t, bert)[0])
	ticket := p.Ticket(t, bert)
	_, done := firstSetUp(t, p, page.Submit(t, url.Values{"ticket": {ticket}}))
	wantPage(t, done, 200, "Set-up complete")
	wantPage(t, b.Get(t, link), 400, dead)
}

// TestCarriedTicket: a ticket goes into the flow of its own account alone, and after a reset no mail is offered.
func TestCarriedTicket(t *testing.T) {
	p := mailed(t)
	p.AddAccount(t, bert, "acme")
	p.Advance(fortnight)
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	sendLink(t, b, page)
	b.Get(t, p.MailLink(t, p.Mails(t, bert)[0])).Submit(t, nil)
	if _, err := p.Node.Office.Apply(t.Context(), anna, authn.ResetFactor, ""); err != nil {
		t.Fatal(err)
	}
	other := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	wantPage(t, other, 200, "Type your set-up ticket")
	if other.Find("button[value=mail]").Length() != 0 || !strings.Contains(other.Text(), "was reset") {
		t.Error("after a reset the account's mail opens the set-up")
	}
	b.Post(t, other.URL.Path, url.Values{"action": {"mail"}})
	if got := len(p.Mails(t, anna)); got != 0 {
		t.Errorf("%d mails after a reset, want none", got)
	}
}

// TestNotMe: somebody with a stolen password was first to set up. The link in the mail takes it back: sessions dead, the
// thief's codes refused, a ticket wanted; person and company are told.
func TestNotMe(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail, Log: &log})
	p.AddAccount(t, bert, "acme")
	thief := p.Browser(t)
	secret, done := firstSetUp(t, p, thief.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password))
	tok := p.RP.Exchange(t, done.Submit(t, nil))
	link := p.MailLink(t, p.Mails(t, bert)[0])
	p.Advance(7*24*time.Hour - time.Minute)
	p.RP.Exchange(t, thief.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password).Code(t, idptest.CodeOf(t, secret, p.Now())))
	owner := p.Browser(t)
	for range 50 {
		wantPage(t, owner.Get(t, link), 200, "Was this not you?")
	}
	form := owner.Get(t, link)
	wantPage(t, form.Submit(t, nil), 200, "The set-up is taken back")
	wantPage(t, form.Submit(t, nil), 400, dead)
	if live := p.RP.Introspect(t, tok.AccessToken); live["active"] == true {
		t.Error("the thief's token lives on")
	}
	p.NextStep()
	page := thief.Get(t, p.RP.AuthURL())
	wantPage(t, page, 200, "Sign in")
	page = page.Login(t, bert, idptest.Password)
	wantPage(t, page, 200, "Type your set-up ticket")
	if got := thief.Post(t, page.URL.Path, url.Values{"code": {idptest.CodeOf(t, secret, p.Now())}}); got.H1() != "Type your set-up ticket" {
		t.Errorf("the thief's code leads to %q", got.H1())
	}
	if got := p.Mails(t, bert); got[0].Subject != "Your second step was reset" || strings.Contains(got[0].Text, "/link/") {
		t.Errorf("mail to the person: %+v", got[0])
	}
	admins := p.Mails(t, "help@acme.example")
	if len(admins) != 1 || !strings.Contains(admins[0].Text, "Anna Example") || !strings.Contains(admins[0].Text, bert) {
		t.Errorf("mails to the company = %+v", admins)
	}
	if !strings.Contains(log.String(), `"event":"factor.disowned"`) || strings.Contains(log.String(), link[len(p.Issuer)+6:]) {
		t.Error("the log does not tell of it, or holds the token")
	}
}
