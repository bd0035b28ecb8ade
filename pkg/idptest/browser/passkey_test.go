// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// authenticator adds a phone's own authenticator to the tab; present says whether its owner answers.
func (b *tab) authenticator(synced, present bool) (id webauthn.AuthenticatorID) {
	b.Helper()
	b.do(
		call(webauthn.Enable, webauthn.EnableParams{}),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			added, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
				Options: &webauthn.VirtualAuthenticatorOptions{
					Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
					IsUserVerified: present, AutomaticPresenceSimulation: true,
					DefaultBackupEligibility: synced, DefaultBackupState: synced,
				},
			})
			if err == nil {
				id = added.AuthenticatorID
			}
			return err
		}),
	)
	return id
}

// tokens redeems the code that the browser brought to the app.
func (b *tab) tokens() idptest.Tokens {
	b.Helper()
	b.eventually(`location.href.startsWith("` + b.world.RP.URL + `/callback")`)
	at, err := url.Parse(b.where())
	if err != nil {
		b.Fatal(err)
	}
	rp := b.world.RP
	tok, err := rp.OAuth.Exchange(b.Context(), at.Query().Get("code"), oauth2.VerifierOption(rp.Verifier))
	if err != nil {
		b.Fatalf("redeem at %s: %v", at, err)
	}
	return rp.Verify(b.T, tok)
}

// TestPasskey sets a passkey up and signs in with it, in a real browser with an authenticator of its own.
func TestPasskey(t *testing.T) {
	for method, synced := range map[string]bool{"hwk": false, "swk": true} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{Host: "localhost", Factors: []string{"totp", "passkey"}})
			b := w.open(t, phone())
			b.authenticator(synced, true)
			b.get(w.RP.AuthURL())
			b.password(bert)
			b.want(200, "Choose a second way to sign in")
			b.tick(selected("#method-passkey"))
			b.press("Continue")
			b.want(200, "Set up a passkey or security key")
			b.fitsHere()
			b.press("Continue")
			b.want(200, "Set-up complete")
			b.tick(selected("#saved"))
			b.press("Continue")
			wantMethod(t, b.tokens(), method)

			// The clock stands still: prompt=login is met by what is as new as the request.
			w.NextStep()
			b.get(w.RP.AuthURL(idptest.With("prompt", "login")))
			b.password(bert)
			b.want(200, "Use your passkey or security key")
			b.fitsHere()
			b.press("Continue")
			wantMethod(t, b.tokens(), method)
		})
	}
}

func wantMethod(t *testing.T, tok idptest.Tokens, method string) {
	t.Helper()
	if got := fmt.Sprint(tok.Claims["amr"]); got != "[pwd "+method+" mfa]" || tok.Claims["acr"] != "urn:lychgate:acr:mfa" {
		t.Errorf("amr = %s, acr = %v, want %s", got, tok.Claims["acr"], method)
	}
}

// TestPasskeyRefusedByTheBrowser: what goes wrong in the browser is said in words, and there is a way on.
func TestPasskeyRefusedByTheBrowser(t *testing.T) {
	w := newWorld(t, idptest.Setup{Host: "localhost", Factors: []string{"totp", "passkey"}})
	b := w.open(t, phone())
	b.authenticator(false, false)
	b.toPasskeySetup()
	b.tick(named("Continue"))
	b.eventually(`document.querySelector('[role=alert]') !== null`)
	if got := b.text("[role=alert]"); !strings.HasPrefix(got, "Your browser made no passkey.") {
		t.Errorf("alert = %q", got)
	}
	b.eventually(`document.activeElement === document.querySelector('[role=alert]')`)
	b.press("Choose another way")
	b.want(200, "Choose a second way to sign in")

	plain := phone()
	plain.noScript = true
	b = w.open(t, plain)
	b.toPasskeySetup()
	if got := b.text("noscript"); !strings.Contains(got, "needs JavaScript") || b.count("button.primary") != 1 {
		t.Errorf("without a script: %q", got)
	}
	if eval[bool](b, selected("button.primary")+`.checkVisibility()`) {
		t.Error("without a script there is a button that does nothing")
	}
	b.press("Choose another way")
	b.want(200, "Choose a second way to sign in")
}

// toPasskeySetup goes to the set-up of a passkey.
func (b *tab) toPasskeySetup() {
	b.Helper()
	b.get(b.world.RP.AuthURL())
	b.password(bert)
	b.want(200, "Choose a second way to sign in")
	b.tick(selected("#method-passkey"))
	b.press("Continue")
	b.want(200, "Set up a passkey or security key")
}

