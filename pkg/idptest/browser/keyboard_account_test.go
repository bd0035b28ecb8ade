// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// The walks of this file press keys and nothing else, at both extremes of how people come: a desktop in English, and a
// phone of 360 px in Dutch that runs no script.

// mine opens the person's own account page.
func (b *tab) mine(name string) {
	b.Helper()
	b.get(b.world.Issuer + "/account")
	b.signsIn(name).proves()
	b.home("")
}

// proves gives the code of an account that was added as enrolled, if the page asks for one.
func (b *tab) proves() {
	b.Helper()
	if b.count("#code") == 1 && b.count("#totp-key") == 0 {
		b.world.NextStep()
		b.enters("code", b.world.Code(b.T, 0))
	}
}

// setsUp gives the code of the key that the page shows, and returns that key.
func (b *tab) setsUp() (key string) {
	b.Helper()
	b.proves()
	key = b.text("#totp-key")
	b.enters("code", b.world.codeOf(b.T, key))
	return key
}

// enrolled adds somebody of acme with an authenticator.
func (b *tab) enrolled() string {
	b.Helper()
	name := b.world.fresh()
	b.world.AddEnrolled(b.T, name, "acme")
	return name
}

// TestM1TurnedOnByKeyboard is M1 to M3 where nobody requires a second factor: a person turns it on, is told by mail, is
// asked for a code from then on, and turns it off again.
func TestM1TurnedOnByKeyboard(t *testing.T) {
	p := startPost(t)
	w := newWorld(t, p.setup())
	w.AddCompany(t, company.Company{ID: "free", Name: "Free Legal", SecondFactor: flow.FactorOptional, HelpEmail: "help@free.example"})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b, name := w.open(t, l), w.fresh()
			w.AddAccount(t, name, "free")
			b.ask().signsIn(name).wantApp()
			b.get(w.Issuer + "/account")
			b.home("")
			b.has("#two-factor .badge", b.in("Off", "Uit"))
			b.has("#two-factor", b.in("nobody gets in with your password alone", "komt niemand binnen met alleen uw wachtwoord"))
			b.scriptless()
			b.clean()
			w.Advance(6 * time.Minute)
			b.tabTo(b.in("Turn on two-factor authentication", "Inloggen in twee stappen aanzetten"))
			b.sends(kb.Enter)
			b.want(200, b.in("Sign in", "Inloggen"))
			if got := eval[string](b, selected("#username")+`.value`); got != name {
				t.Errorf("the password is asked for again for %q, want %q", got, name)
			}
			b.enters("password", idptest.Password)
			// Nobody but the person asks for it.
			b.has(".lead", b.in("You now need a code as well as your password.", "Voortaan hebt u naast uw wachtwoord ook een code nodig."))
			key := b.setsUp()
			b.keeps()
			b.home(b.in("The authenticator is added.", "De authenticator is toegevoegd."))
			b.has("#two-factor .badge", b.in("On", "Aan"))
			b.letter(p, name, b.in("An authenticator was added to your account", "Er is een authenticator aan uw account toegevoegd")).says(t,
				b.in("From now on you sign in with your password and this authenticator.", "Voortaan logt u in met uw wachtwoord en deze authenticator."),
				"help@free.example")

			b.follow("form[action='/account/sign-out'] button")
			b.ask().signsIn(name)
			b.want(200, b.in("Enter your code", "Vul uw code in"))
			w.NextStep()
			b.enters("code", w.codeOf(t, key))
			b.wantApp()

			b.get(w.Issuer + "/account")
			b.follow("#two-factor form[action$='/remove'] button")
			b.has("main", b.in("It is your only one.", "Het is uw enige."))
			b.clean()
			b.follow("main button.danger")
			b.home(b.in("The authenticator is removed,", "De authenticator is verwijderd,"))
			b.has("#two-factor .badge", b.in("Off", "Uit"))
			b.letter(p, name, b.in("An authenticator was removed from your account", "Er is een authenticator van uw account verwijderd")).says(t,
				b.in("It does not work any more.", "Die werkt niet meer."))
		})
	}
}

