// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestRF12DriverOptions is RF-12: no setting leads to replicas, retries or a cache, in any mode. Nothing in Config or
// the configuration file can ask for them, so there is nothing to refuse at the start.
func TestRF12DriverOptions(t *testing.T) {
	for _, mode := range []Mode{Standalone, Sentinel, Cluster} {
		s := &Store{cfg: Config{Mode: mode, Addrs: []string{"127.0.0.1:1"}, MasterName: "m"}}
		s.guard = &guard{s: s}
		rdb := s.connect()
		switch c := rdb.(type) {
		case *redis.Client:
			o := c.Options()
			if o.MaxRetries > 0 || !o.ContextTimeoutEnabled {
				t.Errorf("%s: retries %d, deadlines kept %v", mode, o.MaxRetries, o.ContextTimeoutEnabled)
			}
		case *redis.ClusterClient:
			o := c.Options()
			if o.ReadOnly || o.RouteByLatency || o.RouteRandomly || o.MaxRetries > 0 || !o.ContextTimeoutEnabled {
				t.Errorf("%s: options %+v", mode, o)
			}
		default:
			t.Errorf("%s: %T", mode, rdb)
		}
		if err := rdb.Close(); err != nil {
			t.Error(err)
		}
	}
	if cmd := (once{redis.NewCmd(t.Context(), "incr", "x")}); !cmd.NoRetry() {
		t.Error("a command may be sent twice")
	}
}
