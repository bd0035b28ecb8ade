// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// bare is a phone of 360 px that runs no script and asks for Dutch.
func bare() look {
	l := phone()
	l.noScript, l.language = true, "nl-NL,nl;q=0.9,en;q=0.5"
	return l
}

// submit presses the button that this selector finds, whatever the language of the words on it.
func (b *tab) submit(selector string) {
	b.Helper()
	b.load(b.click(selected(selector)))
}

// clean: the page fits on its screen and breaks no rule of accessibility. The rules need a script of their own, which
// comes after the page.
func (b *tab) clean() {
	b.Helper()
	b.fitsHere()
	before := b.look
	l := before
	l.noScript = false
	b.set(l)
	defer b.set(before)
	b.accessible(b.text("h1"))
}

// has ends in an error unless the element says this.
func (b *tab) has(selector, part string) {
	b.Helper()
	if got := b.text(selector); !strings.Contains(got, part) {
		b.Errorf("at %q: %s = %q, want %q in it", b.text("h1"), selector, got, part)
	}
}

// enrol sets the authenticator app up at the app, keeps the recovery codes, and ends there.
func (b *tab) enrol(name string) (codes []string) {
	b.Helper()
	b.ask().as(name, idptest.Password)
	key := eval[string](b, `document.getElementById("totp-key").textContent`)
	b.give("code", b.world.codeOf(b.T, key))
	codes = b.recoveryCodes()
	b.tick(selected("#saved"))
	b.submit("main form button.primary")
	b.wantApp()
	return codes
}

// recoveryCodes are those that the page shows.
func (b *tab) recoveryCodes() []string {
	b.Helper()
	codes := eval[[]string](b, `[...document.querySelectorAll("#recovery-codes li")].map(e => e.textContent)`)
	if len(codes) != 10 {
		b.Fatalf("at %q: %d recovery codes, want 10", b.text("h1"), len(codes))
	}
	return codes
}

// slipped is a recovery code with one sign typed wrong.
func slipped(code string) string {
	other := "7"
	if strings.HasPrefix(code, other) {
		other = "4"
	}
	return other + code[1:]
}

// TestJ5Codes: the set-up cannot be left without the tick; the text file holds the codes; a mail tells of it, and takes
// it back if it was somebody else.
func TestJ5Codes(t *testing.T) {
	p := startPost(t)
	w := newWorld(t, p.setup())
	b := w.open(t, phone())
	b.ask().as(bert, idptest.Password)
	b.code(w.codeOf(t, b.key()))
	b.want(200, "Set-up complete")
	b.clean()
	codes := b.recoveryCodes()
	b.tick(named("Continue"))
	b.eventually(`document.activeElement.id === 'saved' && document.querySelector(':invalid') !== null`)
	b.want(200, "Set-up complete")
	file := eval[string](b, `decodeURIComponent(document.querySelector('a[download]').href)`)
	for _, code := range codes {
		if !strings.Contains(file, code) {
			t.Errorf("the text file does not hold %q", code)
		}
	}
	b.saved("Continue")
	b.wantApp()
	link := b.letter(p, bert, "An authenticator was added to your account").
		says(t, "Account: "+bert, "When:", "Was this you?", "Was it not you? Call your help desk now.", "help@acme.example").link(t)

	b.get(link)
	b.want(200, "Was this not you?")
	b.clean()
	b.press("Take the set-up back")
	b.want(200, "The set-up is taken back")
	b.clean()
	b.ask()
	b.want(200, "Sign in")
	b.password(bert)
	b.want(200, "Type your set-up ticket")
}

// TestJ6Clock: an app whose clock is slow or fast is told so, in both languages, with and without script.
func TestJ6Clock(t *testing.T) {
	for _, tt := range []struct {
		name string
		look look
		by   time.Duration
		want string
	}{
		{"slow", phone(), -94 * time.Second, "Your phone’s clock is about 94 seconds slow"},
		{"fast", desktop(), 94 * time.Second, "Your phone’s clock is about 94 seconds fast"},
		{"slow in Dutch without script", bare(), -94 * time.Second, "De klok van uw telefoon loopt ongeveer 94 seconden achter"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			// A code in the middle of its 30 seconds, so that the answer is not rounded.
			const step = 30 * time.Second
			w.Advance((step + step/2 - time.Duration(w.Now().Add(tt.by).UnixNano())%step) % step)
			b := w.open(t, tt.look)
			b.ask().as(bert, idptest.Password)
			key := idptest.SecretOf(t, b.text("#totp-key"))
			b.give("code", idptest.CodeOf(t, key, w.Now().Add(tt.by)))
			b.has("[role=alert]", tt.want)
			b.photograph(b.in("setup-clock", "setup-clock-nl"))
			b.scriptless()
			b.clean()
			b.give("code", idptest.CodeOf(t, key, w.Now()))
			if got := b.count("#recovery-codes li"); got != 10 {
				t.Errorf("%q shows %d codes, want the end of the set-up", b.text("h1"), got)
			}
		})
	}
}

