// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

const fresh = "vier-paarse-ramen-zingen"

// gets and posts are all addresses of the account page; {id} is an authenticator.
func gets() []string {
	return []string{"/account", "/account/authenticators/{id}/rename", "/account/authenticators/{id}/remove", "/account/recovery", "/account/password"}
}

func posts() []string {
	return []string{
		"/account/add", "/account/authenticators/{id}/rename", "/account/authenticators/{id}/remove",
		"/account/authenticators/{id}/replace", "/account/recovery", "/account/devices/forget", "/account/devices/forget-all",
		"/account/sessions/end", "/account/sessions/end-others", "/account/apps/end", "/account/password", "/account/sign-out",
		"/account/sign-out-everywhere",
	}
}

// proving are those that change factors, recovery codes or password.
func proving() []string {
	return []string{
		"/account/add", "/account/authenticators/{id}/rename", "/account/authenticators/{id}/remove",
		"/account/authenticators/{id}/replace", "/account/recovery", "/account/password",
	}
}

func of(path, id string) string { return strings.ReplaceAll(path, "{id}", id) }

// TestM7Password: changed with password and code; it ends the other sessions, keeps this one, and is refused in words
// where it is a bad one.
func TestM7Password(t *testing.T) {
	p, b := start(t)
	id := p.AddEnrolled(t, anna, "acme")
	other := p.Browser(t)
	want(t, other.Own(t, anna), home)
	page := want(t, b.Own(t, anna), home).Follow(t, "/account/password")
	want(t, page, "Choose a new password")
	if got := page.Find("input[name=username]").AttrOr("value", ""); got != anna {
		t.Errorf("username for the password manager = %q", got)
	}
	for password, problem := range map[string]string{
		"": "too short", "tr0ub4dor&3": "too short", strings.Repeat("a b ", 65): "too long", "password1234": "tried first",
		"anna-acme-anna-acme-example": "names that go with your account",
	} {
		got := page.Submit(t, form("new_password", password))
		if got.Status != 200 || !strings.Contains(got.Alert(), problem) || (password != "" && strings.Contains(got.Body, password)) {
			t.Errorf("password %q: %d, alert %q, want %q, and the password not in the page", password, got.Status, got.Alert(), problem)
		}
	}
	want(t, other.Get(t, "/account"), home)
	note(t, page.Submit(t, form("new_password", fresh)), "password is changed")
	want(t, other.Get(t, "/account"), "Sign in")
	want(t, b.Get(t, "/account"), home)
	told(t, p, "Your password was changed")
	happened(t, p, id, "password.changed")
	for password, ok := range map[string]bool{idptest.Password: false, fresh: true} {
		got := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, password).H1()
		if (got == "Enter your code") != ok {
			t.Errorf("sign-in with %q: %q", password, got)
		}
	}
}

// TestSF21 is SF-21: with a session whose password and factor are older than 5 minutes every page and every form that
// changes something leads to password and code; nothing is changed on the way.
func TestSF21(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	id := ids(page)[0]
	p.Advance(5*time.Minute + time.Second)
	for _, path := range proving() {
		got := b.Post(t, of(path, id), form("name", "Stolen", "new_password", fresh, "everywhere", "1"))
		want(t, got, "Sign in")
		want(t, got.Login(t, anna, idptest.Password), "Enter your code")
	}
	for _, path := range gets()[1:] {
		want(t, b.Get(t, of(path, id)), "Sign in")
	}
	now := want(t, b.Get(t, "/account"), home)
	if got := ids(now); len(got) != 1 || got[0] != id || strings.Contains(now.Find("#two-factor").Text(), "Stolen") || !strings.Contains(now.Find("#recovery").Text(), "0 of 10") {
		t.Errorf("something was changed: %q", now.Find("#two-factor, #recovery").Text())
	}
	want(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), "Enter your code")
	// With password and code it goes on where the person wanted to be.
	want(t, b.Get(t, "/account/password").Prove(t, anna), "Choose a new password")
}

// TestSF21Device: a remembered device is no factor for a change.
func TestSF21Device(t *testing.T) {
	p, _ := start(t)
	p.AddEnrolled(t, anna, "acme")
	device := remembered(t, p, anna, firefox)
	p.Advance(24*time.Hour + time.Minute)
	page := device.Get(t, "/account/password").Login(t, anna, idptest.Password)
	want(t, page, "Enter your code")
	p.NextStep()
	want(t, page.Code(t, p.Code(t, 0)), "Choose a new password")
}

// TestSF24SF17 is SF-24 and SF-17: after the password alone no address of the account page shows or changes anything.
func TestSF24SF17PasswordAlone(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	id := ids(want(t, b.Own(t, anna), home))[0]
	thief := p.Browser(t)
	want(t, thief.Get(t, "/account").Login(t, anna, idptest.Password), "Enter your code")
	nothing := func(got *idptest.Page) {
		t.Helper()
		if got.H1() != "Sign in" && got.H1() != "Enter your code" {
			t.Errorf("%s shows %q after the password alone", got.URL.Path, got.H1())
		}
		if strings.Contains(got.Body, "otpauth:") || got.Find("#recovery-codes").Length() != 0 {
			t.Errorf("%s shows a secret", got.URL.Path)
		}
	}
	for _, path := range gets() {
		nothing(thief.Get(t, of(path, id)))
	}
	for _, path := range posts() {
		nothing(thief.Post(t, of(path, id), form("id", id, "name", "Stolen", "new_password", fresh)))
	}
	now := want(t, b.Get(t, "/account"), home)
	if got := ids(now); len(got) != 1 || got[0] != id || strings.Contains(now.Body, "Stolen") {
		t.Errorf("something was changed: %v", got)
	}
}

