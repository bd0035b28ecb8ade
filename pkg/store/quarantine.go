// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"
)

// step is the length of a TOTP time step (RFC 6238 §4.1).
const step = 30 * time.Second

// connected runs on every new connection before it is used: a server not seen before took over from one whose last
// writes may be lost, so the steps that may have been spent in them are closed first.
func (g *guard) connected(ctx context.Context, cn *redis.Conn) error {
	if g.s.cfg.Embedded {
		return nil
	}
	p := cn.Pipeline()
	server, replication := p.Info(ctx, "server"), p.Info(ctx, "replication")
	if _, err := p.Exec(ctx); err != nil {
		return fmt.Errorf("read the server's run id: %w", err)
	}
	info := map[string]string{}
	parseInfo(info, server.Val())
	parseInfo(info, replication.Val())
	// A replica that is known already must still count as new when it is promoted.
	if info["role"] == "master" {
		g.saw(info["run_id"])
	}
	return nil
}

// saw notes a master, and begins the quarantine if it is new.
func (g *guard) saw(runID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.servers == nil {
		g.servers = map[string]bool{}
	}
	if g.servers[runID] {
		return
	}
	g.servers[runID] = true
	if !g.started || g.s.cfg.Lifetimes.Quarantine < 0 {
		return
	}
	now := g.s.now()
	g.until = now.Add(g.s.cfg.Lifetimes.Quarantine)
	g.floor = now.Unix()/int64(step/time.Second) + 1
}

// floorStep is the last time step that is not accepted; 0: no quarantine.
func (g *guard) floorStep() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.s.now().Before(g.until) {
		return 0
	}
	return g.floor
}

// grace is how long the refresh token before the last one is good: longer after an outage, in which answers were
// lost.
func (g *guard) grace() time.Duration {
	if g.floorStep() > 0 {
		return g.s.cfg.Lifetimes.RefreshOutageGrace
	}
	return g.s.cfg.Lifetimes.RefreshGrace
}
