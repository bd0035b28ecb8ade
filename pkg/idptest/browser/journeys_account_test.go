// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	note      = "main .note[role=status]"
	primary   = "main form button.primary"
	elsewhere = "four quiet words here"
)

// ways are the two extremes of how people come to their account page.
func ways() map[string]look {
	return map[string]look{"desktop": desktop(), "Dutch phone without script": bare()}
}

// own opens the person's own account page, with password and code.
func (b *tab) own(password string) {
	b.Helper()
	b.get(b.world.Issuer + "/account")
	b.as(anna, password)
	b.prove()
	b.home("")
}

// prove gives the code of an enrolled account, if the page asks for one.
func (b *tab) prove() {
	b.Helper()
	if b.count("#code") == 1 && b.count("#totp-key") == 0 {
		b.world.NextStep()
		b.give("code", b.world.Code(b.T, 0))
	}
}

// in is the English or the Dutch words, as this browser asks for them.
func (b *tab) in(english, dutch string) string {
	if b.look.language == "" {
		return english
	}
	return dutch
}

// home ends the test unless the account page is shown; done is what it says was done.
func (b *tab) home(done string) {
	b.Helper()
	b.want(200, b.in("Security", "Beveiliging"))
	b.has("main", done)
	if done != "" {
		b.has(note, done)
	}
}

// TestM3Authenticators is J11, M2 and M3: another authenticator is added, named, replaced and removed.
func TestM3Authenticators(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.open(t, l)
			b.own(idptest.Password)
			b.clean()
			b.scriptless()
			b.has("#two-factor", b.in("You cannot remove your only authenticator", "Uw enige authenticator kunt u niet verwijderen"))
			b.submit("form[action='/account/add'] button")
			b.confirmNew()
			b.home(b.in("The authenticator is added.", "De authenticator is toegevoegd."))

			b.submit("#two-factor li:nth-child(2) form[action$='/rename'] button")
			b.clean()
			b.give("name", "--")
			b.has("[role=alert]", b.in("Type a name.", "Typ een naam."))
			b.clean()
			b.give("name", "Tablet")
			b.home(b.in("The authenticator has its new name.", "De authenticator heeft zijn nieuwe naam."))
			b.has("#two-factor li:nth-child(2) b", "Tablet")

			b.submit("#two-factor li:nth-child(2) form[action$='/replace'] button")
			b.confirmNew()
			b.home(b.in("The authenticator is replaced.", "De authenticator is vervangen."))
			if got := b.count("#two-factor .items li"); got != 2 {
				t.Errorf("%d authenticators after one was replaced, want 2", got)
			}

			b.submit("#two-factor li:nth-child(2) form[action$='/remove'] button")
			b.clean()
			b.submit("main form button.danger")
			b.home(b.in("The authenticator is removed,", "De authenticator is verwijderd,"))
			if got := b.count("#two-factor .items li"); got != 1 {
				t.Errorf("%d authenticators are left, want 1", got)
			}
		})
	}
}

// confirmNew gives the code of the authenticator that the page shows, and keeps recovery codes if there are any.
func (b *tab) confirmNew() {
	b.Helper()
	b.prove()
	b.clean()
	b.world.NextStep()
	b.give("code", b.world.codeOf(b.T, b.text("#totp-key")))
	if b.count("#saved") == 1 {
		b.recoveryCodes()
		b.tick(selected("#saved"))
		b.submit(primary)
	}
}

// TestM4NewCodes: new recovery codes are shown once, and told by mail.
func TestM4NewCodes(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			b.own(idptest.Password)
			b.submit("#recovery form button")
			b.clean()
			b.submit(primary)
			b.recoveryCodes()
			b.clean()
			b.tick(selected("#saved"))
			b.submit(primary)
			b.home(b.in("You have new recovery codes.", "U hebt nieuwe herstelcodes."))
			b.has("#recovery", b.in("10 of 10 are left.", "Er zijn 10 van de 10 over."))
			b.letter(p, anna, b.in("New recovery codes were made for your account", "Er zijn nieuwe herstelcodes voor uw account gemaakt")).says(t,
				b.in("The old ones do not work any more.", "Er zijn nieuwe herstelcodes voor uw account gemaakt. De oude werken niet meer."))
		})
	}
}

