// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/base32"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/notify"
)

// other is the address in anna's claims, which is not her sign-in name.
const other = "anna@post.example"

// told is one act of which the person is told.
type told struct {
	name, subject string
	// link says why the mail may have one; none lets anybody in.
	link string
	// mails is how many there are for each address; 0 is one.
	mails int
	// never: anna has no authenticator before.
	never bool
	// company is "acme", or "free", where the second factor is a choice.
	company string
	cap     int
	// act returns what must be in no mail.
	act func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string
}

// TestPL07 is PL-07: each act is told, once, to every address of the person, with how to say that it was somebody else,
// and whom to call; with no secret, and no link that signs in.
func TestPL07(t *testing.T) { //nolint:gocognit // a table of acts over addresses and mails
	for _, c := range append(toldFactors(), append(toldAccess(), toldGuesses()...)...) {
		t.Run(c.name, func(t *testing.T) {
			p := idptest.New(t, idptest.Setup{Change: func(cfg *config.Config) {
				idptest.WithMail(cfg)
				if c.cap > 0 {
					cfg.Guesses.Cap = c.cap
				}
			}})
			nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
			twoAddresses(t, p, c)
			secrets := append(c.act(t, p, nodes), idptest.Password, key(idptest.Secret()), p.Code(t, 0))
			for _, to := range []string{other, anna} {
				n := 0
				for _, m := range p.Mails(t, to) {
					if m.Subject == c.subject {
						n++
						readable(t, m, c, secrets)
					}
				}
				if want := max(1, c.mails); n != want {
					t.Errorf("%d mails %q to %s, want %d, of:\n%s", n, c.subject, to, want, subjects(t, p, to))
				}
			}
		})
	}
}

// twoAddresses adds anna, whose claim is another address than her name.
func twoAddresses(t *testing.T, p *idptest.IDP, c told) {
	t.Helper()
	p.AddCompany(t, company.Company{
		ID: "free", Name: "Free Choice", SecondFactor: "optional", HelpEmail: "help@acme.example", HelpPhone: "020 7946 0000",
	})
	p.Advance(2 * time.Second)
	e := admin.Entry{
		Username: anna, Password: idptest.Password, Company: "acme", TOTPSecret: base32.StdEncoding.EncodeToString(idptest.Secret()),
		Claims: map[string]any{"name": "Anna Example", "email": other, "email_verified": true},
	}
	if c.company != "" {
		e.Company = c.company
	}
	if c.never {
		e.TOTPSecret = ""
	}
	if _, err := p.Node.Office.Add(t.Context(), e); err != nil {
		t.Fatal(err)
	}
}

// readable holds what every such mail says and does not say.
func readable(t *testing.T, m notify.Mail, c told, secrets []string) {
	t.Helper()
	for _, want := range []string{"help@acme.example", "020 7946 0000", anna, "November 2026"} {
		if !strings.Contains(m.Text, want) || !strings.Contains(m.HTML, want) {
			t.Errorf("%q does not say %q: %s", m.Subject, want, m.Text)
		}
	}
	if !strings.Contains(m.Text, "Was it not you?") && !strings.Contains(m.Text, "Did you not expect this?") {
		t.Errorf("%q does not say what to do if it was somebody else: %s", m.Subject, m.Text)
	}
	for _, s := range secrets {
		if strings.Contains(m.Text, s) || strings.Contains(m.HTML, s) {
			t.Errorf("%q holds the secret %q", m.Subject, s)
		}
	}
	if links := strings.Count(m.Text, "://"); (links != 0) != (c.link != "") || links > 1 {
		t.Errorf("%q has %d links (%s): %s", m.Subject, links, c.link, m.Text)
	}
}

func key(secret []byte) string {
	return strings.TrimRight(base32.StdEncoding.EncodeToString(secret), "=")
}

// setUp confirms the set-up on the page and returns its key and the recovery codes that came with it.
func setUp(t *testing.T, p *idptest.IDP, setup *idptest.Page) []string {
	t.Helper()
	secret := setup.Key(t)
	p.NextStep()
	done := setup.Code(t, idptest.CodeOf(t, secret, p.Now()))
	out := []string{key(secret), setup.Find("#totp-key").Text()}
	done.Find("#recovery-codes li").Each(func(_ int, li *idptest.Selection) { out = append(out, li.Text()) })
	if done.Status != http.StatusOK || done.Find("#totp-key").Length() != 0 {
		t.Fatalf("set-up: %d %q %q", done.Status, done.H1(), done.Alert())
	}
	if done.H1() == "Set-up complete" {
		done.Submit(t, nil)
	}
	return out
}

// replace puts a new authenticator in the place of anna's.
func replace(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
	t.Helper()
	page := p.BrowserAt(t, nodes[1]).Own(t, anna)
	return setUp(t, p, page.Press(t, "#two-factor", "Replace", nil).Prove(t, anna))
}

