// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const bert = "bert@acme.example"

// TestReviewSpellings: guesses are counted for the name, not for a spelling of it. Full-width letters are the same
// name (RFC 8265 §3.3.1), and there are thousands of ways to mix them in.
func TestReviewSpellings(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, "anna", "plain")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL())
	for i, name := range []string{"anna", "ａnna", "aｎna", "anｎa", "annａ", "ａｎna", "Ａnna"} {
		page = page.Login(t, name, "a wrong pass phrase")
		if want := i >= 5; (page.Status == http.StatusTooManyRequests) != want {
			t.Errorf("guess %d (%s): %d, waits: want %v", i+1, name, page.Status, want)
		}
	}
}

// TestReviewOtherAccountInFlow: a flow of anna's that asks for the password again (max_age ran out on its way) and is
// answered by bert is bert's alone: nothing that anna showed or allowed counts for him.
func TestReviewOtherAccountInFlow(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	id := p.AddEnrolled(t, bert, "acme")
	third := p.NewRP(t, "third", func(c *client.Client) { c.Company = "" })
	b := p.Browser(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	p.NextStep()
	page := b.Get(t, third.AuthURL(idptest.With("max_age", "60")))
	consent := page.URL.String()
	if !strings.HasSuffix(consent, "/consent") {
		t.Fatalf("at %s", consent)
	}
	p.Advance(2 * time.Minute)
	page = b.Post(t, consent, url.Values{"answer": {"allow"}})
	if page.H1() != "Sign in" {
		t.Fatalf("max_age ran out: %d %q", page.Status, page.H1())
	}
	page = page.Login(t, bert, idptest.Password)
	if page.H1() != "Enter your code" {
		t.Fatalf("bert: %d %q at %s", page.Status, page.H1(), page.URL)
	}
	page = page.Code(t, p.Code(t, 0))
	if !strings.HasSuffix(page.URL.Path, "/consent") {
		t.Fatalf("bert was not asked: %d %s", page.Status, page.URL)
	}
	if tok := third.Exchange(t, page.Submit(t, url.Values{"answer": {"allow"}})); tok.Claims["sub"] != id {
		t.Errorf("sub = %v, want bert", tok.Claims["sub"])
	}
}

// TestReviewPolicyRises: whoever stands before the answer when the policy rises is asked for what it wants now.
func TestReviewPolicyRises(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, "sam@plain.example", "plain")
	third := p.NewRP(t, "third", func(c *client.Client) { c.Company = "" })
	b := p.Browser(t)
	page := b.Get(t, third.AuthURL()).Login(t, "sam@plain.example", idptest.Password)
	if !strings.HasSuffix(page.URL.Path, "/consent") {
		t.Fatalf("at %s", page.URL)
	}
	p.AddCompany(t, company.Company{ID: "plain", Name: "Plain Estates", SecondFactor: "always"})
	if page = page.Submit(t, url.Values{"answer": {"allow"}}); page.H1() != "Enter your code" {
		t.Errorf("after the policy rose: %d %q at %s", page.Status, page.H1(), page.URL)
	}
	if page = b.Get(t, third.AuthURL()); page.H1() != "Enter your code" {
		t.Errorf("with the session of before: %d %q at %s", page.Status, page.H1(), page.URL)
	}
}

