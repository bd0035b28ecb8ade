// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/oidc"
)

// tidyEvery is how often a node keeps the use of clients and looks for unused ones.
const tidyEvery = 10 * time.Minute

// tidy keeps TidyClients going.
func (s *Server) tidy(ctx context.Context) {
	t := time.NewTicker(tidyEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := s.TidyClients(ctx); err != nil {
				s.deps.Log.LogAttrs(ctx, slog.LevelWarn, "use of clients not kept", slog.String("error", err.Error()))
			}
		}
	}
}

// TidyClients keeps which clients were used at this node, and removes those that registered themselves and were not used
// for 30 days anywhere: strangers must not fill the registry for good. Others are never removed.
func (s *Server) TidyClients(ctx context.Context) error {
	if err := s.store.Registrar().Used(ctx, s.engine.Used()); err != nil {
		return fmt.Errorf("tidy clients: %w", err)
	}
	last, err := s.store.Registrar().LastUsed(ctx)
	if err != nil {
		return fmt.Errorf("tidy clients: %w", err)
	}
	all, err := s.store.Clients().Clients(ctx)
	if err != nil {
		return fmt.Errorf("tidy clients: %w", err)
	}
	since := oidc.UnusedSince(s.deps.Now())
	for _, c := range all {
		if c.Dynamic == nil || oidc.Day(c.Dynamic.Issued) >= since || last[c.ID] >= since {
			continue
		}
		if err := s.store.Clients().RemoveClient(ctx, c.ID); err != nil && !errors.Is(err, authn.ErrNotFound) {
			return fmt.Errorf("tidy clients: %w", err)
		}
		s.events.Event(ctx, audit.ClientRemoved, slog.String("client", c.ID), slog.String("detail", "unused for 30 days"))
	}
	return nil
}
