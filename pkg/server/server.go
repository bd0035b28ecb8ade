// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package server wires everything into one provider and runs it.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/lychgate/lychgate/pkg/admin/api"
	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/outgoing"
	"github.com/lychgate/lychgate/pkg/web"
	"github.com/lychgate/lychgate/providers"
	"github.com/lychgate/lychgate/providers/directories/local"
	"github.com/lychgate/lychgate/providers/recovery"
	"github.com/lychgate/lychgate/templates"
)

// Server is one node.
type Server struct {
	*Back
	site    *web.Site
	engine  *oidc.Provider
	api     *api.API
	console *console.Pages
	pages   *templates.Set
	courier *courier
	crier   *crier
	metrics *metrics
	// outgoing asks sources that clients have registered.
	outgoing *outgoing.Client
	// uses is what writes down the last use of clients and secrets.
	uses   sync.WaitGroup
	host   string
	place  func(address string) string
	cancel context.CancelFunc
}

// New wires a node. It does not fail because Redis is away; /readyz says so then, and it recovers by itself.
func New(ctx context.Context, cfg config.Config, deps Deps) (*Server, error) {
	back, err := OpenBack(ctx, cfg, deps)
	if err != nil {
		return nil, err
	}
	s := &Server{Back: back}
	s.place = s.places(ctx)
	if err := s.wire(); err != nil { //nolint:contextcheck // the gauge of readiness is asked by a scrape, not by the caller
		back.Close()
		return nil, err
	}
	background, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go s.keepKeys(background)
	go s.journal.Run(background)
	s.startCourier(background)
	if cfg.Registration.Mode != config.RegistrationOff {
		go s.tidy(background)
	}
	s.crier.done.Go(func() { s.crier.sender.Run(background) })
	s.uses.Go(func() { s.keepUses(background) })
	return s, nil
}

func (s *Server) wire() error {
	u, err := url.Parse(s.cfg.Issuer)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	s.host = u.Host
	if s.pages, err = templates.Parse(); err != nil {
		return fmt.Errorf("templates: %w", err)
	}
	events := s.events
	if s.outgoing, err = newOutgoing(s.cfg, s.deps); err != nil {
		return err
	}
	s.Desk.Fetch = s.outgoing.Fetch
	statements, err := newStatements(s.cfg.Registration.StatementKeysFile)
	if err != nil {
		return err
	}
	if s.engine, err = oidc.New(s.engineConfig(events, statements)); err != nil {
		return fmt.Errorf("engine: %w", err)
	}
	if s.api, err = s.newAPI(); err != nil {
		return fmt.Errorf("api: %w", err)
	}
	if s.courier, err = s.newCourier(u.Hostname(), events); err != nil {
		return fmt.Errorf("mail: %w", err)
	}
	s.crier = s.newCrier(events)
	build := providers.Config{Credentials: s.store.Credentials(), Issuer: s.cfg.Issuer, Rand: s.deps.Rand}
	factors, err := providers.Factors(build, append(slices.Clone(s.cfg.SecondFactors), recovery.Kind)...)
	if err != nil {
		return fmt.Errorf("factors: %w", err)
	}
	if s.site, err = web.New(s.siteConfig(events, factors)); err != nil {
		return fmt.Errorf("pages: %w", err)
	}
	s.metrics = newMetrics(s.store.Trips, func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second) //nolint:forbidigo // a scrape has no caller's context
		defer cancel()
		return len(s.Reasons(ctx)) == 0
	})
	s.console, err = s.newConsole()
	return err
}

func (s *Server) engineConfig(events *audit.Log, statements oidc.Statements) oidc.Config {
	l := s.cfg.Lifetimes
	var desk oidc.Desk
	if s.cfg.Registration.Mode != config.RegistrationOff {
		desk = s.Desk
	}
	return oidc.Config{
		Desk: desk, Statements: statements,
		Issuer: s.cfg.Issuer, Clients: s.store.Clients(), Grants: s.store.Grants(), Proofs: s.store.Proofs(), Pushed: s.store.Pushed(),
		Keys:    s.ring,
		Sources: s.outgoing, Digest: s.Office.Digest, Pairwise: s.Pairwise,
		Source: func(r *http.Request) string { return s.site.Source(r) },
		Audit:  events, Now: s.deps.Now, Log: s.deps.Log, Locales: s.pages.Languages(),
		FormPost: func(w http.ResponseWriter, r *http.Request, action string, fields [][2]string, locales []string) error {
			return s.site.FormPost(w, r, action, fields, locales)
		},
		Lifetimes: oidc.Lifetimes{
			Lifetimes: clientLifetimes(l),
			Pushed:    l.Pushed,
		},
	}
}

