// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// verified gives acme a mail domain, and one that is as long as they come.
func (w *world) verified(t *testing.T) {
	t.Helper()
	acme, err := w.Node.Office.Companies.Company(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	acme.Domains = []string{"mail.acme.example", strings.Repeat("x", 63) + "." + strings.Repeat("y", 63) + ".example"}
	w.AddCompany(t, acme)
}

// companyPlaces are the pages about a company's mail domains.
func companyPlaces() []place {
	const add, nl = "Add a mail domain to Acme Legal", "Een maildomein toevoegen aan Acme Legal"
	at := func(rest string) func(*tab) {
		return func(b *tab) {
			b.world.verified(b.T)
			b.administrates(authn.AdminCompany, "/admin/companies/acme"+rest)
		}
	}
	return []place{
		{"console-domain", 200, add, nl, at("/domains?domain=acme.example")},
		{"console-domain-missing", 200, add, nl, func(b *tab) {
			at("/domains?domain=acme.example")(b)
			b.submit(primary)
		}},
		{"console-domain-error", 200, add, nl, at("/domains?domain=acme")},
		{"console-domain-remove", 200, "Remove mail.acme.example?", "mail.acme.example verwijderen?", at("/domains/remove?domain=mail.acme.example")},
		{"console-company-domains", 200, "Acme Legal", "Acme Legal", at("")},
	}
}

// walksInAsIT signs somebody of the IT team in to the console by keyboard.
func (b *tab) walksInAsIT(path string) {
	b.Helper()
	name := b.admin(authn.AdminIT)
	b.get(b.world.Issuer + path)
	b.signsIn(name).proves()
}

// says ends in an error unless the page says this of what was done.
func (b *tab) says(english, dutch string) {
	b.Helper()
	b.has("main .note[role=status]", b.in(english, dutch))
}

// TestC1CompanyByKeyboard: the IT team registers a company and changes it, by keys alone; a slip is told at its field.
func TestC1CompanyByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.open(t, l)
			b.walksInAsIT("/admin/companies")
			b.want(200, b.in("Companies", "Organisaties"))
			b.follow(".panel-head a.button, main a.button.primary")
			b.want(200, b.in("Add a company", "Organisatie toevoegen"))
			b.replaces("name", "Tide: Law")
			b.replaces("id", "Tide Law")
			b.replaces("help_email", "help@tide.example")
			b.follow(primary)
			b.refusedAt(b.in("A name is 1 to 64 characters without a colon.", "Een naam heeft 1 tot 64 tekens, zonder dubbele punt."))
			b.has("#id-error", b.in("An id is 1 to 64 lower-case letters", "Een id bestaat uit 1 tot 64 kleine letters"))
			b.clean()
			b.replaces("name", "Tide Law")
			b.replaces("id", "tide")
			b.follow(primary)
			b.want(200, "Tide Law")
			b.says("The company is added.", "De organisatie is toegevoegd.")
			b.clean()
			b.scriptless()

			b.follow("#known a.button")
			b.want(200, b.in("Change Tide Law", "Tide Law wijzigen"))
			b.replaces("help_phone", "020 7946 0002")
			b.reach("#admin_emails")
			b.keys("boss@tide.example")
			b.follow(primary)
			b.says("The changes are saved.", "De wijzigingen zijn opgeslagen.")
			b.has("#known", "020 7946 0002")
			b.has("#known", "boss@tide.example")
			co, err := w.Node.Office.Companies.Company(t.Context(), "tide")
			if err != nil || co.Name != "Tide Law" || co.HelpEmail != "help@tide.example" || co.HelpPhone != "020 7946 0002" {
				t.Errorf("company %+v, %v", co, err)
			}
		})
	}
}

// TestC1GroupsByKeyboard: a group is added, renamed and removed; one that somebody is in stays, and the page says why.
func TestC1GroupsByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			w := newWorld(t, idptest.Setup{})
			b := w.open(t, l)
			const add, remove = "#groups form[action$='/groups'] button", "#groups form[action$='/groups/remove'] button"
			b.walksInAsIT("/admin/companies/acme")
			b.want(200, "Acme Legal")
			b.replaces("group-id", "The Lawyers")
			b.follow(add)
			b.refusedAt(b.in("An id is 1 to 64 lower-case letters", "Een id bestaat uit 1 tot 64 kleine letters"))
			b.clean()
			b.replaces("group-id", "lawyers")
			b.replaces("group-name", "Lawyers")
			b.follow(add)
			b.says("The group is added.", "De groep is toegevoegd.")
			b.replaces("name-lawyers", "The lawyers")
			b.follow("#groups form[action$='/rename'] button")
			b.says("The group is renamed.", "De naam van de groep is gewijzigd.")
			if got := eval[string](b, selected("#name-lawyers")+`.value`); got != "The lawyers" {
				t.Errorf("name = %q", got)
			}
			b.clean()

			name := w.fresh()
			e := admin.Entry{Username: name, Company: "acme", Password: idptest.Password, Groups: []string{"lawyers"}}
			a, err := w.Node.Office.Add(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			b.follow(remove)
			b.says("there are people in this group", "er zitten mensen in deze groep")
			b.clean()
			if err := w.Node.Office.Clerk(admin.CommandLine()).DeletePerson(t.Context(), a.ID); err != nil {
				t.Fatal(err)
			}
			b.follow(remove)
			b.says("The group is removed.", "De groep is verwijderd.")
			b.has("#groups", b.in("There are no groups yet.", "Er zijn nog geen groepen."))
			b.scriptless()
		})
	}
}

