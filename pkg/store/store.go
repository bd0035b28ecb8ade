// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package store is the Redis boundary: it implements every Store interface of the rule packages.
//
// Everything that belongs to one account is in one Cluster slot, so one script can check account state, grant and
// factor together. What must happen at most once is decided by one script. Payloads are sealed with their key name
// as associated data; names and tokens are kept as keyed hashes only. Every failure of Redis wraps
// authn.ErrUnavailable: nothing is accepted that could not be recorded. A record that is missing or broken where it
// must not be is authn.ErrLost, never "not enrolled" or "allowed".
//
// It does not hash passwords, compute codes, or know HTTP or OAuth.
package store

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/logout"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// Store is a connection to Redis. It is safe for concurrent use; make it with Open.
type Store struct {
	cfg      Config
	rdb      redis.UniversalClient
	index    seal.Index
	key      keyspace
	scripts  map[string]script
	trips    atomic.Uint64
	health   atomic.Pointer[health]
	guard    *guard
	registry *registry
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// Open checks cfg and connects. A Redis that is away, misconfigured or another's is no error: the store is then not
// ready, every call answers authn.ErrUnavailable, and it recovers by itself.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg, err := cfg.check()
	if err != nil {
		return nil, fmt.Errorf("store configuration: %w", err)
	}
	index, err := seal.NewIndex(cfg.IndexKey)
	if err != nil {
		return nil, fmt.Errorf("store configuration: %w", err)
	}
	scripts, err := loadScripts()
	if err != nil {
		return nil, err
	}
	s := &Store{cfg: cfg, index: index, key: keyspace{prefix: cfg.Prefix}, scripts: scripts}
	s.health.Store(&health{reasons: []Reason{{"the store was not checked yet", "wait a moment"}}})
	s.guard = &guard{s: s, wake: make(chan struct{}, 1)}
	s.registry = &registry{s: s}
	s.rdb = s.connect()
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.guard.check(ctx)
	s.done.Go(func() { s.guard.watch(background) })
	s.done.Go(func() { s.registry.poll(background) })
	return s, nil
}

// Close ends the background checks and the connections.
func (s *Store) Close() error {
	s.stop()
	s.done.Wait()
	return s.rdb.Close()
}

// Trips is the number of round trips made so far for requests: one for a command, a pipeline or a script. The
// background checks are not counted.
func (s *Store) Trips() uint64 { return s.trips.Load() }

// PoolStats describes the connections.
func (s *Store) PoolStats() *redis.PoolStats { return s.rdb.PoolStats() }

// Tag names the account's slot and its device cookie: 13 characters of [a-z2-7].
func (s *Store) Tag(accountID string) string { return s.index.Tag(accountID) }

// Accounts keeps accounts.
func (s *Store) Accounts() authn.AccountStore { return accounts{s} }

// Credentials keeps second factors.
func (s *Store) Credentials() authn.CredentialStore { return credentials{s} }

// Links keeps mailed links.
func (s *Store) Links() authn.LinkStore { return links{s} }

// Flows keeps authorization requests under way.
func (s *Store) Flows() flow.Store { return flows{s} }

// Pushed keeps authorization requests that clients sent ahead.
func (s *Store) Pushed() flow.PushedStore { return pushed{s} }

// Sessions keeps sessions.
func (s *Store) Sessions() session.Store { return sessions{s} }

// Grants keeps codes and tokens.
func (s *Store) Grants() grant.Store { return grants{s} }

// Proofs remembers what counts once.
func (s *Store) Proofs() grant.Proofs { return proofs{s} }

// Consents remembers what was allowed.
func (s *Store) Consents() grant.Consents { return consents{s} }

// Devices keeps remembered browsers.
func (s *Store) Devices() device.Store { return devices{s} }

// Throttle counts password guesses.
func (s *Store) Throttle() throttle.Counter { return counter{s} }

// Outbox keeps messages until they are sent.
func (s *Store) Outbox() notify.Outbox { return outbox{s} }

// Ends keeps what apps are to be told of ended sessions.
func (s *Store) Ends() logout.Queue { return ends{s} }

// Clients keeps clients.
func (s *Store) Clients() client.Registry { return s.registry }

// Companies keeps companies.
func (s *Store) Companies() company.Registry { return s.registry }

// SigningKeys keeps the ring of signing keys.
func (s *Store) SigningKeys() keys.Store { return signing{s} }

// now is the node's clock to the millisecond. What decides is the store's clock, in the scripts; this one only
// stamps records and chooses the sealing hour.
func (s *Store) now() time.Time { return s.cfg.Now().Truncate(time.Millisecond).UTC() }
