// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// setUp enrols anna from nothing, and returns her secret and recovery codes.
func setUp(t *testing.T, p *idptest.IDP) (secret []byte, codes []string) {
	t.Helper()
	p.AddAccount(t, anna, "acme")
	page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	secret = idptest.SecretOf(t, page.Find("#totp-key").Text())
	done := page.Code(t, idptest.CodeOf(t, secret, p.Now()))
	wantPage(t, done, 200, "Set-up complete")
	codes = codesOn(done)
	p.RP.Exchange(t, done.Submit(t, nil))
	p.NextStep()
	return secret, codes
}

func codesOn(page *idptest.Page) []string {
	return page.Find("ol#recovery-codes > li").Map(func(_ int, li *goquery.Selection) string { return li.Text() })
}

// recover types a recovery code instead of a code of the app.
func withCode(t *testing.T, p *idptest.IDP, b *idptest.Browser, code string) *idptest.Page {
	t.Helper()
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	link := page.Find("a:contains('Use a recovery code')").AttrOr("href", "")
	return b.Get(t, p.Issuer+link).Submit(t, url.Values{"recovery_code": {code}})
}

// TestJ5RecoveryCodes: the set-up itself makes ten codes, shows them once, to copy, to keep as a text file and to print.
func TestJ5RecoveryCodes(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	done := page.Code(t, idptest.CodeOf(t, idptest.SecretOf(t, page.Find("#totp-key").Text()), p.Now()))
	codes := codesOn(done)
	if len(codes) != 10 || done.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("codes = %q, Cache-Control %q", codes, done.Header.Get("Cache-Control"))
	}
	file, err := url.PathUnescape(strings.TrimPrefix(done.Find("a[download]").AttrOr("href", ""), "data:text/plain;charset=utf-8,"))
	if err != nil {
		t.Fatal(err)
	}
	sheet := done.Find(".sheet").Text()
	for _, want := range append(slices.Clone(codes), anna, "Acme") {
		if !strings.Contains(file, want) || !strings.Contains(sheet, want) {
			t.Errorf("text file or sheet lack %q", want)
		}
	}
	for _, want := range []string{"make new ones on your account page"} {
		if !strings.Contains(file, want) || !strings.Contains(sheet, want) {
			t.Errorf("text file or sheet do not say how to undo: %q", want)
		}
	}
	// SF-23: neither a reload nor the way back shows them again.
	for _, again := range []*idptest.Page{b.Get(t, page.URL.String()), b.Get(t, done.URL.String())} {
		if len(codesOn(again)) != 0 || again.Find("#totp-key").Length() != 0 {
			t.Errorf("SF-23: %s shows codes or the key again", again.URL)
		}
	}
	p.RP.Exchange(t, done.Submit(t, nil))
}

// TestJ10: a recovery code lets somebody in whose phone is lost: once, after the password, and truthfully; it ends every
// remembered device, and says how many are left.
func TestJ10RecoverySF25(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	secret, codes := setUp(t, p)
	remembered := p.Browser(t)
	p.RP.Exchange(t, remembered.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, idptest.CodeOf(t, secret, p.Now())))
	b := p.Browser(t)
	used := withCode(t, p, b, strings.ToLower(strings.ReplaceAll(codes[3], "-", " ")))
	wantPage(t, used, 200, "Recovery code used")
	if !strings.Contains(used.Find(".lead").Text(), "9 recovery codes are left") {
		t.Errorf("lead = %q, want nine left", used.Find(".lead").Text())
	}
	tok := p.RP.Exchange(t, used.Submit(t, nil))
	if amr := strings.Join(list(tok.Claims["amr"]), " "); amr != "pwd mfa" || tok.Claims["acr"] != authn.ACRFactor {
		t.Errorf("amr %q acr %v after a recovery code", amr, tok.Claims["acr"])
	}
	p.Advance(25 * time.Hour)
	wantPage(t, remembered.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Enter your code")
	refused := withCode(t, p, p.Browser(t), codes[3])
	if !strings.Contains(refused.Alert(), "That recovery code did not work.") {
		t.Errorf("a used code: %q", refused.Alert())
	}
	if strings.Contains(refused.Body, codes[3]) {
		t.Error("the refused code stands in the page")
	}
}

