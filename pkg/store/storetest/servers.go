// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"context"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// StartRedis runs a redis-server on a free port, in a directory of its own, with the given arguments added. It ends
// with the test. Its policy is noeviction; it keeps nothing on disk unless args say otherwise.
func StartRedis(tb testing.TB, args ...string) (addr string, proc *exec.Cmd) {
	tb.Helper()
	for range 5 {
		port := freePort(tb)
		addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if proc = startOn(tb, addr, args); proc != nil {
			return addr, proc
		}
	}
	tb.Fatal("redis-server did not start; it is needed for this test: install redis-server 7.0")
	return "", nil
}

// RestartRedis runs a redis-server on an address that is free again, with the given arguments.
func RestartRedis(tb testing.TB, addr string, args ...string) *exec.Cmd {
	tb.Helper()
	for range 50 {
		if proc := startOn(tb, addr, args); proc != nil {
			return proc
		}
	}
	tb.Fatalf("redis-server did not start on %s", addr)
	return nil
}

func startOn(tb testing.TB, addr string, args []string) *exec.Cmd {
	tb.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		tb.Fatal(err)
	}
	all := append([]string{
		"--port", port, "--bind", "127.0.0.1", "--dir", tb.TempDir(), "--save", "", "--appendonly", "no",
		"--maxmemory-policy", "noeviction", "--loglevel", "warning",
	}, args...)
	proc := exec.CommandContext(context.WithoutCancel(tb.Context()), "redis-server", all...)
	if err := proc.Start(); err != nil {
		tb.Fatalf("start redis-server: %v", err)
	}
	gone := make(chan struct{})
	go func() { _ = proc.Wait(); close(gone) }()
	tb.Cleanup(func() {
		_ = proc.Process.Kill()
		<-gone
	})
	for range 500 {
		select {
		case <-gone:
			return nil
		default:
		}
		if answers(tb, addr) {
			return proc
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}

// answers says whether a server on addr takes commands; one that is loading does not.
func answers(tb testing.TB, addr string) bool {
	tb.Helper()
	c, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer c.Close()
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	b := make([]byte, 64)
	n, _ := c.Read(b)
	return strings.HasPrefix(string(b[:n]), "+PONG") || strings.HasPrefix(string(b[:n]), "-NOAUTH")
}

func freePort(tb testing.TB) int {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	a, ok := l.Addr().(*net.TCPAddr)
	if !ok || a.Port > 55000 && a.Port+10000 > 65535 {
		// The cluster bus listens 10,000 ports higher.
		return freePort(tb)
	}
	return a.Port
}

// StartCluster runs a Redis Cluster of three primaries and returns their addresses. It ends with the test.
func StartCluster(tb testing.TB) []string {
	tb.Helper()
	addrs := make([]string, 3)
	for i := range addrs {
		addrs[i], _ = StartRedis(tb, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
	}
	create := append([]string{"--cluster", "create", "--cluster-yes"}, addrs...)
	if out, err := exec.CommandContext(tb.Context(), "redis-cli", create...).CombinedOutput(); err != nil {
		tb.Fatalf("create cluster: %v\n%s", err, out)
	}
	for _, a := range addrs {
		waitForCluster(tb, a)
	}
	return addrs
}

func waitForCluster(tb testing.TB, addr string) {
	tb.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		tb.Fatal(err)
	}
	for range 300 {
		out, _ := exec.CommandContext(tb.Context(), "redis-cli", "-p", port, "cluster", "info").Output()
		if strings.Contains(string(out), "cluster_state:ok") && strings.Contains(string(out), "cluster_slots_ok:16384") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	tb.Fatalf("cluster node %s did not come up", addr)
}
