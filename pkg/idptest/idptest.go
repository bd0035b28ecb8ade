// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package idptest is a whole provider for tests: store, nodes, a cookie-jar browser and a relying party. It is for
// _test.go files only; a test holds that nothing else links it.
package idptest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base32"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/server"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// Secret is the TOTP secret of accounts that tests add as enrolled; Password their password.
const (
	Password     = "correct-horse-battery"
	ClientSecret = "lgcs_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// Secret returns the TOTP secret of accounts that tests add as enrolled.
func Secret() []byte { return []byte("12345678901234567890") }

// Setup changes what New builds.
type Setup struct {
	// Redis is host:port of real servers; empty: miniredis with a clock that Advance moves. Mode is standalone or
	// cluster.
	Redis []string
	Mode  string
	// Host is the host of the issuer; empty: 127.0.0.1. Passkeys need a name, such as localhost.
	Host string
	// Factors are the second factors that people can set up; nil: the authenticator app alone, so that a test need not
	// choose.
	Factors []string
	// Change edits the configuration.
	Change func(*config.Config)
	// Log gets every log line of every node.
	Log io.Writer
	// Hashes counts password hashes.
	Hashes *atomic.Int64
	// RealClock keeps the embedded store on real time (for a browser).
	RealClock bool
	// Zone answers in place of name servers; nil: no name has a record.
	Zone *Zone
}

// IDP is a provider with one node or more.
type IDP struct {
	// Issuer is the address of the first node, and the issuer of all.
	Issuer string
	Node   *Node
	Store  *embedded.Embedded
	RP     *RelyingParty

	setup Setup
	cfg   config.Config
	// nodes are all that were started: any of them may have sent a mail.
	nodes *[]*Node
}

// Node is one pkg/server instance with its own listener and store client.
type Node struct {
	*server.Server
	Addr string
	stop func()
}

// New starts a provider with company "acme" (second factor required), company "plain" (off), and the client of RP.
func New(tb testing.TB, setup Setup) *IDP {
	tb.Helper()
	p := &IDP{setup: setup, nodes: new([]*Node)}
	if len(setup.Redis) == 0 {
		p.startEmbedded(tb)
	}
	l := listen(tb)
	p.Issuer = "http://" + l.Addr().String()
	if setup.Host != "" {
		p.Issuer = strings.Replace(p.Issuer, "127.0.0.1", setup.Host, 1)
	}
	p.cfg = p.config()
	p.Node = p.start(tb, l)
	p.AddCompany(tb, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: "required", HelpEmail: "help@acme.example", HelpPhone: "020 7946 0000"})
	p.AddCompany(tb, company.Company{ID: "plain", Name: "Plain Estates", SecondFactor: "off"})
	p.RP = newRelyingParty(tb, p, "cases")
	p.AddClient(tb, p.RP.Client())
	return p
}

// Bare starts one node that need not be ready: nothing is written to its store.
func Bare(tb testing.TB, setup Setup) *IDP {
	tb.Helper()
	p := &IDP{setup: setup, nodes: new([]*Node)}
	l := listen(tb)
	p.Issuer = "http://" + l.Addr().String()
	p.cfg = p.config()
	p.Node = p.start(tb, l)
	return p
}

func (p *IDP) startEmbedded(tb testing.TB) {
	tb.Helper()
	var err error
	if p.setup.RealClock {
		p.Store, err = embedded.Start()
	} else {
		p.Store, err = embedded.StartManual(time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC))
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Store.Close)
}

func listen(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// config is the default with the cheapest hash and no floor.
func (p *IDP) config() config.Config {
	cfg := config.Default()
	cfg.Issuer = p.Issuer
	cfg.Help = config.Help{Email: "help@idp.example", Phone: "020 7946 0001"}
	cfg.Redis.RequirePersistence = false
	cfg.Redis.Addresses = p.setup.Redis
	if p.setup.Mode != "" {
		cfg.Redis.Mode = p.setup.Mode
	}
	if p.Store != nil {
		cfg.Redis.Addresses = []string{p.Store.Addr()}
	}
	key := base64.StdEncoding.EncodeToString([]byte("01234567890123456789012345678901"))
	cfg.Secrets = config.Secrets{
		Keys: config.Secret("1:" + key), Index: config.Secret(key), Pairwise: config.Secret(key), Pepper: config.Secret(key),
	}
	cfg.SecondFactors = []string{"totp"}
	if p.setup.Factors != nil {
		cfg.SecondFactors = p.setup.Factors
	}
	cfg.Password.MemoryKiB, cfg.Password.Passes, cfg.Password.RefusalFloor = 8, 1, 0
	if p.setup.Change != nil {
		p.setup.Change(&cfg)
	}
	return cfg
}

// Now is the time of the provider and its store.
func (p *IDP) Now() time.Time {
	if p.Store == nil || p.setup.RealClock {
		return time.Now()
	}
	return p.Store.Now()
}

// Advance moves the clocks of all nodes and of the store together.
func (p *IDP) Advance(d time.Duration) { p.Store.Advance(d) }

// NextStep moves the clock to the next TOTP step.
func (p *IDP) NextStep() { p.Advance(30 * time.Second) }

func (p *IDP) start(tb testing.TB, l net.Listener) *Node {
	tb.Helper()
	out := io.Discard
	if p.setup.Log != nil {
		out = &lockedWriter{w: p.setup.Log}
	}
	deps := server.Deps{
		Now: p.Now, Embedded: p.Store != nil, Log: slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})),
		ObserveHash: func(uint32, uint32, uint8) {
			if p.setup.Hashes != nil {
				p.setup.Hashes.Add(1)
			}
		},
		LookupTXT: cmp.Or(p.setup.Zone, &Zone{}).LookupTXT,
	}
	ctx, cancel := context.WithCancel(tb.Context())
	srv, err := server.New(ctx, p.cfg, deps)
	if err != nil {
		cancel()
		tb.Fatal(err)
	}
	hs := &http.Server{Handler: srv.Handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = hs.Serve(l) }()
	n := &Node{Server: srv, Addr: l.Addr().String()}
	n.stop = sync.OnceFunc(func() {
		_ = hs.Close()
		srv.Close()
		cancel()
	})
	tb.Cleanup(n.stop)
	*p.nodes = append(*p.nodes, n)
	return n
}