// TestC1DomainByKeyboard: the record of a mail domain is shown, looked for before it is there and after, and the domain is
// removed again.
func TestC1DomainByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			z := &idptest.Zone{}
			w := newWorld(t, idptest.Setup{Zone: z})
			b := w.open(t, l)
			title := b.in("Add a mail domain to Acme Legal", "Een maildomein toevoegen aan Acme Legal")
			b.walksInAsIT("/admin/companies/acme")
			b.replaces("domain", "acme")
			b.follow("#domains form button")
			b.want(200, title)
			b.refusedAt(b.in("two parts or more", "twee of meer delen"))
			b.clean()
			b.replaces("domain", "@Acme.Example.")
			b.follow(primary)
			b.want(200, title)
			b.has("#record-name", "_lychgate.acme.example")
			b.copies()
			b.follow(primary)
			b.want(200, title)
			b.refusedAt(b.in("does not have this record yet", "heeft dit record nog niet"))
			b.clean()
			z.Set(b.text("#record-name"), b.text("#record-value"))
			b.follow(primary)
			b.want(200, "Acme Legal")
			b.says("the domain is added", "het domein is toegevoegd")
			b.has("#domains li", "acme.example")
			b.clean()
			b.follow("#domains li a")
			b.want(200, b.in("Remove acme.example?", "acme.example verwijderen?"))
			b.has("main", b.in("Other companies can again invite people", "Andere organisaties kunnen weer mensen"))
			b.clean()
			b.follow("main form button")
			b.says("The domain is removed.", "Het domein is verwijderd.")
			b.scriptless()
		})
	}
}

// copies presses the button that copies the value of the record: there is one where a script runs, and else none.
func (b *tab) copies() {
	b.Helper()
	const button = "[data-copy=record-value]"
	if shown := eval[bool](b, selected(button)+`.checkVisibility()`); shown == b.look.noScript {
		b.Errorf("the button to copy is shown: %v", shown)
	}
	if b.look.noScript {
		return
	}
	b.reach(button)
	b.keys(kb.Enter)
	b.eventually(`getSelection().toString().trim() === document.querySelector('#record-value').textContent.trim() || document.querySelector('#copy-status').textContent !== ''`)
}

// chooses opens the browser's own dialogue for files by a key, and chooses one there.
func (b *tab) chooses(file string) {
	b.Helper()
	b.do(call(page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true}))
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	opened, err := chromedp.Run(ctx, chromedp.WaitEvent(page.FileChooserOpened, nil, chromedp.KeyEvent(" ")))
	if err != nil {
		b.Fatalf("no dialogue for files: %v (focus on %s)", err, b.focus())
	}
	b.do(call(dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{file}, BackendNodeID: opened.BackendNodeID}),
		call(page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{}))
}

// TestC1FileByKeyboard: people are invited from a file that the browser sends: every line is shown first, and those with
// nothing wrong in them get a mail in their language.
func TestC1FileByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			w.grouped(t)
			b, zoe, yan := w.open(t, l), w.fresh(), w.fresh()
			lang := b.in("en", "nl")
			file := filepath.Join(t.TempDir(), "people.csv")
			text := "\ufeffemail;name;groups;roles;language\r\n" + zoe + ";\"Law, Zoë\";lawyers;;" + lang + "\r\nno address;;;;\r\n" + yan + ";Yan;;;" + lang + "\r\n"
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			b.walksIn("/admin/invitations/acme/file")
			b.want(200, b.in("Invite people to Acme Legal from a file", "Mensen uitnodigen bij Acme Legal uit een bestand"))
			b.clean()
			b.reach("#file")
			b.chooses(file)
			b.follow(primary)
			b.want(200, b.in("Look at the lines", "Bekijk de regels"))
			if n := b.count("tbody tr"); n != 3 || b.count("tbody .badge.good") != 2 {
				t.Errorf("%d lines, %d of them good", n, b.count("tbody .badge.good"))
			}
			b.has("tbody tr:first-child", "Law, Zoë")
			b.clean()
			if sent := p.all(); len(sent) != 0 {
				t.Errorf("sent before anybody said so: %q", sent)
			}
			b.follow(primary)
			b.want(200, b.in("2 people are invited", "2 mensen zijn uitgenodigd"))
			b.clean()
			b.scriptless()
			for _, to := range []string{zoe, yan} {
				b.letter(p, to, b.in("Acme Legal invites you to sign in", "Acme Legal nodigt u uit om in te loggen")).link(t)
			}
			if sent := p.all(); len(sent) != 2 {
				t.Errorf("mails %q, want two", sent)
			}
		})
	}
}
