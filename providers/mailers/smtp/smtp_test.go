// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package smtp_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/providers/mailers/smtp"
)

// mailer sends to p, signed in and with STARTTLS unless changed.
func (p *post) mailer(t *testing.T, change func(*smtp.Config)) *smtp.Mailer {
	t.Helper()
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c := smtp.Config{
		Host: host, Port: n, Username: "lychgate", Password: "correct", From: "lychgate@example.com", FromName: "Lychgate",
		TLSConfig: p.config, Now: time.Now,
	}
	if change != nil {
		change(&c)
	}
	m, err := smtp.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func note() notify.Mail {
	return notify.Mail{
		To: "ann@acme.example", Subject: "Er is een toestel toegevoegd – één", Text: "Hello\n.\nRegards, Zoë\n", HTML: "<p>Hello</p>", MessageID: "abc@example.com",
	}
}

func TestSend(t *testing.T) {
	p := startPost(t)
	if err := p.mailer(t, nil).Send(t.Context(), note()); err != nil {
		t.Fatal(err)
	}
	got := p.letters()
	if len(got) != 1 || p.signedIn != 1 || got[0].from != "lychgate@example.com" || got[0].to != "ann@acme.example" {
		t.Fatalf("received %+v, signed in %d times", got, p.signedIn)
	}
	h := got[0].header
	for name, want := range map[string]string{
		"From": `"Lychgate" <lychgate@example.com>`, "To": "<ann@acme.example>", "Message-Id": "<abc@example.com>", "Auto-Submitted": "auto-generated",
	} {
		if h.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, h.Get(name), want)
		}
	}
	if !strings.Contains(got[0].raw, "text/plain") || !strings.Contains(got[0].raw, "text/html") {
		t.Errorf("not in both forms: %s", got[0].raw)
	}
}

// TestRefusals: what is for good, and what is worth another try; and no error names the recipient or the password.
func TestRefusals(t *testing.T) {
	bad := &gosmtp.SMTPError{Code: 550, Message: "no such person ann@acme.example"}
	full := &gosmtp.SMTPError{Code: 452, Message: "mailbox of ann@acme.example is full"}
	tests := []struct {
		name   string
		server func(*post)
		client func(*smtp.Config)
		good   bool // for good
	}{
		{"greeting", func(p *post) { p.greet = &gosmtp.SMTPError{Code: 554, Message: "no service"} }, nil, false},
		{"wrong password", nil, func(c *smtp.Config) { c.Password = "wrong-secret" }, false},
		{"unknown recipient", func(p *post) { p.rcpt = bad }, nil, true},
		{"full mailbox", func(p *post) { p.rcpt = full }, nil, false},
		{"content", func(p *post) { p.data = bad }, nil, true},
		{"content, later", func(p *post) { p.data = full }, nil, false},
		{"certificate", nil, func(c *smtp.Config) { c.TLSConfig = nil }, false},
		{"cut", func(p *post) { p.cut = true }, nil, false},
		{"TLS at once where there is none", nil, func(c *smtp.Config) { c.Security = smtp.TLS }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := startPost(t)
			if tt.server != nil {
				p.set(func() { tt.server(p) })
			}
			err := p.mailer(t, tt.client).Send(t.Context(), note())
			if err == nil || errors.Is(err, notify.ErrRefused) != tt.good {
				t.Fatalf("Send() = %v, want an error, for good: %v", err, tt.good)
			}
			if strings.Contains(err.Error(), "ann@") || strings.Contains(err.Error(), "wrong-secret") {
				t.Errorf("the error tells too much: %v", err)
			}
		})
	}
}

// TestNoTLSNoMail: a server that offers no STARTTLS, or somebody who strikes it out, gets neither mail nor password.
func TestNoTLSNoMail(t *testing.T) {
	p := startPost(t)
	p.server.TLSConfig = nil
	if err := p.mailer(t, nil).Send(t.Context(), note()); err == nil || len(p.letters()) != 0 || p.signedIn != 0 {
		t.Errorf("Send() = %v, %d letters, signed in %d times", err, len(p.letters()), p.signedIn)
	}
	if _, err := smtp.New(smtp.Config{Host: "mail.example.com", Port: 25, From: "a@example.com", Security: smtp.None, Now: time.Now}); err == nil {
		t.Error("no TLS to another machine: no error")
	}
	plain := p.mailer(t, func(c *smtp.Config) { c.Security, c.Username, c.Password = smtp.None, "", "" })
	if err := plain.Send(t.Context(), note()); err != nil || len(p.letters()) != 1 {
		t.Errorf("Send() on this machine without TLS = %v", err)
	}
}

// TestContextEndsIt: a server that takes the connection and says nothing holds nobody.
func TestContextEndsIt(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if c, err := l.Accept(); err == nil {
			defer c.Close()
			cancel()
			<-t.Context().Done()
		}
	}()
	p := &post{addr: l.Addr().String()}
	began := time.Now()
	if err := p.mailer(t, nil).Send(ctx, note()); !errors.Is(err, context.Canceled) || time.Since(began) > 5*time.Second {
		t.Errorf("Send() = %v after %s", err, time.Since(began))
	}
}

// TestHeaderInjection: nothing that comes in makes a second header, recipient or command.
func TestHeaderInjection(t *testing.T) {
	p := startPost(t)
	m := p.mailer(t, nil)
	for _, s := range []string{"\r\nBcc: eve@evil.example", "\nBcc: eve@evil.example", "\rBcc: eve@evil.example", "\x00", "\u2028Bcc: eve@evil.example", "\xff\n"} {
		for what, mail := range map[string]notify.Mail{
			"to":         {To: "ann@acme.example" + s, Subject: "s", Text: "t", MessageID: "a@b"},
			"subject":    {To: "ann@acme.example", Subject: "s" + s, Text: "t", MessageID: "a@b"},
			"message id": {To: "ann@acme.example", Subject: "s", Text: "t", MessageID: "a@b" + s},
		} {
			if err := m.Send(t.Context(), mail); !errors.Is(err, notify.ErrRefused) {
				t.Errorf("Send() with %q in %s = %v, want a refusal", s, what, err)
			}
		}
	}
	for _, to := range []string{
		"", "ann", "ann@acme.example, eve@evil.example", "Ann <ann@acme.example>", `"ann@acme.example> ORCPT=x"@evil.example`, `"a b"@acme.example`,
		"ann@acme.example>\r\nRCPT TO:<eve@evil.example", "ann @acme.example", "<ann@acme.example>", "ann@acme.example (x)", strings.Repeat("a", 250) + "@x.example",
	} {
		mail := note()
		mail.To = to
		if err := m.Send(t.Context(), mail); !errors.Is(err, notify.ErrRefused) {
			t.Errorf("Send() to %q = %v, want a refusal", to, err)
		}
	}
	if p.tried != 0 {
		t.Errorf("the server was asked %d times", p.tried)
	}
	if _, err := smtp.New(smtp.Config{Host: "127.0.0.1", Port: 25, From: "a@example.com\r\nBcc: b@example.com", Now: time.Now}); err == nil {
		t.Error("a sender of two lines: no error")
	}
	named := p.mailer(t, func(c *smtp.Config) { c.FromName = "Lych\r\nBcc: eve@evil.example" })
	if err := named.Send(t.Context(), note()); err == nil && p.letters()[0].header.Get("Bcc") != "" {
		t.Error("a name of two lines made a header")
	}
}
