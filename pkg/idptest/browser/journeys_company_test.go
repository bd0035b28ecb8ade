// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// person adds somebody of acme who never set anything up, with the language of mails to them.
func (b *tab) person() string {
	b.Helper()
	name := b.world.fresh()
	claims := map[string]any{"email": name, "email_verified": true, "locale": b.in("en", "nl")}
	if _, err := b.world.Node.Office.Add(b.Context(), admin.Entry{Username: name, Company: "acme", Password: idptest.Password, Claims: claims}); err != nil {
		b.Fatal(err)
	}
	return name
}

// anew is the same browser on another day: it is signed in nowhere.
func (b *tab) anew() *tab {
	b.Helper()
	b.do(call(network.ClearBrowserCookies, cdp.Empty{}))
	return b
}

// day is a date as pages and mails write it.
func (b *tab) day(at time.Time) string {
	months := strings.Fields("januari februari maart april mei juni juli augustus september oktober november december")
	return b.in(at.Format("2 January 2006"), fmt.Sprintf("%d %s %d", at.Day(), months[at.Month()-1], at.Year()))
}

// turnsOn has acme require the second factor from a date, with two skips before it.
func (w *world) turnsOn(t *testing.T, from time.Time) {
	t.Helper()
	acme, err := w.Node.Office.Companies.Company(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	acme.SecondFactor, acme.Policy = flow.FactorRequired, company.Policy{From: from, Skips: 2}
	if _, err := w.Node.Office.SetPolicy(t.Context(), acme); err != nil {
		t.Fatal(err)
	}
}

// mustSetUp ends in an error unless the page shows the set-up, and nothing that puts it off.
func (b *tab) mustSetUp() {
	b.Helper()
	b.want(200, b.in("Secure your account", "Beveilig uw account"))
	b.has(".lead", b.in("Acme Legal now asks for a code", "Acme Legal vraagt voortaan naast uw wachtwoord ook een code."))
	if n := b.count("button[value=skip]"); n != 0 {
		b.Errorf("%d ways to put the set-up off, want none", n)
	}
}

// TestC2ByKeyboard: the company turns the second factor on from a date. Everybody whom it concerns is told by mail, in
// their language; the set-up is put off twice, and no more; after the date nobody puts it off, and it is set up.
func TestC2ByKeyboard(t *testing.T) {
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			p := startPost(t)
			w := newWorld(t, p.setup())
			b := w.open(t, l)
			name, late := b.person(), b.person()
			from := w.Now().UTC().Add(3 * 24 * time.Hour).Truncate(time.Second)
			w.turnsOn(t, from)
			for _, to := range []string{name, late} {
				b.letter(p, to, b.in("From ", "Vanaf ")+b.day(from)+b.in(" you sign in with a second step", " logt u in met een tweede stap")).says(t,
					b.in("your company asks for a second step when you sign in", "vraagt uw organisatie bij het inloggen om een tweede stap"),
					b.in("Times it can still be put off: 2", "Keren dat uitstel nog kan: 2"), "help@acme.example")
			}
			for _, l := range p.all() {
				if l.to == anna {
					t.Errorf("somebody with an authenticator is told %q", l.subject)
				}
			}
			for _, left := range []string{b.in("2 more times, until ", "nog 2 keer uitstellen, tot "), b.in("1 more time, until ", "nog 1 keer uitstellen, tot ")} {
				b.anew().ask().signsIn(name)
				b.has(".titles", left+b.day(from))
				b.follow("button[value=skip]")
				b.wantApp()
			}
			b.anew().ask().signsIn(name).mustSetUp()

			w.Advance(3*24*time.Hour + time.Second)
			b.anew().ask().signsIn(late).mustSetUp()
			b.setsUp()
			b.keeps()
			b.wantApp()
		})
	}
}

// lychgate builds the command line.
func lychgate(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "lychgate")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, "../../../cmd/lychgate").CombinedOutput(); err != nil {
		t.Fatalf("build the command line: %v: %s", err, out)
	}
	return file
}

