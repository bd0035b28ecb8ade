// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// TestNodes: what one node does is in force on every other when it has answered, and within a second for the
// registry, which costs no round trip to read.
func TestNodes(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	c := config(t, addr)
	one, two := opened(t, c), opened(t, c)
	ctx := t.Context()
	if err := one.Clients().PutClient(ctx, &client.Client{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	if _, err := two.Clients().Client(ctx, "app"); err != nil {
		t.Fatalf("Client on the other node: %v", err)
	}
	if err := one.Clients().PutClient(ctx, &client.Client{ID: "app", Disabled: true}); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Second, "the client is disabled on the other node", func() bool {
		got, err := two.Clients().Client(ctx, "app")
		return err == nil && got.Disabled
	})
	before := two.Trips()
	for end := time.Now().Add(1500 * time.Millisecond); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, err := two.Clients().Client(ctx, "app"); err != nil {
			t.Fatal(err)
		}
	}
	if n := two.Trips() - before; n != 0 {
		t.Errorf("a registry in use cost %d round trips in requests, want 0: the background keeps it fresh", n)
	}
	st := stores(one, time.Now)
	a, at := signedIn(t, st)
	if _, err := two.Accounts().Apply(ctx, a.ID, "*", authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := st.Flows.Load(ctx, at.Flow, at.Bind); !errors.Is(err, authn.ErrMoved) {
		t.Errorf("Load after another node disabled the account: %v, want ErrMoved", err)
	}
}

// TestStaleRegistryIsRefused: a node that cannot ask any more does not answer from what it remembers.
func TestStaleRegistryIsRefused(t *testing.T) {
	s, e := mini(t, nil)
	ctx := t.Context()
	if err := s.Clients().PutClient(ctx, &client.Client{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	before := s.Trips()
	e.Advance(2 * time.Second)
	if _, err := s.Clients().Client(ctx, "app"); err != nil || s.Trips()-before > 1 {
		t.Fatalf("Client after 2 s: %v and %d round trips, want one at most", err, s.Trips()-before)
	}
	e.SetError("ERR down")
	e.Advance(2 * time.Second)
	if _, err := s.Clients().Client(ctx, "app"); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Client of a registry that cannot be read: %v, want ErrUnavailable", err)
	}
}

// TestBrokenClientIsRefused: one broken record is lost, and hides no other.
func TestBrokenClientIsRefused(t *testing.T) {
	s, e := mini(t, nil)
	ctx := t.Context()
	for _, id := range []string{"good", "bad"} {
		if err := s.Clients().PutClient(ctx, &client.Client{ID: id}); err != nil {
			t.Fatal(err)
		}
	}
	e.Redis().HSet("lg:{reg}:cl", "bad", e.Redis().HGet("lg:{reg}:cl", "good"))
	if _, err := e.Redis().Incr("lg:{reg}:v", 1); err != nil {
		t.Fatal(err)
	}
	e.Advance(2 * time.Second)
	if _, err := s.Clients().Client(ctx, "bad"); !errors.Is(err, authn.ErrLost) {
		t.Errorf("Client with the record of another: %v, want ErrLost", err)
	}
	if _, err := s.Clients().Client(ctx, "good"); err != nil {
		t.Errorf("Client beside a broken one: %v", err)
	}
}

// TestSigningKeysAreNeverMadeAnew: a ring that was lost is not replaced by a fresh one.
func TestSigningKeysAreNeverMadeAnew(t *testing.T) {
	s, e := mini(t, nil)
	ctx := t.Context()
	if err := s.SigningKeys().SaveKeys(ctx, []byte("ring"), 0); err != nil {
		t.Fatal(err)
	}
	e.Redis().Del("lg:keys")
	if _, _, err := s.SigningKeys().LoadKeys(ctx); !errors.Is(err, authn.ErrLost) {
		t.Errorf("LoadKeys of a ring that was lost: %v, want ErrLost", err)
	}
	if err := s.SigningKeys().SaveKeys(ctx, []byte("fresh"), 0); !errors.Is(err, authn.ErrLost) {
		t.Errorf("SaveKeys in place of a ring that was lost: %v, want ErrLost", err)
	}
	if e.Redis().Exists("lg:keys") {
		t.Error("a fresh ring was written")
	}
}

// TestQuarantine: after a change of server no code passes that may have been spent in a write that was lost.
func TestQuarantine(t *testing.T) {
	dir := t.TempDir()
	args := []string{"--dir", dir, "--appendonly", "yes", "--appendfsync", "always"}
	addr, proc := storetest.StartRedis(t, args...)
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c := config(t, addr)
	c.Now = now
	s := opened(t, c)
	st := stores(s, now)
	ctx := t.Context()
	_, at := signedIn(t, st)
	if err := proc.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	storetest.RestartRedis(t, addr, args...)
	var ch authn.Charge
	eventually(t, 5*time.Second, "ready after the restart", func() bool {
		var err error
		ch, err = st.Credentials.Charge(ctx, at, "code")
		return err == nil
	})
	current := now().Unix() / 30
	for _, step := range []int64{current - 1, current, current + 1} {
		m := []authn.Match{{Credential: ch.Credentials[0].ID, Step: step}}
		if _, err := st.Credentials.Consume(ctx, at, ch, m); !errors.Is(err, authn.ErrRejected) {
			t.Fatalf("Consume of step %+d after a restart: %v, want ErrRejected", step-current, err)
		}
	}
	ahead.Store(int64(91 * time.Second))
	m := []authn.Match{{Credential: ch.Credentials[0].ID, Step: current}}
	if _, err := st.Credentials.Consume(ctx, at, ch, m); err != nil {
		t.Fatalf("Consume after the quarantine: %v", err)
	}
}

// TestRestrictedUser: the store works with an ACL user that may touch its own keys only and administer nothing.
func TestRestrictedUser(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	ctx := t.Context()
	c := config(t, addr)
	c.Username, c.Password = "lychgate", "pw"
	err := raw(t, addr).ACLSetUser(ctx, "lychgate", "on", ">pw", "~"+c.Prefix+"*", "resetchannels", "&"+c.Prefix+"*",
		"+@all", "-@dangerous", "-@admin", "+info").Err()
	if err != nil {
		t.Fatal(err)
	}
	s := opened(t, c)
	used(t, s, time.Now)
	if err := s.Accounts().List(ctx, func(authn.Record) bool { return true }); err != nil {
		t.Errorf("List: %v", err)
	}
}

// TestReadinessTextHoldsNoSecret: what /readyz shows names no password.
func TestReadinessTextHoldsNoSecret(t *testing.T) {
	addr, _ := storetest.StartRedis(t, "--requirepass", "right")
	c := config(t, addr)
	c.Password = "hunter2-wrong"
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if text := fmt.Sprint(s.Ready(t.Context()), c.LogValue()); strings.Contains(text, "hunter2") {
		t.Errorf("a secret is shown: %s", text)
	}
}
