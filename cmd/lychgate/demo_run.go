// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/demo"
	"github.com/lychgate/lychgate/pkg/server"
)

// demo runs provider and sample app until ctx ends.
func (c *console) demo(ctx context.Context, d demoFlags) error {
	public, issuer, err := loopback(ctx, d.listen)
	if err != nil {
		return err
	}
	front, app, err := loopback(ctx, d.appListen)
	if err != nil {
		return err
	}
	health, _, err := loopback(ctx, "localhost:0")
	if err != nil {
		return err
	}
	cfg, deps, err := c.demoSettings(d, issuer)
	if err != nil {
		return err
	}
	if d.redis == "" {
		addr, stop, err := server.Embedded()
		if err != nil {
			return err
		}
		defer stop()
		cfg.Redis.Addresses, deps.Embedded = []string{addr}, true
	}
	srv, err := server.New(ctx, cfg, deps)
	if err != nil {
		return err
	}
	defer srv.Close()
	facts, err := seed(ctx, srv, issuer, app)
	if err != nil {
		return err
	}
	sample := &http.Server{Handler: c.sample(srv, facts), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- sample.Serve(front) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { failed <- srv.Run(ctx, public, health) }()
	if err := answering(ctx, issuer+"/readyz", app+"/"); err != nil {
		return err
	}
	if err := c.announce(facts, d.facts); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		cancel()
		err = <-failed
	case err = <-failed:
	}
	_ = sample.Close()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// loopback listens on an address of this machine alone. The name that browsers see is localhost, whatever loopback
// address is given: cookies and the issuer depend on it.
func loopback(ctx context.Context, address string) (net.Listener, string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil || !config.IsLoopback(host) {
		return nil, "", fmt.Errorf("%w: %q is no loopback address; the demo has passwords that everybody knows, write localhost:PORT", errUsage, address)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, "", fmt.Errorf("%w; take another port with --listen and --app-listen (0 takes a free one)", err)
	}
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return nil, "", errors.New("no TCP listener")
	}
	return l, "http://localhost:" + strconv.Itoa(tcp.Port), nil
}

// demoSettings returns settings for the Redis that is named, if one is. The demo's keys are worked out
// from public words, so that it can go on with a Redis of its own; they protect nothing.
func (c *console) demoSettings(d demoFlags, issuer string) (config.Config, server.Deps, error) {
	cfg := config.Default()
	cfg.Issuer, cfg.Log = issuer, config.Log{Level: "warn", Format: "text"}
	cfg.Help = config.Help{Email: "help@legal-aid.example", Phone: "020 7946 0000"}
	cfg.Mail.Mailer = config.MailerConsole
	cfg.Registration.Mode = config.RegistrationToken
	cfg.Redis.RequirePersistence = false
	cfg.Secrets = config.Secrets{
		Keys: "1:" + known32("keys"), Index: known32("index"), Pairwise: known32("pairwise"), Pepper: known32("pepper"),
	}
	deps := c.deps(cfg)
	if d.redis == "" {
		return cfg, deps, nil
	}
	deps.OwnAlone = true
	u, err := url.Parse(d.redis)
	if err != nil || u.Scheme != "redis" || u.Port() == "" {
		return cfg, deps, fmt.Errorf("%w: --redis takes redis://HOST:PORT, with /DB behind it if it is not 0", errUsage)
	}
	cfg.Redis.Addresses = []string{u.Host}
	if u.User != nil {
		password, _ := u.User.Password()
		cfg.Redis.Username, cfg.Redis.Password = u.User.Username(), config.Secret(password)
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if cfg.Redis.Database, err = strconv.Atoi(db); err != nil {
			return cfg, deps, fmt.Errorf("%w: --redis: %q is no number of a database", errUsage, db)
		}
	}
	return cfg, deps, nil
}

// known works out 32 bytes that everybody can work out.
func known(what string) []byte {
	sum := sha256.Sum256([]byte("lychgate demo, protects nothing: " + what))
	return sum[:]
}

func known32(what string) config.Secret {
	return config.Secret(base64.StdEncoding.EncodeToString(known(what)))
}

// demoPassword is a demo account's password, good enough for our own rules.
func demoPassword(user string) string {
	text := strings.ToLower(base32.StdEncoding.EncodeToString(known("password " + user)))
	return text[:5] + "-" + text[5:10] + "-" + text[10:15]
}

func demoSecret(user string) []byte { return known("totp " + user)[:20] }

func demoClientSecret(id string) string {
	return "lgcs_" + base64.RawURLEncoding.EncodeToString(known("client "+id))
}

// answering waits until every address answers 200.
func answering(ctx context.Context, urls ...string) error {
	client := http.Client{Timeout: time.Second}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for _, u := range urls {
		for !answers(ctx, &client, u) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("%s does not answer: %w", u, ctx.Err())
			case <-tick.C:
			}
		}
	}
	return nil
}

func answers(ctx context.Context, client *http.Client, address string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return false
	}
	res, err := client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// sample returns the sample app for the first client.
func (c *console) sample(srv *server.Server, f demoFacts) http.Handler {
	return demo.New(demo.Config{
		Issuer: f.Issuer, URL: f.App, ClientID: f.Clients[0].ID, ClientSecret: f.Clients[0].Secret,
		Templates: srv.Templates(), Log: slog.New(slog.NewTextHandler(c.errs, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Now: time.Now, Code: func(user string) (string, error) { return f.code(user) },
	}).Handler()
}
