// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// grouped gives acme two groups.
func (w *world) grouped(t *testing.T) {
	t.Helper()
	acme, err := w.Node.Office.Companies.Company(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	acme.Groups = []company.Group{{ID: "lawyers", Name: "Lawyers"}, {ID: "case-workers", Name: "Case workers"}}
	w.AddCompany(t, acme)
}

// idOf is the id of an account.
func (w *world) idOf(t *testing.T, name string) string {
	t.Helper()
	r, err := w.Node.Office.Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return r.ID
}

// atPerson opens a page of anna, who is signed in at the app.
func atPerson(role authn.AdminRole, rest string) func(*tab) {
	return func(b *tab) {
		b.world.grouped(b.T)
		b.own(idptest.Password)
		b.anew()
		b.administrates(role, "/admin/people/"+b.world.idOf(b.T, anna)+rest)
	}
}

// waits invites somebody, without a mail.
func (b *tab) waits() {
	b.Helper()
	b.world.grouped(b.T)
	invitee := admin.Invitee{Email: b.world.fresh(), Person: "E. Example", Groups: []string{"case-workers"}}
	if _, err := b.world.Node.Office.Clerk(admin.CommandLine()).InviteByLink(b.Context(), "acme", invitee); err != nil {
		b.Fatal(err)
	}
}

// fileLines are lines of a file, one of which is wrong.
const fileLines = "z@acme.example,\"Law, Zoë\",lawyers\nno address,,\n"

// peoplePlaces are the pages of admins about people, invitations and companies.
func peoplePlaces() []place {
	opens := func(role authn.AdminRole, path string) func(*tab) {
		return func(b *tab) { b.waits(); b.administrates(role, path) }
	}
	return []place{
		{"console-people", 200, "People", "Mensen", func(b *tab) {
			b.world.grouped(b.T)
			b.administrates(authn.AdminCompany, "/admin/people")
		}},
		{"console-people-it", 200, "People", "Mensen", opens(authn.AdminIT, "/admin/people?show=without&q=b")},
		{"console-person", 200, anna, anna, atPerson(authn.AdminCompany, "")},
		{"console-person-edit", 200, "Change " + anna, anna + " wijzigen", atPerson(authn.AdminIT, "/edit")},
		{"console-person-reset", 200, "Reset the second factor of " + anna + "?", "De tweede factor van " + anna + " wissen?", atPerson(authn.AdminCompany, "/reset")},
		{"console-person-delete", 200, "Delete " + anna + "?", anna + " verwijderen?", atPerson(authn.AdminCompany, "/delete")},
		{"console-invitations", 200, "Invitations", "Uitnodigingen", opens(authn.AdminCompany, "/admin/invitations")},
		{"console-invite", 200, "Invite a person to Acme Legal", "Iemand uitnodigen bij Acme Legal", opens(authn.AdminIT, "/admin/invitations/acme/new")},
		{"console-invite-error", 200, "Invite a person to Acme Legal", "Iemand uitnodigen bij Acme Legal", func(b *tab) {
			opens(authn.AdminCompany, "/admin/invitations/acme/new")(b)
			b.fills("email", "x@y")
			b.fills("roles", strings.Repeat("x", 65))
			b.submit(primary)
		}},
		{"console-invite-file", 200, "Invite people to Acme Legal from a file", "Mensen uitnodigen bij Acme Legal uit een bestand", opens(authn.AdminCompany, "/admin/invitations/acme/file")},
		{"console-invite-preview", 200, "Look at the lines", "Bekijk de regels", func(b *tab) {
			opens(authn.AdminCompany, "/admin/invitations/acme/file")(b)
			b.fills("lines", fileLines)
			b.submit(primary)
		}},
		{"console-companies", 200, "Companies", "Organisaties", opens(authn.AdminIT, "/admin/companies")},
		{"console-company", 200, "Acme Legal", "Acme Legal", opens(authn.AdminIT, "/admin/companies/acme")},
		{"console-company-edit", 200, "Change Acme Legal", "Acme Legal wijzigen", opens(authn.AdminCompany, "/admin/companies/acme/edit")},
		{"console-company-new", 200, "Add a company", "Organisatie toevoegen", opens(authn.AdminIT, "/admin/companies/new")},
		{"console-company-remove", 200, "Remove Acme Legal?", "Acme Legal verwijderen?", opens(authn.AdminIT, "/admin/companies/acme/remove")},
	}
}

// TestC1ByKeyboard: the company's admin invites somebody, sees it in the list, sends it again and withdraws it, by keys
// alone; the person takes the mailed link, chooses a password and comes straight to the set-up of the second factor.
func TestC1ByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			w.grouped(t)
			b, guest, other := w.open(t, l), w.fresh(), w.fresh()
			b.walksIn("/admin/people")
			b.follow(".panel-head > a.button")
			b.want(200, b.in("Invitations", "Uitnodigingen"))
			b.clean()
			for _, to := range []string{other, guest} {
				b.invites(to)
				b.has("tbody", to)
			}
			b.clean()
			link := b.letter(p, guest, b.in("Acme Legal invites you to sign in", "Acme Legal nodigt u uit om in te loggen")).link(t)

			w.NextStep() // one mail a second is enough for everybody
			b.follow("tbody tr:first-child form[action$='/resend'] button")
			b.has("[role=status]", b.in("on its way again", "opnieuw onderweg"))
			b.follow("tbody tr:last-child form[action$='/withdraw'] button")
			b.has("[role=status]", b.in("The invitation is withdrawn.", "De uitnodiging is ingetrokken."))
			if got := b.text("tbody"); strings.Contains(got, other) || !strings.Contains(got, guest) {
				t.Errorf("the list says %q", got)
			}
			b.scriptless()

			b.takes(p, guest, link)
		})
	}
}

