// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// TestClock: a node whose clock is off from that of Redis by more than 10 s serves nothing and says why.
func TestClock(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	for off, ready := range map[time.Duration]bool{0: true, 5 * time.Second: true, 20 * time.Second: false, -20 * time.Second: false} {
		c := config(t, addr)
		c.Now = func() time.Time { return time.Now().Add(off) }
		s, err := store.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		reasons := s.Ready(t.Context())
		if (len(reasons) == 0) != ready || !ready && !strings.Contains(reasons[0].Text, "clocks") {
			t.Errorf("off by %s: %v, want ready %v", off, reasons, ready)
		}
	}
}
