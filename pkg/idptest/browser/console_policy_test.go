// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// grouped gives acme two groups, and returns somebody of the first who has set nothing up.
func (b *tab) grouped() string {
	b.Helper()
	co, err := b.world.Node.Office.Companies.Company(b.Context(), "acme")
	if err != nil {
		b.Fatal(err)
	}
	co.SecondFactor, co.Policy = "", company.Policy{}
	co.Groups = []company.Group{{ID: "lawyers", Name: "Lawyers"}, {ID: "case-workers", Name: "Case workers"}}
	b.world.AddCompany(b.T, co)
	name := b.world.fresh()
	claims := map[string]any{"email": name, "email_verified": true, "locale": b.in("en", "nl")}
	e := admin.Entry{Username: name, Company: "acme", Password: idptest.Password, Claims: claims, Groups: []string{"lawyers"}}
	if _, err := b.world.Node.Office.Add(b.Context(), e); err != nil {
		b.Fatal(err)
	}
	return name
}

// locked writes down that somebody's second factor was locked, and has the day's figures count it.
func (b *tab) locked() {
	b.Helper()
	b.world.Node.Office.Audit.Event(b.Context(), audit.FactorLocked, slog.String("company", "acme"), slog.String("reason", "locked"))
	if err := b.world.Node.FlushAudit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// policyPlaces are the pages about sign-ins: policy, journal, keys, overview.
func policyPlaces() []place {
	return []place{
		{"console-overview", 200, "Overview", "Overzicht", func(b *tab) { b.administrates(authn.AdminCompany, "/admin") }},
		{"console-overview-it", 200, "Overview", "Overzicht", func(b *tab) {
			b.locked()
			b.administrates(authn.AdminIT, "/admin")
		}},
		{"console-choose", 200, "Choose a company", "Een organisatie kiezen", func(b *tab) { b.administrates(authn.AdminIT, "/admin/policy") }},
		{"console-policy", 200, "Sign-in policy", "Inlogbeleid", func(b *tab) {
			b.grouped()
			b.administrates(authn.AdminCompany, "/admin/policy")
		}},
		{"console-policy-look", 200, "Sign-in policy", "Inlogbeleid", func(b *tab) {
			b.grouped()
			b.administrates(authn.AdminCompany, "/admin/policy")
			b.do(b.click(selected("#w2")), b.click(selected("#g0")))
			b.submit(primary)
		}},
		{"console-policy-error", 200, "Sign-in policy", "Inlogbeleid", func(b *tab) {
			b.grouped()
			b.administrates(authn.AdminCompany, "/admin/policy")
			b.do(b.click(selected("#w2")))
			b.fills("wait", "x")
			b.submit(primary)
		}},
		{"console-audit", 200, "Audit log", "Auditlog", func(b *tab) {
			b.grouped()
			b.administrates(authn.AdminIT, "/admin/audit")
			if err := b.world.Node.FlushAudit(b.Context()); err != nil {
				b.Fatal(err)
			}
			b.submit("main form[role=search] button")
		}},
		{"console-audit-error", 200, "Audit log", "Auditlog", func(b *tab) {
			b.administrates(authn.AdminCompany, "/admin/audit?from=2026-02-02&until=2026-02-01")
		}},
		{"console-keys", 200, "Keys", "Sleutels", func(b *tab) { b.administrates(authn.AdminIT, "/admin/keys") }},
		{"console-keys-young", 200, "Keys", "Sleutels", func(b *tab) {
			b.administrates(authn.AdminIT, "/admin/keys")
			b.submit("main form button")
		}},
		{"console-rotate", 200, "Rotate the keys now?", "De sleutels nu meteen vervangen?", func(b *tab) {
			b.administrates(authn.AdminIT, "/admin/keys/now")
		}},
	}
}

// writesDay types a day into a field for days, whose parts stand in the order of the browser's own language.
func (b *tab) writesDay(id string, at time.Time) {
	b.Helper()
	b.reach("#" + id)
	b.keys(at.Format("01022006"))
	if got, want := eval[string](b, selected("#"+id)+`.value`), at.Format(time.DateOnly); got != want {
		b.Fatalf("the day is %q, want %q", got, want)
	}
}

// TestC2ConsoleByKeyboard: the company's admin turns the second factor on for a group, from a date, with skips. What will
// happen is shown first; those whom it concerns are told by mail, and put the set-up off as often as was said.
func TestC2ConsoleByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			name, other := b.grouped(), b.person()
			from := w.Now().UTC().AddDate(0, 0, 3).Truncate(24 * time.Hour)
			b.walksIn("/admin/policy")
			b.want(200, b.in("Sign-in policy", "Inlogbeleid"))
			b.reach("#w1")
			b.keys(kb.ArrowDown)
			b.reach("#g0")
			b.keys(" ")
			b.writesDay("from", from)
			b.reach("#skips")
			b.keys("2")
			b.follow("form .buttons button:last-child")
			b.want(200, b.in("Sign-in policy", "Inlogbeleid"))
			b.has("section .figure-number", b.in("1 person is concerned", "1 persoon krijgt ermee te maken"))
			b.has(".timeline", b.in("Until ", "Tot en met ")+b.day(from.AddDate(0, 0, -1)))
			b.has(".timeline", b.in("may skip it 2 times", "mogen die 2 keer overslaan"))
			b.has(primary, b.in("Save and tell 1 person", "Opslaan en 1 persoon inlichten"))
			b.scriptless()
			b.clean()
			b.follow(primary)
			b.has("[role=status]", b.in("1 person is told by e-mail.", "1 persoon krijgt bericht per e-mail."))
			b.clean()
			b.letter(p, name, b.in("From ", "Vanaf ")+b.day(from)+b.in(" you sign in with a second step", " logt u in met een tweede stap")).says(t,
				b.in("Times it can still be put off: 2", "Keren dat uitstel nog kan: 2"))
			for _, l := range p.all() {
				if l.to == other || l.to == anna {
					t.Errorf("%s is told %q", l.to, l.subject)
				}
			}
			b.anew().ask().signsIn(name)
			b.has(".titles", b.in("2 more times, until ", "nog 2 keer uitstellen, tot ")+b.day(from))
			b.follow("button[value=skip]")
			b.wantApp()
			b.anew().ask().signsIn(other)
			b.wantApp()
		})
	}
}

// TestC8ByKeyboard: what happened is looked through: a search, the details of an entry, the way to the export.
func TestC8ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			b.walksIn("/admin/policy")
			b.replaces("wait", b.in("24", "48"))
			b.follow(primary)
			b.has("[role=status]", b.in("The policy is saved.", "Het beleid is opgeslagen."))
			if err := w.Node.FlushAudit(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.follow("nav a[href='/admin/audit']")
			b.want(200, b.in("Audit log", "Auditlog"))
			b.clean()
			b.reach("#event")
			b.keys(b.in("Company changed", "Organisatie gewijzigd"))
			b.follow("main form[role=search] button")
			b.want(200, b.in("Audit log", "Auditlog"))
			b.has("tbody tr:first-child", b.in("Company changed", "Organisatie gewijzigd"))
			b.reach("tbody tr:first-child summary")
			b.keys(kb.Enter)
			b.eventually(`document.querySelector('tbody tr:first-child dl').checkVisibility()`)
			b.has("tbody tr:first-child dl", `"reset_wait_hours":`+b.in("24", "48"))
			b.reach("a[download]")
			b.clean()
			b.scriptless()
			b.replaces("account", "nobody@acme.example")
			b.follow("main form[role=search] button")
			b.has(".empty", b.in("No entry matches.", "Geen regel past hierbij."))
		})
	}
}
