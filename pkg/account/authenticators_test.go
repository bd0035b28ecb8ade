// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestM1M2OnAndOff: a person whose company leaves the choice turns the second factor on, gets recovery codes, and turns
// it off again; each time after the password, and after a code if there is one.
func TestM1M2OnAndOff(t *testing.T) {
	p, b := start(t)
	id := p.AddAccount(t, "carl@free.example", "free")
	page := want(t, b.Own(t, "carl@free.example"), home)
	if got := page.Find("#two-factor .badge").Text(); got != "Off" {
		t.Errorf("badge = %q, want Off", got)
	}
	p.Advance(6 * time.Minute)
	ask := page.Press(t, "#two-factor", "Turn on two-factor authentication", nil)
	want(t, ask, "Sign in")
	setup := ask.Login(t, "carl@free.example", idptest.Password)
	secret := setup.Key(t)
	done := want(t, setup.Code(t, code(t, p, secret)), "Set-up complete")
	if n := done.Find("#recovery-codes li").Length(); n != 10 {
		t.Errorf("%d recovery codes, want 10", n)
	}
	on := done.Submit(t, nil)
	note(t, on, "added")
	if got := on.Find("#two-factor .badge").Text(); got != "On" || on.Find("#two-factor li").Length() != 1 {
		t.Errorf("badge = %q with %d authenticators, want On and 1", got, on.Find("#two-factor li").Length())
	}
	ask = want(t, on.Press(t, "#two-factor", "Remove", nil), "Remove “Authenticator app”?")
	if !strings.Contains(ask.Body, "It is your only one") || !strings.Contains(ask.Body, "recovery codes stop working too") {
		t.Errorf("the page does not say that it is the only one")
	}
	off := ask.Press(t, "main", "Remove", nil)
	note(t, off, "removed")
	if got := off.Find("#two-factor .badge").Text(); got != "Off" {
		t.Errorf("badge = %q, want Off", got)
	}
	happened(t, p, id, "factor.removed")
	told(t, p, "removed")
}

// TestM3LastStays: the only authenticator stays while the company wants one, and the page says why; a form that is sent
// all the same changes nothing.
func TestM3LastStays(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	if page.Find("#two-factor form[action$='/remove']").Length() != 0 || !strings.Contains(page.Body, "You cannot remove your only authenticator") {
		t.Errorf("the last one can be removed, or nothing says why not")
	}
	path := "/account/authenticators/" + ids(page)[0] + "/remove"
	if got := b.Get(t, path); got.Find("form[action$='/remove']").Length() != 0 {
		t.Errorf("a page to remove the last one")
	}
	note(t, b.Post(t, path, form("everywhere", "1")), "changed meanwhile")
	if got := ids(want(t, b.Get(t, "/account"), home)); len(got) != 1 {
		t.Errorf("%d authenticators, want 1", len(got))
	}
}

// TestM3AddRenameRemove walks through all of it, with the boundaries of a name.
func TestM3AddRenameRemove(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	page, second := add(t, p, want(t, b.Own(t, anna), home))
	note(t, page, "added")
	two := ids(page)
	if len(two) != 2 || page.Find("#two-factor form[action$='/remove']").Length() != 2 {
		t.Fatalf("authenticators = %v", two)
	}
	rename := want(t, b.Get(t, "/account/authenticators/"+two[1]+"/rename"), "Rename your authenticator")
	for name, problem := range map[string]string{
		"": "Type a name", "  ": "Type a name", "--": "Type a name", strings.Repeat("a", 101): "too long",
		strings.Repeat("é", 51): "too long", "a\u202eb": "cannot be seen", "a\u0085b": "cannot be seen", "a\u2028b": "cannot be seen",
	} {
		if got := rename.Submit(t, form("name", name)); got.Status != 200 || !strings.Contains(got.Alert(), problem) {
			t.Errorf("name %q: %d, alert %q, want %q", name, got.Status, got.Alert(), problem)
		}
	}
	if got := rename.Submit(t, form("name", "a\nb")); got.Status != 400 {
		t.Errorf("a name with a line end: %d, want 400", got.Status)
	}
	for _, name := range []string{"T", strings.Repeat("a", 100), "<b>Tablet</b> & “home” 👩‍👧"} {
		page = rename.Submit(t, form("name", name))
		note(t, page, "new name")
		if got := page.Find("#two-factor li b").Eq(1).Text(); got != name {
			t.Errorf("name = %q, want %q", got, name)
		}
	}
	happened(t, p, id, "factor.renamed")
	gone := want(t, page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil), "Remove “<b>Tablet</b> & “home” 👩‍👧”?")
	page = gone.Press(t, "main", "Remove", url.Values{"everywhere": nil})
	note(t, page, "removed")
	told(t, p, "removed")
	if got := ids(page); len(got) != 1 || got[0] != two[0] {
		t.Errorf("authenticators = %v, want %v", got, two[:1])
	}
	// The removed one lets nobody in.
	other := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	p.NextStep()
	if got := other.Code(t, code(t, p, second)); got.H1() != "Enter your code" {
		t.Errorf("a removed authenticator is taken: %q", got.H1())
	}
	// A page that was open meanwhile.
	note(t, gone.Press(t, "main", "Remove", nil), "changed meanwhile")
	note(t, rename.Submit(t, form("name", "x")), "changed meanwhile")
}