// TestReviewNoWayAround: with the password alone no address of the flow leads to a code, a set-up or a session.
func TestReviewNoWayAround(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	flow := strings.TrimSuffix(page.URL.Path, "/factor")
	for _, step := range []string{"", "/enrol", "/consent", "/login", "/factor"} {
		if got := b.Get(t, flow+step); got.H1() != "Enter your code" {
			t.Errorf("GET %s: %d %q", step, got.Status, got.H1())
		}
		if step == "" || step == "/factor" {
			continue
		}
		form := url.Values{"answer": {"allow"}, "code": {p.Code(t, 0)}, "ticket": {"a"}, "username": {bert}, "password": {"x"}}
		if got := b.Post(t, flow+step, form); got.H1() != "Enter your code" {
			t.Errorf("POST %s: %d %q", step, got.Status, got.H1())
		}
	}
	if b.Cookie("lg_s") != "" {
		t.Error("a session without the code")
	}
	stranger := p.Browser(t)
	stranger.SetCookie("lg_b", "AAAAAAAAAAAAAAAAAAAAAA")
	for _, step := range []string{"", "/restart", "/factor", "/enrol"} {
		if got := stranger.Get(t, flow+step); got.Status != http.StatusBadRequest {
			t.Errorf("another browser, %s: %d", step, got.Status)
		}
	}
	if got := b.Get(t, flow+"/restart"); got.H1() != "Sign in" {
		t.Errorf("restart: %q", got.H1())
	}
	if got := b.Get(t, flow); got.Status != http.StatusBadRequest {
		t.Errorf("the flow before the restart: %d", got.Status)
	}
}

// TestReviewTickets: a second reset ends the ticket of the first one, which may be in the wrong hands.
func TestReviewTickets(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	reset := func() string { return p.Ticket(t, anna) }
	enrol := func(ticket string) string {
		t.Helper()
		page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Submit(t, url.Values{"ticket": {ticket}})
		return page.Code(t, idptest.CodeOf(t, idptest.SecretOf(t, page.Find("#totp-key").Text()), p.Now())).H1()
	}
	first, second := reset(), reset()
	if got := enrol(first); got == "Set-up complete" {
		t.Error("the ticket of the reset before was taken")
	}
	if got := enrol(second); got != "Set-up complete" {
		t.Errorf("the new ticket: %q", got)
	}
}

// TestReviewLog: an address of a flow is one half of what opens it; it stands in no log line.
func TestReviewLog(t *testing.T) {
	var log strings.Builder
	p := idptest.New(t, idptest.Setup{Log: &log})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	if got := page.Code(t, "000000"); got.Status != http.StatusForbidden {
		t.Fatalf("from another site: %d", got.Status)
	}
	p.Node.Stop()
	id := strings.Split(page.URL.Path, "/")[2]
	if !strings.Contains(log.String(), "origin.refused") || strings.Contains(log.String(), id) {
		t.Errorf("the log names the flow, or not the event:\n%s", log.String())
	}
}

// TestReviewImport: what is wrong in any line is found before the first account is written.
func TestReviewImport(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	if _, err := p.Node.Office.Add(t.Context(), admin.Entry{Username: "old", Subject: "taken", Password: idptest.Password}); err != nil {
		t.Fatal(err)
	}
	good := `{"username":"first","password":"correct-horse-battery","sub":"one"}` + "\n"
	for what, line := range map[string]string{
		"a password made of the name": `{"username":"maximilian.mustermann","password":"mustermann-maximilian"}`,
		"a sub twice":                 `{"username":"second","password":"correct-horse-battery","sub":"one"}`,
		"a sub that exists":           `{"username":"second","password":"correct-horse-battery","sub":"taken"}`,
	} {
		n, err := p.Node.Office.Import(t.Context(), strings.NewReader(good+line))
		if err == nil || n != 0 || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: %d imported, %v", what, n, err)
		}
		if _, err := p.Node.Office.Find(t.Context(), "first"); err == nil {
			t.Fatalf("%s: the line before was written", what)
		}
	}
}

// TestReviewSessionEnd: a session that reaches its absolute end while a flow waits for the code counts no more: the
// password is asked for again, and the code that was typed is not spent.
func TestReviewSessionEnd(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) { c.Lifetimes.SessionIdle = 24 * time.Hour }})
	p.AddEnrolled(t, anna, "acme")
	always := p.NewRP(t, "always", func(c *client.Client) { c.SecondFactor = "always" })
	b := p.Browser(t)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	p.Advance(24*time.Hour - time.Minute)
	page := b.Get(t, always.AuthURL())
	p.Advance(2 * time.Minute)
	if page = page.Code(t, p.Code(t, 0)); page.H1() != "Sign in" {
		t.Fatalf("after the end: %d %q", page.Status, page.H1())
	}
	always.Exchange(t, page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
}