func (s *Server) siteConfig(events *audit.Log, factors []authn.Factor) web.Config {
	proxies, _ := s.cfg.ProxyPrefixes() // validated
	days, floor := s.cfg.Remember.Days, s.cfg.Password.RefusalFloor
	if days == 0 {
		days = -1
	}
	if floor == 0 {
		floor = -1
	}
	return web.Config{
		Issuer: s.cfg.Issuer, Host: s.host, Engine: s.engine,
		Directory: local.New(local.Config{Accounts: s.store.Accounts(), Renewer: s.store.Renewer(), Hasher: s.hasher}),
		Factors:   factors, NewRecovery: s.newRecovery,
		Flows: s.store.Flows(), Sessions: s.store.Sessions(), Devices: s.store.Devices(), Consents: s.store.Consents(),
		Clients: s.store.Clients(), Companies: s.store.Companies(), Invitations: s.Office, Throttle: s.store.Throttle(),
		Links: s.store.Links(), Outbox: s.Outbox(), Place: s.place, Passwords: passwords{s.hasher}, People: people{s.store.Accounts()},
		Fetch:     s.outgoing.Get,
		Templates: s.pages, Audit: events, Log: s.deps.Log, Now: s.deps.Now, Rand: s.deps.Rand,
		SessionEnd: s.cfg.Lifetimes.SessionEnd, RememberDays: days, RefusalFloor: floor,
		HelpEmail: s.cfg.Help.Email, HelpPhone: s.cfg.Help.Phone, Proxies: proxies,
	}
}

// newRecovery makes the recovery codes of an account.
func (s *Server) newRecovery() (shown, kept []string, err error) {
	if s.deps.Rand != nil {
		return recovery.Make(s.deps.Rand)
	}
	return recovery.Make(rand.Reader)
}

// keepKeys reads the ring as soon as the store is there, then every 30 s.
func (s *Server) keepKeys(ctx context.Context) {
	retry := time.NewTicker(500 * time.Millisecond)
	defer retry.Stop()
	for s.ring.Ready() != nil {
		select {
		case <-ctx.Done():
			return
		case <-retry.C:
			if len(s.store.Ready(ctx)) == 0 {
				_ = s.ring.Refresh(ctx) // Ready says what is wrong
			}
		}
	}
	s.ring.Run(ctx)
}

// Handler is the public listener's handler.
func (s *Server) Handler() http.Handler { return s.handler() }

// HealthHandler is that of the second listener: no Host check, no pages.
func (s *Server) HealthHandler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", s.metrics.handler())
	return s.health(mux)
}

// Close ends background work and the connections to the store.
func (s *Server) Close() {
	s.cancel()
	s.courier.done.Wait()
	s.crier.done.Wait()
	s.uses.Wait()
	s.Back.Close()
}

// Run serves until ctx ends, then finishes what is under way, for at most 10 s.
func (s *Server) Run(ctx context.Context, public, health net.Listener) error {
	servers := []*http.Server{s.httpServer(s.Handler()), s.httpServer(s.HealthHandler())}
	failed := make(chan error, len(servers))
	for i, l := range []net.Listener{public, health} {
		go func() { failed <- servers[i].Serve(l) }()
	}
	s.deps.Log.LogAttrs(ctx, slog.LevelInfo, "serving", slog.String("issuer", s.cfg.Issuer),
		slog.String("listen", public.Addr().String()), slog.String("health", health.Addr().String()))
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for _, srv := range servers {
		err = errors.Join(err, srv.Shutdown(stop))
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// httpServer bounds what one connection can hold: headers of 32 KiB, 10 s to send a request, 20 s to take the answer.
func (s *Server) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10, ErrorLog: slog.NewLogLogger(s.deps.Log.Handler(), slog.LevelDebug),
	}
}

// Reload applies what can be applied while running (help addresses, log level) and says which settings need a
// restart. A configuration with problems changes nothing.
func (s *Server) Reload(ctx context.Context, cfg config.Config, err error) {
	if err != nil {
		s.deps.Log.LogAttrs(ctx, slog.LevelError, "reload refused, nothing changed", slog.String("error", err.Error()))
		return
	}
	s.site.SetHelp(cfg.Help.Email, cfg.Help.Phone)
	if s.deps.Level != nil {
		var level slog.Level
		if level.UnmarshalText([]byte(cfg.Log.Level)) == nil {
			s.deps.Level.Set(level)
		}
	}
	needs := config.Differ(s.cfg, cfg)
	s.deps.Log.LogAttrs(ctx, slog.LevelInfo, "reloaded", slog.Any("needs_restart", needs))
}
