// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestPlansFollowWhatIsOffered(t *testing.T) {
	apps := staticApps()
	d := discovery{ResponseTypes: []string{"code"}, ResponseModes: []string{"query", "form_post"}, EndSession: "x"}
	got := driverConfig{Plans: plans(d, "a", apps)}.labels()
	want := []string{"config", "basic-static", "formpost-basic-static", "basic-static-totp", "rp-initiated-logout-static"}
	if !slices.Equal(got, want) {
		t.Errorf("static clients, code alone: %v", got)
	}
	d.Registration, d.Backchannel, d.Frontchannel, d.CheckSession = "x", true, true, "x"
	d.ResponseTypes = append(d.ResponseTypes, "id_token", "code id_token")
	got = driverConfig{Plans: plans(d, "a", apps)}.labels()
	for _, name := range []string{
		"basic", "implicit", "formpost-implicit-static", "hybrid", "formpost-hybrid", "rp-initiated-logout", "dynamic",
		"3rdparty-init-login", "backchannel-rp-initiated-logout", "frontchannel-rp-initiated-logout", "session-management",
	} {
		if !slices.Contains(got, name) {
			t.Errorf("%s is missing in %v", name, got)
		}
	}
}

// TestRun starts all of it beside a suite that is never asked, and looks at what a driver would get.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	binary := filepath.Join(dir, "lychgate")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../lychgate").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	// The driver stands for the real one: it copies what it was given.
	driver := filepath.Join(dir, "driver")
	script := "#!/bin/sh\ncp \"$1\" '" + dir + "/seen.json'\necho \"$@\" > '" + dir + "/args'\nexit 3\n"
	if err := os.WriteFile(driver, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	err = dispatch(ctx, []string{
		"-suite", "https://suite.example:8443", "-issuer", "https://" + addr, "-listen", addr, "-binary", binary,
		"-dir", filepath.Join(dir, "run"), "-driver", driver, "-plans", "config,basic-static",
	}, &out)
	if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 3 {
		t.Fatalf("the driver's exit code is ours: %v\n%s", err, out.Bytes())
	}
	var seen driverConfig
	raw, err := os.ReadFile(filepath.Join(dir, "seen.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &seen); err != nil {
		t.Fatal(err)
	}
	if len(seen.Users) != plainPeople+totpPeople || seen.Users[0].TOTP != "" || seen.Users[plainPeople].TOTP == "" {
		t.Errorf("users: %+v", seen.Users)
	}
	if len(seen.Plans) == 0 || seen.OP["discovery"] != "https://"+addr+"/.well-known/openid-configuration" {
		t.Errorf("configuration: %s", raw)
	}
	for _, p := range seen.Plans {
		first, _ := p.Config["client"].(map[string]any)
		static := p.Variant["client_registration"] == "static_client"
		if token, _ := first["initial_access_token"].(string); p.Label != "config" && static == (len(token) > 40) {
			t.Errorf("%s, clients of its own: %v, token %q", p.Label, !static, token)
		}
	}
	if !slices.Contains(seen.labels(), "dynamic") {
		t.Errorf("registration is not open: %v", seen.labels())
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		_ = c.Close()
		t.Error("the provider outlived the run")
	}
	args, _ := os.ReadFile(filepath.Join(dir, "args"))
	if !bytes.Contains(args, []byte("--plan config --plan basic-static")) {
		t.Errorf("arguments: %s", args)
	}
}
