// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/throttle"
	"github.com/lychgate/lychgate/templates"
)

// Config is what the sign-in is built from. Every field but the last group is needed.
type Config struct {
	// Issuer is scheme and host (and port). Host is its host and port.
	Issuer, Host string
	Engine       Engine
	Directory    authn.Directory
	// Factors are offered in this order; the first that can be set up is the recommended one.
	Factors []authn.Factor
	// NewRecovery makes the recovery codes of an account, as they are shown and as they are kept.
	NewRecovery func() (shown, kept []string, err error)
	Flows       flow.Store
	Sessions    session.Store
	Devices     device.Store
	Consents    grant.Consents
	Clients     client.Registry
	Companies   company.Registry
	// Invitations are those who have no account yet.
	Invitations Invitations
	Throttle    throttle.Counter
	Links       authn.LinkStore
	Passwords   Passwords
	People      People
	Outbox      notify.Outbox
	Templates   *templates.Set
	Audit       *audit.Log
	Log         *slog.Logger
	Now         func() time.Time

	// Rand is crypto/rand if nil.
	Rand io.Reader
	// SessionEnd is a session's absolute life from the password on; 24 h if 0.
	SessionEnd time.Duration
	// RememberDays is how long a device is remembered; 0 takes 30, below 0 never.
	RememberDays int
	// RefusalFloor is the least time a refused sign-in takes; 400 ms if 0, none if below 0.
	RefusalFloor time.Duration
	// Place names the town of an address for messages; nil: none is shown.
	Place func(address string) string
	// Fetch reads the logo of an app; nil: none is shown.
	Fetch func(ctx context.Context, url string) ([]byte, error)
	// HelpEmail and HelpPhone are shown where no company is known.
	HelpEmail, HelpPhone string
	// Proxies are the addresses whose X-Forwarded-For counts, for the client's address alone.
	Proxies []netip.Prefix
}

// Site is the sign-in.
type Site struct {
	cfg    Config
	jar    jar
	origin *http.CrossOriginProtection
	help   atomic.Pointer[help]
	logos  logos
}

const (
	defaultSessionEnd   = 24 * time.Hour
	defaultRememberDays = 30
	defaultFloor        = 400 * time.Millisecond
	secretLen           = 22
	anonymousLen        = 22
	day                 = 24 * time.Hour
)

// New returns the sign-in.
func New(cfg Config) (*Site, error) {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	if cfg.SessionEnd == 0 {
		cfg.SessionEnd = defaultSessionEnd
	}
	if cfg.RememberDays == 0 {
		cfg.RememberDays = defaultRememberDays
	}
	if cfg.RefusalFloor == 0 {
		cfg.RefusalFloor = defaultFloor
	}
	s := &Site{cfg: cfg, jar: jar{secure: strings.HasPrefix(cfg.Issuer, "https://")}, origin: http.NewCrossOriginProtection()}
	s.SetHelp(cfg.HelpEmail, cfg.HelpPhone)
	if err := s.origin.AddTrustedOrigin(cfg.Issuer); err != nil {
		return nil, err
	}
	s.origin.SetDenyHandler(s.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		s.cfg.Audit.Event(r.Context(), audit.OriginRefused, slog.String("route", r.Pattern),
			slog.String("request_id", Reference(r.Context())))
		return &Error{Status: http.StatusForbidden, Kind: "origin"}
	}))
	return s, nil
}

// SameOrigin refuses posts that come from another site (Sec-Fetch-Site, else Origin), before anything is read.
func (s *Site) SameOrigin(next http.Handler) http.Handler { return s.origin.Handler(next) }

// secret returns 128 random bits as 22 characters.
func (s *Site) secret() (string, error) {
	b := make([]byte, 16)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// reference returns a request id that can be read out on the phone: eight characters without look-alikes.
func (s *Site) reference() string {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	b := make([]byte, 8)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return "----"
	}
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b[:4]) + "-" + string(b[4:])
}

// Source is where a request comes from, as limits count it: an IPv4 address, or the /64 of an IPv6 address.
func (s *Site) Source(r *http.Request) string { return network(s.source(r)) }

// source returns the client's address. X-Forwarded-For counts only from a listed proxy: its last entry that is
// not one of ours.
func (s *Site) source(r *http.Request) string {
	peer := hostOf(r.RemoteAddr)
	if !s.proxy(peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, h := range slices.Backward(hops) {
		hop := strings.TrimSpace(h)
		if _, err := netip.ParseAddr(hop); err != nil {
			return peer
		}
		if !s.proxy(hop) {
			return hop
		}
	}
	return peer
}

func (s *Site) proxy(addr string) bool {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	for _, p := range s.cfg.Proxies {
		if p.Contains(a.Unmap()) {
			return true
		}
	}
	return false
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// network is what guesses from one source are counted under: the IPv4 address, or the IPv6 /64.
func network(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return "unknown"
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return "unknown"
	}
	return p.String()
}
