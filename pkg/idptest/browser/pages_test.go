// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// screenshots names the folder that pictures of the pages are written to; nothing is written without it.
const screenshots = "LYCHGATE_SCREENSHOTS"

// place is a page that people meet.
type place struct {
	name   string
	status int64
	h1, nl string
	reach  func(b *tab)
}

func places() []place {
	return []place{
		{"login", 200, "Sign in", "Inloggen", func(b *tab) { b.ask() }},
		{"login-error", 200, "Sign in", "Inloggen", func(b *tab) { b.ask().as(anna, "wrong-password-here") }},
		{"setup", 200, "Secure your account", "Beveilig uw account", func(b *tab) { b.ask().as(bert, idptest.Password) }},
		{"setup-error", 200, "Secure your account", "Beveilig uw account", func(b *tab) {
			b.ask().as(bert, idptest.Password).give("code", "000000")
		}},
		{"setup-done", 200, "Set-up complete", "Instellen voltooid", func(b *tab) {
			b.ask().as(b.newcomer(), idptest.Password).give("code", b.world.codeOf(b.T, b.text("#totp-key")))
		}},
		{"code", 200, "Enter your code", "Vul uw code in", func(b *tab) { b.ask().as(anna, idptest.Password) }},
		{"code-error", 200, "Enter your code", "Vul uw code in", func(b *tab) {
			b.ask().as(anna, idptest.Password).give("code", "000000")
		}},
		{"ticket", 200, "Type your set-up ticket", "Typ uw instelcode", func(b *tab) { b.ask().as(b.reset(), idptest.Password) }},
		{"ticket-error", 200, "Type your set-up ticket", "Typ uw instelcode", func(b *tab) {
			b.ask().as(b.reset(), idptest.Password).give("ticket", "not-the-ticket")
			b.give("code", b.world.codeOf(b.T, b.text("#totp-key")))
		}},
		{"consent", 200, "Allow Case App to use your account?", "Mag Case App uw account gebruiken?", func(b *tab) {
			b.get(b.world.third.AuthURL(idptest.With("scope", "openid profile email address phone offline_access")))
			b.as(sam, idptest.Password)
		}},
		{"consent-unverified", 200, "Allow Tide to use your account?", "Mag Tide uw account gebruiken?", func(b *tab) {
			rp := b.world.NewRP(b.T, b.world.fresh(), func(c *client.Client) {
				c.Company, c.Name, c.Dynamic = "", "Tide", &client.Dynamic{}
			})
			b.get(rp.AuthURL())
			b.as(sam, idptest.Password)
		}},
		{"sign-out", 200, "Do you want to sign out?", "Wilt u uitloggen?", func(b *tab) {
			b.ask().as(sam, idptest.Password)
			b.get(b.world.Issuer + "/logout")
		}},
		{"signed-out", 200, "You are signed out", "U bent uitgelogd", func(b *tab) {
			b.ask().as(sam, idptest.Password)
			b.get(b.world.Issuer + "/logout")
			b.load(b.click(selected("main button")))
		}},
		{"signed-out-apps", 200, "You are signed out", "U bent uitgelogd", func(b *tab) {
			b.get(b.world.third.AuthURL(idptest.With("prompt", "consent")))
			b.as(sam, idptest.Password)
			b.submit(primary)
			b.get(b.world.Issuer + "/logout")
			b.load(b.click(selected("main button")))
			if n := b.count("main iframe[hidden]"); n != 1 {
				b.Errorf("%d frames, want that of the app", n)
			}
		}},
		{"expired", 400, "This sign-in has expired", "", func(b *tab) {
			b.ask()
			b.world.Advance(time.Hour)
			b.as(anna, idptest.Password)
		}},
		{"cookies", 400, "Your browser blocks our cookie", "", func(b *tab) {
			b.ask()
			b.do(call(network.ClearBrowserCookies, cdp.Empty{}))
			b.load(chromedp.Reload())
		}},
		{"client", 400, "This app is not set up correctly", "", func(b *tab) {
			b.get(b.world.RP.AuthURL(idptest.With("redirect_uri", "https://elsewhere.example/")))
		}},
		{"nobody", 400, "This app is not set up correctly", "", func(b *tab) { b.get(b.world.RP.AuthURL(idptest.With("client_id", "nobody"))) }},
		{"start", 200, "A sign-in begins at an app", "", func(b *tab) { b.get(b.world.Issuer + "/") }},
		{"notfound", 404, "There is no page at this address", "", func(b *tab) { b.get(b.world.Issuer + "/nowhere") }},
		{"app", 200, "Every estate, in one place", "", func(b *tab) { b.get(b.world.app + "/") }},
		{"app-refused", 200, "Every estate, in one place", "", func(b *tab) { b.get(b.world.app + "/callback?state=x") }},
		{"app-cases", 200, "Estates", "", func(b *tab) { b.ask().as(sam, idptest.Password) }},
	}
}