func toldFactors() []told {
	return []told{
		{
			name: "first set-up", subject: "An authenticator was added to your account", never: true, link: "it was not me",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				return setUp(t, p, p.BrowserAt(t, nodes[1]).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password))
			},
		},
		{
			name: "added", subject: "An authenticator was added to your account",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				secret, _ := addSecond(t, p, p.BrowserAt(t, nodes[1]))
				return []string{key(secret)}
			},
		},
		{
			name: "replaced: the new one", subject: "An authenticator was added to your account", act: replace,
		},
		{
			name: "replaced: the old one", subject: "An authenticator was removed from your account", act: replace,
		},
		{
			name: "removed", subject: "An authenticator was removed from your account",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				secret, page := addSecond(t, p, p.BrowserAt(t, nodes[1]))
				noted(t, page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil).Prove(t, anna).Press(t, "main", "Remove", nil), "removed")
				return []string{key(secret)}
			},
		},
		{
			name: "turned off", subject: "An authenticator was removed from your account", company: "free",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				page := p.BrowserAt(t, nodes[1]).Own(t, anna)
				noted(t, page.Press(t, "#two-factor", "Remove", nil).Prove(t, anna).Press(t, "main", "Remove", nil), "removed")
				return nil
			},
		},
		{
			name: "reset by an admin", subject: "Your second step was reset", link: "the set-up, after the password",
			act: func(t *testing.T, p *idptest.IDP, _ []*idptest.Node) []string {
				t.Helper()
				return []string{p.Ticket(t, anna)}
			},
		},
		{
			name: "new recovery codes", subject: "New recovery codes were made for your account",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				return newCodes(t, p.BrowserAt(t, nodes[1]).Own(t, anna))
			},
		},
		{
			name: "recovery code used", subject: "A recovery code was used",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				return spend(t, p, nodes, 1)
			},
		},
		{
			name: "recovery codes run out", subject: "You have few recovery codes left",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				return spend(t, p, nodes, 8)
			},
		},
	}
}

// spend uses n new recovery codes.
func spend(t *testing.T, p *idptest.IDP, nodes []*idptest.Node, n int) []string {
	t.Helper()
	list := newCodes(t, p.BrowserAt(t, nodes[1]).Own(t, anna))
	for i := range n {
		if used := recoverAt(t, p, nodes[i%3], list[i]); used.H1() != "Recovery code used" {
			t.Fatalf("recovery: %d %q %q", used.Status, used.H1(), used.Alert())
		}
	}
	return list
}

func toldAccess() []told {
	const fresh = "vier-paarse-ramen-zingen"
	return []told{
		{
			name: "password changed", subject: "Your password was changed",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				page := p.BrowserAt(t, nodes[1]).Own(t, anna).Follow(t, "/account/password").Prove(t, anna)
				noted(t, page.Submit(t, url.Values{"new_password": {fresh}}), "password is changed")
				return []string{fresh}
			},
		},
		{
			name: "new password by mail", subject: "Your password was changed",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				b := p.BrowserAt(t, nodes[1])
				link := forgot(t, p, b)
				if done := b.Get(t, link).Submit(t, url.Values{"new_password": {fresh}}); done.H1() != "Your password is changed" {
					t.Fatalf("new password: %d %q %q", done.Status, done.H1(), done.Alert())
				}
				return []string{fresh, link}
			},
		},
		{
			name: "new password asked for", subject: "Choose a new password", link: "a new password, which lets nobody in without the code",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				forgot(t, p, p.BrowserAt(t, nodes[1]))
				return nil
			},
		},
		{
			name: "device remembered", subject: "A device is now remembered for your account",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				c := rememberAt(t, p, nodes[1])
				return []string{c.value}
			},
		},
		{
			name: "device copied", subject: "A remembered device was copied",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				c := rememberAt(t, p, nodes[1])
				c.passesEverywhere(t, p, nodes)
				p.Advance(time.Hour)
				if page := c.with(t, p, nodes[2], idptest.Password); page.H1() != "Enter your code" {
					t.Errorf("an old copy stands for a code: %q", page.H1())
				}
				return []string{c.value}
			},
		},
	}
}

// forgot asks for a new password and returns the link that was mailed.
func forgot(t *testing.T, p *idptest.IDP, b *idptest.Browser) string {
	t.Helper()
	href, ok := b.Get(t, p.RP.AuthURL()).Find("ul.links a").First().Attr("href")
	if !ok {
		t.Fatal("the sign-in page has no way for those who forgot the password")
	}
	if page := b.Get(t, href).Submit(t, url.Values{"username": {anna}}); page.H1() != "Check your e-mail" {
		t.Fatalf("%d %q", page.Status, page.H1())
	}
	list := p.Mails(t, anna)
	if len(list) == 0 || list[0].Subject != "Choose a new password" {
		t.Fatalf("mails: %s", subjects(t, p, anna))
	}
	return p.MailLink(t, list[0])
}