// command runs the command line as an admin does, on the store of this world.
func (w *world) command(t *testing.T, program string, args ...string) string {
	t.Helper()
	c := w.Config()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Env = []string{
		"LYCHGATE_ISSUER=" + c.Issuer, "LYCHGATE_REDIS_ADDRESSES=" + strings.Join(c.Redis.Addresses, ","),
		"LYCHGATE_REDIS_REQUIRE_PERSISTENCE=false", "LYCHGATE_SECRETS_KEYS=" + string(c.Secrets.Keys),
		"LYCHGATE_SECRETS_INDEX_KEY=" + string(c.Secrets.Index), "LYCHGATE_SECRETS_PAIRWISE_KEY=" + string(c.Secrets.Pairwise),
		"LYCHGATE_SECRETS_PEPPER=" + string(c.Secrets.Pepper), "LYCHGATE_MAIL_MAILER=smtp", "LYCHGATE_MAIL_HOST=" + c.Mail.Host,
		fmt.Sprintf("LYCHGATE_MAIL_PORT=%d", c.Mail.Port), "LYCHGATE_MAIL_TLS=none", "LYCHGATE_MAIL_FROM=" + c.Mail.From,
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("lychgate %s: %v: %s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// stands ends in an error unless the list of the command line says this of somebody's second factor.
func (w *world) stands(t *testing.T, program, name, state string) {
	t.Helper()
	for line := range strings.Lines(w.command(t, program, "account", "list")) {
		if f := strings.Fields(line); f[0] == name {
			if f[3] != state {
				t.Errorf("the list says %q, want the second factor %s", line, state)
			}
			return
		}
	}
	t.Errorf("%s is not on the list", name)
}

// TestC3ByKeyboard: the admin's list shows who has set nothing up; a reminder reaches them, and they do so. Then a lost
// factor is reset by command line, and its person sets up another one by the mailed link.
func TestC3ByKeyboard(t *testing.T) {
	program := lychgate(t)
	p := startPost(t)
	setup := p.setup()
	// The command line is a program of its own, with the clock of this machine: so is the store.
	addr, _ := storetest.StartRedis(t)
	setup.Redis, setup.RealClock = []string{addr}, true
	w := newWorld(t, setup)
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			name := b.person()
			w.stands(t, program, name, "never")
			w.stands(t, program, anna, "on")
			for range 2 {
				if got := w.command(t, program, "company", "remind", "acme"); !strings.HasPrefix(got, "told ") {
					t.Errorf("remind says %q", got)
				}
			}
			b.letter(p, name, b.in("Your account has no second step yet", "Uw account heeft nog geen tweede stap")).says(t,
				b.in("Your company asks for a second step at sign-in", "Uw organisatie vraagt bij het inloggen om een tweede stap"),
				b.in("Sign in as you always do and follow the steps.", "Log in zoals u gewend bent en volg de stappen."),
				b.in("Nobody will ever ask you for a code by telephone or by mail.", "Niemand vraagt u ooit per telefoon of per mail om een code."))
			b.ask().signsIn(name).mustSetUp()
			old := b.setsUp()
			b.keeps()
			b.wantApp()
			w.stands(t, program, name, "on")

			w.command(t, program, "account", "reset-factor", name)
			w.stands(t, program, name, "reset")
			link := b.letter(p, name, b.in("Your second step was reset", "De tweede stap van uw account is gewist")).link(t)
			b.get(link)
			b.want(200, b.in("Set up your second step", "Stel uw tweede stap in"))
			b.follow(primary)
			b.want(200, b.in("Now sign in with your password", "Log nu in met uw wachtwoord"))
			b.ask().signsIn(name).mustSetUp()
			if key := b.setsUp(); key == old {
				t.Error("the reset leaves the old key")
			}
			b.keeps()
			b.wantApp()
			w.stands(t, program, name, "on")
			b.toldOnce(p, name, b.in("Your account has no second step yet", "Uw account heeft nog geen tweede stap"))
		})
	}
	for _, l := range p.all() {
		if l.to == anna {
			t.Errorf("somebody who needs no reminder is told %q", l.subject)
		}
	}
}

// toldOnce: of several reminders a day one is sent.
func (b *tab) toldOnce(p *post, to, subject string) {
	b.Helper()
	n := 0
	for _, l := range p.all() {
		if l.to == to && l.subject == subject {
			n++
		}
	}
	if n != 1 {
		b.Errorf("%d mails %q to %s, want one", n, subject, to)
	}
}
