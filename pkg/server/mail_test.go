// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/notify"
)

func console(c *config.Config) { c.Mail.Mailer = config.MailerConsole }

// kinds are all messages there are.
func kinds() []notify.Kind {
	return []notify.Kind{
		notify.FactorRequired, notify.FactorAdded, notify.FactorRemoved, notify.FactorReset, notify.FactorResetAdmin, notify.DeviceRemembered,
		notify.DeviceCopied, notify.RecoveryUsed, notify.RecoveryLow, notify.RecoveryMade, notify.PasswordChanged, notify.CodesWrong,
		notify.FactorLocked, notify.BudgetSpent, notify.ResetAsked, notify.SetupLink, notify.SetupReminder,
		notify.AccountDisabled, notify.AccountEnabled, notify.AccountDeleted, notify.Invitation,
	}
}

// TestMailIsSent: every kind of message goes from the outbox through its words to the mailer, from whichever node, and
// the demo shows it with our links to be followed.
func TestMailIsSent(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Change: console, Log: &log})
	link := p.Issuer + "/link/SECRET-LINK"
	for _, k := range kinds() {
		m := notify.Message{
			Kind: k, Event: "event-" + string(k), To: []string{anna}, Lang: "nl", Account: anna, At: p.Now(), From: p.Now(), Link: link,
			Browser: "Firefox", Place: "Utrecht",
		}
		if err := p.Node.Outbox().Put(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	await(t, func() bool { return len(p.Node.Mails()) == len(kinds()) })
	for _, m := range p.Node.Mails() {
		if m.To != anna || m.Subject == "" || !strings.Contains(m.Text, anna) || !strings.Contains(m.HTML, `<html lang="nl">`) || !strings.HasSuffix(m.MessageID, "@127.0.0.1") {
			t.Errorf("mail = %+v", m)
		}
	}
	res, err := http.Get(p.Issuer + "/demo/mail")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode != http.StatusOK || strings.Count(string(body), `<a href="`+link+`">`) != 5 || res.Header.Get("Content-Security-Policy") == "" || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("/demo/mail: %d %v %s", res.StatusCode, res.Header, body)
	}
	if strings.Contains(log.String(), "SECRET-LINK") || strings.Contains(log.String(), anna) {
		t.Errorf("the log tells of people: %s", log.String())
	}
}

// await waits for the sender, which works beside the requests.
func await(t *testing.T, ready func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if ready() {
			return
		}
		<-tick.C
	}
	t.Fatal("not within 10 s")
}

// TestMailGivenUp: it is a security event, and names nobody.
func TestMailGivenUp(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Change: console, Log: &log})
	m := notify.Message{Kind: notify.PasswordChanged, Event: "e", To: []string{"Anna <" + anna + ">"}, Account: anna, Company: "acme"}
	if err := p.Node.Outbox().Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return strings.Contains(log.String(), `"event":"mail.failed"`) })
	if strings.Contains(log.String(), anna) || len(p.Node.Mails()) != 0 {
		t.Errorf("%d mails; the log: %s", len(p.Node.Mails()), log.String())
	}
}

// TestMailOff: nothing is kept that nobody would send, the log says so, and there is no page of mails.
func TestMailOff(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Log: &log})
	m := notify.Message{Kind: notify.PasswordChanged, Event: "e", To: []string{anna}}
	if err := p.Node.Outbox().Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	for _, key := range p.Store.Redis().Keys() {
		if strings.Contains(key, "{out}") {
			t.Errorf("%s is there", key)
		}
	}
	if !strings.Contains(log.String(), "no mail is sent") {
		t.Error("the log does not say that no mail is sent")
	}
	res, err := http.Get(p.Issuer + "/demo/mail")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound {
		t.Errorf("/demo/mail without the console mailer: %d, want 404", res.StatusCode)
	}
}

// TestMailLivesOn: what one node put and could not send, the next one sends.
func TestMailLivesOn(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) {
		c.Mail = config.Mail{Mailer: config.MailerSMTP, Host: "127.0.0.1", Port: 1, TLS: "none", From: "lychgate@example.com"}
	}})
	m := notify.Message{Kind: notify.PasswordChanged, Event: "e", To: []string{anna}, Account: anna}
	if err := p.Node.Outbox().Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if err := p.Node.FlushMail(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.Node.Stop()
	p.Advance(time.Hour)
	next := p.AddNodeWith(t, console)
	await(t, func() bool { return len(next.Mails()) == 1 })
}
