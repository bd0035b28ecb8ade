// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"log/slog"

	"github.com/lychgate/lychgate/providers/places"
)

// places returns what names the town of an address; nil if no database is configured. One that cannot be read shows no
// place, and keeps nobody from signing in.
func (s *Server) places(ctx context.Context) func(string) string {
	if s.cfg.Places == "" {
		return nil
	}
	book, err := places.Open(s.cfg.Places)
	if err != nil {
		s.deps.Log.LogAttrs(ctx, slog.LevelWarn, "no place is shown in messages", slog.String("setting", "places_file"), slog.String("error", err.Error()))
		return nil
	}
	return book.Place
}
