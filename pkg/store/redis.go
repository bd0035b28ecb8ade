// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/lychgate/lychgate/pkg/authn"
)

// operation is the longest that one round trip may take, whatever hangs.
const operation = 1500 * time.Millisecond

// once is a command that is never sent twice. The driver's retries would charge one guess up to four times when
// replies are lost, and its cluster client retries whatever MaxRetries says.
type once struct{ *redis.Cmd }

// NoRetry implements redis.Cmder.
func (once) NoRetry() bool { return true }

// uncounted marks the context of background work.
type uncounted struct{}

// quiet ends the driver's own log, which goes to standard error past ours; the guard says what is wrong.
//
//nolint:gochecknoglobals // the driver has one logger for the process
var quiet = sync.OnceFunc(func() { redis.SetLogger(&logging.VoidLogger{}) })

// connect makes the client of the mode. No replica is ever read: it may not know yet what was spent.
func (s *Store) connect() redis.UniversalClient {
	quiet()
	c := s.cfg
	o := &redis.UniversalOptions{
		Addrs: c.Addrs, MasterName: c.MasterName, DB: c.DB, TLSConfig: c.TLS,
		Username: c.Username, Password: c.Password, SentinelPassword: c.SentinelPassword,
		Protocol: 2, DisableIdentity: true, MaxRetries: -1, ContextTimeoutEnabled: true,
		DialTimeout: time.Second, DialerRetries: 1, DialerRetryTimeout: time.Millisecond,
		ReadTimeout: 500 * time.Millisecond, WriteTimeout: 500 * time.Millisecond,
		PoolTimeout: time.Second, PoolSize: c.PoolSize, PipelinePoolSize: -1,
		ConnMaxIdleTime:          5 * time.Minute,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		OnConnect:                s.guard.connected,
	}
	var rdb redis.UniversalClient
	switch c.Mode {
	case Cluster:
		co := o.Cluster()
		co.DisableRoutingPolicies = true
		rdb = redis.NewClusterClient(co)
	case Sentinel:
		rdb = redis.NewFailoverClient(o.Failover())
	case Standalone:
		rdb = redis.NewClient(o.Simple())
	}
	rdb.AddHook(tripHook{s})
	return rdb
}

// tripHook counts what is sent for requests.
type tripHook struct{ s *Store }

func (h tripHook) count(ctx context.Context, cmd redis.Cmder) {
	if _, ours := cmd.(once); ours && ctx.Value(uncounted{}) == nil {
		h.s.trips.Add(1)
	}
}

// DialHook implements redis.Hook.
func (tripHook) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (h tripHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		h.count(ctx, cmd)
		return next(ctx, cmd)
	}
}

// ProcessPipelineHook implements redis.Hook.
func (h tripHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if len(cmds) > 0 {
			h.count(ctx, cmds[0])
		}
		return next(ctx, cmds)
	}
}

// cmd is one command with its arguments.
type cmd []any

// do sends the commands in one round trip and returns their answers; nil is a missing value. Only reads may be
// sent together: a pipeline can be torn.
func (s *Store) do(ctx context.Context, cmds ...cmd) ([]any, error) {
	if err := s.gate(); err != nil {
		return nil, err
	}
	out, err := s.send(ctx, cmds)
	if err != nil {
		return nil, s.failed(err)
	}
	return out, nil
}

// send is do without the gate and the classification.
func (s *Store) send(ctx context.Context, cmds []cmd) ([]any, error) {
	ctx, cancel := context.WithTimeout(ctx, operation)
	defer cancel()
	for {
		out, err := s.attempt(ctx, cmds)
		// A slot that is being moved refuses a command on several keys before it does anything.
		if err == nil || !redis.IsTryAgainError(err) {
			return out, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *Store) attempt(ctx context.Context, cmds []cmd) ([]any, error) {
	sent := make([]once, len(cmds))
	for i, c := range cmds {
		sent[i] = once{redis.NewCmd(ctx, c...)}
	}
	if len(sent) == 1 {
		_ = s.rdb.Process(ctx, sent[0]) // the command keeps its error
	} else {
		p := s.rdb.Pipeline()
		for _, c := range sent {
			_ = p.Process(ctx, c) // only queued
		}
		_, _ = p.Exec(ctx) // each command keeps its error
	}
	out := make([]any, len(sent))
	for i, c := range sent {
		v, err := c.Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// failed makes an error of Redis one that callers answer with 503, and has the guard look at once.
func (s *Store) failed(err error) error {
	s.guard.look()
	return fmt.Errorf("%w: %w", authn.ErrUnavailable, err)
}

// run runs a script on the keys of one slot. Where Redis does not know it yet, its text is sent.
func (s *Store) run(ctx context.Context, name string, keys []string, args ...any) (reply, error) {
	if err := s.gate(); err != nil {
		return nil, err
	}
	r, err := s.runUngated(ctx, name, keys, args)
	if err != nil {
		return nil, s.failed(err)
	}
	return r, nil
}

func (s *Store) runUngated(ctx context.Context, name string, keys []string, args []any) (reply, error) {
	sc, ok := s.scripts[name]
	if !ok {
		return nil, fmt.Errorf("no script %s", name)
	}
	c := make(cmd, 0, 3+len(keys)+len(args))
	c = append(c, "evalsha", sc.sha, len(keys))
	for _, k := range keys {
		c = append(c, k)
	}
	c = append(c, args...)
	out, err := s.send(ctx, []cmd{c})
	if err != nil && redis.HasErrorPrefix(err, "NOSCRIPT") {
		c[0], c[1] = "eval", sc.text
		out, err = s.send(ctx, []cmd{c})
	}
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", name, err)
	}
	return parseReply(name, out[0])
}