// TestM3SignOutEverywhere: the tick ends every other session and all apps with the removal; without it they stay.
func TestM3SignOutEverywhere(t *testing.T) {
	for _, ticked := range []bool{true, false} {
		p, b := start(t)
		p.AddEnrolled(t, anna, "acme")
		other := p.Browser(t)
		signed := other.Get(t, p.RP.AuthURL(idptest.With("scope", "openid offline_access"), idptest.With("prompt", "consent"))).Prove(t, anna)
		if signed.H1() != "GET" {
			signed = signed.Submit(t, form("answer", "allow"))
		}
		tok := p.RP.Exchange(t, signed)
		page, _ := add(t, p, want(t, b.Own(t, anna), home))
		fields := url.Values{}
		if !ticked {
			fields["everywhere"] = nil
		}
		done := page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil).Press(t, "main", "Remove", fields)
		note(t, done, "removed")
		if got := other.Get(t, "/account").H1(); (got == "Sign in") != ticked {
			t.Errorf("ticked %v: the other browser sees %q", ticked, got)
		}
		if got := p.RP.Introspect(t, tok.AccessToken)["active"] == true; got == ticked {
			t.Errorf("ticked %v: the app's token is active: %v", ticked, got)
		}
	}
}

// TestSF20Replace is SF-20: replacing is one act; abandoned, the old one works; confirmed, the new one alone does.
func TestSF20Replace(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	begun := page.Press(t, "#two-factor", "Replace", nil).Prove(t, anna)
	abandoned := begun.Key(t)
	p.Advance(11 * time.Minute)
	if got := begun.Code(t, code(t, p, abandoned)); got.H1() == "Set-up complete" {
		t.Errorf("a set-up is confirmed after 10 minutes")
	}
	p.NextStep()
	again := p.Browser(t)
	page = want(t, again.Own(t, anna), home) // the old one works
	setup := page.Press(t, "#two-factor", "Replace", nil).Prove(t, anna)
	fresh := setup.Key(t)
	p.NextStep()
	done := setup.Code(t, code(t, p, fresh))
	if done.H1() == "Set-up complete" {
		done = done.Submit(t, nil)
	}
	note(t, done, "replaced")
	if got := ids(done); len(got) != 1 || got[0] == ids(page)[0] {
		t.Errorf("authenticators after replacing = %v, before %v", got, ids(page))
	}
	for secret, ok := range map[string]bool{string(idptest.Secret()): false, string(fresh): true} {
		ask := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		p.Advance(time.Minute)
		if got := ask.Code(t, code(t, p, []byte(secret))).H1() == "GET"; got != ok {
			t.Errorf("signed in = %v, want %v", got, ok)
		}
	}
	happened(t, p, id, "factor.enrolled")
}

// TestSF23 is SF-23: after a set-up from the account page its address shows no secret; every page is no-store.
func TestSF23(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	setup := want(t, b.Own(t, anna), home).Press(t, "#two-factor", "Add another authenticator", nil).Prove(t, anna)
	secret, address := setup.Key(t), setup.URL.String()
	p.NextStep()
	if got := setup.Code(t, code(t, p, secret)); strings.Contains(got.Body, "otpauth:") {
		t.Errorf("the secret is shown after it was confirmed")
	}
	if again := b.Get(t, address); again.Find("#totp-key").Length() != 0 || strings.Contains(again.Body, "otpauth:") {
		t.Errorf("the secret is served again at %s", address)
	}
	if got := setup.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of the set-up = %q", got)
	}
}

// TestM3Ten: ten authenticators are the most; the page says so, and a form from before begins no set-up.
func TestM3Ten(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	for len(ids(page)) < 10 {
		before := len(ids(page))
		if page, _ = add(t, p, page); len(ids(page)) != before+1 {
			t.Fatalf("%d authenticators after %d (%d %q)", len(ids(page)), before, page.Status, page.H1())
		}
	}
	if page.Find("form[action='/account/add']").Length() != 0 || !strings.Contains(page.Body, "You have ten authenticators") {
		t.Errorf("an eleventh can be added, or nothing says why not")
	}
	note(t, b.Post(t, "/account/add", empty()), "changed meanwhile")
}
