// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"log/slog"
	"time"
)

// usesEvery is how often a node writes down which clients and secrets it has seen used, usesTidyEvery how often it forgets
// those that are gone. Nothing waits for either.
const (
	usesEvery     = 10 * time.Second
	usesTidyEvery = time.Hour
)

// keepUses keeps FlushUses going, and does it a last time at the end.
func (s *Server) keepUses(ctx context.Context) {
	t, tidy := time.NewTicker(usesEvery), time.NewTicker(usesTidyEvery)
	defer t.Stop()
	defer tidy.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_ = s.FlushUses(last) // the node ends, with or without it
			return
		case <-t.C:
			err = s.FlushUses(ctx)
		case <-tidy.C:
			err = s.store.ClientUses().TidyUses(ctx)
		}
		if err != nil {
			s.deps.Log.LogAttrs(ctx, slog.LevelWarn, "last use of clients not kept", slog.String("error", err.Error()))
		}
	}
}

// FlushUses writes down which clients and secrets this node has seen used. What cannot be written is dropped: the next use
// says the same.
func (s *Server) FlushUses(ctx context.Context) error {
	return s.store.ClientUses().KeepUses(ctx, s.engine.TakeUses())
}
