// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestJourney walks from the first sign-in to signing out, as people come: with and without script, on a desktop, on
// a phone and on the narrowest screen.
func TestJourney(t *testing.T) {
	narrow := phone()
	narrow.width = 320
	noScript := phone()
	noScript.noScript = true
	plain := desktop()
	plain.noScript = true
	for name, l := range map[string]look{"desktop": desktop(), "phone": phone(), "320 px": narrow, "phone without script": noScript, "desktop without script": plain} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.openIn(t, whole, l)
			key := b.firstSignIn()
			b.press("Sign out")
			b.want(200, "Every estate, in one place")
			b.scriptless()
			w.NextStep()
			b.press("Sign in")
			b.password(bert)
			b.want(200, "Enter your code")
			b.fitsHere()
			b.tick(selected("#remember"))
			b.code(w.codeOf(t, key))
			b.wantApp()
		})
	}
}

// firstSignIn goes from the app to the app, with a slip at each step.
func (b *tab) firstSignIn() (key string) {
	b.Helper()
	b.begin()
	b.fitsHere()
	b.write("username", bert)
	b.write("password", "not the password")
	b.press("Sign in")
	b.want(200, "Sign in")
	b.fitsHere()
	b.write("password", idptest.Password)
	b.press("Sign in")
	b.want(200, "Secure your account")
	b.fitsHere()
	key = b.key()
	b.code("000000")
	b.want(200, "Secure your account")
	b.fitsHere()
	if again := b.key(); again != key {
		b.Errorf("key after a slip = %q, want %q as before", again, key)
	}
	b.code(b.world.codeOf(b.T, key))
	b.want(200, "Set-up complete")
	b.fitsHere()
	b.saved("Continue")
	b.wantApp()
	b.fitsHere()
	return key
}

// fitsHere: nothing has to be scrolled sideways on this screen.
func (b *tab) fitsHere() {
	b.Helper()
	if got := eval[int64](b, `document.scrollingElement.scrollWidth`); got > b.look.width {
		b.Errorf("%q is %d px wide on a screen of %d px", b.text("h1"), got, b.look.width)
	}
}

// scriptless: no script ran where none may.
func (b *tab) scriptless() {
	b.Helper()
	if ran := eval[bool](b, `document.documentElement.classList.contains('js')`); ran == b.look.noScript {
		b.Errorf("script ran = %v, want %v", ran, !b.look.noScript)
	}
}

// TestDutch is the journey in Dutch, chosen by the app (ui_locales) or by the person (the link at the foot).
func TestDutch(t *testing.T) {
	tests := []struct {
		name  string
		begin func(b *tab)
	}{
		{"ui_locales", func(b *tab) { b.get(b.world.RP.AuthURL(idptest.With("ui_locales", "nl"))) }},
		{"the link at the foot", func(b *tab) {
			b.get(b.world.RP.AuthURL())
			b.want(200, "Sign in")
			b.press("Nederlands")
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.openIn(t, whole, desktop())
			tt.begin(b)
			b.inDutch("Inloggen", "Inloggen")
			b.write("username", bert)
			b.write("password", "not the password")
			b.press("Inloggen")
			b.inDutch("Inloggen", "Inloggen")
			b.write("password", idptest.Password)
			b.press("Inloggen")
			b.inDutch("Beveilig uw account", "Doorgaan")
			b.tick(named("Lukt scannen niet?"))
			b.eventually(`document.getElementById("totp-key").checkVisibility()`)
			b.write("code", w.codeOf(t, b.text("#totp-key")))
			b.press("Doorgaan")
			b.inDutch("Instellen voltooid", "Doorgaan")
			b.saved("Doorgaan")
			b.atRP()
		})
	}
}

