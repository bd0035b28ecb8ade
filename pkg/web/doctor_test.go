// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestSlowPhone is journey J6: a phone that is slow is told so in the person's language, the key stays, and the next
// code of a phone that was put right is taken.
func TestSlowPhone(t *testing.T) {
	for lang, want := range map[string]struct{ title, slow, fast string }{
		"en": {"Error: ", "Your phone’s clock is about 105 seconds slow", "Your phone’s clock is about 75 seconds fast"},
		"nl": {"Fout: ", "De klok van uw telefoon loopt ongeveer 105 seconden achter", "De klok van uw telefoon loopt ongeveer 75 seconden voor"},
	} {
		t.Run(lang, func(t *testing.T) {
			p := idptest.New(t, idptest.Setup{})
			p.AddAccount(t, bert, "acme")
			page := p.Browser(t).Get(t, p.RP.AuthURL()+"&ui_locales="+lang).Login(t, bert, idptest.Password)
			key := page.Find("#totp-key").Text()
			secret := idptest.SecretOf(t, key)
			// The clock of the test stands at the start of a step, so the code of a phone that is two steps ahead was shown
			// from 60 to 90 seconds ahead.
			slow := page.Code(t, idptest.CodeOf(t, secret, p.Now().Add(-94*time.Second)))
			if got := slow.Find("#error h2").Text(); got != want.slow || !strings.HasPrefix(slow.Title(), want.title) {
				t.Errorf("%q, title %q, want %q", got, slow.Title(), want.slow)
			}
			fast := slow.Code(t, idptest.CodeOf(t, secret, p.Now().Add(89*time.Second)))
			if got := fast.Find("#error h2").Text(); got != want.fast {
				t.Errorf("%q, want %q", got, want.fast)
			}
			if fast.Find("#totp-key").Text() != key || fast.Find("#code-error").Text() == "" {
				t.Error("another key, or no words at the field")
			}
			done := fast.Code(t, idptest.CodeOf(t, secret, p.Now()))
			if done.Find("#totp-key").Length() != 0 || done.Alert() != "" {
				t.Errorf("the right code: %q, alert %q", done.H1(), done.Alert())
			}
		})
	}
}