// TestM2ByKeyboard: another authenticator is added, replaced and removed; the last one stays.
func TestM2ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			b.mine(b.enrolled())
			b.follow("form[action='/account/add'] button")
			b.has(".lead", b.in("What you have set up before goes on working.", "Wat u eerder hebt ingesteld blijft werken."))
			old := b.setsUp()
			b.home(b.in("The authenticator is added.", "De authenticator is toegevoegd."))

			b.follow("#two-factor li:nth-child(2) form[action$='/replace'] button")
			b.has(".lead", b.in("The authenticator that it replaces works until you are done.", "De authenticator die u vervangt werkt tot u klaar bent."))
			if key := b.setsUp(); key == old {
				t.Error("the authenticator is replaced by itself")
			}
			b.home(b.in("The authenticator is replaced.", "De authenticator is vervangen."))
			if got := b.count("#two-factor .items li"); got != 2 {
				t.Errorf("%d authenticators after one was replaced, want 2", got)
			}

			b.follow("#two-factor li:nth-child(2) form[action$='/remove'] button")
			b.reach("#everywhere")
			b.keys(" ")
			b.follow("main button.danger")
			b.home(b.in("The authenticator is removed,", "De authenticator is verwijderd,"))
			if items, removes := b.count("#two-factor .items li"), b.count("#two-factor form[action$='/remove']"); items != 1 || removes != 0 {
				t.Errorf("%d authenticators are left, %d of them to be removed, want 1 that stays", items, removes)
			}
		})
	}
}

// TestM4ByKeyboard: new recovery codes cannot be left without the tick, are told by mail, and end the old ones.
func TestM4ByKeyboard(t *testing.T) {
	p := startPost(t)
	w := newWorld(t, p.setup())
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			name := b.enrolled()
			b.mine(name)
			b.makesCodes()
			old := b.recoveryCodes()
			b.reach(primary)
			b.keys(kb.Enter)
			b.eventually(`document.activeElement.id === 'saved' && document.querySelector(':invalid') !== null`)
			b.keys(" ")
			b.follow(primary)
			b.home(b.in("You have new recovery codes.", "U hebt nieuwe herstelcodes."))
			b.makesCodes()
			codes := b.keeps()
			b.has("#recovery", b.in("10 of 10 are left.", "Er zijn 10 van de 10 over."))
			b.letter(p, name, b.in("New recovery codes were made for your account", "Er zijn nieuwe herstelcodes voor uw account gemaakt"))

			b.follow("form[action='/account/sign-out'] button")
			b.ask().signsIn(name)
			b.follow("main a[href$='/recovery']")
			b.enters("recovery-code", old[0])
			b.refusedAt(b.in("That recovery code did not work.", "Die herstelcode werkte niet."))
			b.enters("recovery-code", slipped(codes[0]))
			b.focused("error")
			b.enters("recovery-code", codes[0])
			b.want(200, b.in("Recovery code used", "Herstelcode gebruikt"))
			b.follow(primary)
			b.wantApp()
		})
	}
}

// makesCodes asks for new recovery codes.
func (b *tab) makesCodes() {
	b.Helper()
	b.follow("#recovery form button")
	b.want(200, b.in("Make new recovery codes", "Maak nieuwe herstelcodes"))
	b.follow(primary)
	b.want(200, b.in("Save your new recovery codes", "Bewaar uw nieuwe herstelcodes"))
}

// isRemembered signs in at the app and has the tick box ticked by Space.
func (b *tab) isRemembered(name string) {
	b.Helper()
	b.ask().signsIn(name)
	b.world.NextStep()
	b.types("code", b.world.Code(b.T, 0))
	b.reach("#remember")
	b.keys(" ")
	b.follow(primary)
	b.wantApp()
}

// TestM5ByKeyboard: one device is forgotten, then all; the next sign-in on each asks for a code.
func TestM5ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			here, there := w.open(t, l), w.open(t, l)
			name := here.enrolled()
			there.isRemembered(name)
			here.isRemembered(name)
			here.get(w.Issuer + "/account")
			here.follow("#devices li:has(.badge) form button")
			here.home(here.in("The device is forgotten.", "Het apparaat is vergeten."))
			if own, all := here.count("#devices .badge"), here.count("#devices .items li"); own != 0 || all != 1 {
				t.Errorf("%d devices of which %d this one, want the other alone", all, own)
			}
			here.follow("form[action='/account/devices/forget-all'] button")
			here.home(here.in("All remembered devices are forgotten.", "Alle onthouden apparaten zijn vergeten."))
			w.Advance(25 * time.Hour)
			for _, b := range []*tab{here, there} {
				b.ask().signsIn(name)
				b.want(200, b.in("Enter your code", "Vul uw code in"))
			}
		})
	}
}

