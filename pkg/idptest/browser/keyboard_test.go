// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// keys presses keys, wherever the focus is.
func (b *tab) keys(keys string) {
	b.Helper()
	b.do(chromedp.KeyEvent(keys))
}

// tabTo presses Tab until the focus is on the element with this id or these words, and looks that it can be seen.
func (b *tab) tabTo(what string) {
	b.Helper()
	b.tabUntil(what, fmt.Sprintf(`(e => e.id === %[1]q || (e !== document.body && e.textContent.replace(/\s+/g, ' ').trim() === %[1]q))(document.activeElement)`, what))
}

// reach presses Tab until the focus is on what the selector finds, whatever the language of the words on it.
func (b *tab) reach(selector string) {
	b.Helper()
	b.tabUntil(selector, fmt.Sprintf(`document.activeElement.matches(%q)`, selector))
}

func (b *tab) tabUntil(what, here string) {
	b.Helper()
	for range 50 {
		b.keys(kb.Tab)
		if eval[bool](b, here) {
			b.focusShows()
			return
		}
	}
	b.Fatalf("at %s %q: %q is not reached by Tab", b.where(), b.text("h1"), what)
}

// follow reaches a button or link, and presses Enter.
func (b *tab) follow(selector string) {
	b.Helper()
	b.reach(selector)
	b.sends(kb.Enter)
}

// types writes into the field of this id: the page has put the focus there, or Tab leads there.
func (b *tab) types(id, text string) {
	b.Helper()
	if eval[bool](b, selected("#"+id)+`.autofocus`) {
		b.focused(id)
	} else {
		b.tabTo(id)
	}
	b.keys(text)
}

// enters writes into a field and sends its form by Enter.
func (b *tab) enters(id, text string) {
	b.Helper()
	b.types(id, text)
	b.sends(kb.Enter)
}

// signsIn gives name and password.
func (b *tab) signsIn(name string) *tab {
	b.Helper()
	b.types("username", name)
	b.enters("password", idptest.Password)
	return b
}

// refusedAt: the page has the focus on its error, which says this.
func (b *tab) refusedAt(part string) {
	b.Helper()
	b.focused("error")
	b.has("#error", part)
}

// keeps says by Space that the recovery codes are kept, and goes on.
func (b *tab) keeps() (codes []string) {
	b.Helper()
	codes = b.recoveryCodes()
	b.reach("#saved")
	b.keys(" ")
	b.follow(primary)
	return codes
}

// sees waits until a part of the page stands on the screen.
func (b *tab) sees(selector string) {
	b.Helper()
	b.eventually(fmt.Sprintf(`(r => r.top < innerHeight && r.bottom > 0)(document.querySelector(%q).getBoundingClientRect())`, selector))
}

// focusShows: who looks at the screen can tell where the focus is.
func (b *tab) focusShows() {
	b.Helper()
	shows := eval[bool](b, `(e => {
		const s = getComputedStyle(e), r = e.getBoundingClientRect();
		return e.matches(':focus-visible') && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2 && r.width > 0 && r.height > 0 &&
			r.bottom > 0 && r.top < innerHeight;
	})(document.activeElement)`)
	if !shows {
		b.Errorf("at %s: the focus on %s does not show", b.where(), b.focus())
	}
}

// focused waits until the page itself has put the focus on this element.
func (b *tab) focused(id string) {
	b.Helper()
	b.eventually(fmt.Sprintf(`document.activeElement.id === %q`, id))
}

// sends presses a key that sends a form or follows a link.
func (b *tab) sends(key string) {
	b.Helper()
	b.load(chromedp.KeyEvent(key))
}

// TestKeyboard is the whole journey by Tab, Enter and Space alone.
func TestKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.get(w.app + "/")
	b.tabTo("Sign in")
	b.sends(kb.Enter)
	b.want(200, "Sign in")

	b.focused("username")
	b.keys(bert)
	b.tabTo("password")
	b.keys("not the password")
	b.sends(kb.Enter)
	b.want(200, "Sign in")
	b.focused("error")
	b.tabTo("username")
	if got := eval[string](b, `document.activeElement.value`); got != bert {
		t.Errorf("user name after an error = %q, want what was typed", got)
	}
	b.tabTo("password")
	b.keys(idptest.Password)
	b.tabTo("Show password")
	b.tabTo("Sign in")
	b.sends(kb.Enter)
	b.want(200, "Secure your account")

	b.tabTo("Trouble scanning?")
	b.keys(" ")
	b.eventually(`document.getElementById("totp-key").checkVisibility()`)
	key := b.text("#totp-key")
	b.tabTo("code")
	b.keys("000000")
	b.sends(kb.Enter)
	b.want(200, "Secure your account")
	b.focused("error")
	b.tabTo("code")
	b.keys(w.codeOf(t, key))
	b.tabTo("Continue")
	b.sends(" ")
	b.want(200, "Set-up complete")
	b.tabTo("saved")
	b.keys(" ")
	b.tabTo("Continue")
	b.sends(kb.Enter)
	b.wantApp()

	b.tabTo("Sign out")
	b.sends(kb.Enter)
	b.want(200, "Every estate, in one place")
	w.NextStep()
	b.tabTo("Sign in")
	b.sends(kb.Enter)
	b.codeByKeyboard(bert, w.codeOf(t, key))
	b.wantApp()
}

// codeByKeyboard signs in with a slip at the code, and ticks the box.
func (b *tab) codeByKeyboard(name, code string) {
	b.Helper()
	b.focused("username")
	b.keys(name)
	b.keys(kb.Tab)
	b.keys(idptest.Password)
	b.sends(kb.Enter)
	b.want(200, "Enter your code")
	b.focused("code")
	b.keys("000000")
	b.sends(kb.Enter)
	b.want(200, "Enter your code")
	b.focused("error")
	b.tabTo("code")
	if got := eval[string](b, `document.activeElement.value`); got != "" {
		b.Errorf("code after an error = %q, want an empty field", got)
	}
	b.keys(code[:3] + " " + code[3:])
	b.tabTo("remember")
	b.keys(" ")
	if !eval[bool](b, `document.activeElement.checked`) {
		b.Error("Space does not tick the box")
	}
	b.tabTo("Continue")
	b.sends(kb.Enter)
}

// TestSkipLink: the first Tab offers the way past the head of the page.
func TestSkipLink(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.get(w.Issuer + "/nowhere")
	b.keys(kb.Tab)
	if got := b.focus(); got != "a# Skip to the main content" {
		t.Errorf("first stop of Tab = %q, want the skip link", got)
	}
	b.focusShows()
}
