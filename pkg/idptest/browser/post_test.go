// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// post is a mail server on this machine, which keeps what it is sent.
type post struct {
	port int

	mu      sync.Mutex
	letters []letter
}

// letter is a mail as it arrived: who it is for, and the text that a person reads.
type letter struct {
	to, subject, text string
}

func startPost(t *testing.T) *post {
	t.Helper()
	p := &post{}
	s := gosmtp.NewServer(gosmtp.BackendFunc(func(*gosmtp.Conn) (gosmtp.Session, error) { return &visit{p: p}, nil }))
	s.Domain, s.ErrorLog = "post.example", log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		t.Fatal("no TCP listener")
	}
	p.port = tcp.Port
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return p
}

// setup makes the provider send its mails to this server.
func (p *post) setup() idptest.Setup {
	return idptest.Setup{Change: func(c *config.Config) {
		c.Mail.Mailer, c.Mail.Host, c.Mail.Port, c.Mail.TLS = config.MailerSMTP, "127.0.0.1", p.port, "none"
		c.Mail.From = "lychgate@idp.example"
	}}
}

// visit is one connection.
type visit struct {
	p  *post
	to string
}

func (v *visit) Reset()                                      { v.to = "" }
func (*visit) Logout() error                                 { return nil }
func (*visit) Mail(string, *gosmtp.MailOptions) error        { return nil }
func (v *visit) Rcpt(to string, _ *gosmtp.RcptOptions) error { v.to = to; return nil }

func (v *visit) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	l := letter{to: v.to}
	if l.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	if l.text, err = plain(m); err != nil {
		return err
	}
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	v.p.letters = append(v.p.letters, l)
	return nil
}

// plain is the first part of a mail, the text without markup.
func plain(m *mail.Message) (string, error) {
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return "", err
	}
	part, err := multipart.NewReader(m.Body, params["boundary"]).NextRawPart()
	if err != nil {
		return "", err
	}
	var r io.Reader = part
	if strings.EqualFold(part.Header.Get("Content-Transfer-Encoding"), "quoted-printable") {
		r = quotedprintable.NewReader(part)
	}
	b, err := io.ReadAll(r)
	return strings.ReplaceAll(string(b), "\r\n", "\n"), err
}

// letter is the newest mail to an address with this subject, once it has arrived.
func (b *tab) letter(p *post, to, subject string) letter {
	b.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		left := b.mailsLeft()
		if l, ok := p.newest(to, subject); ok {
			return l
		}
		if !left {
			b.Fatalf("no mail %q to %s, only %q", subject, to, p.all())
		}
		select {
		case <-deadline:
			b.Fatalf("no mail %q to %s in time, only %q", subject, to, p.all())
		case <-tick.C:
		}
	}
}

// mailsLeft sends what is due, and says whether the node's own sender may hold a mail at this moment.
func (b *tab) mailsLeft() bool {
	b.Helper()
	if err := b.world.Node.FlushMail(b.Context()); err != nil {
		b.Fatal(err)
	}
	if b.world.Store == nil {
		return true
	}
	due, _ := b.world.Store.Redis().ZMembers("lg:{out}:due") // no such key: nothing is due
	return len(due) > 0
}

// newest is the last mail to an address with this subject.
func (p *post) newest(to, subject string) (letter, bool) {
	for _, l := range slices.Backward(p.all()) {
		if l.to == to && l.subject == subject {
			return l, true
		}
	}
	return letter{}, false
}

// all are the mails that arrived, the oldest first.
func (p *post) all() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.letters)
}

// String implements fmt.Stringer.
func (l letter) String() string { return l.to + ": " + l.subject }

// says ends in an error unless the text holds each of these.
func (l letter) says(t *testing.T, parts ...string) letter {
	t.Helper()
	text := strings.Join(strings.Fields(l.text), " ")
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("the mail %q does not say %q:\n%s", l.subject, part, l.text)
		}
	}
	return l
}

// link is the one link in the mail.
func (l letter) link(t *testing.T) string {
	t.Helper()
	var links []string
	for word := range strings.FieldsSeq(l.text) {
		if strings.Contains(word, "://") {
			links = append(links, word)
		}
	}
	if len(links) != 1 {
		t.Fatalf("links %q in %q, want one", links, l.subject)
	}
	return links[0]
}