// TestM6ByKeyboard: one session is ended, the others, the access of an app, and everything.
func TestM6ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			here, one, two := w.open(t, l), w.open(t, l), w.open(t, l)
			name := here.enrolled()
			for _, b := range []*tab{one, two, here} {
				b.mine(name)
			}
			here.follow("form[action='/account/sessions/end'] button")
			here.home(here.in("The session is ended.", "De sessie is beëindigd."))
			if got := here.count("#sessions .items li"); got != 2 {
				t.Errorf("%d sessions after one of three was ended, want 2", got)
			}
			here.follow("form[action='/account/sessions/end-others'] button")
			here.home(here.in("All other sessions are ended.", "Alle andere sessies zijn beëindigd."))
			here.ask().wantApp()
			here.get(w.Issuer + "/account")
			here.follow("form[action='/account/apps/end'] button")
			here.home(here.in("The app has no access any more.", "De app heeft geen toegang meer."))
			here.follow("form[action='/account/sign-out-everywhere'] button")
			for _, b := range []*tab{here, one, two} {
				b.get(w.Issuer + "/account")
				b.want(200, b.in("Sign in", "Inloggen"))
			}
		})
	}
}

// TestM8ByKeyboard: a refused code and the sign-in after it are found under recent activity, the newest first.
func TestM8ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			b.ask().signsIn(b.enrolled()).enters("code", "000000")
			b.refusedAt(b.in("That code did not work.", "Deze code werkte niet."))
			b.proves()
			b.wantApp()
			if err := w.Node.FlushAudit(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.get(w.Issuer + "/account")
			b.reach("nav a[href='#activity']")
			b.keys(kb.Enter)
			b.sees("#activity h2")
			rows := eval[[]string](b, `[...document.querySelectorAll("#activity tbody td:first-child")].map(e => e.textContent.trim())`)
			signedIn := slices.Index(rows, b.in("Signed in to Example Cases", "Ingelogd bij Example Cases"))
			refused := slices.Index(rows, b.in("Refused: wrong code", "Geweigerd: verkeerde code"))
			if signedIn < 0 || refused < 0 || signedIn > refused {
				t.Errorf("recent activity = %q, want the sign-in above the refused code", rows)
			}
		})
	}
}

// TestM7ByKeyboard: the password is changed at the account page, then forgotten and set anew by the mailed link, which
// leaves the second factor as it is.
func TestM7ByKeyboard(t *testing.T) {
	p := startPost(t)
	w := newWorld(t, p.setup())
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			name := b.enrolled()
			b.mine(name)
			b.follow("#password a.button")
			b.enters("new-password", "password1234")
			b.has("[role=alert]", b.in("one of those that are tried first", "een van de eerste die worden geprobeerd"))
			b.enters("new-password", elsewhere)
			b.home(b.in("Your password is changed.", "Uw wachtwoord is gewijzigd."))
			b.letter(p, name, b.in("Your password was changed", "Uw wachtwoord is gewijzigd"))
			b.follow("form[action='/account/sign-out'] button")

			b.ask().tabTo(b.in("Forgot your password?", "Wachtwoord vergeten?"))
			b.sends(kb.Enter)
			b.enters("username", name)
			b.want(200, b.in("Check your e-mail", "Kijk in uw e-mail"))
			b.get(b.letter(p, name, b.in("Choose a new password", "Kies een nieuw wachtwoord")).link(t))
			b.enters("new-password", idptest.Password+" anew")
			b.want(200, b.in("Your password is changed", "Uw wachtwoord is gewijzigd"))
			b.ask().types("username", name)
			b.enters("password", idptest.Password+" anew")
			b.want(200, b.in("Enter your code", "Vul uw code in"))
			b.proves()
			b.wantApp()
		})
	}
}
