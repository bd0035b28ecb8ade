// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// startSentinel watches primary under the name "main" and returns its own address.
func startSentinel(t *testing.T, primary string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, own, _ := net.SplitHostPort(addr)
	host, port, _ := net.SplitHostPort(primary)
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("port %s\nbind 127.0.0.1\nsentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 500\n"+
		"sentinel failover-timeout main 3000\n", own, host, port)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	proc := exec.CommandContext(context.WithoutCancel(t.Context()), "redis-server", file, "--sentinel")
	if err := proc.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = proc.Process.Kill()
		_ = proc.Wait()
	})
	eventually(t, 10*time.Second, "the sentinel knows the replica", func() bool {
		out, err := exec.CommandContext(t.Context(), "redis-cli", "-p", own, "sentinel", "replicas", "main").Output()
		return err == nil && len(out) > 100
	})
	return addr
}

// TestSentinelFailover: the primary dies, a replica takes over, and the store goes on with it by itself. Codes of
// the moment are not accepted, since they may have been spent in a write that the replica never got (RF-08).
func TestSentinelFailover(t *testing.T) {
	// Without the delay the first synchronisation takes 5 s, as long as the test waits for it.
	primary, proc := storetest.StartRedis(t, "--repl-diskless-sync-delay", "0")
	host, port, _ := net.SplitHostPort(primary)
	storetest.StartRedis(t, "--replicaof", host+" "+port)
	c := config(t, startSentinel(t, primary))
	c.Mode, c.MasterName = store.Sentinel, "main"
	s := opened(t, c)
	st := stores(s, time.Now)
	ctx := t.Context()
	a, at := signedIn(t, st)
	ch, err := st.Credentials.Charge(ctx, at, "first")
	if err != nil {
		t.Fatal(err)
	}
	id, now := ch.Credentials[0].ID, ch.Now.Unix()/30
	if _, err := st.Credentials.Consume(ctx, at, ch, []authn.Match{{Credential: id, Step: now - 1}}); err != nil {
		t.Fatalf("Consume before the failover: %v", err)
	}
	// What is asked for below has reached the replica.
	if n := raw(t, primary).Wait(ctx, 1, 5*time.Second).Val(); n != 1 {
		t.Fatalf("%d replicas took the writes, want 1", n)
	}
	if err := proc.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the store goes on with the replica", func() bool {
		_, err := s.Accounts().ByID(ctx, a.ID)
		return err == nil && len(s.Ready(ctx)) == 0
	})
	at = inFlow(t, st, a)
	if ch, err = st.Credentials.Charge(ctx, at, "second"); err != nil {
		t.Fatal(err)
	}
	for step := now - 1; step <= now+1; step++ {
		if _, err := st.Credentials.Consume(ctx, at, ch, []authn.Match{{Credential: id, Step: step}}); err == nil {
			t.Errorf("step %+d was accepted after the failover", step-now)
		}
	}
}
