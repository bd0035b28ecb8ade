// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// begin opens the app and presses Sign in.
func (b *tab) begin() {
	b.Helper()
	b.get(b.world.app + "/")
	b.want(200, "Every estate, in one place")
	b.press("Sign in")
	b.want(200, "Sign in")
}

// password gives name and password.
func (b *tab) password(name string) {
	b.Helper()
	b.write("username", name)
	b.write("password", idptest.Password)
	b.press("Sign in")
}

// code gives a code.
func (b *tab) code(code string) {
	b.Helper()
	b.write("code", code)
	b.press("Continue")
}

// saved says that the recovery codes are kept, and goes on.
func (b *tab) saved(button string) {
	b.Helper()
	b.tick(selected("#saved"))
	b.press(button)
}

// key opens Trouble scanning? and reads the key.
func (b *tab) key() string {
	b.Helper()
	b.tick(named("Trouble scanning?"))
	b.eventually(`document.getElementById("totp-key").checkVisibility()`)
	return b.text("#totp-key")
}

// TestRememberedDevice is J8 and SF-22: no code for 30 days after the tick; then a code, and never a QR code.
func TestRememberedDevice(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.begin()
	b.password(anna)
	b.want(200, "Enter your code")
	b.tick(selected("#remember"))
	b.code(w.Code(t, 0))
	b.wantApp()
	for range 3 {
		w.Advance(9 * 24 * time.Hour)
		b.begin()
		b.password(anna)
		b.wantApp()
	}
	w.Advance(4 * 24 * time.Hour)
	b.begin()
	b.password(anna)
	b.want(200, "Enter your code")
	if n := b.count("#totp-key, figure.qr, a[href^='otpauth:']"); n != 0 {
		t.Errorf("%d parts of a set-up on day 31, want a code alone", n)
	}
	b.code(w.Code(t, 0))
	b.wantApp()
}

// TestNotTicked is J7: without the tick every sign-in asks for a code.
func TestNotTicked(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	for range 2 {
		b.begin()
		b.password(anna)
		b.want(200, "Enter your code")
		b.code(w.Code(t, 0))
		b.wantApp()
		w.Advance(25 * time.Hour)
	}
}

// TestTicketWithASlip: a set-up ticket that was typed wrong is asked for again, and nothing is scanned twice.
func TestTicketWithASlip(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	name := b.reset()
	ticket := w.Ticket(t, name)
	b.begin()
	b.password(name)
	b.want(200, "Type your set-up ticket")
	b.give("ticket", ticket[:len(ticket)-1]+"0")
	b.want(200, "Secure your account")
	key := b.key()
	b.code(w.codeOf(t, key))
	b.want(200, "Type your set-up ticket")
	b.alertHasFocus()
	b.give("ticket", ticket)
	b.want(200, "Secure your account")
	if again := b.key(); again != key {
		t.Errorf("key after the slip = %q, want %q as before", again, key)
	}
	b.code(w.codeOf(t, key))
	b.want(200, "Set-up complete")
	b.saved("Continue")
	b.wantApp()
}
