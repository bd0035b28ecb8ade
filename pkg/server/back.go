// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/providers/directories/local"
)

// Deps are what a process gives: its clock, its randomness, its log. Log and Now are needed.
type Deps struct {
	Now func() time.Time
	Log *slog.Logger
	// Rand is crypto/rand if nil.
	Rand io.Reader
	// Embedded says that the store is the one of pkg/store/embedded.
	Embedded bool
	// OwnAlone refuses a Redis that holds other data than Lychgate's.
	OwnAlone bool
	// Level is the level of Log, if it can be changed while running.
	Level *Level
	// LookupTXT asks DNS; the machine's own resolver if nil.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// ObserveHash, if not nil, is called once for each password hash made.
	ObserveHash func(memoryKiB, passes uint32, threads uint8)
}

// Reason says why requests cannot be served, and what to do about it.
type Reason struct {
	Text   string `json:"reason"`
	Remedy string `json:"remedy"`
}

// Back is the opened store with the acts of IT teams on it: what the command line works on.
type Back struct {
	Office *admin.Office
	// Desk registers clients that come by themselves.
	Desk *admin.Desk

	store   *store.Store
	history audit.Store
	journal *audit.Journal
	last    func()
	events  *audit.Log
	ring    *keys.Ring
	hasher  *local.Hasher
	cfg     config.Config
	deps    Deps
}

// OpenBack opens the store. It does not fail because Redis is away: Reasons says so then.
func OpenBack(ctx context.Context, cfg config.Config, deps Deps) (*Back, error) {
	sc, err := storeConfig(cfg, deps)
	if err != nil {
		return nil, err
	}
	hasher, err := local.NewHasher(hashConfig(cfg, deps))
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	st, err := store.Open(ctx, sc)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	pepper := cfg.Secrets.Pepper.Bytes()
	b := &Back{store: st, cfg: cfg, deps: deps, hasher: hasher}
	b.history = st.Journal()
	b.journal = audit.NewJournal(b.history, deps.Now, deps.Log)
	b.events = audit.New(deps.Log, deps.Now, b.journal)
	b.last = func() { b.writeLast(ctx) }
	b.ring = keys.New(keys.Config{
		Store: st.SigningKeys(), Now: deps.Now, Log: deps.Log,
		LongestToken: max(cfg.Lifetimes.IDToken, cfg.Lifetimes.JWTAccess),
	})
	b.Office = &admin.Office{
		Accounts: st.Accounts(), People: st.People(), Clients: st.Clients(), Companies: st.Companies(), Registry: st.Registry(),
		Uses: st.ClientUses(), Passwords: passwords{b.hasher},
		Digest: func(secret string) string { return seal.Digest(pepper, secret) }, LookupTXT: lookupTXT(deps),
		Audit: b.events, Links: st.Links(), Outbox: b.Outbox(), Resets: resets{st}, Invitations: st.Invitations(), Starter: st,
		History: b.history, Keys: b.ring, Counter: st.Throttle(),
		Factors: st.Credentials(), Devices: st.Devices(), Sessions: st.Sessions(), Standings: st.Standings(), Issuer: cfg.Issuer, Now: deps.Now, Rand: deps.Rand,
		Lifetimes: clientLifetimes(cfg.Lifetimes),
	}
	b.Desk = &admin.Desk{
		Office: b.Office, Registrar: st.Registrar(), Open: cfg.Registration.Mode == config.RegistrationOpen,
		Most: cfg.Registration.Most,
		Rules: client.Rules{
			RedirectHosts: cfg.Registration.RedirectHosts, GrantTypes: cfg.Registration.GrantTypes,
			Scopes: cfg.Registration.Scopes, PKCE: cfg.Registration.RequirePKCE,
		},
	}
	if len(st.Ready(ctx)) == 0 {
		if err := b.ring.Refresh(ctx); err != nil {
			deps.Log.LogAttrs(ctx, slog.LevelError, "signing keys", slog.String("error", err.Error()))
		}
	}
	return b, nil
}

// clientLifetimes are those that a client can have at most.
func clientLifetimes(l config.Lifetime) client.Lifetimes {
	return client.Lifetimes{Access: l.AccessToken, AccessJWT: l.JWTAccess, IDToken: l.IDToken, RefreshIdle: l.RefreshIdle, RefreshEnd: l.RefreshEnd}
}

// Pairwise is the subject of an account for the clients of a sector.
func (b *Back) Pairwise(sector, accountID string) string {
	return seal.Pairwise(b.cfg.Secrets.Pairwise.Bytes(), sector, accountID)
}

// Close writes the security events that wait, for at most 2 s, and ends the connections.
func (b *Back) Close() {
	b.last()
	_ = b.store.Close()
}

