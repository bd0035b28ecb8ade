// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// eventually waits until ok or the time is over.
func eventually(t *testing.T, within time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s: not within %s", what, within)
}

// unready opens a store that must say why it is not ready and must refuse every call without asking Redis.
func unready(t *testing.T, c store.Config, reason string) *store.Store {
	t.Helper()
	s, err := store.Open(context.WithoutCancel(t.Context()), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	said(t, s, reason)
	before := s.Trips()
	for what, err := range tryAll(t, s) {
		if !errors.Is(err, authn.ErrUnavailable) {
			t.Errorf("%s while not ready: %v, want ErrUnavailable", what, err)
		}
	}
	if s.Trips() != before {
		t.Error("a store that is not ready asked Redis for a request")
	}
	return s
}

func said(t *testing.T, s *store.Store, reason string) {
	t.Helper()
	r := s.Ready(t.Context())
	if !strings.Contains(fmt.Sprint(r), reason) || len(r) == 0 || r[0].Remedy == "" {
		t.Fatalf("Ready() = %q, want %q and a remedy", r, reason)
	}
}

// tryAll makes one call of each kind.
func tryAll(t *testing.T, s *store.Store) map[string]error {
	t.Helper()
	ctx := t.Context()
	out := map[string]error{}
	_, out["ByName"] = s.Accounts().ByName(ctx, "ann")
	_, out["Create"] = s.Accounts().Create(ctx, authn.NewAccount{Name: "x", PasswordRecord: "x"})
	_, out["Lookup"] = s.Grants().Lookup(ctx, "lga_"+strings.Repeat("A", 87))
	_, out["Session"] = s.Sessions().Load(ctx, "lgs_"+strings.Repeat("A", 98), "app")
	_, out["Flow"] = s.Flows().Load(ctx, "lgf_"+strings.Repeat("A", 76), []string{"b"})
	out["End"] = s.Sessions().End(ctx, "x")
	out["Revoke"] = s.Grants().Revoke(ctx, "lga_x", "app", false)
	_, out["Client"] = s.Clients().Client(ctx, "app")
	_, _, out["Keys"] = s.SigningKeys().LoadKeys(ctx)
	_, out["Device"] = s.Devices().Use(ctx, authn.Account{ID: "x", Factor: authn.FactorOn}, strings.Repeat("A", 64))
	return out
}

func TestNotReady(t *testing.T) {
	ctx := t.Context()
	t.Run("nobody listens", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		_ = l.Close()
		unready(t, config(t, addr), "does not answer")
	})
	t.Run("nobody answers", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		began := time.Now()
		unready(t, config(t, l.Addr().String()), "does not answer")
		if d := time.Since(began); d > 3*time.Second {
			t.Errorf("it took %s to say so", d)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t, "--requirepass", "right")
		c := config(t, addr)
		c.Password = "wrong"
		unready(t, c, "does not answer")
		c.Password = "right"
		opened(t, c)
	})
	t.Run("eviction", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t, "--maxmemory-policy", "volatile-lru")
		s := unready(t, config(t, addr), "maxmemory-policy")
		raw(t, addr).ConfigSet(ctx, "maxmemory-policy", "noeviction")
		eventually(t, 5*time.Second, "ready after the policy was set", func() bool { return len(s.Ready(ctx)) == 0 })
	})
	t.Run("eviction at run time", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		c := config(t, addr)
		c.CheckEvery = 100 * time.Millisecond
		s := opened(t, c)
		raw(t, addr).ConfigSet(ctx, "maxmemory-policy", "allkeys-lru")
		eventually(t, 5*time.Second, "not ready after the policy was changed", func() bool { return len(s.Ready(ctx)) > 0 })
		said(t, s, "allkeys-lru")
	})
	t.Run("no persistence", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		c := config(t, addr)
		c.RequirePersistence = true
		unready(t, c, "append-only file is off")
		raw(t, addr).ConfigSet(ctx, "appendonly", "yes")
		opened(t, c)
	})
	t.Run("replica", func(t *testing.T) {
		primary, _ := storetest.StartRedis(t)
		host, port, _ := net.SplitHostPort(primary)
		addr, _ := storetest.StartRedis(t, "--replicaof", host+" "+port)
		unready(t, config(t, addr), "slave")
	})
	t.Run("foreign store", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		c := config(t, addr)
		opened(t, c)
		c.Pepper = []byte(strings.Repeat("x", 32))
		unready(t, c, "another pepper")
	})
	t.Run("emptied store", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		c := config(t, addr)
		c.CheckEvery = 50 * time.Millisecond
		s := opened(t, c)
		raw(t, addr).FlushAll(ctx)
		eventually(t, 5*time.Second, "not ready after FLUSHALL", func() bool { return len(s.Ready(ctx)) > 0 })
		said(t, s, "lost its identity")
	})
}

