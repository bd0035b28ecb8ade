// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestRD is RD-01, RD-02, RD-08 and SF-22: remembered for 30 days after the tick, not a second longer, and truthful.
func TestRD01RD02RD08SF22Remembered(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	ticked := p.Now()
	for day := range 29 {
		p.Advance(24 * time.Hour)
		back := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		tok := p.RP.Exchange(t, back)
		if tok.Claims["acr"] != authn.ACRPassword || strings.Join(list(tok.Claims["amr"]), " ") != "pwd" {
			t.Fatalf("RD-08, day %d: acr %v amr %v of a remembered device", day+1, tok.Claims["acr"], tok.Claims["amr"])
		}
		if got := authTime(tok); got != p.Now().Unix() {
			t.Errorf("RD-08: auth_time = %d, want the password's time", got)
		}
	}
	p.Advance(ticked.Add(30*24*time.Hour - time.Second).Sub(p.Now()))
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password))
	p.Advance(25 * time.Hour)
	late := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	wantPage(t, late, 200, "Enter your code")
	if late.Find("#totp-key").Length() != 0 || strings.Contains(late.Body, "otpauth:") || late.Find("figure.qr").Length() != 0 {
		t.Errorf("SF-22: a QR code on day 30")
	}
	p.RP.Exchange(t, late.Code(t, p.Code(t, 0)))
}

// TestRDAtTheSecond is RD-02 at the edge: one second after 30 days a code is asked for.
func TestRD02AtTheSecond(t *testing.T) {
	p, b := enrolled(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	cookie := b.Cookie("lgd_")
	p.Advance(30*24*time.Hour + time.Second)
	fresh := p.Browser(t)
	fresh.SetCookie(deviceName(t, b), cookie)
	wantPage(t, fresh.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password), 200, "Enter your code")
}

func deviceName(t *testing.T, b *idptest.Browser) string {
	t.Helper()
	name := b.CookieName("lgd_")
	if name == "" {
		t.Fatal("no device cookie")
	}
	return name
}

// TestRDNotTicked is RD-01: without the tick a code every time; the cookie without the password gives nothing.
func TestRD01NotTicked(t *testing.T) {
	p, b := enrolled(t)
	signIn(t, p, b)
	if b.Cookie("lgd_") != "" {
		t.Errorf("a device is remembered that nobody ticked")
	}
	wantPage(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password), 200, "Enter your code")
}

// TestRD03 is RD-03: one person's device cookie is worth nothing for another, and two people keep their own tick.
func TestRD03(t *testing.T) {
	p, b := enrolled(t)
	p.AddEnrolled(t, bert, "acme")
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	again := idptest.With("prompt", "login")
	p.NextStep()
	page := b.Get(t, p.RP.AuthURL(again)).Login(t, bert, idptest.Password)
	wantPage(t, page, 200, "Enter your code")
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	for _, name := range []string{anna, bert} {
		p.NextStep()
		p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(again)).Login(t, name, idptest.Password))
	}
}

// TestRD05 is RD-05: password change, factor reset and disabling end every device at once.
func TestRD05(t *testing.T) {
	for _, act := range []authn.Change{authn.SetPassword, authn.Forget, authn.Disable, authn.ResetFactor} {
		t.Run(string(act), func(t *testing.T) {
			p, b := enrolled(t)
			p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
			p.NextStep()
			if _, err := p.Node.Office.Apply(t.Context(), anna, act, idptest.Password); err != nil {
				t.Fatal(err)
			}
			want := map[authn.Change]string{
				authn.SetPassword: "Enter your code", authn.Forget: "Enter your code", authn.Disable: "Sign in",
			}[act]
			page := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password)
			if page.URL.Host != strings.TrimPrefix(p.Issuer, "http://") || (want != "" && page.H1() != want) {
				t.Errorf("after %s: %s %q", act, page.URL, page.H1())
			}
		})
	}
}

// TestRD09 is RD-09: a tick counts only with a real pass.
func TestRD09(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, "000000")
	wantPage(t, page, 200, "Enter your code")
	if b.Cookie("lgd_") != "" {
		t.Errorf("a wrong code with the tick remembers the device")
	}
	p.AddAccount(t, bert, "acme")
	other := p.Browser(t)
	setup := other.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	code := idptest.CodeOf(t, idptest.SecretOf(t, setup.Find("#totp-key").Text()), p.Now())
	setup.Remember(t, code)
	if other.Cookie("lgd_") != "" {
		t.Errorf("a set-up with the tick remembers the device")
	}
}

// TestRD10 is RD-10: a client that always wants a code gets one in spite of a remembered device.
func TestRD10(t *testing.T) {
	p, b := enrolled(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	p.NextStep()
	always := p.NewRP(t, "always", func(c *client.Client) { c.SecondFactor = flow.FactorAlways })
	page := b.Get(t, always.AuthURL())
	wantPage(t, page, 200, "Enter your code")
	if page.Find("input[name=remember]").Length() != 0 {
		t.Errorf("the box is offered where it cannot count")
	}
	if tok := always.Exchange(t, page.Code(t, p.Code(t, 0))); tok.Claims["acr"] != authn.ACRFactor {
		t.Errorf("acr = %v", tok.Claims["acr"])
	}
}
