// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestJ6ByKeyboard: a wrong set-up code has the focus go to the reason; the link in it leads to the field, and the next
// code ends the set-up.
func TestJ6ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b, name := w.open(t, l), w.fresh()
			w.AddAccount(t, name, "acme")
			// A code in the middle of its 30 seconds, so that the answer is not rounded.
			const step, slow = 30 * time.Second, -94 * time.Second
			w.Advance((step + step/2 - time.Duration(w.Now().Add(slow).UnixNano())%step) % step)
			b.ask().signsIn(name)
			key := idptest.SecretOf(t, b.text("#totp-key"))
			b.enters("code", idptest.CodeOf(t, key, w.Now().Add(slow)))
			b.refusedAt(b.in("Your phone’s clock is about 94 seconds slow", "De klok van uw telefoon loopt ongeveer 94 seconden achter"))
			b.reach("#error a[href='#code']")
			b.keys(kb.Enter)
			b.sees("#code")
			b.enters("code", idptest.CodeOf(t, key, w.Now()))
			b.want(200, b.in("Set-up complete", "Instellen voltooid"))
			b.keeps()
			b.wantApp()
		})
	}
}

// TestJ11ByKeyboard: two phones scan one key, and each code still works once; a second authenticator with a name is
// added, the first one is removed alone, and the second goes on.
func TestJ11ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b, colleague := w.open(t, l), w.open(t, l)
			name := w.fresh()
			w.AddAccount(t, name, "acme")
			shared := b.ask().signsIn(name).setsUp()
			b.keeps()
			b.wantApp()

			w.NextStep()
			code := w.codeOf(t, shared)
			colleague.ask().signsIn(name).enters("code", code)
			colleague.wantApp()
			other := w.open(t, l)
			other.ask().signsIn(name).enters("code", code)
			other.refusedAt(other.in("Codes can be used once", "Een code werkt één keer"))
			w.NextStep()
			other.enters("code", w.codeOf(t, shared))
			other.wantApp()

			b.get(w.Issuer + "/account")
			b.home("")
			b.follow("form[action='/account/add'] button")
			tablet := b.setsUp()
			b.home(b.in("The authenticator is added.", "De authenticator is toegevoegd."))
			b.follow("#two-factor li:nth-child(2) form[action$='/rename'] button")
			b.enters("name", "Tablet")
			b.has("#two-factor li:nth-child(2) b", "Tablet")
			b.follow("#two-factor li:nth-child(1) form[action$='/remove'] button")
			b.follow("main button.danger")
			b.home(b.in("The authenticator is removed,", "De authenticator is verwijderd,"))
			b.has("#two-factor li b", "Tablet")

			b.follow("form[action='/account/sign-out'] button")
			b.ask().signsIn(name)
			w.NextStep()
			b.enters("code", w.codeOf(t, shared))
			b.refusedAt(b.in("That code did not work.", "Deze code werkte niet."))
			b.enters("code", w.codeOf(t, tablet))
			b.wantApp()
		})
	}
}