// TestOutage: while Redis is away every call is refused within two seconds; when it is back the store recovers by
// itself within five.
func TestOutage(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--appendonly", "yes", "--appendfsync", "always"}
	addr, proc := storetest.StartRedis(t, args...)
	c := config(t, addr)
	c.RequirePersistence = true
	s := opened(t, c)
	ctx := t.Context()
	a, err := s.Accounts().Create(ctx, authn.NewAccount{Name: "ann", PasswordRecord: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		if err := proc.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if _, err := s.Accounts().ByID(ctx, a.ID); !errors.Is(err, authn.ErrUnavailable) {
			t.Fatalf("round %d: ByID while Redis is away: %v, want ErrUnavailable", round, err)
		}
		if d := time.Since(began); d > 2*time.Second {
			t.Errorf("round %d: it took %s to refuse, want under 2 s", round, d)
		}
		proc = storetest.RestartRedis(t, addr, args...)
		eventually(t, 5*time.Second, "ready after the restart", func() bool {
			_, err := s.Accounts().ByID(ctx, a.ID)
			return err == nil
		})
	}
}

// TestErrorsAreUnavailable: whatever Redis refuses with, the answer is 503 and nothing else.
func TestErrorsAreUnavailable(t *testing.T) {
	for _, msg := range []string{
		"LOADING Redis is loading the dataset in memory", "READONLY You can't write against a read only replica.",
		"OOM command not allowed when used memory > 'maxmemory'.", "MISCONF Redis is configured to save RDB snapshots",
		"CLUSTERDOWN The cluster is down", "NOAUTH Authentication required.", "ERR unknown", "NOREPLICAS Not enough good replicas to write.",
	} {
		sc := newScene(t)
		sc.e.SetError(msg)
		for use, act := range sc.good {
			if err := act(); !errors.Is(err, authn.ErrUnavailable) {
				t.Errorf("%s with %q: %v, want ErrUnavailable", use, msg, err)
			}
		}
		sc.e.SetError("")
		eventually(t, 5*time.Second, "ready after "+msg, func() bool { return sc.good["ByID"]() == nil })
	}
}

// TestMemoryFull: what cannot be recorded is not accepted (RF-07).
func TestMemoryFull(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	s := opened(t, config(t, addr))
	st := stores(s, time.Now)
	ctx := t.Context()
	a, at := signedIn(t, st)
	_ = a
	c, err := st.Credentials.Charge(ctx, at, "1")
	if err != nil {
		t.Fatal(err)
	}
	r := raw(t, addr)
	r.ConfigSet(ctx, "maxmemory", "1")
	for i := range 10 {
		if _, err := st.Credentials.Charge(ctx, at, fmt.Sprint("full", i)); !errors.Is(err, authn.ErrUnavailable) {
			t.Fatalf("Charge with the memory full: %v, want ErrUnavailable", err)
		}
		eventually(t, 5*time.Second, "ready", func() bool { return len(s.Ready(ctx)) == 0 })
	}
	m := []authn.Match{{Credential: c.Credentials[0].ID, Step: 5}}
	if _, err := st.Credentials.Consume(ctx, at, c, m); !errors.Is(err, authn.ErrUnavailable) {
		t.Fatalf("Consume with the memory full: %v, want ErrUnavailable", err)
	}
	eventually(t, 5*time.Second, "ready", func() bool { return len(s.Ready(ctx)) == 0 })
	f, err := st.Flows.Load(ctx, at.Flow, at.Bind)
	if err != nil || len(f.Factors) != 0 {
		t.Fatalf("flow after a code that was not recorded: %v, %v, want no evidence", f, err)
	}
	r.ConfigSet(ctx, "maxmemory", "0")
	if _, err := st.Credentials.Consume(ctx, at, c, m); err != nil {
		t.Fatalf("Consume after the memory was freed: %v", err)
	}
}
