// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Reason says why the store is not ready, and what to do.
type Reason struct{ Text, Remedy string }

// health is what the guard found last. It is replaced, never changed.
type health struct {
	reasons []Reason
	// epoch is bound to every handle; a new one makes all older handles void.
	epoch uint64
}

// Ready returns why the store is not ready; empty: it is. It answers from what the guard found last.
func (s *Store) Ready(context.Context) []Reason { return s.health.Load().reasons }

// gate refuses at once while the store is not ready, without asking Redis.
func (s *Store) gate() error {
	if r := s.health.Load().reasons; len(r) > 0 {
		return fmt.Errorf("%w: %s", authn.ErrUnavailable, r[0].Text)
	}
	return nil
}

func (s *Store) epoch() uint64 { return s.health.Load().epoch }

// guard looks whether the server is one to rely on: at start, every CheckEvery, every 500 ms while it is not, and
// at once after a failure.
type guard struct {
	s    *Store
	wake chan struct{}
	// told says that the log was told of an outage, so that it is told of the end; check alone uses it.
	told bool

	mu sync.Mutex
	// known is the identity this process saw first.
	known identity
	// servers are the run ids of the masters seen; a new one after the first check means lost writes are possible.
	servers map[string]bool
	started bool
	// loaded are the run ids of the servers that know the scripts.
	loaded map[string]bool
	// quarantine ends at until; no time step up to floor is accepted before.
	until time.Time
	floor int64
}

const recheck = 500 * time.Millisecond

// look has the guard check now.
func (g *guard) look() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *guard) watch(ctx context.Context) {
	for {
		every := g.s.cfg.CheckEvery
		if len(g.s.health.Load().reasons) > 0 {
			every = recheck
		}
		t := time.NewTimer(every)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		case <-g.wake:
			t.Stop()
		}
		g.check(ctx)
		// A server that fails every request must not be asked without a pause.
		pause := time.NewTimer(recheck / 5)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// check finds out whether the store is ready and says so in the log when that changes.
func (g *guard) check(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, operation)
	defer cancel()
	epoch, reasons := g.examine(ctx)
	before := g.s.health.Load()
	if epoch == 0 {
		epoch = before.epoch
	}
	g.s.health.Store(&health{reasons: reasons, epoch: epoch})
	switch {
	case len(reasons) > 0 && (len(before.reasons) == 0 || before.reasons[0] != reasons[0]):
		for _, r := range reasons {
			g.s.cfg.Log.LogAttrs(ctx, slog.LevelError, "store not ready", slog.String("reason", r.Text), slog.String("remedy", r.Remedy))
		}
		g.told = true
	case len(reasons) == 0 && g.told:
		g.told = false
		g.s.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "store ready")
	}
}

func (g *guard) examine(ctx context.Context) (uint64, []Reason) {
	var mu sync.Mutex
	var reasons []Reason
	err := g.s.masters(ctx, func(ctx context.Context, c *redis.Client) error {
		found, err := g.server(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		reasons = append(reasons, found...)
		return err
	})
	if err != nil {
		return 0, []Reason{away(err)}
	}
	if len(reasons) > 0 {
		return 0, reasons
	}
	epoch, reasons, err := g.identify(ctx)
	if err != nil {
		return 0, []Reason{away(err)}
	}
	if len(reasons) == 0 {
		g.mu.Lock()
		g.started = true
		g.mu.Unlock()
	}
	return epoch, reasons
}

func away(err error) Reason {
	return Reason{"redis does not answer: " + err.Error(), "start Redis, or set its address, user and password in the configuration"}
}

// server checks one master.
func (g *guard) server(ctx context.Context, c *redis.Client) ([]Reason, error) {
	if g.s.cfg.Embedded {
		if err := c.Ping(ctx).Err(); err != nil {
			return nil, fmt.Errorf("ping: %w", err)
		}
		g.loadScripts(ctx, c, "embedded")
		return nil, nil
	}
	p := c.Pipeline()
	sections := []*redis.StringCmd{p.Info(ctx, "server"), p.Info(ctx, "memory"), p.Info(ctx, "persistence"), p.Info(ctx, "replication")}
	before, clock := g.s.now(), p.Time(ctx)
	if _, err := p.Exec(ctx); err != nil {
		return nil, fmt.Errorf("read the server's state: %w", err)
	}
	off := offBy(clock.Val(), before, g.s.now())
	info := map[string]string{}
	for _, s := range sections {
		parseInfo(info, s.Val())
	}
	var out []Reason
	where := " on " + c.Options().Addr
	if p := info["maxmemory_policy"]; p != "noeviction" {
		out = append(out, Reason{
			fmt.Sprintf("maxmemory-policy is %q%s: Redis would throw away sessions and guess counters when it is full", p, where),
			"set maxmemory-policy noeviction in redis.conf (managed services: in the parameter group)",
		})
	}
	if g.s.cfg.RequirePersistence && info["aof_enabled"] != "1" {
		out = append(out, Reason{
			"the append-only file is off" + where + ": a restart would lose accounts and second factors",
			"set appendonly yes in redis.conf, or redis.require_persistence: false in the configuration",
		})
	}
	if info["role"] != "master" {
		out = append(out, Reason{
			fmt.Sprintf("the server is a %s%s", info["role"], where),
			"name the primary, or set mode sentinel or cluster",
		})
	}
	if info["loading"] == "1" {
		out = append(out, Reason{"Redis is loading its data" + where, "wait until it has finished"})
	}
	if off > warnClock {
		g.s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "clocks differ", slog.Duration("by", off), slog.String("server", c.Options().Addr))
	}
	if off > worstClock {
		out = append(out, Reason{
			fmt.Sprintf("the clocks of this node and of Redis differ by %s%s: codes and ages would be counted wrong", off.Round(time.Second), where),
			"keep both in time by NTP",
		})
	}
	if len(out) == 0 {
		g.saw(info["run_id"])
		g.loadScripts(ctx, c, info["run_id"])
	}
	return out, nil
}

// A node may be off from Redis by warnClock without a word, by worstClock without refusing to serve.
const (
	warnClock  = 2 * time.Second
	worstClock = 10 * time.Second
)

// offBy is how far at is from the time between before and after, in which it was read.
func offBy(at, before, after time.Time) time.Duration {
	return max(before.Sub(at), at.Sub(after), 0)
}

// loadScripts makes the scripts known to a server, so that the first request costs no second round trip. A failure
// is no harm: the text is sent then.
func (g *guard) loadScripts(ctx context.Context, c *redis.Client, runID string) {
	g.mu.Lock()
	known := g.loaded[runID]
	g.mu.Unlock()
	if known {
		return
	}
	p := c.Pipeline()
	for _, sc := range g.s.scripts {
		p.ScriptLoad(ctx, sc.text)
	}
	if _, err := p.Exec(ctx); err != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.loaded == nil {
		g.loaded = map[string]bool{}
	}
	g.loaded[runID] = true
}

// parseInfo adds the lines of an INFO answer to m.
func parseInfo(m map[string]string, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			m[k] = v
		}
	}
}

// masters calls f for every server that takes writes.
func (s *Store) masters(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch c := s.rdb.(type) {
	case *redis.ClusterClient:
		return c.ForEachMaster(ctx, f)
	case *redis.Client:
		return f(ctx, c)
	default:
		return fmt.Errorf("client of unknown kind %T", c)
	}
}