// remembers signs in at the app and asks to be remembered.
func (b *tab) remembers() {
	b.Helper()
	b.ask().as(anna, idptest.Password)
	b.world.NextStep()
	b.tick(selected("#remember"))
	b.give("code", b.world.Code(b.T, 0))
	b.wantApp()
}

// TestM5ForgetDevices: a device is forgotten alone, or with all others, and the next sign-in on it asks for a code.
func TestM5ForgetDevices(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			here, there := w.open(t, l), w.open(t, l)
			there.remembers()
			here.remembers()
			here.letter(p, anna, here.in("A device is now remembered for your account", "Een apparaat wordt nu voor uw account onthouden")).says(t,
				"Browser:", "Chrome",
				here.in("Forget all devices on the page of your account", "Vergeet alle apparaten op de pagina van uw account, en kies een nieuw wachtwoord. Uw helpdesk kan dit voor u doen."))
			here.get(w.Issuer + "/account")
			here.home("")
			if got := here.count("#devices .items li"); got != 2 {
				t.Fatalf("%d devices, want 2", got)
			}
			here.clean()
			here.submit("#devices li form button")
			here.home(here.in("The device is forgotten.", "Het apparaat is vergeten."))
			if got := here.count("#devices .items li"); got != 1 {
				t.Errorf("%d devices after one was forgotten, want 1", got)
			}
			here.submit("form[action='/account/devices/forget-all'] button")
			here.home(here.in("All remembered devices are forgotten.", "Alle onthouden apparaten zijn vergeten."))
			w.Advance(25 * time.Hour)
			there.ask().as(anna, idptest.Password)
			if there.count("#code") != 1 {
				t.Errorf("the forgotten device leads to %q, want a code", there.text("h1"))
			}
		})
	}
}

// TestM6SessionsAndApps: one session is ended, all others, the access of an app, and everything.
func TestM6SessionsAndApps(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			here, one, two := w.open(t, l), w.open(t, l), w.open(t, l)
			for _, b := range []*tab{one, two, here} {
				b.own(idptest.Password)
			}
			here.submit("form[action='/account/sessions/end'] button")
			here.home(here.in("The session is ended.", "De sessie is beëindigd."))
			here.submit("form[action='/account/sessions/end-others'] button")
			here.home(here.in("All other sessions are ended.", "Alle andere sessies zijn beëindigd."))
			for _, b := range []*tab{one, two} {
				b.get(w.Issuer + "/account")
				b.want(200, b.in("Sign in", "Inloggen"))
			}
			here.ask().wantApp()
			here.get(w.Issuer + "/account")
			here.has("#apps", "Example Cases")
			here.clean()
			here.submit("form[action='/account/apps/end'] button")
			here.home(here.in("The app has no access any more.", "De app heeft geen toegang meer."))
			here.submit("form[action='/account/sign-out-everywhere'] button")
			here.get(w.Issuer + "/account")
			here.want(200, here.in("Sign in", "Inloggen"))
		})
	}
}

// TestM7ChangePassword: with password and code, and told by mail.
func TestM7ChangePassword(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			b.own(idptest.Password)
			b.submit("#password a.button")
			b.clean()
			b.give("new-password", "password1234")
			b.has("[role=alert]", b.in("one of those that are tried first", "een van de eerste die worden geprobeerd"))
			b.clean()
			b.give("new-password", elsewhere)
			b.home(b.in("Your password is changed.", "Uw wachtwoord is gewijzigd."))
			b.letter(p, anna, b.in("Your password was changed", "Uw wachtwoord is gewijzigd")).says(t,
				b.in("Every other session has ended.", "Het wachtwoord van uw account is gewijzigd. Alle andere sessies zijn beëindigd."),
				b.in("Call your help desk now.", "Bel nu uw helpdesk."))
			b.submit("form[action='/account/sign-out'] button")
			b.own(elsewhere)
		})
	}
}

