// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package smtp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	gosmtp "github.com/emersion/go-smtp"
)

// post is a mail server in the process.
type post struct {
	addr   string
	config *tls.Config // for clients

	mu       sync.Mutex
	server   *gosmtp.Server
	received []letter
	// greet, rcpt, data refuse; cut ends the connection after a mail was taken and before the answer.
	greet, rcpt, data error
	cut               bool
	// asked counts recipients; a connection counts twice in tried, before and after STARTTLS.
	signedIn, tried, asked int
}

// letter is a mail as it arrived.
type letter struct {
	from, to, raw string
	header        mail.Header
}

func startPost(t *testing.T) *post {
	t.Helper()
	p := &post{}
	cert, pool := certificate(t)
	p.config = &tls.Config{RootCAs: pool, ServerName: "127.0.0.1", MinVersion: tls.VersionTLS12}
	l := p.listen(t, "127.0.0.1:0")
	p.addr = l.Addr().String()
	p.serve(t, l, cert)
	return p
}

func (p *post) listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func (p *post) serve(t *testing.T, l net.Listener, cert tls.Certificate) {
	t.Helper()
	s := gosmtp.NewServer(gosmtp.BackendFunc(func(c *gosmtp.Conn) (gosmtp.Session, error) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tried++
		return &visit{p: p, c: c}, p.greet
	}))
	s.Domain, s.TLSConfig = "post.example", &tls.Config{Certificates: []tls.Certificate{cert}}
	s.ErrorLog = log.New(io.Discard, "", 0)
	p.server = s
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
}

// set changes how the server behaves.
func (p *post) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *post) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.received...)
}

// visit is one connection.
type visit struct {
	p        *post
	c        *gosmtp.Conn
	from, to string
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "lychgate" || password != "correct" {
			return errors.New("no")
		}
		v.p.set(func() { v.p.signedIn++ })
		return nil
	}), nil
}

func (v *visit) Reset()        { v.from, v.to = "", "" }
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *gosmtp.MailOptions) error {
	v.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	v.to = to
	v.p.asked++
	return v.p.rcpt
}

func (v *visit) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	v.p.mu.Lock()
	defer v.p.mu.Unlock()
	if v.p.data != nil {
		return v.p.data
	}
	v.p.received = append(v.p.received, letter{v.from, v.to, string(raw), m.Header})
	if v.p.cut {
		_ = v.c.Conn().Close()
	}
	return nil
}

// certificate is one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "post.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
