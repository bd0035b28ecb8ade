// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// readiness asks /readyz, whatever the Host.
func readiness(t *testing.T, n *idptest.Node) (int, string) {
	t.Helper()
	res, err := http.Get("http://" + n.Addr + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// within asks f until it is true; the time is a deadline promised to people.
func within(t *testing.T, d time.Duration, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.Now().Add(d)
	for !f() {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", d, what)
		}
		<-tick.C
	}
}

// TestRF01 is RF-01: Redis down or another password: the node starts, is not ready, says why, and serves nothing.
func TestRF01(t *testing.T) {
	addr, _ := storetest.StartRedis(t, "--requirepass", "another-password")
	for what, redisAddr := range map[string]string{"down": "127.0.0.1:1", "password": addr} {
		t.Run(what, func(t *testing.T) {
			n := idptest.Bare(t, idptest.Setup{Redis: []string{redisAddr}})
			status, body := readiness(t, n.Node)
			if status != http.StatusServiceUnavailable || !strings.Contains(body, "reason") || !strings.Contains(body, "remedy") {
				t.Errorf("/readyz: %d %s", status, body)
			}
			for _, path := range []string{"/authorize?client_id=cases", "/flow/AAAAAAAAAAAAAAAAAAAAAA/login"} {
				page := n.Browser(t).Get(t, path)
				if page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" {
					t.Errorf("%s: %d", path, page.Status)
				}
			}
		})
	}
}

// TestRF02 is RF-02: Redis stopped in the middle of a sign-in: 503 within 2 s, nothing accepted, and it goes on
// within 5 s when Redis is back, without a restart.
func TestRF02(t *testing.T) {
	addr, proc := storetest.StartRedis(t, "--appendonly", "yes", "--appendfsync", "always")
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL())
	if err := proc.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		began := time.Now()
		got := page.Login(t, anna, idptest.Password)
		if took := time.Since(began); got.Status != http.StatusServiceUnavailable || took > 2*time.Second {
			t.Errorf("while Redis is stopped: %d after %s", got.Status, took)
		}
		if got.Header.Get("Retry-After") == "" || b.Cookie("lg_s") != "" {
			t.Errorf("Retry-After %q, session %q", got.Header.Get("Retry-After"), b.Cookie("lg_s"))
		}
	}
	began := time.Now()
	status, body := p.RP.Call(t, "/token", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"lgr_x"}})
	if status == http.StatusOK || time.Since(began) > 2*time.Second {
		t.Errorf("token: %d %v", status, body)
	}
	if err := proc.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "ready again", func() bool { s, _ := readiness(t, p.Node); return s == http.StatusOK })
	factor := page.Login(t, anna, idptest.Password)
	if factor.Status == http.StatusBadRequest { // the post of before was carried out when Redis woke up
		factor = b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	}
	p.RP.Exchange(t, factor.Code(t, p.Code(t, 0)))
}

// TestRF06 is RF-06: a Redis that may forget is not served from, at the start and when it changes at run time.
func TestRF06(t *testing.T) {
	for what, args := range map[string][]string{
		"maxmemory-policy": {"--maxmemory-policy", "volatile-lru", "--appendonly", "yes"},
		"appendonly":       {"--appendonly", "no"},
	} {
		t.Run(what, func(t *testing.T) {
			addr, _ := storetest.StartRedis(t, args...)
			n := idptest.Bare(t, idptest.Setup{Redis: []string{addr}, Change: func(c *config.Config) { c.Redis.RequirePersistence = true }})
			status, body := readiness(t, n.Node)
			if status != http.StatusServiceUnavailable || !strings.Contains(strings.ToLower(body), what) {
				t.Errorf("/readyz: %d %s", status, body)
			}
			if page := n.Browser(t).Get(t, "/authorize?client_id=cases"); page.Status != http.StatusServiceUnavailable {
				t.Errorf("/authorize: %d", page.Status)
			}
		})
	}
	t.Run("at run time", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
		admin := redis.NewClient(&redis.Options{Addr: addr})
		defer admin.Close()
		if err := admin.ConfigSet(t.Context(), "maxmemory-policy", "volatile-lru").Err(); err != nil {
			t.Fatal(err)
		}
		within(t, 15*time.Second, "not ready after the policy changed", func() bool { s, _ := readiness(t, p.Node); return s != http.StatusOK })
		if err := admin.ConfigSet(t.Context(), "maxmemory-policy", "noeviction").Err(); err != nil {
			t.Fatal(err)
		}
		within(t, 5*time.Second, "ready again", func() bool { s, _ := readiness(t, p.Node); return s == http.StatusOK })
	})
}

