// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/providers/mailers/console"
	"github.com/lychgate/lychgate/providers/mailers/smtp"
	"github.com/lychgate/lychgate/templates"
)

// courier sends what is in the outbox, beside the requests. Without a mailer it has no sender.
type courier struct {
	sender  *notify.Sender
	console *console.Mailer
	done    sync.WaitGroup
}

// Outbox takes messages to people. Without a mailer it keeps none: nobody would ever send them.
func (b *Back) Outbox() notify.Outbox {
	if b.cfg.Mail.Mailer == config.MailerOff {
		return notify.Off{}
	}
	return b.store.Outbox()
}

// newCourier chooses the mailer. A mail server that is away is no error: messages wait.
func (s *Server) newCourier(domain string, events *audit.Log) (*courier, error) {
	p := &courier{}
	var mailer notify.Mailer
	switch s.cfg.Mail.Mailer {
	case config.MailerConsole:
		p.console = console.New()
		mailer = p.console
	case config.MailerSMTP:
		m, err := smtp.New(s.smtpConfig())
		if err != nil {
			return nil, err
		}
		mailer = m
	default:
		return p, nil
	}
	p.sender = notify.New(notify.Config{
		Outbox: s.Outbox(), Mailer: mailer, Render: func(m notify.Message) (notify.Mail, error) { return writeMail(s.pages, m) },
		Domain: domain, Now: s.deps.Now, Log: s.deps.Log,
		Failed: func(ctx context.Context, f notify.Failure) {
			events.Event(ctx, audit.MailFailed, slog.String("message", f.ID), slog.String("kind", string(f.Kind)),
				slog.String("company", f.Company), slog.Int("tries", f.Tries), slog.String("result", f.Reason))
		},
	})
	return p, nil
}

func (s *Server) smtpConfig() smtp.Config {
	m := s.cfg.Mail
	name, address := m.Sender()
	return smtp.Config{
		Host: m.Host, Port: m.Port, Security: smtp.Security(m.TLS), Username: m.Username, Password: m.Password.Reveal(),
		From: address, FromName: name, Now: s.deps.Now,
	}
}

// startCourier sends until ctx ends, or says that nothing is sent.
func (s *Server) startCourier(ctx context.Context) {
	if s.courier.sender == nil {
		s.deps.Log.LogAttrs(ctx, slog.LevelWarn, "no mail is sent, and messages are not kept: people are not told what happens to their accounts",
			slog.String("setting", "mail.mailer"))
		return
	}
	s.courier.done.Go(func() { s.courier.sender.Run(ctx) })
}

// FlushMail sends what is due now; for tests, which do not wait for the sender.
func (s *Server) FlushMail(ctx context.Context) error {
	if s.courier.sender == nil {
		return nil
	}
	return s.courier.sender.Flush(ctx)
}

// writeMail turns a message into a mail in its person's language.
func writeMail(pages *templates.Set, m notify.Message) (notify.Mail, error) {
	subject, text, html, err := pages.Mail(templates.MailPage{
		Kind: string(m.Kind), Lang: m.Lang, Account: m.Account, Name: m.Name, Company: m.Company, Client: m.Client,
		HelpEmail: m.HelpEmail, HelpPhone: m.HelpPhone, At: m.At, Browser: m.Browser, Place: m.Place, Authenticator: m.Authenticator,
		Left: m.Left, Skips: m.Skips, From: m.From, Link: m.Link,
	})
	if err != nil {
		return notify.Mail{}, fmt.Errorf("write mail: %w", err)
	}
	return notify.Mail{Subject: subject, Text: text, HTML: html}, nil
}
