// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"
)

// Waiting is what an admin has asked for and that is not done yet.
type Waiting struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// AskReset keeps w for life under an account, or returns what was asked for before: first is false then.
func (s *Store) AskReset(ctx context.Context, accountID string, w Waiting, life time.Duration) (standing Waiting, first bool, err error) {
	key := s.key.reset(s.index.Tag(accountID))
	sealed, err := s.sealJSON("reset", key, w)
	if err != nil {
		return Waiting{}, false, fmt.Errorf("ask for reset: %w", err)
	}
	out, err := s.do(ctx, cmd{"set", key, sealed, "px", life.Milliseconds(), "nx", "get"})
	if err != nil {
		return Waiting{}, false, fmt.Errorf("ask for reset: %w", err)
	}
	if value(out[0]) == "" {
		return w, true, nil
	}
	if err := s.openJSON("reset", key, value(out[0]), &standing); err != nil {
		return Waiting{}, false, fmt.Errorf("ask for reset: %w", err)
	}
	return standing, false, nil
}

// AskedReset returns what was asked for; asked is false if nothing was.
func (s *Store) AskedReset(ctx context.Context, accountID string) (standing Waiting, asked bool, err error) {
	key := s.key.reset(s.index.Tag(accountID))
	out, err := s.do(ctx, cmd{"get", key})
	if err != nil {
		return Waiting{}, false, fmt.Errorf("asked reset: %w", err)
	}
	if value(out[0]) == "" {
		return Waiting{}, false, nil
	}
	if err := s.openJSON("reset", key, value(out[0]), &standing); err != nil {
		return Waiting{}, false, fmt.Errorf("asked reset: %w", err)
	}
	return standing, true, nil
}

// DropReset forgets what was asked for.
func (s *Store) DropReset(ctx context.Context, accountID string) error {
	if _, err := s.do(ctx, cmd{"unlink", s.key.reset(s.index.Tag(accountID))}); err != nil {
		return fmt.Errorf("drop reset: %w", err)
	}
	return nil
}