// invites fills the form in by keys: a group, the language of this browser, and a slip at the address first.
func (b *tab) invites(to string) {
	b.Helper()
	b.follow("a.button.primary")
	b.want(200, b.in("Invite a person to Acme Legal", "Iemand uitnodigen bij Acme Legal"))
	b.clean()
	b.replaces("email", "x@y")
	b.reach("#name")
	b.keys("E. Example")
	b.reach("#language")
	b.keys(b.in("E", "N"))
	b.reach("#group-lawyers")
	b.keys(" ")
	b.reach("#roles")
	b.keys(strings.Repeat("x", 65))
	b.follow(primary)
	b.refusedAt(b.in("A role is 1 to 64 characters", "Een rol heeft 1 tot 64 tekens"))
	b.clean()
	b.replaces("email", to)
	b.replaces("roles", "partner")
	b.follow(primary)
	b.has("[role=status]", b.in("The invitation is on its way.", "De uitnodiging is onderweg."))
}

// takes follows the link that was mailed last, in another browser, and comes to the set-up. The one before is dead.
func (b *tab) takes(p *post, guest, old string) {
	b.Helper()
	subject := b.in("Acme Legal invites you to sign in", "Acme Legal nodigt u uit om in te loggen")
	for b.mailsLeft() {
		b.letter(p, guest, subject)
	}
	link := b.letter(p, guest, subject).link(b.T)
	n := b.world.open(b.T, b.look)
	n.get(old)
	n.want(400, n.in("This link does not work", "Deze link werkt niet"))
	n.get(link)
	n.reach("#new-password")
	n.keys(elsewhere)
	n.follow(primary)
	n.mustSetUp()
}

// TestC3ConsoleByKeyboard: the list shows who has set nothing up, a reminder reaches them; then a factor that was lost is
// reset, its person sets up another one by the mailed link, and no secret is seen by an admin.
func TestC3ConsoleByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			name := b.person()
			b.walksIn("/admin/people")
			b.reach("#show")
			b.keys(kb.ArrowDown)
			b.follow("form[role=search] button")
			b.has("tbody", name)
			if got := b.text("tbody"); strings.Contains(got, anna) {
				t.Errorf("the list of those without shows %q", got)
			}
			b.clean()
			b.follow("form[action^='/admin/people/remind'] button")
			b.has("[role=status]", b.in("A reminder is on its way", "Er is een herinnering onderweg"))
			b.letter(p, name, b.in("Your account has no second step yet", "Uw account heeft nog geen tweede stap"))

			n := w.open(t, l)
			n.ask().signsIn(name).mustSetUp()
			old := n.setsUp()
			n.keeps()
			n.wantApp()
			b.resets(name)
			link := b.letter(p, name, b.in("Your second step was reset", "De tweede stap van uw account is gewist")).link(t)
			n.anew().get(link)
			n.follow(primary)
			n.ask().signsIn(name).mustSetUp()
			if key := n.setsUp(); key == old {
				t.Error("the reset leaves the old key")
			}
			n.keeps()
			n.wantApp()
		})
	}
}

// resets finds somebody in the list and resets the second factor, by keys.
func (b *tab) resets(name string) {
	b.Helper()
	b.reach("#q")
	b.keys(name)
	b.reach("#show")
	b.keys(kb.Home)
	b.follow("form[role=search] button")
	b.has("tbody .badge.good", b.in("Set up", "Ingesteld"))
	b.follow("tbody a")
	b.want(200, name)
	b.clean()
	b.follow("#factor a.button")
	b.want(200, b.in("Reset the second factor of "+name+"?", "De tweede factor van "+name+" wissen?"))
	b.clean()
	b.follow("main form button")
	b.has("[role=status]", b.in("The second factor is reset.", "De tweede factor is gewist."))
	b.has("#factor .badge", b.in("Reset, link sent", "Gewist, link verstuurd"))
	b.scriptless()
}
