// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

func TestContractMiniredis(t *testing.T) {
	storetest.Run(t, func(t *testing.T, o storetest.Options) *storetest.Stores {
		t.Helper()
		s, e := mini(t, func(c *store.Config) { with(c, o) })
		st := stores(s, e.Now)
		st.FastForward = e.Advance
		return st
	})
}

func TestContractRedis(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	storetest.Run(t, func(t *testing.T, o storetest.Options) *storetest.Stores {
		t.Helper()
		c := config(t, addr)
		with(&c, o)
		return stores(opened(t, c), time.Now)
	})
}

func TestContractCluster(t *testing.T) {
	addrs := storetest.StartCluster(t)
	storetest.Run(t, func(t *testing.T, o storetest.Options) *storetest.Stores {
		t.Helper()
		c := config(t, addrs...)
		c.Mode = store.Cluster
		with(&c, o)
		return stores(opened(t, c), time.Now)
	})
}