// TestForeign: every form that another site sends is refused before it is read, and nothing is changed by a GET.
func TestForeignAndGet(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	id := ids(want(t, b.Own(t, anna), home))[0]
	evil := b.Copy(t)
	evil.Header.Set("Sec-Fetch-Site", "cross-site")
	for _, path := range posts() {
		if got := evil.Post(t, of(path, id), form("id", id, "new_password", fresh)); got.Status != http.StatusForbidden {
			t.Errorf("POST %s from another site: %d, want 403", path, got.Status)
		}
	}
	for _, path := range posts() {
		if got := b.Get(t, of(path, id)); got.Status == http.StatusOK && !strings.Contains(strings.Join(gets(), " "), path) {
			t.Errorf("GET %s: %d %q", path, got.Status, got.H1())
		}
	}
	if got := ids(want(t, b.Get(t, "/account"), home)); len(got) != 1 {
		t.Errorf("authenticators = %v", got)
	}
}

// TestOthersAreOutOfReach: ids of another account's authenticators, devices and sessions do nothing, whatever they are;
// nor do ids that cannot be one.
func TestOthersAreOutOfReach(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	p.AddEnrolled(t, bert, "acme")
	theirs := remembered(t, p, bert, safari)
	page := want(t, theirs.Own(t, bert), home)
	device := page.Find("#devices input").AttrOr("value", "")
	other := p.Browser(t)
	want(t, other.Own(t, bert), home)
	session := want(t, theirs.Get(t, "/account"), home).Find("#sessions input").AttrOr("value", "")
	if device == "" || session == "" {
		t.Fatalf("device %q, session %q", device, session)
	}
	mine := want(t, b.Own(t, anna), home)
	for _, id := range []string{device, session, "", "x", "../x", strings.Repeat("A", 22), strings.Repeat("a", 1000), "*", "é"} {
		note(t, b.Post(t, "/account/devices/forget", form("id", id)), "changed meanwhile")
		note(t, b.Post(t, "/account/sessions/end", form("id", id)), "changed meanwhile")
		note(t, b.Post(t, "/account/apps/end", form("id", id)), "changed meanwhile")
	}
	// Both were imported: whatever the ids, the account is that of the session.
	for _, id := range append(ids(page), "totp.none", "x", strings.Repeat("a", 300)) {
		if id == ids(mine)[0] {
			continue
		}
		for _, act := range []string{"rename", "remove", "replace"} {
			got := b.Post(t, "/account/authenticators/"+id+"/"+act, form("name", "Mine"))
			note(t, got, "changed meanwhile")
		}
	}
	now := want(t, theirs.Get(t, "/account"), home)
	if now.Find("#devices li").Length() != 1 || now.Find("#sessions li").Length() < 2 || len(ids(now)) != 1 || strings.Contains(now.Body, "Mine") {
		t.Errorf("something of another account was changed")
	}
}

// TestDoneIsNotEchoed: the address names a sentence of ours or nothing.
func TestDoneIsNotEchoed(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	want(t, b.Own(t, anna), home)
	for _, what := range []string{"", "nonsense", "<script>alert(1)</script>", "Password", "moved%00"} {
		page := want(t, b.Get(t, "/account?done="+strings.ReplaceAll(what, "<", "%3C")), home)
		if page.Find("[role=status]").Length() != 0 || strings.Contains(page.Body, "nonsense") || strings.Contains(page.Body, "<script>") {
			t.Errorf("done=%s says %q", what, page.Note())
		}
	}
}

// TestRaceOfTwoRemovals: two browsers remove the two authenticators at once, where one has to stay; one wins.
func TestRaceOfTwoRemovals(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	page, _ := add(t, p, want(t, b.Own(t, anna), home))
	two := ids(page)
	other := b.Copy(t)
	other.At(t, p.AddNode(t))
	var wg sync.WaitGroup
	for i, at := range []*idptest.Browser{b, other} {
		wg.Go(func() { at.Post(t, "/account/authenticators/"+two[i]+"/remove", empty()) })
	}
	wg.Wait()
	got := ids(want(t, b.Own(t, anna), home))
	if len(got) != 1 {
		t.Errorf("authenticators = %v, want one of %v", got, two)
	}
}

// TestBothLanguages: the page in Dutch, by the link at its foot; the choice lasts.
func TestBothLanguages(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	page := want(t, b.Own(t, anna), home)
	want(t, page.Follow(t, page.Find("footer a[hreflang=nl]").AttrOr("href", "")), "Beveiliging")
	want(t, b.Get(t, "/account/password"), "Kies een nieuw wachtwoord")
}

// TestHomeLeadsHere: the bare address has a way to the account.
func TestHomeLeadsHere(t *testing.T) {
	p, b := start(t)
	p.AddEnrolled(t, anna, "acme")
	to := b.Get(t, "/").Find("main a.button").AttrOr("href", "")
	want(t, b.Get(t, to).Prove(t, anna), home)
}
