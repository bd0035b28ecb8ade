// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// authenticator adds a phone's own authenticator to the tab; present says whether its owner answers.
func (b *tab) authenticator(synced, present bool) {
	b.Helper()
	b.do(
		call(webauthn.Enable, webauthn.EnableParams{}),
		chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
			_, err := cdp.Call(ctx, t, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
				Options: &webauthn.VirtualAuthenticatorOptions{
					Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true,
					IsUserVerified: present, AutomaticPresenceSimulation: true,
					DefaultBackupEligibility: synced, DefaultBackupState: synced,
				},
			})
			return err
		}),
	)
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