// TestPasskeyBesideAPasskey: the browser is told of the passkey that is there, and makes no second one in the same
// place; the person reads why, takes another one, and signs in with it.
func TestPasskeyBesideAPasskey(t *testing.T) {
	for way, l := range map[string]look{"English": desktop(), "Dutch phone": {width: 360, height: 780, language: "nl"}} {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{Host: "localhost", Factors: []string{"totp", "passkey"}})
			b := w.open(t, l)
			first := b.authenticator(false, true)
			b.ask().as(bert, idptest.Password)
			b.choosesPasskey()
			b.submit(primary)
			b.tick(selected("#saved"))
			b.submit(primary)
			b.wantApp()

			b.get(w.Issuer + "/account")
			b.submit("form[action='/account/add'] button")
			b.choosesPasskey()
			b.has(".lead", b.in("Add one more passkey or security key.", "Voeg nog een passkey of beveiligingssleutel toe."))
			if n := eval[int](b, `JSON.parse(document.querySelector("form[data-passkey]").dataset.options).excludeCredentials.length`); n != 1 {
				t.Errorf("the browser is told of %d passkeys, want the one that is there", n)
			}
			b.tick(selected(primary))
			b.eventually(`document.querySelector('[role=alert]') !== null`)
			b.has("[role=alert]", b.in("You have set up this passkey or security key before. Press Continue and take another one.",
				"U hebt deze passkey of beveiligingssleutel al eerder ingesteld. Kies Doorgaan en neem een andere."))
			b.clean()

			b.do(call(webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{AuthenticatorID: first}))
			b.authenticator(false, true)
			b.submit(primary)
			b.home(b.in("The authenticator is added.", "De authenticator is toegevoegd."))
			for i := range 2 {
				b.has(fmt.Sprintf("#two-factor li:nth-child(%d) b", i+1), b.in("Passkey or security key", "Passkey of beveiligingssleutel"))
			}
			b.clean()
			b.submit("form[action='/account/sign-out'] button")
			b.ask().as(bert, idptest.Password)
			b.want(200, b.in("Use your passkey or security key", "Gebruik uw passkey of beveiligingssleutel"))
			b.submit(primary)
			b.wantApp()
		})
	}
}

// choosesPasskey answers the choice of a method.
func (b *tab) choosesPasskey() {
	b.Helper()
	b.choice()
	b.tick(selected("#method-passkey"))
	b.submit(primary)
	b.want(200, b.in("Set up a passkey or security key", "Stel een passkey of beveiligingssleutel in"))
}

// TestPutOffAtTheChoice: whoever may put a set-up off may do so before choosing what to set up, and comes back from
// either set-up to the choice, by keyboard and without script.
func TestPutOffAtTheChoice(t *testing.T) {
	w := newWorld(t, idptest.Setup{Host: "localhost", Factors: []string{"totp", "passkey"}})
	from := w.Now().UTC().Add(3 * 24 * time.Hour).Truncate(time.Second)
	w.turnsOn(t, from)
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			name := b.newcomer()
			b.ask().signsIn(name)
			b.choice()
			b.has(".titles", b.day(from))
			b.clean()
			b.follow(primary)
			b.want(200, b.in("Secure your account", "Beveilig uw account"))
			b.follow("ul.links a[href$='/enrol']")
			b.choice()
			b.reach("#method-totp")
			b.keys(kb.ArrowDown)
			b.follow(primary)
			b.want(200, b.in("Set up a passkey or security key", "Stel een passkey of beveiligingssleutel in"))
			b.follow("ul.links a[href$='/enrol']")
			b.choice()
			b.follow("button[value=skip]")
			b.wantApp()

			b.anew().ask().signsIn(name)
			b.choice()
			b.follow("button[value=cancel]")
			b.want(200, "Every estate, in one place")
			b.ask().signsIn(name)
			b.follow("button[value=skip]")
			b.wantApp()
			b.anew().ask().signsIn(name)
			b.choice()
			if n := b.count("button[value=skip]"); n != 0 {
				t.Errorf("%d ways to put the set-up off a third time", n)
			}
		})
	}
}

// choice ends the test unless the choice of a method to set up is shown.
func (b *tab) choice() {
	b.Helper()
	b.want(200, b.in("Choose a second way to sign in", "Kies een tweede manier om in te loggen"))
}
