// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
)

// Start implements admin.Starter: of any number at once one is told that it is the first.
func (s *Store) Start(ctx context.Context) (bool, error) {
	out, err := s.do(ctx, cmd{"set", s.key.started(), "1", "nx"})
	if err != nil {
		return false, fmt.Errorf("mark the store as set up: %w", err)
	}
	return out[0] != nil, nil
}

// Unstart implements admin.Starter.
func (s *Store) Unstart(ctx context.Context) error {
	if _, err := s.do(ctx, cmd{"unlink", s.key.started()}); err != nil {
		return fmt.Errorf("take the mark of the set-up away: %w", err)
	}
	return nil
}