// TestJ10LostPhone: a recovery code lets in once; a slip of the hand costs nothing; what is left is told, by mail too.
func TestJ10LostPhone(t *testing.T) {
	p := startPost(t)
	w := newWorld(t, p.setup())
	b := w.open(t, desktop())
	codes := b.enrol(bert)
	for left := 9; left >= 8; left-- {
		b.press("Sign out")
		b.ask().password(bert)
		b.press("Use a recovery code")
		b.want(200, "Use a recovery code")
		b.clean()
		b.give("recovery-code", slipped(codes[left]))
		b.has("[role=alert]", "typing slip")
		b.alertHasFocus()
		b.clean()
		b.give("recovery-code", codes[left])
		b.want(200, "Recovery code used")
		b.has(".lead", fmt.Sprintf("%d recovery codes are left.", left))
		b.clean()
		b.press("Continue")
		b.wantApp()
		b.letter(p, bert, "A recovery code was used").says(t, fmt.Sprintf("Recovery codes left: %d", left), "Did you lose your phone?", "holds no link on purpose")
	}
	b.press("Sign out")
	b.ask().password(bert)
	b.press("Use a recovery code")
	b.give("recovery-code", codes[9])
	b.has("[role=alert]", "That recovery code did not work.")
}

// TestJ10InDutchWithoutScript is the same at 360 px.
func TestJ10InDutchWithoutScript(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, bare())
	codes := b.enrol(bert)
	b.get(w.Issuer + "/logout")
	b.submit("main button")
	b.ask().as(bert, idptest.Password)
	b.press("Een herstelcode gebruiken")
	b.inDutch("Een herstelcode gebruiken", "Doorgaan")
	b.give("recovery-code", slipped(codes[0]))
	b.has("[role=alert]", "Er zit een typefout in die code.")
	b.scriptless()
	b.clean()
	b.give("recovery-code", strings.ToLower(strings.ReplaceAll(codes[0], "-", " ")))
	b.inDutch("Herstelcode gebruikt", "Doorgaan")
	b.has(".lead", "U hebt nog 9 herstelcodes.")
	b.clean()
	b.submit("main form button.primary")
	b.wantApp()
}

// TestC2FromADate: before the date the set-up can be put off so many times; after it no more.
func TestC2FromADate(t *testing.T) {
	for name, l := range map[string]look{"script": desktop(), "Dutch without script": bare()} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			w.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: flow.FactorRequired, HelpEmail: "help@acme.example", Policy: company.Policy{
				From: w.Now().Add(3 * 24 * time.Hour).Truncate(time.Second), Skips: 2,
			}})
			b := w.open(t, l)
			b.ask().as(bert, idptest.Password)
			b.has("main", "2")
			b.clean()
			b.submit("button[value=skip]")
			b.wantApp()
			w.Advance(3*24*time.Hour + time.Second)
			b.do(call(network.ClearBrowserCookies, cdp.Empty{}))
			b.ask().as(bert, idptest.Password)
			if b.count("#totp-key") != 1 || b.count("button[value=skip]") != 0 {
				t.Errorf("after the date: %q with %d ways to put it off", b.text("h1"), b.count("button[value=skip]"))
			}
		})
	}
}

// TestC3Reset: an admin takes the factor away; the mailed link opens the set-up, the person and the admins are told.
func TestC3Reset(t *testing.T) {
	for name, l := range map[string]look{"script": phone(), "Dutch without script": bare()} {
		t.Run(name, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			w.Ticket(t, anna)
			link := b.letter(p, anna, "Your second step was reset").says(t, "by an admin of your company", "It works once, within 24 hours:").link(t)
			b.letter(p, "help@acme.example", "The second step of a person in your company was reset").says(t, "Account: "+anna, "Give nobody a set-up ticket before you are sure who it is.")
			b.get(link)
			b.clean()
			b.submit("main form button.primary")
			b.clean()
			b.scriptless()
			b.ask().as(anna, idptest.Password)
			if b.count("#totp-key") != 1 {
				t.Fatalf("the link leads to %q, want the set-up", b.text("h1"))
			}
			b.give("code", w.codeOf(t, b.text("#totp-key")))
			b.recoveryCodes()
			b.get(link)
			if b.status != 400 {
				t.Errorf("the link opens twice: %d %q", b.status, b.text("h1"))
			}
		})
	}
}

// TestRecoveryByKeyboard is J5 and J10 by Tab, Enter and Space alone.
func TestRecoveryByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.ask().as(bert, idptest.Password)
	b.tabTo("code")
	b.keys(w.codeOf(t, b.text("#totp-key")))
	b.sends(kb.Enter)
	b.want(200, "Set-up complete")
	codes := b.recoveryCodes()
	b.tabTo("Copy the codes")
	b.tabTo("saved")
	b.keys(" ")
	b.tabTo("Continue")
	b.sends(kb.Enter)
	b.tabTo("Sign out")
	b.sends(kb.Enter)
	b.ask()
	b.focused("username")
	b.keys(bert + kb.Tab + idptest.Password)
	b.sends(kb.Enter)
	b.focused("code")
	b.tabTo("Use a recovery code")
	b.sends(kb.Enter)
	b.focused("recovery-code")
	b.keys(slipped(codes[0]))
	b.sends(kb.Enter)
	b.focused("error")
	b.tabTo("recovery-code")
	b.keys(codes[0])
	b.sends(kb.Enter)
	b.want(200, "Recovery code used")
	b.tabTo("Continue")
	b.sends(kb.Enter)
	b.wantApp()
}
