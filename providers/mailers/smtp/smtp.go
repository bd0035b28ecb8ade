// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package smtp sends mails to a mail server, and keeps go-mail behind it.
//
// A mail is refused for good only where the server refuses the recipient or the content with 5xx. A 5xx before that is
// about us (greeting, TLS, sign-in, sender) and may be a setting that somebody is about to mend: the mail waits.
package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"

	"github.com/lychgate/lychgate/pkg/notify"
)

// Security is how the way to the server is protected.
type Security string

// The ways. None is for a server on this machine alone.
const (
	StartTLS Security = "starttls"
	TLS      Security = "tls"
	None     Security = "none"
)

// wait bounds the dial with its greeting and sign-in, and then the mail itself.
const wait = 10 * time.Second

// Config says where the server is.
type Config struct {
	Host string
	Port int
	// Security is StartTLS if empty, and then mandatory: a server, or somebody before it, that does not offer it gets
	// nothing.
	Security Security
	// Username and Password sign in; empty: no sign-in.
	Username, Password string
	// From is the sender's address, FromName the name that is shown.
	From, FromName string
	// TLSConfig is for tests with a certificate of their own; nil: the system's authorities, TLS 1.2 at least.
	TLSConfig *tls.Config
	Now       func() time.Time
}

// Mailer implements notify.Mailer. Each mail has a connection of its own.
type Mailer struct {
	cfg  Config
	from *mail.Address
}

var errConfig = errors.New("smtp configuration")

// New checks cfg.
func New(cfg Config) (*Mailer, error) {
	if err := notify.CheckAddress(cfg.From); err != nil {
		return nil, fmt.Errorf("%w: from: %w", errConfig, err)
	}
	if cfg.Security == "" {
		cfg.Security = StartTLS
	}
	if cfg.Security == None && !loopback(cfg.Host) {
		return nil, fmt.Errorf("%w: without TLS the server has to be on this machine", errConfig)
	}
	if cfg.TLSConfig == nil {
		cfg.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: cfg.Host}
	}
	m := &Mailer{cfg: cfg, from: &mail.Address{Name: cfg.FromName, Address: cfg.From}}
	if _, err := m.client(nil); err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return m, nil
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// client is a go-mail client for one mail that dials with the given function.
func (m *Mailer) client(dial gomail.DialContextFunc) (*gomail.Client, error) {
	policy := gomail.NoTLS
	if m.cfg.Security == StartTLS {
		policy = gomail.TLSMandatory
	}
	opts := []gomail.Option{
		gomail.WithPort(m.cfg.Port), gomail.WithTimeout(wait), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(m.cfg.TLSConfig),
		gomail.WithoutNoop(), gomail.WithoutRset(),
	}
	if dial != nil {
		opts = append(opts, gomail.WithDialContextFunc(dial))
	}
	if m.cfg.Username != "" {
		opts = append(opts, gomail.WithUsername(m.cfg.Username), gomail.WithPassword(m.cfg.Password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin))
	}
	return gomail.NewClient(m.cfg.Host, opts...)
}

// Send implements notify.Mailer. No error quotes the server: its words name the recipient.
func (m *Mailer) Send(ctx context.Context, mail notify.Mail) error {
	msg, err := m.message(mail)
	if err != nil {
		return err
	}
	// go-mail leaves a connection open whose greeting or sign-in was refused: it ends with this call.
	open, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := m.client(m.dial(open))
	if err != nil {
		return fmt.Errorf("mail server: %w", errConfig)
	}
	err = client.DialAndSendWithContext(open, msg)
	if err == nil || msg.IsDelivered() {
		return nil
	}
	return explain(ctx, err)
}

// dial connects; the connection ends with ctx, whatever the server is made to wait for.
func (m *Mailer) dial(ctx context.Context) gomail.DialContextFunc {
	return func(limited context.Context, network, address string) (net.Conn, error) {
		var conn net.Conn
		var err error
		if m.cfg.Security == TLS {
			conn, err = (&tls.Dialer{Config: m.cfg.TLSConfig}).DialContext(limited, network, address)
		} else {
			conn, err = new(net.Dialer).DialContext(limited, network, address)
		}
		if err == nil {
			context.AfterFunc(ctx, func() { _ = conn.Close() })
		}
		return conn, err
	}
}

// message builds the mail. What comes in is checked here once more: whoever calls, no header gets a second line.
func (m *Mailer) message(in notify.Mail) (*gomail.Msg, error) {
	if err := in.Check(); err != nil {
		return nil, err
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(&mail.Address{Address: in.To})
	msg.Subject(in.Subject)
	msg.SetMessageIDWithValue(in.MessageID)
	msg.SetDateWithValue(m.cfg.Now())
	msg.SetGenHeader(gomail.Header("Auto-Submitted"), "auto-generated")
	msg.SetBodyString(gomail.TypeTextPlain, in.Text)
	if in.HTML != "" {
		msg.AddAlternativeString(gomail.TypeTextHTML, in.HTML)
	}
	return msg, nil
}

// explain says what went wrong in our own words.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("mail server: %w", ctx.Err())
	}
	if sent, ok := errors.AsType[*gomail.SendError](err); ok {
		code := sent.ErrorCode()
		what := "mail server answers " + strconv.Itoa(code)
		switch {
		case code == 0:
			return errors.New("mail server: the connection ended before the answer")
		case code >= 500 && sent.Reason != gomail.ErrSMTPMailFrom:
			return fmt.Errorf("%s: %w", what, notify.ErrRefused)
		default:
			return errors.New(what)
		}
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		return fmt.Errorf("mail server does not answer: %w", op)
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return fmt.Errorf("mail server: %w", cert)
	}
	return errors.New("mail server ends the session in its greeting, TLS or sign-in")
}
