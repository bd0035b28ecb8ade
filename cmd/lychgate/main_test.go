// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/lychgate/lychgate/pkg/store/storetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"lychgate": main})
}

// TestCommands runs the command line as a person types it, against a real Redis for each script.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			addr, _ := storetest.StartRedis(t, "--appendonly", "yes", "--appendfsync", "everysec")
			key := "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
			for name, text := range map[string]string{"keys": "1:" + key, "index": key, "pairwise": key, "pepper": key} {
				if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(text+"\n"), 0o600); err != nil {
					return err
				}
			}
			cfg := fmt.Sprintf("issuer: http://localhost:1\nredis:\n  addresses: [%s]\nsecrets:\n  keys_file: keys\n  index_key_file: index\n"+
				"  pairwise_key_file: pairwise\n  pepper_file: pepper\nlog: {level: error}\n", addr)
			env.Setenv("LYCHGATE_CONFIG", "config.yaml")
			env.Setenv("REDIS", addr)
			return os.WriteFile(filepath.Join(env.WorkDir, "config.yaml"), []byte(cfg), 0o600)
		},
	})
}

// TestExitCodes: scripts tell wrong use from a store that is away.
func TestExitCodes(t *testing.T) {
	for _, tt := range []struct {
		args string
		want int
	}{
		{"secret new", exitOK},
		{"nonsense", exitError},
		{"account", exitUsage},
		{"account show", exitUsage},
		{"secret new --nonsense", exitUsage},
		{"secret new --id 0", exitUsage},
		{"account list --config /nowhere.yaml", exitError},
		{"demo --listen 192.0.2.1:1", exitUsage},
	} {
		var out, errs strings.Builder
		if got := run(strings.Fields(tt.args), strings.NewReader(""), &out, &errs); got != tt.want {
			t.Errorf("lychgate %s: exit code %d, want %d (%s)", tt.args, got, tt.want, errs.String())
		}
	}
}
