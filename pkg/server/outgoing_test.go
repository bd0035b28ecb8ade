// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/outgoing"
)

// TestOutgoingSettings: the settings name what of our own network may be asked, and who vouches for it.
func TestOutgoingSettings(t *testing.T) {
	source := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }))
	defer source.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: source.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	deps := Deps{Now: time.Now}
	for name, tt := range map[string]struct {
		cfg  config.Config
		want error
	}{
		"both":          {config.Config{OutgoingAllow: []string{source.Listener.Addr().String()}, OutgoingCAFile: file}, nil},
		"a range":       {config.Config{OutgoingAllow: []string{"127.0.0.0/8"}, OutgoingCAFile: file}, nil},
		"no authority":  {config.Config{OutgoingAllow: []string{"127.0.0.0/8"}}, outgoing.ErrAway},
		"not allowed":   {config.Config{OutgoingCAFile: file}, outgoing.ErrAddress},
		"another range": {config.Config{OutgoingAllow: []string{"10.0.0.0/8"}, OutgoingCAFile: file}, outgoing.ErrAddress},
	} {
		c, err := newOutgoing(tt.cfg, deps)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := c.Fetch(t.Context(), source.URL); !errors.Is(err, tt.want) {
			t.Errorf("%s: Fetch() = %v, want %v", name, err, tt.want)
		}
	}
	for name, bad := range map[string]config.Config{
		"outgoing_allow:": {OutgoingAllow: []string{"x"}}, "outgoing_ca_file: open": {OutgoingCAFile: filepath.Join(t.TempDir(), "none")},
		"outgoing_ca_file: no certificate": {OutgoingCAFile: empty},
	} {
		if _, err := newOutgoing(bad, deps); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("newOutgoing() = %v, want %s", err, name)
		}
	}
}
