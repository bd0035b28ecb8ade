// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	anna = "anna@acme.example"
	bert = "bert@acme.example"
	home = "Security"
)

// start returns a provider whose mails can be read, with company "free", whose people may turn a second factor on and
// off, and a browser that sends its name.
func start(t *testing.T) (*idptest.IDP, *idptest.Browser) {
	t.Helper()
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) { c.Mail.Mailer = config.MailerConsole }})
	p.AddCompany(t, company.Company{ID: "free", Name: "Free Choice", SecondFactor: "optional"})
	b := p.Browser(t)
	b.Header.Set("User-Agent", firefox)
	return p, b
}

const (
	firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0"
	safari  = "Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)

func want(t *testing.T, page *idptest.Page, h1 string) *idptest.Page {
	t.Helper()
	if page.Status != 200 || page.H1() != h1 {
		t.Fatalf("page %d %q at %s (alert %q), want %q", page.Status, page.H1(), page.URL, page.Alert(), h1)
	}
	if got := page.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("Cache-Control of %s = %q", page.URL, got)
	}
	return page
}

func note(t *testing.T, page *idptest.Page, part string) {
	t.Helper()
	want(t, page, home)
	if got := page.Note(); !strings.Contains(got, part) {
		t.Errorf("note = %q, want %q in it", got, part)
	}
}

// events are the names of the security events of an account, the oldest first.
func events(t *testing.T, p *idptest.IDP, id string) []string {
	t.Helper()
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := p.Node.History().Recent(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range list {
		names = append(names, r.Event)
	}
	slices.Reverse(names)
	return names
}

func happened(t *testing.T, p *idptest.IDP, id, event string) {
	t.Helper()
	if got := events(t, p, id); !slices.Contains(got, event) {
		t.Errorf("events = %v, want %s", got, event)
	}
}

// told waits for a mail to the account with the words in its subject.
func told(t *testing.T, p *idptest.IDP, subject string) {
	t.Helper()
	end := time.After(5 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		for _, m := range p.Node.Mails() {
			if strings.Contains(m.Subject, subject) {
				return
			}
		}
		select {
		case <-end:
			var have []string
			for _, m := range p.Node.Mails() {
				have = append(have, m.Subject)
			}
			t.Fatalf("mails %q, want %q", have, subject)
		case <-tick.C:
		}
	}
}

func code(t *testing.T, p *idptest.IDP, secret []byte) string {
	t.Helper()
	return idptest.CodeOf(t, secret, p.Now())
}

// ids are the ids of the authenticators on the page, in order.
func ids(page *idptest.Page) []string {
	var all []string
	page.Find("#two-factor form[action$='/rename']").Each(func(_ int, f *idptest.Selection) {
		all = append(all, strings.Split(f.AttrOr("action", ""), "/")[3])
	})
	return all
}

// add adds an authenticator and returns the page and its secret.
func add(t *testing.T, p *idptest.IDP, page *idptest.Page) (*idptest.Page, []byte) {
	t.Helper()
	setup := page.Press(t, "#two-factor", "Add another authenticator", nil).Prove(t, anna)
	secret := setup.Key(t)
	p.NextStep()
	done := setup.Code(t, code(t, p, secret))
	if done.H1() == "Set-up complete" {
		done = done.Submit(t, nil)
	}
	return done, secret
}

// remembered is a browser whose device is remembered.
func remembered(t *testing.T, p *idptest.IDP, name, agent string) *idptest.Browser {
	t.Helper()
	b := p.Browser(t)
	b.Header.Set("User-Agent", agent)
	page := b.Get(t, p.RP.AuthURL()).Login(t, name, idptest.Password)
	p.NextStep()
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	if b.Cookie("lgd_") == "" {
		t.Fatal("the device is not remembered")
	}
	return b
}

// asksCode says whether a sign-in at the app with the browser's device cookie alone is asked for a code.
func asksCode(t *testing.T, p *idptest.IDP, cookie, value, password string) bool {
	t.Helper()
	n := p.Browser(t)
	n.SetCookie(cookie, value)
	page := n.Get(t, p.RP.AuthURL()).Login(t, anna, password)
	switch page.H1() {
	case "Enter your code":
		return true
	case "GET":
		return false
	}
	t.Fatalf("page %d %q at %s", page.Status, page.H1(), page.URL)
	return false
}

func form(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

// empty is a form without fields.
func empty() url.Values { return url.Values{} }