// inDutch: heading, title and button are Dutch, and the page says that it is.
func (b *tab) inDutch(h1, button string) {
	b.Helper()
	b.want(200, h1)
	title := strings.TrimPrefix(eval[string](b, `document.title`), "Fout: ")
	if lang := eval[string](b, `document.documentElement.lang`); lang != "nl" || !strings.HasPrefix(title, h1+" - ") {
		b.Errorf("lang = %q, title = %q, want nl and %q", lang, title, h1)
	}
	if got := b.text("main form button.primary"); got != button {
		b.Errorf("button = %q, want %q", got, button)
	}
}

// atRP ends the test unless the browser is at the plain app with a code.
func (b *tab) atRP() {
	b.Helper()
	if at := b.where(); !strings.HasPrefix(at, b.world.RP.URL+"/callback?") || !strings.Contains(at, "code=") {
		b.Fatalf("at %s, want the app with a code", at)
	}
}

// TestDoubleClick: script holds the second press back, so that pressing twice is pressing once.
func TestDoubleClick(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.openIn(t, whole, desktop())
	b.begin()
	b.write("username", anna)
	b.write("password", idptest.Password)
	b.twice("Enter your code")
	b.write("code", w.Code(t, 0))
	b.twice("Estates")
}

// TestDoubleClickWithoutScript: the second press may find the sign-in moved on; then the page says so, and the next
// try ends well.
func TestDoubleClickWithoutScript(t *testing.T) {
	l := desktop()
	l.noScript = true
	// A hash that takes its time lets the second press come before the answer to the first.
	w := newWorld(t, idptest.Setup{Change: func(c *config.Config) { c.Password.MemoryKiB, c.Password.Passes = 19<<10, 8 }})
	b := w.openIn(t, whole, l)
	b.begin()
	b.write("username", anna)
	b.write("password", idptest.Password)
	b.twice("Enter your code", "This sign-in has expired")
	t.Logf("the password twice ends in %q", b.text("h1"))
	if b.text("h1") != "Enter your code" {
		b.begin()
		b.password(anna)
	}
	b.write("code", w.Code(t, 0))
	b.twice("Estates", "This sign-in has expired", "Every estate, in one place")
	t.Logf("the code twice ends in %q", b.text("h1"))
	w.NextStep()
	b.get(w.app + "/login")
	if b.text("h1") == "Sign in" {
		b.password(anna)
		b.code(w.Code(t, 0))
	}
	b.wantApp()
}

// twice clicks two times on the page's button, without waiting between, and waits for one of these pages.
func (b *tab) twice(h1 ...string) {
	b.Helper()
	click := b.click(selected("main form button.primary"))
	b.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for range 2 {
			if _, err := click(ctx, t); err != nil {
				return err
			}
		}
		return nil
	}))
	list, err := json.Marshal(h1)
	if err != nil {
		b.Fatal(err)
	}
	b.eventually(fmt.Sprintf(`document.readyState === 'complete' && %s.includes(document.querySelector('h1')?.textContent.trim())`, list))
}

// goes moves in the history by Back (-1) and Forward (1), whether the page is fetched or comes out of the cache.
func (b *tab) goes(by int64) {
	b.Helper()
	step := chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		all, err := cdp.Call(ctx, t, page.GetNavigationHistory, cdp.Empty{})
		if err != nil {
			return err
		}
		entry := all.Entries[all.CurrentIndex+by]
		_, err = cdp.Call(ctx, t, page.NavigateToHistoryEntry, page.NavigateToHistoryEntryParams{EntryID: entry.ID})
		return err
	})
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, chromedp.WaitEvent(page.FrameNavigated, nil, step)); err != nil {
		b.Fatalf("history %+d at %s: %v", by, b.where(), err)
	}
	b.eventually(`document.readyState === 'complete' && document.querySelector('h1') !== null`)
}

// shows ends the test unless one of these pages is shown, whatever the way that led to it.
func (b *tab) shows(h1 ...string) {
	b.Helper()
	if got := b.text("h1"); !slices.Contains(h1, got) {
		b.Fatalf("page = %q at %s, want one of %q", got, b.where(), h1)
	}
}

