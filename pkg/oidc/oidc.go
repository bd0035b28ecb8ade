// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// Lifetimes of what is issued; a zero takes the default (decisions.md).
type Lifetimes struct {
	// Those of an opaque access token (1 h), an at+jwt (5 min, which is also the most), an ID token (1 h), and of a refresh
	// token, idle (14 d) and absolute (90 d). A client can have shorter ones.
	client.Lifetimes
	// Pushed is how long a pushed request can be opened (5 min).
	Pushed time.Duration
}

// Config describes a provider. All fields but Sources, Source, Lifetimes, Locales and Log are needed.
type Config struct {
	// Issuer is scheme and host, without a path and a trailing slash.
	Issuer  string
	Clients client.Registry
	Grants  grant.Store
	Keys    *keys.Ring
	// Proofs remembers the ids of client assertions.
	Proofs grant.Proofs
	// Pushed keeps pushed authorization requests.
	Pushed flow.PushedStore
	// Sources reads what clients registered the address of; nil: nothing is read.
	Sources Sources
	// Desk registers clients that come by themselves; nil: none can.
	Desk Desk
	// Statements are the issuers whose software statements count; nil: none does.
	Statements Statements
	// Digest is the keyed digest under which client secrets are kept (hex of HMAC-SHA-256 with the pepper).
	Digest func(secret string) string
	// Pairwise is the sub of an account for the clients of a sector (OIDC Core §8.1): the same for ever, and of no use to
	// find the account without the key behind it.
	Pairwise func(sector, accountID string) string
	Audit    *audit.Log
	Now      func() time.Time
	// FormPost writes the page that posts an authorization response to action.
	FormPost func(w http.ResponseWriter, r *http.Request, action string, fields [][2]string, locales []string) error

	// Source is where a request comes from, as people see it beside a secret; nil: nobody is told.
	Source func(*http.Request) string

	Lifetimes Lifetimes
	// Locales are the languages of the pages, for discovery; empty: en nl.
	Locales []string
	// Log gets the reasons behind protocol errors, which clients never see; nil: none are kept.
	Log *slog.Logger
}

// Provider serves the protocol endpoints and is the engine behind the sign-in (web.Engine). It is safe for use by
// many goroutines.
type Provider struct {
	cfg      Config
	engine   machine
	document document
	used     usage
	uses     lastUses
	// jwks is the key set as it was last served.
	jwks atomic.Pointer[document]
	// parsed are the key sets of clients.
	parsed keySets
}

// machine decides the grants. fosite stands behind it; a replacement passes the same tests (traps_test.go).
type machine interface {
	// validate checks an authorization request that the edge has accepted; the error is an *fault.
	validate(ctx context.Context, c *client.Client, params url.Values) error
	// finish checks it again at the answer, with the scopes that are granted.
	finish(ctx context.Context, w *work, params url.Values, granted []string) error
	// token makes the tokens of w's grant type; the results stand in w.
	token(ctx context.Context, w *work) error
}

// New returns a provider.
func New(c Config) (*Provider, error) {
	u, err := url.Parse(c.Issuer)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.Scheme+"://"+u.Host != c.Issuer {
		return nil, fmt.Errorf("issuer %q: must be scheme and host only, without a path or a trailing slash", c.Issuer)
	}
	if !c.complete() {
		return nil, errors.New("oidc: the configuration is incomplete")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sources == nil {
		c.Sources = noSources{}
	}
	if len(c.Locales) == 0 {
		c.Locales = []string{"en", "nl"}
	}
	c.Lifetimes.fill()
	p := &Provider{cfg: c}
	p.engine = newEngine(p)
	p.document, err = newDocument(p.metadata())
	return p, err
}

func (c *Config) complete() bool {
	return c.Clients != nil && c.Grants != nil && c.Keys != nil && c.Proofs != nil && c.Pushed != nil && c.Digest != nil && c.Pairwise != nil &&
		c.Audit != nil && c.Now != nil && c.FormPost != nil
}

func (l *Lifetimes) fill() {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&l.Access, time.Hour)
	def(&l.AccessJWT, maxJWTLife)
	def(&l.IDToken, time.Hour)
	def(&l.RefreshIdle, 14*24*time.Hour)
	def(&l.RefreshEnd, 90*24*time.Hour)
	def(&l.Pushed, 5*time.Minute)
	l.AccessJWT = min(l.AccessJWT, maxJWTLife)
}

// maxJWTLife bounds what cannot be called back (decisions.md).
const maxJWTLife = 5 * time.Minute

func (p *Provider) now() time.Time { return p.cfg.Now() }