// TestRecoverySlips: a slip of the hand is told from a wrong code and costs nothing, however often; a wrong one waits.
func TestRecoverySlips(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	_, codes := setUp(t, p)
	b := p.Browser(t)
	swapped := []byte(codes[0])
	swapped[0], swapped[1] = swapped[1], swapped[0]
	if swapped[0] == swapped[1] {
		swapped[0] = '2'
	}
	for _, typed := range []string{string(swapped), codes[0][:18], "", "hello"} {
		if page := withCode(t, p, b, typed); !strings.Contains(page.Alert(), "This cost you nothing.") {
			t.Fatalf("a slip: %q", page.Alert())
		}
	}
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	recovery := b.Get(t, p.Issuer+page.Find("a:contains('Use a recovery code')").AttrOr("href", ""))
	for range 100 {
		recovery = recovery.Submit(t, url.Values{"recovery_code": {string(swapped)}})
	}
	wantPage(t, recovery.Submit(t, url.Values{"recovery_code": {codes[0]}}), 200, "Recovery code used")
}

// TestSF25Parallel: one code in 24 flows at once lets one of them in; wrong codes wait like wrong codes of an app, and
// nothing is said without the password.
func TestSF25Parallel(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	_, codes := setUp(t, p)
	browsers := make([]*idptest.Page, 24)
	for i := range browsers {
		b := p.Browser(t)
		page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		browsers[i] = b.Get(t, p.Issuer+page.Find("a:contains('Use a recovery code')").AttrOr("href", ""))
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	ok := 0
	for _, page := range browsers {
		wg.Go(func() {
			if page.Submit(t, url.Values{"recovery_code": {codes[1]}}).H1() == "Recovery code used" {
				mu.Lock()
				defer mu.Unlock()
				ok++
			}
		})
	}
	wg.Wait()
	if ok != 1 {
		t.Errorf("one recovery code in 24 flows: %d got in, want 1", ok)
	}
	b := p.Browser(t)
	if page := b.Get(t, p.Issuer+"/flow/"+strings.Repeat("A", 22)+"/recovery"); page.Status != 400 {
		t.Errorf("recovery page without a flow: %d", page.Status)
	}
	early := p.Browser(t)
	flow := early.Get(t, p.RP.AuthURL())
	if page := early.Get(t, strings.TrimSuffix(flow.URL.String(), "/login")+"/recovery"); page.H1() != "Sign in" {
		t.Errorf("recovery page before the password: %q", page.H1())
	}
}

// TestFewRecoveryCodes: with none left the page says how to reach help.
func TestFewRecoveryCodes(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	none := b.Get(t, p.Issuer+page.Find("a:contains('Use a recovery code')").AttrOr("href", ""))
	if !strings.Contains(none.Find(".note.warn").Text(), "You have no recovery codes left.") || !strings.Contains(none.Find(".note.warn").Text(), "help desk") {
		t.Errorf("note = %q", none.Find(".note.warn").Text())
	}
}

// TestLateFirstSetUp: a stolen password alone must not win an account that was not set up in time.
func TestSF16LateFirstSetUp(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, anna, "acme")
	p.AddAccount(t, "bert@acme.example", "acme")
	wantPage(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Secure your account")
	p.Advance(14*24*time.Hour - time.Hour)
	wantPage(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Secure your account")
	p.Advance(2 * time.Hour)
	late := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if late.Find("#totp-key").Length() != 0 || late.Find("input[name=ticket]").Length() != 1 {
		t.Fatalf("after 14 days the password alone leads to %q", late.H1())
	}
	// A policy of today opens it for 14 days more.
	policy(t, p, func(c *company.Company) { c.From = p.Now() })
	wantPage(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Secure your account")
}