// TestForeignStore: a node with other keys does not serve from a store, and writes nothing to it.
func TestForeignStore(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	idptest.New(t, idptest.Setup{Redis: []string{addr}})
	n := idptest.Bare(t, idptest.Setup{Redis: []string{addr}, Change: func(c *config.Config) {
		c.Secrets.Index = "YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE="
	}})
	if status, body := readiness(t, n.Node); status != http.StatusServiceUnavailable || !strings.Contains(body, "remedy") {
		t.Errorf("/readyz: %d %s", status, body)
	}
}

// TestRF07 is RF-07: Redis at its memory limit: 503, and nothing is accepted that could not be recorded.
func TestRF07(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	if err := admin.ConfigSet(t.Context(), "maxmemory", "1").Err(); err != nil {
		t.Fatal(err)
	}
	code := p.Code(t, 0)
	if got := page.Code(t, code); got.Status != http.StatusServiceUnavailable {
		t.Errorf("a code at the memory limit: %d %q", got.Status, got.H1())
	}
	if got := p.Browser(t).Get(t, p.RP.AuthURL()); got.Status != http.StatusServiceUnavailable {
		t.Errorf("a new sign-in at the memory limit: %d", got.Status)
	}
	if err := admin.ConfigSet(t.Context(), "maxmemory", "0").Err(); err != nil {
		t.Fatal(err)
	}
	within(t, 5*time.Second, "ready again", func() bool { s, _ := readiness(t, p.Node); return s == http.StatusOK })
	p.RP.Exchange(t, page.Code(t, code))
}

// TestRF03 is what RF-03 asks of an enrolled person after FLUSHALL: no set-up page, no sign-in, not ready.
func TestRF03(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	p.AddEnrolled(t, anna, "acme")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL())
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	if err := admin.FlushAll(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	got := page.Login(t, anna, idptest.Password)
	if got.Find("#totp-key").Length() != 0 || strings.HasPrefix(got.URL.String(), p.RP.URL) || b.Cookie("lg_s") != "" {
		t.Errorf("after FLUSHALL: %d %q", got.Status, got.H1())
	}
	within(t, 15*time.Second, "not ready after FLUSHALL", func() bool { s, _ := readiness(t, p.Node); return s != http.StatusOK })
}

// TestServeProcess runs the real program: ready within 1 s, the health listener apart, a graceful stop on SIGTERM.
func TestServeProcess(t *testing.T) {
	addr, _ := storetest.StartRedis(t, "--appendonly", "yes")
	bin := t.TempDir() + "/lychgate"
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", bin, "../../cmd/lychgate")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v %s", err, out)
	}
	info, err := os.Stat(bin)
	if err != nil || info.Size() > 35<<20 {
		t.Errorf("the binary has %d bytes, want under 35 MiB", info.Size())
	}
	key := "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
	listen, health := freeAddr(t), freeAddr(t)
	env := []string{
		"LYCHGATE_ISSUER=http://" + listen, "LYCHGATE_LISTEN=" + listen, "LYCHGATE_HEALTH_LISTEN=" + health, "LYCHGATE_REDIS_ADDRESSES=" + addr,
		"LYCHGATE_SECRETS_KEYS=1:" + key, "LYCHGATE_SECRETS_INDEX_KEY=" + key, "LYCHGATE_SECRETS_PAIRWISE_KEY=" + key, "LYCHGATE_SECRETS_PEPPER=" + key,
	}
	var log strings.Builder
	start := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), bin, "serve")
		cmd.Env, cmd.Stderr = env, &log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	stop := func(cmd *exec.Cmd) {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("SIGTERM: %v: %s", err, log.String())
		}
	}
	cmd := start()
	client := http.Client{Timeout: time.Second}
	ok := func(url string) bool {
		res, err := client.Get(url)
		if err != nil {
			return false
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK
	}
	within(t, 10*time.Second, "ready, with the very first keys made", func() bool { return ok("http://" + health + "/readyz") })
	for _, u := range []string{"http://" + listen + "/.well-known/openid-configuration", "http://" + listen + "/livez", "http://" + health + "/metrics"} {
		if !ok(u) {
			t.Errorf("%s does not answer", u)
		}
	}
	if ok("http://" + listen + "/metrics") {
		t.Errorf("the metrics are public")
	}
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	stop(cmd)
	cmd = start()
	within(t, time.Second, "ready", func() bool { return ok("http://" + health + "/readyz") })
	stop(cmd)
	checkLog(t, log.String(), key)
}

// checkLog: every line is JSON, and no secret stands in one.
func checkLog(t *testing.T, log, secret string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil {
			t.Errorf("log line is no JSON: %s", line)
		}
		if strings.Contains(line, secret) {
			t.Errorf("a secret is logged: %s", line)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
