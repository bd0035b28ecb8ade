// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

// Registrar returns the store of clients that register themselves.
func (s *Store) Registrar() client.Registrar { return s.registry }

// initial is the key of an initial access token: its keyed hash, in the slot of the registry.
func (r *registry) initial(token string) string {
	return r.s.key.initial(r.s.index.Hash("initial", token))
}

// AddInitial implements client.Registrar.
func (r *registry) AddInitial(ctx context.Context, token string, uses int, life time.Duration) error {
	if err := r.s.gate(); err != nil {
		return err
	}
	if _, err := r.s.do(ctx, cmd{"set", r.initial(token), uses, "px", life.Milliseconds()}); err != nil {
		return fmt.Errorf("store initial access token: %w", err)
	}
	return nil
}

// Register implements client.Registrar. This node sees the client at once, others within a second.
func (r *registry) Register(ctx context.Context, token string, c *client.Client) error {
	if token == "" {
		return r.PutClient(ctx, c)
	}
	sealed, err := r.sealClient(c)
	if err != nil {
		return err
	}
	k := r.s.key
	if err := r.change(ctx, "register", []string{k.version(), k.clients(), r.initial(token)}, c.ID, sealed); err != nil {
		return fmt.Errorf("register client: %w", err)
	}
	return nil
}

// Used implements client.Registrar.
func (r *registry) Used(ctx context.Context, days map[string]int64) error {
	if err := r.s.gate(); err != nil || len(days) == 0 {
		return err
	}
	set := cmd{"hset", r.s.key.used()}
	for id, day := range days {
		set = append(set, id, day)
	}
	if _, err := r.s.do(ctx, set); err != nil {
		return fmt.Errorf("keep the use of clients: %w", err)
	}
	return nil
}

// LastUsed implements client.Registrar.
func (r *registry) LastUsed(ctx context.Context) (map[string]int64, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the use of clients: %w", err)
	}
	out, err := r.s.do(ctx, cmd{"hgetall", r.s.key.used()})
	if err != nil {
		return nil, fmt.Errorf("read the use of clients: %w", err)
	}
	last, gone := map[string]int64{}, cmd{"hdel", r.s.key.used()}
	for id, text := range pairs(out[0]) {
		day, err := number(text)
		if _, there := snap.clients[id]; !there || err != nil {
			gone = append(gone, id)
			continue
		}
		last[id] = day
	}
	if len(gone) > 2 {
		if _, err := r.s.do(ctx, gone); err != nil {
			return nil, fmt.Errorf("forget the use of clients: %w", err)
		}
	}
	return last, nil
}