// writeLast writes the security events that wait. What cannot be written stands in the log.
func (b *Back) writeLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if err := b.journal.Flush(ctx); err != nil {
		b.deps.Log.LogAttrs(ctx, slog.LevelWarn, "security events stand in the log alone", slog.String("error", err.Error()))
	}
}

// History is the journal of security events.
func (b *Back) History() audit.Store { return b.history }

// FlushAudit writes the security events that wait; for tests, which do not wait for the writer.
func (b *Back) FlushAudit(ctx context.Context) error { return b.journal.Flush(ctx) }

// Reasons says why requests cannot be served; none: they can.
func (b *Back) Reasons(ctx context.Context) []Reason {
	var out []Reason
	for _, r := range b.store.Ready(ctx) {
		out = append(out, Reason{r.Text, r.Remedy})
	}
	if len(out) > 0 {
		return out
	}
	if err := b.ring.Ready(); err != nil {
		out = append(out, Reason{"signing keys: " + err.Error(), "the ring is read again every 30 s; if it is lost, restore the store from a backup"})
	}
	return out
}

// SigningKeys lists the ring; nothing in it is secret.
func (b *Back) SigningKeys() []keys.Listing { return b.ring.List() }

// RotateKeys puts the next keys into use, or that of one algorithm; it refuses while they have been published for less
// than 24 h.
func (b *Back) RotateKeys(ctx context.Context, alg string) error {
	return b.rotate(ctx, alg, keys.Planned)
}

// RotateKeysNow does so at once, for an emergency.
func (b *Back) RotateKeysNow(ctx context.Context, alg string) error {
	return b.rotate(ctx, alg, keys.Now)
}

func (b *Back) rotate(ctx context.Context, alg string, u keys.Urgency) error {
	return b.Office.Clerk(admin.CommandLine()).RotateKeys(ctx, alg, u)
}

// Trips is the number of round trips to the store made for requests.
func (b *Back) Trips() uint64 { return b.store.Trips() }

func storeConfig(cfg config.Config, deps Deps) (store.Config, error) {
	ring, err := sealRing(cfg.Secrets.Keys.Reveal())
	if err != nil {
		return store.Config{}, fmt.Errorf("secrets.keys: %w", err)
	}
	sc := store.Config{
		Mode: store.Mode(cfg.Redis.Mode), Addrs: cfg.Redis.Addresses, MasterName: cfg.Redis.MasterName,
		Username: cfg.Redis.Username, Password: cfg.Redis.Password.Reveal(),
		SentinelPassword: cfg.Redis.SentinelPassword.Reveal(), DB: cfg.Redis.Database, Prefix: cfg.Redis.Prefix,
		RequirePersistence: cfg.Redis.RequirePersistence, Embedded: deps.Embedded, OwnAlone: deps.OwnAlone,
		Ring: ring, IndexKey: cfg.Secrets.Index.Bytes(), PairwiseKey: cfg.Secrets.Pairwise.Bytes(), Pepper: cfg.Secrets.Pepper.Bytes(),
		Now: deps.Now, Rand: deps.Rand, Log: deps.Log,
		Lifetimes: store.Lifetimes{
			SessionIdle: cfg.Lifetimes.SessionIdle, SessionEnd: cfg.Lifetimes.SessionEnd, RefreshIdle: cfg.Lifetimes.RefreshIdle,
		},
		Guesses: store.Guesses{
			Free: cfg.Guesses.Free, FirstWait: cfg.Guesses.FirstWait, LongestWait: cfg.Guesses.LongWait, Cap: cfg.Guesses.Cap,
		},
	}
	if cfg.Redis.TLS {
		if sc.TLS, err = tlsConfig(cfg.Redis); err != nil {
			return sc, err
		}
	}
	return sc, nil
}

// sealRing reads "id:base64" keys, one per line or separated by commas; the first seals, all open.
func sealRing(text string) (*seal.Ring, error) {
	var list []seal.Key
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == ' ' || r == '\r' }) {
		k, err := seal.ParseKey(part)
		if err != nil {
			return nil, fmt.Errorf("key %d: %w; make one with `lychgate secret new`", len(list)+1, err)
		}
		list = append(list, k)
	}
	return seal.NewRing(list...)
}

func tlsConfig(r config.Redis) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: r.TLSServerName}
	if r.TLSCAFile == "" {
		return c, nil
	}
	pem, err := os.ReadFile(r.TLSCAFile)
	if err != nil {
		return nil, fmt.Errorf("redis.tls_ca_file: %w", err)
	}
	c.RootCAs = x509.NewCertPool()
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, errors.New("redis.tls_ca_file: no certificate in it")
	}
	return c, nil
}
