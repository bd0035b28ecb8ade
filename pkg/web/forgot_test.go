// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestPL03Forgot is PL-03 and ASVS 6.3.8: whoever is asked for, the answer, its headers, the round trips and the entry
// in the outbox are the same; only who has an account gets a mail.
func TestPL03Forgot(t *testing.T) {
	p := mailed(t)
	p.AddEnrolled(t, "disabled@acme.example", "acme")
	if _, err := p.Node.Office.Apply(t.Context(), "disabled@acme.example", authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Node.Office.Add(t.Context(), admin.Entry{Username: "addressless", Company: "acme", Password: idptest.Password}); err != nil {
		t.Fatal(err)
	}
	type answer struct {
		body, header string
		trips        uint64
		entries      int
	}
	sent := func() int {
		p.Mails(t, anna) // waits for the sender
		ids, _ := p.Store.Redis().ZMembers("lg:{out}:sent")
		return len(ids)
	}
	try := func(name string) answer {
		b := p.Browser(t)
		form := b.Get(t, p.RP.AuthURL())
		form = b.Get(t, form.Find("ul.links a").First().AttrOr("href", ""))
		before, trips := sent(), p.Node.Trips()
		got := form.Submit(t, url.Values{"username": {name}})
		a := answer{trips: p.Node.Trips() - trips, header: headerNames(got.Header)}
		a.body = strings.ReplaceAll(got.Body, form.Find("form").AttrOr("action", ""), "FLOW")
		for part := range strings.SplitSeq(form.URL.Path, "/") {
			if len(part) > 20 {
				a.body = strings.ReplaceAll(a.body, part, "FLOW")
			}
		}
		a.entries = sent() - before
		return a
	}
	try("warm@acme.example")
	want := try("nobody@acme.example")
	if want.entries != 1 || !strings.Contains(want.body, "Check your e-mail") {
		t.Fatalf("unknown address: %+v", want)
	}
	for what, name := range map[string]string{
		"known": anna, "disabled": "disabled@acme.example", "without an address": "addressless", "not a name": "a b",
		"long": strings.Repeat("x", 256), "header": "x@y.example, z@y.example",
	} {
		if got := try(name); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	if got := len(p.Node.Mails()); got != 1 {
		t.Errorf("%d mails, want one to the one who has an account", got)
	}
}

// TestForgotLimits: three an hour and five a day for a name, whatever its spelling and whether it exists; the page says
// the same.
func TestForgotLimits(t *testing.T) {
	p := mailed(t)
	spellings := []string{anna, "Anna@acme.example", " ANNA@ACME.EXAMPLE", anna}
	for i := range 7 {
		wantPage(t, ask(t, p, p.Browser(t), spellings[i%4]), 200, "Check your e-mail")
	}
	if got := len(p.Mails(t, anna)); got != 3 {
		t.Errorf("%d mails in an hour, want 3", got)
	}
	for range 3 {
		p.Advance(61 * time.Minute)
		for range 4 {
			wantPage(t, ask(t, p, p.Browser(t), anna), 200, "Check your e-mail")
		}
	}
	if got := len(p.Mails(t, anna)); got != 5 {
		t.Errorf("%d mails in a day, want 5", got)
	}
	p.AddEnrolled(t, bert, "acme")
	b := p.Browser(t)
	for range 30 {
		ask(t, p, b, "nobody@acme.example")
	}
	for i := range 30 {
		ask(t, p, b, strings.Repeat("n", i+1)+"@acme.example")
	}
	ask(t, p, b, bert)
	if got := len(p.Mails(t, bert)); got != 0 {
		t.Errorf("%d mails after 30 from one source, want none", got)
	}
	p.Advance(61 * time.Minute)
	ask(t, p, b, bert)
	if got := len(p.Mails(t, bert)); got != 1 {
		t.Errorf("%d mails an hour later, want 1", got)
	}
}

// TestFZ10ForgotMail is FZ-10: the link in the mail is ours whatever the request says; it and the mail's words.
func TestFZ10ForgotMail(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail, Log: &log})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	b.Header.Set("X-Forwarded-Host", "evil.example")
	b.Header.Set("X-Forwarded-Proto", "https")
	b.Header.Set("Forwarded", "host=evil.example")
	link := resetLink(t, p, b)
	m := p.Mails(t, anna)[0]
	for _, want := range []string{anna, "10 minutes", "Acme Legal", "help@acme.example"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("the mail does not say %q: %s", want, m.Text)
		}
	}
	if strings.Contains(m.Text+m.HTML+m.Subject, "evil") {
		t.Errorf("the mail follows a header: %s", m.Text)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, link, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example"
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another Host: %d, want 421", res.StatusCode)
	}
	choose(t, b.Get(t, link), newPassword)
	b.Get(t, link)
	token := link[len(p.Issuer)+len("/link/"):]
	for what, secret := range map[string]string{"token": token, "address": anna, "password": newPassword} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
	for _, want := range []string{`"event":"password.reset.asked"`, `"event":"password.reset"`, `"route":"GET /link/{token}"`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log has no %s", want)
		}
	}
}

// TestForgotMissing: nothing typed is said, and costs nothing.
func TestForgotMissing(t *testing.T) {
	p := mailed(t)
	page := ask(t, p, p.Browser(t), " ")
	wantPage(t, page, 200, "Choose a new password")
	if page.Alert() == "" {
		t.Error("no word about what is missing")
	}
}

// TestForgotWithoutMail: nobody is sent to a page that can do nothing.
func TestForgotWithoutMail(t *testing.T) {
	p, b := enrolled(t)
	page := b.Get(t, p.RP.AuthURL())
	if page.Find("ul.links").Length() != 0 {
		t.Error("a way for those who forgot the password, without mail")
	}
	if got := b.Get(t, strings.TrimSuffix(page.URL.Path, "login")+"forgot"); got.Status != 404 {
		t.Errorf("/forgot = %d, want 404", got.Status)
	}
}
