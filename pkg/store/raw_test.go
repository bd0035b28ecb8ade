// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// raw is a client beside the store, for looking in and breaking things.
func raw(tb testing.TB, addr string) *redis.Client {
	tb.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: 2, DisableIdentity: true})
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

// rawDump is every key with everything it holds.
func rawDump(t *testing.T, keys []string, addr string) string {
	t.Helper()
	c, ctx := raw(t, addr), t.Context()
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k + "\n")
		switch kind := c.Type(ctx, k).Val(); kind {
		case "string":
			b.WriteString(c.Get(ctx, k).Val() + "\n")
		case "hash":
			for f, v := range c.HGetAll(ctx, k).Val() {
				fmt.Fprintf(&b, "%s %s\n", f, v)
			}
		case "zset":
			fmt.Fprintln(&b, c.ZRange(ctx, k, 0, -1).Val())
		default:
			t.Fatalf("%s is a %s", k, kind)
		}
	}
	return b.String()
}
