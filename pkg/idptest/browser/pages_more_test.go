// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"testing"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// recoveryPlaces are the pages of somebody without the phone.
func recoveryPlaces() []place {
	return []place{
		{"recovery-code", 200, "Use a recovery code", "Een herstelcode gebruiken", func(b *tab) { b.lost(b.newcomer()) }},
		{"recovery-code-error", 200, "Use a recovery code", "Een herstelcode gebruiken", func(b *tab) {
			b.give("recovery-code", slipped(b.lost(b.newcomer())))
		}},
		{"recovery-used", 200, "Recovery code used", "Herstelcode gebruikt", func(b *tab) {
			b.give("recovery-code", b.lost(b.newcomer()))
		}},
		{"late", 200, "Type your set-up ticket", "Typ uw instelcode", func(b *tab) {
			days, name := 0, b.world.fresh()
			b.world.AddCompany(b.T, company.Company{
				ID: "late", Name: "Late Legal", SecondFactor: flow.FactorRequired, Policy: company.Policy{SetupDays: &days},
			})
			b.world.AddAccount(b.T, name, "late")
			b.ask().as(name, idptest.Password)
		}},
	}
}

// linkPlaces are the pages that a forgotten password and a mail lead to.
func linkPlaces() []place {
	return []place{
		{"forgot", 200, "Choose a new password", "Kies een nieuw wachtwoord", func(b *tab) { b.forgot() }},
		{"forgot-sent", 200, "Check your e-mail", "Kijk in uw e-mail", func(b *tab) { b.forgot().give("username", b.newcomer()) }},
		{"new-password", 200, "Choose a new password", "Kies een nieuw wachtwoord", func(b *tab) { b.newPassword() }},
		{"new-password-error", 200, "Choose a new password", "Kies een nieuw wachtwoord", func(b *tab) {
			b.newPassword()
			b.give("new-password", "password1234")
		}},
		{"password-set", 200, "Your password is changed", "Uw wachtwoord is gewijzigd", func(b *tab) {
			b.newPassword()
			b.give("new-password", elsewhere)
		}},
		{"link-dead", 400, "This link does not work", "Deze link werkt niet", func(b *tab) {
			b.get(b.world.Issuer + "/link/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
		}},
		{"setup-link", 200, "Set up your second step", "Stel uw tweede stap in", func(b *tab) {
			name := b.world.fresh()
			b.world.AddEnrolled(b.T, name, "acme")
			b.world.Ticket(b.T, name)
			b.mailed(name)
		}},
		{"not-me", 200, "Was this not you?", "Was u dit niet?", func(b *tab) { b.wasNotMe() }},
		{"not-me-done", 200, "The set-up is taken back", "Het instellen is teruggedraaid", func(b *tab) {
			b.wasNotMe()
			b.submit("main form button")
		}},
	}
}

// accountPlaces are those of somebody signed in.
func accountPlaces() []place {
	at := func(path string) func(b *tab) {
		return func(b *tab) {
			b.own(idptest.Password)
			b.get(b.world.Issuer + path)
		}
	}
	return []place{
		{"account", 200, "Security", "Beveiliging", func(b *tab) { b.own(idptest.Password) }},
		{"account-password", 200, "Choose a new password", "Kies een nieuw wachtwoord", at("/account/password")},
		{"account-password-error", 200, "Choose a new password", "Kies een nieuw wachtwoord", func(b *tab) {
			at("/account/password")(b)
			b.give("new-password", "password1234")
		}},
		{"account-recovery", 200, "Make new recovery codes", "Maak nieuwe herstelcodes", at("/account/recovery")},
		{"account-recovery-codes", 200, "Save your new recovery codes", "Bewaar uw nieuwe herstelcodes", func(b *tab) {
			at("/account/recovery")(b)
			b.submit(primary)
		}},
		{"account-rename", 200, "Rename your authenticator", "Wijzig de naam van uw authenticator", func(b *tab) {
			b.own(idptest.Password)
			b.submit("#two-factor li form[action$='/rename'] button")
		}},
		{"account-add", 200, "Secure your account", "Beveilig uw account", func(b *tab) {
			b.own(idptest.Password)
			b.submit("form[action='/account/add'] button")
		}},
		{"account-remove", 200, "Remove “Authenticator app”?", "“Authenticator-app” verwijderen?", func(b *tab) {
			b.own(idptest.Password)
			b.submit("form[action='/account/add'] button")
			b.confirmNew()
			b.submit("#two-factor li form[action$='/remove'] button")
		}},
	}
}

// choicePlaces are those of a provider with more than one kind of factor.
func choicePlaces() []place {
	toPasskey := func(b *tab) {
		b.ask().as(bert, idptest.Password)
		b.tick(selected("#method-passkey"))
		b.submit(primary)
	}
	return []place{
		{"choice-setup", 200, "Choose a second way to sign in", "Kies een tweede manier om in te loggen", func(b *tab) {
			b.ask().as(bert, idptest.Password)
		}},
		{"passkey-setup", 200, "Set up a passkey or security key", "Stel een passkey of beveiligingssleutel in", toPasskey},
		{"totp-setup-chosen", 200, "Secure your account", "Beveilig uw account", func(b *tab) {
			b.ask().as(bert, idptest.Password)
			b.submit(primary)
		}},
		{"passkey", 200, "Use your passkey or security key", "Gebruik uw passkey of beveiligingssleutel", func(b *tab) {
			name := b.newcomer()
			b.hasPasskey(name)
			b.get(b.world.Issuer + "/logout")
			b.submit("main button")
			b.ask().as(name, idptest.Password)
		}},
		{"choice", 200, "How do you want to prove that it is you?", "Hoe wilt u aantonen dat u het bent?", func(b *tab) {
			name := b.newcomer()
			b.hasPasskey(name)
			b.get(b.world.Issuer + "/account")
			b.submit("form[action='/account/add'] button")
			b.submit(primary)
			b.give("code", b.world.codeOf(b.T, b.text("#totp-key")))
			b.photograph(b.in("account-two-kinds", "account-two-kinds-nl"))
			b.submit("form[action='/account/sign-out'] button")
			b.ask().as(name, idptest.Password)
		}},
	}
}

// hasPasskey sets a passkey up at the app.
func (b *tab) hasPasskey(name string) {
	b.Helper()
	b.authenticator(false, true)
	b.ask().as(name, idptest.Password)
	b.choosesPasskey()
	b.submit(primary)
	b.tick(selected("#saved"))
	b.submit(primary)
	b.wantApp()
}

// lost enrols somebody and comes to the page that takes a recovery code; it answers a good one.
func (b *tab) lost(name string) (code string) {
	b.Helper()
	code = b.enrol(name)[0]
	b.get(b.world.Issuer + "/logout")
	b.submit("main button")
	b.ask().as(name, idptest.Password)
	b.press(b.in("Use a recovery code", "Een herstelcode gebruiken"))
	return code
}

func (b *tab) forgot() *tab {
	b.Helper()
	b.ask()
	b.press(b.in("Forgot your password?", "Wachtwoord vergeten?"))
	return b
}

// newPassword opens the link of a forgotten password.
func (b *tab) newPassword() {
	b.Helper()
	name := b.newcomer()
	b.forgot().give("username", name)
	b.mailed(name)
}

// wasNotMe opens the link of the mail about a first set-up.
func (b *tab) wasNotMe() {
	b.Helper()
	name := b.newcomer()
	b.enrol(name)
	b.mailed(name)
}

// mailed opens the link of the newest mail to an address.
func (b *tab) mailed(to string) {
	b.Helper()
	mails := b.world.Mails(b.T, to)
	if len(mails) == 0 {
		b.Fatalf("no mail to %s", to)
	}
	b.get(b.world.MailLink(b.T, mails[0]))
}

// TestPagesOfTheChoice holds the pages of a provider with more than one kind of factor to the same contract.
func TestPagesOfTheChoice(t *testing.T) {
	w := newWorld(t, idptest.Setup{Host: "localhost", Factors: []string{"totp", "passkey"}})
	english(t, w, choicePlaces())
	dutch(t, w, choicePlaces())
}
