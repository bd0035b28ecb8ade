// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestConsent is J14: an app of somebody else asks once; Deny goes back to it with nothing.
func TestConsent(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, phone())
	b.get(w.third.AuthURL())
	b.password(sam)
	b.want(200, "Allow Case App to use your account?")
	b.press("Deny")
	if at := b.where(); !strings.HasPrefix(at, w.third.URL) || !strings.Contains(at, "error=access_denied") {
		t.Fatalf("Deny leads to %s, want the app with access_denied", at)
	}
	b.get(w.third.AuthURL())
	b.want(200, "Allow Case App to use your account?")
	b.press("Allow")
	for range 2 {
		if at := b.where(); !strings.HasPrefix(at, w.third.URL) || !strings.Contains(at, "code=") {
			t.Fatalf("at %s, want the app with a code", at)
		}
		b.get(w.third.AuthURL())
	}
}

// TestFormPost: the answer is posted to the app, by script or by a button. The policy of the page lets it out.
func TestFormPost(t *testing.T) {
	for name, noScript := range map[string]bool{"with script": false, "without script": true} {
		t.Run(name, func(t *testing.T) {
			l := desktop()
			l.noScript = noScript
			w := newWorld(t, idptest.Setup{})
			b := w.open(t, l)
			b.get(w.RP.AuthURL(idptest.With("response_mode", "form_post")))
			b.password(anna)
			b.write("code", w.Code(t, 0))
			b.press("Continue")
			if noScript {
				b.fits()
				b.press("Continue")
			}
			b.eventually(`document.querySelector('h1')?.textContent === 'POST'`)
			if got := b.text("pre"); !strings.Contains(got, `"code"`) || !strings.HasPrefix(b.where(), w.RP.URL) {
				t.Errorf("the app got %q at %s, want a code", got, b.where())
			}
		})
	}
}

// TestCase is J12 at the sample app: what is sensitive asks for a code in spite of a remembered device.
func TestCase(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.begin()
	b.password(anna)
	b.tick(selected("#remember"))
	b.code(w.Code(t, 0))
	b.wantApp()
	w.Advance(25 * time.Hour)
	b.begin()
	b.password(anna)
	b.wantApp()
	b.press("Estate of A. Example")
	b.want(200, "Enter your code")
	b.code(w.Code(t, 0))
	b.want(200, "Estate of A. Example")
	b.fits()
	b.accessible("case")
	// It was given now: the next case opens at once.
	b.press("All estates")
	b.press("Estate of B. Sample")
	b.want(200, "Estate of B. Sample")
}

// TestNotYou: who finds somebody else's name on the page starts again as themselves.
func TestNotYou(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.begin()
	b.password(anna)
	b.want(200, "Enter your code")
	b.press("Not you?")
	b.want(200, "Sign in")
	b.password(sam)
	b.wantApp()
}

// TestCancel: leaving the set-up leads back to the app, which says so.
func TestCancel(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.begin()
	b.password(bert)
	b.want(200, "Secure your account")
	b.press("Cancel")
	b.want(200, "Every estate, in one place")
	b.alertHasFocus()
}
