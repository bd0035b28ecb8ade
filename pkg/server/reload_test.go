// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestReload: SIGHUP applies what it can, names the rest, and a configuration with problems changes nothing.
func TestReload(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Log: &log})
	b := p.Browser(t)
	foot := func() string { return b.Get(t, "/nothing").Find("footer").Text() }
	if got := foot(); !strings.Contains(got, "help@idp.example") {
		t.Fatalf("foot = %q", got)
	}
	cfg := p.Config()
	cfg.Help.Email, cfg.Listen = "other@idp.example", ":1"
	p.Node.Reload(t.Context(), config.Config{}, errors.New("line 1: wrong"))
	if got := foot(); !strings.Contains(got, "help@idp.example") || !strings.Contains(log.String(), "nothing changed") {
		t.Errorf("a bad configuration changed something: %q", got)
	}
	p.Node.Reload(t.Context(), cfg, nil)
	if got := foot(); !strings.Contains(got, "other@idp.example") {
		t.Errorf("foot = %q after the reload", got)
	}
	if !strings.Contains(log.String(), `"needs_restart":["listen"]`) {
		t.Errorf("the log does not name what needs a restart")
	}
}