// ask begins a sign-in at the app.
func (b *tab) ask() *tab {
	b.Helper()
	b.get(b.world.app + "/login")
	return b
}

// as gives name and password, in any language.
func (b *tab) as(name, password string) *tab {
	b.Helper()
	b.write("username", name)
	return b.give("password", password)
}

// give fills a field and sends its form.
func (b *tab) give(id, value string) *tab {
	b.Helper()
	b.write(id, value)
	b.load(b.click(selected("main form button.primary")))
	return b
}

// newcomer adds an account that was never enrolled.
func (b *tab) newcomer() string {
	b.Helper()
	name := b.world.fresh()
	b.world.AddAccount(b.T, name, "acme")
	return name
}

// reset adds an account whose authenticator was taken away.
func (b *tab) reset() string {
	b.Helper()
	name := b.world.fresh()
	b.world.AddEnrolled(b.T, name, "acme")
	if _, err := b.world.Node.Office.Apply(b.Context(), name, authn.ResetFactor, ""); err != nil {
		b.Fatal(err)
	}
	return name
}

// TestPages holds every page to the contract in a real browser: focus, 320 px, 200 % zoom, axe in light and dark, no
// complaint of the browser (which every test of this package looks for).
func TestPages(t *testing.T) {
	english(t, newWorld(t, idptest.Setup{Change: idptest.WithMail}), allPlaces())
}

func allPlaces() []place {
	return slices.Concat(places(), recoveryPlaces(), linkPlaces(), accountPlaces())
}

func english(t *testing.T, w *world, list []place) {
	t.Helper()
	for _, p := range list {
		t.Run(p.name, func(t *testing.T) {
			b := w.open(t, desktop())
			p.reach(b)
			b.want(p.status, p.h1)
			b.alertHasFocus()
			b.photograph(p.name)
			b.unfold()
			b.fits()
			b.set(look{width: 1280, height: 900})
			b.accessible("light")
			small := phone()
			small.dark = true
			b.set(small)
			b.accessible("dark, phone")
		})
	}
}

// TestPagesInDutch is the same for people whose browser asks for Dutch; the words are longer.
func TestPagesInDutch(t *testing.T) {
	dutch(t, newWorld(t, idptest.Setup{Change: idptest.WithMail}), allPlaces())
}

func dutch(t *testing.T, w *world, list []place) {
	t.Helper()
	for _, p := range list {
		if p.nl == "" {
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			l := desktop()
			l.language = "nl-NL,nl;q=0.9,en;q=0.5"
			b := w.open(t, l)
			p.reach(b)
			b.want(p.status, p.nl)
			if got := eval[string](b, `document.documentElement.lang`); got != "nl" {
				t.Errorf("lang = %q, want nl", got)
			}
			b.photograph(p.name + "-nl")
			b.unfold()
			b.fits()
		})
	}
}

// alertHasFocus: an error takes the focus by itself, and the title says so.
func (b *tab) alertHasFocus() {
	b.Helper()
	if b.count("[role=alert]") == 0 {
		return
	}
	b.eventually(`document.activeElement === document.querySelector('[role=alert]')`)
	if title := eval[string](b, `document.title`); !strings.HasPrefix(title, "Error: ") {
		b.Errorf("title = %q of a page with an error", title)
	}
}

// unfold opens what is folded, so that it is looked at too.
func (b *tab) unfold() {
	b.Helper()
	eval[chromedp.Void](b, `document.querySelectorAll('details').forEach(d => { d.open = true })`)
}

// fits: nothing has to be scrolled sideways at 320 px (1280 px at 400 %), on a phone, and at 200 % zoom.
func (b *tab) fits() {
	b.Helper()
	before := b.look
	for _, width := range []int64{320, 360, 640} {
		l := before
		l.width = width
		b.set(l)
		if got := eval[int64](b, `document.scrollingElement.scrollWidth`); got > width {
			b.Errorf("the page is %d px wide on a screen of %d px: %s", got, width, b.widest())
		}
	}
	b.set(before)
}

// widest names what stands out.
func (b *tab) widest() string {
	b.Helper()
	return eval[string](b, `[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > screen.width).map(e => e.tagName + '.' + e.className).slice(0, 5).join(' ')`)
}

// photograph writes pictures of the page, if a folder for them is named.
func (b *tab) photograph(name string) {
	b.Helper()
	dir := os.Getenv(screenshots)
	if dir == "" {
		return
	}
	before := b.look
	for _, width := range []int64{1280, 360} {
		for scheme, dark := range map[string]bool{"light": false, "dark": true} {
			l := before
			l.width, l.dark = width, dark
			b.set(l)
			picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
			if err != nil {
				b.Fatal(err)
			}
			file := filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, scheme))
			if err := os.WriteFile(file, picture, 0o644); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.set(before)
}
