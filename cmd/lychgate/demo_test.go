// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// runDemo starts the program itself and answers its facts.
func runDemo(t *testing.T, args ...string) (facts demoFacts, stop func() string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "facts.json")
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	// testscript.Main runs the command named by the program's own name
	link := filepath.Join(t.TempDir(), "lychgate")
	if err := os.Symlink(exe, link); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), link, append([]string{"demo", "--listen", "localhost:0", "--app-listen", "localhost:0", "--facts", file}, args...)...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stopped := false
	stop = func() string {
		if !stopped {
			stopped = true
			_ = cmd.Process.Signal(syscall.SIGTERM)
			if err := <-ended; err != nil {
				t.Errorf("the demo ends with %v: %s", err, out.String())
			}
		}
		return out.String()
	}
	t.Cleanup(func() { stop() })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		raw, err := os.ReadFile(file)
		if err == nil {
			if err := json.Unmarshal(raw, &facts); err != nil {
				t.Fatalf("facts: %v: %s", err, raw)
			}
			return facts, stop
		}
		select {
		case err := <-ended:
			stopped = true
			t.Fatalf("the demo ended: %v: %s", err, out.String())
		case <-tick.C:
		}
	}
	t.Fatalf("no facts within 10 s: %s", out.String())
	return facts, stop
}

func fetch(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
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

// demoCodes asks for the code of the one account that begins enrolled.
func demoCodes(t *testing.T, facts demoFacts) {
	t.Helper()
	enrolled := 0
	for _, a := range facts.Accounts {
		if a.TOTPSecret != nil {
			enrolled++
			var out, errs strings.Builder
			if code := run([]string{"demo", "code", "--app", facts.App, a.Username}, strings.NewReader(""), &out, &errs); code != exitOK || len(strings.TrimSpace(out.String())) != 6 {
				t.Errorf("demo code: %d %q %q", code, out.String(), errs.String())
			}
		}
	}
	if enrolled != 3 {
		t.Errorf("%d accounts are enrolled, want 3", enrolled)
	}
}

// TestDemo: one command, addresses and sign-in data, both listeners answer when the facts are there.
func TestDemo(t *testing.T) {
	facts, stop := runDemo(t)
	if status, body := fetch(t, facts.Issuer+"/.well-known/openid-configuration"); status != 200 || !strings.Contains(body, `"issuer":"`+facts.Issuer+`"`) {
		t.Errorf("discovery: %d %s", status, body)
	}
	if status, body := fetch(t, facts.App+"/"); status != 200 || !strings.Contains(body, "Sign in") {
		t.Errorf("app: %d", status)
	}
	if status, body := fetch(t, facts.Issuer+"/demo/mail"); status != 200 || !strings.Contains(body, "No mail yet") {
		t.Errorf("mail: %d", status)
	}
	if len(facts.Accounts) != 6 || len(facts.Clients) != 2 || facts.Clients[0].AuthMethod != "client_secret_basic" || facts.Clients[0].RedirectURIs[0] != facts.App+"/callback" {
		t.Errorf("facts = %+v", facts)
	}
	if a := facts.API; a.ID == "" || len(a.Secret) < 40 || !strings.Contains(a.Scope, "clients:write") || !strings.Contains(a.Scope, "audit:read") {
		t.Errorf("api = %+v", facts.API)
	}
	demoCodes(t, facts)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, facts.Issuer+"/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(facts.Clients[1].ID, facts.Clients[1].Secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("client credentials: %v %v", res, err)
	} else {
		res.Body.Close()
	}
	if out := stop(); !strings.Contains(out, facts.Accounts[0].Password) || !strings.Contains(out, facts.App) || !strings.Contains(out, facts.Issuer+"/demo/mail") {
		t.Errorf("printed: %s", out)
	}
}

// TestDemoOnRedis: an empty Redis is seeded, the demo's own is gone on with, any other is refused and left alone.
func TestDemoOnRedis(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	first, stop := runDemo(t, "--redis", "redis://"+addr)
	stop()
	second, stop := runDemo(t, "--redis", "redis://"+addr+"/0")
	stop()
	if first.Accounts[0].Password != second.Accounts[0].Password {
		t.Errorf("the second run has other passwords")
	}
	other, _ := storetest.StartRedis(t)
	if out, err := exec.CommandContext(t.Context(), "redis-cli", "-u", "redis://"+other, "set", "somebody", "else").CombinedOutput(); err != nil {
		t.Fatalf("redis-cli: %v %s", err, out)
	}
	var out, errs strings.Builder
	code := run([]string{"demo", "--listen", "localhost:0", "--app-listen", "localhost:0", "--redis", "redis://" + other}, strings.NewReader(""), &out, &errs)
	if code != exitStore || !strings.Contains(errs.String(), "empty") {
		t.Errorf("a Redis of somebody else: exit code %d, %s", code, errs.String())
	}
	keys, err := exec.CommandContext(t.Context(), "redis-cli", "-u", "redis://"+other, "keys", "*").Output()
	if err != nil || strings.TrimSpace(string(keys)) != "somebody" {
		t.Errorf("it was written to: %s %v", keys, err)
	}
}
