// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/store"
)

func TestConfig(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*store.Config)
		want   string
	}{
		{"no address", func(c *store.Config) { c.Addrs = nil }, "addrs"},
		{"two addresses", func(c *store.Config) { c.Addrs = []string{"a:1", "b:1"} }, "standalone takes one"},
		{"no master name", func(c *store.Config) { c.Mode = store.Sentinel }, "master name"},
		{"cluster with db", func(c *store.Config) { c.Mode, c.DB = store.Cluster, 1 }, "db"},
		{"unknown mode", func(c *store.Config) { c.Mode = "x" }, "mode"},
		{"no ring", func(c *store.Config) { c.Ring = nil }, "lychgate secret new"},
		{"short pepper", func(c *store.Config) { c.Pepper = make([]byte, 31) }, "pepper"},
		{"no index key", func(c *store.Config) { c.IndexKey = nil }, "index key"},
		{"prefix with a tag", func(c *store.Config) { c.Prefix = "lg{x}:" }, "prefix"},
	} {
		cfg := config(t, "127.0.0.1:1")
		c.change(&cfg)
		if _, err := store.Open(t.Context(), cfg); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open() with %s: %v, want an error that names %q", c.name, err, c.want)
		}
	}
	if _, err := store.Open(t.Context(), store.Config{}); err == nil || strings.Count(err.Error(), "\n") < 4 {
		t.Errorf("Open() of nothing: %v, want every problem at once", err)
	}
}
