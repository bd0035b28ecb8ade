// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// t0 is when manual clocks start.
func t0() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) }

// config has keys, and a prefix of its own so that tests can share a server.
func config(tb testing.TB, addrs ...string) store.Config {
	tb.Helper()
	k, err := seal.NewKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	r, err := seal.NewRing(k)
	if err != nil {
		tb.Fatal(err)
	}
	b := make([]byte, 6)
	if _, err := rand.Read(b); err != nil {
		tb.Fatal(err)
	}
	return store.Config{
		Addrs: addrs, Ring: r, Prefix: "lg" + hex.EncodeToString(b) + ":",
		IndexKey: bytes.Repeat([]byte{1}, 32), PairwiseKey: bytes.Repeat([]byte{2}, 32), Pepper: bytes.Repeat([]byte{3}, 32),
	}
}

// opened opens a store that must be ready.
func opened(tb testing.TB, c store.Config) *store.Store {
	tb.Helper()
	s, err := store.Open(context.WithoutCancel(tb.Context()), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	if r := s.Ready(tb.Context()); len(r) > 0 {
		tb.Fatalf("Ready() = %v, want ready", r)
	}
	return s
}

// mini is a store on miniredis with a manual clock.
func mini(tb testing.TB, change func(*store.Config)) (*store.Store, *embedded.Embedded) {
	tb.Helper()
	e, err := embedded.StartManual(t0())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(e.Close)
	c := config(tb, e.Addr())
	c.Prefix, c.Embedded, c.Now = "lg:", true, e.Now
	if change != nil {
		change(&c)
	}
	return opened(tb, c), e
}

func with(c *store.Config, o storetest.Options) {
	c.Lifetimes.SessionIdle, c.Lifetimes.FlowLife, c.Lifetimes.CodeLife = o.SessionIdle, o.FlowLife, o.CodeLife
	c.Lifetimes.RefreshGrace, c.Lifetimes.TicketLife, c.Lifetimes.DeviceGrace = o.RefreshGrace, o.TicketLife, o.DeviceGrace
	c.Guesses.FirstWait, c.Guesses.Free = o.FirstWait, o.Free
	c.OutboxMost = o.OutboxMost
}

func stores(s *store.Store, now func() time.Time) *storetest.Stores {
	return &storetest.Stores{
		Accounts: s.Accounts(), Renewer: s.Renewer(), Credentials: s.Credentials(), Flows: s.Flows(), Pushed: s.Pushed(), Sessions: s.Sessions(), Grants: s.Grants(),
		Consents: s.Consents(), Proofs: s.Proofs(), Standings: s.Standings(), Editor: s.Editor(), Links: s.Links(), Devices: s.Devices(), Throttle: s.Throttle(),
		Clients: s.Clients(), Uses: s.ClientUses(), Companies: s.Companies(), Registry: s.Registry(), People: s.People(), Invitations: s.Invitations(), Keys: s.SigningKeys(), Outbox: s.Outbox(), Ends: s.Ends(), Now: now,
	}
}