// TestBackAndReload is J15: wherever people go back or reload, the next thing to do is on the page; never a loop.
func TestBackAndReload(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.openIn(t, whole, desktop())
	b.begin()
	b.load(chromedp.Reload())
	b.want(200, "Sign in")
	b.password(bert)
	b.load(chromedp.Reload())
	b.want(200, "Secure your account")
	key := b.key()
	b.goes(-1)
	b.shows("Sign in", "Secure your account", "This sign-in has expired")
	b.goes(1)
	b.shows("Secure your account")
	if again := b.text("#totp-key"); again != key {
		t.Errorf("key after Back and Forward = %q, want %q as before", again, key)
	}
	b.code(w.codeOf(t, key))
	b.want(200, "Set-up complete")
	b.goes(-1)
	t.Logf("Back from the end of the set-up: %q at %s", b.text("h1"), b.where())
	b.onceOnly()
	b.shows("Set-up complete")
	b.press("Continue")
	b.wantApp()
	b.load(chromedp.Reload())
	b.wantApp()
	b.goes(-1)
	t.Logf("Back from the app: %q at %s", b.text("h1"), b.where())
	b.get(w.app + "/login")
	b.wantApp()
}

// onceOnly: neither the key nor the recovery codes are shown a second time.
func (b *tab) onceOnly() {
	b.Helper()
	if n := b.count("#totp-key, #recovery-codes"); n != 0 {
		b.Errorf("SF-23: %q at %s shows the key or the codes again", b.text("h1"), b.where())
	}
}

// TestReloadTheCodes: the page with the recovery codes is the answer to a form. A reload sends it again, which leads on
// to the app and shows nothing twice.
func TestReloadTheCodes(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.openIn(t, whole, desktop())
	b.begin()
	b.password(bert)
	b.code(w.codeOf(t, b.key()))
	b.want(200, "Set-up complete")
	if got := b.count("#recovery-codes li"); got != 10 {
		t.Errorf("%d recovery codes, want 10", got)
	}
	b.load(chromedp.Reload())
	b.wantApp()
	b.onceOnly()
	b.goes(-1)
	t.Logf("Back from the app: %q at %s", b.text("h1"), b.where())
	b.onceOnly()
	b.get(w.app + "/login")
	b.wantApp()
}

// TestBackToNewCodes: the page with new recovery codes is the answer to a form, too. Going back shows no code a second
// time, and sending the form again ends nothing: the codes that were written down stay in force.
func TestBackToNewCodes(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.openIn(t, whole, desktop())
	b.own(idptest.Password)
	b.submit("#recovery form button")
	b.submit(primary)
	b.want(200, "Save your new recovery codes")
	codes := b.recoveryCodes()
	b.saved("Continue")
	b.home("You have new recovery codes.")
	b.goes(-1)
	t.Logf("Back from the account page: %q at %s", b.text("h1"), b.where())
	b.onceOnly()
	b.load(chromedp.Reload())
	b.home("Something on your account changed meanwhile, so we did nothing.")
	b.onceOnly()
	b.submit("form[action='/account/sign-out'] button")
	b.ask().as(anna, idptest.Password)
	b.press("Use a recovery code")
	b.give("recovery-code", codes[0])
	b.want(200, "Recovery code used")
}

// TestBackToAnotherSignIn: an old sign-in page in the history leads on, not round and round.
func TestBackToAnotherSignIn(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.openIn(t, whole, desktop())
	b.begin()
	b.password(anna)
	b.want(200, "Enter your code")
	b.load(chromedp.Reload())
	b.want(200, "Enter your code")
	b.goes(-1)
	b.shows("Sign in", "Enter your code", "This sign-in has expired")
	t.Logf("Back from the code: %q at %s", b.text("h1"), b.where())
	if b.text("h1") == "Sign in" {
		// A page out of the browser's cache: its form still leads on.
		b.password(anna)
		b.shows("Enter your code", "This sign-in has expired")
	}
	if b.text("h1") == "This sign-in has expired" {
		b.begin()
		b.password(anna)
	}
	b.code(w.Code(t, 0))
	b.wantApp()
}