// Stop ends the node at once.
func (n *Node) Stop() { n.stop() }

// AddNode starts another node on the same store.
func (p *IDP) AddNode(tb testing.TB) *Node {
	tb.Helper()
	return p.start(tb, listen(tb))
}

// AddNodeWith starts another node on the same store, configured otherwise.
func (p *IDP) AddNodeWith(tb testing.TB, change func(*config.Config)) *Node {
	tb.Helper()
	q := *p
	change(&q.cfg)
	return q.start(tb, listen(tb))
}

// AddCompany adds or changes a company.
func (p *IDP) AddCompany(tb testing.TB, c company.Company) {
	tb.Helper()
	if err := p.Node.Office.AddCompany(tb.Context(), c); err != nil {
		tb.Fatal(err)
	}
}

// AddClient adds or changes a client, with ClientSecret.
func (p *IDP) AddClient(tb testing.TB, c *client.Client) {
	tb.Helper()
	if err := p.Node.Office.SetClient(tb.Context(), c, ClientSecret); err != nil {
		tb.Fatal(err)
	}
}

// AddAccount adds an account with Password and the claims of a person, never enrolled.
func (p *IDP) AddAccount(tb testing.TB, name, companyID string) string {
	tb.Helper()
	return p.add(tb, admin.Entry{Username: name, Company: companyID})
}

// AddEnrolled adds an account that is enrolled with Secret.
func (p *IDP) AddEnrolled(tb testing.TB, name, companyID string) string {
	tb.Helper()
	return p.add(tb, admin.Entry{Username: name, Company: companyID, TOTPSecret: base32.StdEncoding.EncodeToString(Secret())})
}

// AddAdmin adds an enrolled account that may administrate: the IT team, or the company's admin.
func (p *IDP) AddAdmin(tb testing.TB, name, companyID string, role authn.AdminRole) string {
	tb.Helper()
	return p.add(tb, admin.Entry{
		Username: name, Company: companyID, TOTPSecret: base32.StdEncoding.EncodeToString(Secret()), Admin: role,
	})
}

// AddBareAdmin is AddAdmin for an account that was never enrolled.
func (p *IDP) AddBareAdmin(tb testing.TB, name, companyID string, role authn.AdminRole) string {
	tb.Helper()
	return p.add(tb, admin.Entry{Username: name, Company: companyID, Admin: role})
}

func (p *IDP) add(tb testing.TB, e admin.Entry) string {
	tb.Helper()
	e.Password = Password
	e.Claims = map[string]any{"name": "Anna Example", "email": e.Username, "email_verified": true}
	a, err := p.Node.Office.Add(tb.Context(), e)
	if err != nil {
		tb.Fatal(err)
	}
	return a.ID
}

// Code is what the authenticator of Secret shows now; Code(-1) one step before, and so on.
func (p *IDP) Code(tb testing.TB, steps int) string {
	tb.Helper()
	return CodeOf(tb, Secret(), p.Now().Add(time.Duration(steps)*30*time.Second))
}

// CodeOf is what an authenticator shows for secret.
func CodeOf(tb testing.TB, secret []byte, at time.Time) string {
	tb.Helper()
	code, err := server.DemoCode(secret, at)
	if err != nil {
		tb.Fatal(err)
	}
	return code
}

// SecretOf decodes a key as the set-up page shows it.
func SecretOf(tb testing.TB, key string) []byte {
	tb.Helper()
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		tb.Fatalf("key %q: %v", key, err)
	}
	return b
}

// Log collects log lines; it may be read while nodes write.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// Write implements io.Writer.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// Secure starts another node on the same store whose issuer is https at the given host, as behind a proxy that ends
// TLS.
func (p *IDP) Secure(tb testing.TB, host string) *Node {
	tb.Helper()
	q := *p
	q.cfg.Issuer = "https://" + host
	return q.start(tb, listen(tb))
}

// Config is the configuration of every node.
func (p *IDP) Config() config.Config { return p.cfg }

// Ticket resets an account's factor, as an admin does, and returns the set-up ticket.
func (p *IDP) Ticket(tb testing.TB, name string) string {
	tb.Helper()
	done, err := p.Node.Office.ResetFactor(tb.Context(), name, "")
	if err != nil {
		tb.Fatal(err)
	}
	return done.Ticket
}