// TestM7ForgottenPassword: the mailed link leads to a new password and never past the second factor.
func TestM7ForgottenPassword(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			b.ask()
			b.press(b.in("Forgot your password?", "Wachtwoord vergeten?"))
			b.clean()
			b.give("username", anna)
			b.want(200, b.in("Check your e-mail", "Kijk in uw e-mail"))
			b.clean()
			link := b.letter(p, anna, b.in("Choose a new password", "Kies een nieuw wachtwoord")).says(t,
				b.in("Somebody asked for a new password for your account.", "Er is om een nieuw wachtwoord voor uw account gevraagd."),
				b.in("Your second step stays as it is.", "Kies het dan binnen 10 minuten. Uw tweede stap blijft zoals die is."),
				b.in("It works once:", "Op dit adres kiest u een nieuw wachtwoord. Het werkt één keer:")).link(t) //nolint:misspell // Dutch
			b.get(link)
			b.clean()
			b.give("new-password", "password1234")
			b.has("[role=alert]", b.in("one of those that are tried first", "als een van de eerste geprobeerd"))
			b.clean()
			b.give("new-password", elsewhere)
			b.want(200, b.in("Your password is changed", "Uw wachtwoord is gewijzigd"))
			b.clean()
			b.get(link)
			b.want(400, b.in("This link does not work", "Deze link werkt niet"))
			b.clean()
			b.ask().as(anna, elsewhere)
			b.want(200, b.in("Enter your code", "Vul uw code in"))
			b.prove()
			b.wantApp()
		})
	}
}

// TestM8Activity: a refused code and a sign-in stand there, the newest first.
func TestM8Activity(t *testing.T) {
	for name, l := range ways() {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.open(t, l)
			b.ask().as(anna, idptest.Password).give("code", "000000")
			b.prove()
			b.wantApp()
			if err := w.Node.FlushAudit(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.get(w.Issuer + "/account")
			b.has("#activity", b.in("Refused: wrong code", "Geweigerd: verkeerde code"))
			b.has("#activity", b.in("Signed in to Example Cases", "Ingelogd bij Example Cases"))
			b.clean()
		})
	}
}

// TestAccountByKeyboard is M1, M3 and M7 by Tab, Enter and Space alone.
func TestAccountByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, desktop())
	b.get(w.Issuer + "/account")
	b.focused("username")
	b.keys(anna + kb.Tab + idptest.Password)
	b.sends(kb.Enter)
	b.focused("code")
	b.keys(w.Code(t, 0))
	b.sends(kb.Enter)
	b.home("")
	b.tabTo("Add another authenticator")
	b.sends(kb.Enter)
	b.want(200, "Secure your account")
	w.NextStep()
	b.tabTo("code")
	b.keys(w.codeOf(t, b.text("#totp-key")))
	b.sends(kb.Enter)
	if b.count("#saved") == 1 {
		b.tabTo("saved")
		b.keys(" ")
		b.tabTo("Continue")
		b.sends(kb.Enter)
	}
	b.home("The authenticator is added.")
	b.tabTo("Rename Authenticator app")
	b.sends(" ")
	b.tabTo("name")
	b.keys("\b" + kb.End + " at home")
	b.sends(kb.Enter)
	b.home("The authenticator has its new name.")
	b.tabTo("Change password")
	b.sends(kb.Enter)
	b.tabTo("new-password")
	b.keys(elsewhere)
	b.sends(kb.Enter)
	b.home("Your password is changed.")
}
