// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/seal"
)

// pushed implements flow.PushedStore.
type pushed struct{ *Store }

// pushedSecret is the size of an id in bytes.
const pushedSecret = 32

// pushedKey is where the request of an id is kept; an id that cannot be one is gone.
func (s pushed) pushedKey(id string) (string, error) {
	b, err := seal.Decode(id, pushedSecret)
	if err != nil {
		return "", authn.ErrGone
	}
	return s.key.pushed(s.index.HashTag("par", string(b))), nil
}

// Push implements flow.PushedStore. The record outlives the time for opening by that of a flow: what was opened in time
// is spent at the answer.
func (s pushed) Push(ctx context.Context, q *flow.Request, life time.Duration) (string, error) {
	b, err := s.random(pushedSecret)
	if err != nil {
		return "", fmt.Errorf("push request: %w", err)
	}
	id := seal.Encode(b)
	key, err := s.pushedKey(id)
	if err != nil {
		return "", fmt.Errorf("push request: %w", err)
	}
	sealed, err := s.sealJSON("par", key, q)
	if err != nil {
		return "", fmt.Errorf("push request: %w", err)
	}
	out, err := s.do(ctx, cmd{"set", key, sealed, "px", (life + s.cfg.Lifetimes.FlowLife).Milliseconds(), "nx"})
	if err != nil {
		return "", fmt.Errorf("push request: %w", err)
	}
	if out[0] == nil {
		return "", fmt.Errorf("push request: %w", authn.ErrConflict)
	}
	return id, nil
}

// Pushed implements flow.PushedStore. The store's clock decides.
func (s pushed) Pushed(ctx context.Context, id string) (*flow.Request, error) {
	key, err := s.pushedKey(id)
	if err != nil {
		return nil, fmt.Errorf("pushed request: %w", err)
	}
	out, err := s.do(ctx, cmd{"get", key}, cmd{"pttl", key})
	if err != nil {
		return nil, fmt.Errorf("pushed request: %w", err)
	}
	left, _ := out[1].(int64)
	if value(out[0]) == "" || left <= s.cfg.Lifetimes.FlowLife.Milliseconds() {
		return nil, fmt.Errorf("pushed request: %w", authn.ErrGone)
	}
	q := &flow.Request{}
	if err := s.openJSON("par", key, value(out[0]), q); err != nil {
		return nil, fmt.Errorf("pushed request: %w", err)
	}
	q.Pushed = id
	return q, nil
}

// Spend implements flow.PushedStore.
func (s pushed) Spend(ctx context.Context, id string) error {
	key, err := s.pushedKey(id)
	if err != nil {
		return fmt.Errorf("spend pushed request: %w", err)
	}
	out, err := s.do(context.WithoutCancel(ctx), cmd{"unlink", key})
	if err != nil {
		return fmt.Errorf("spend pushed request: %w", err)
	}
	if n, _ := out[0].(int64); n != 1 {
		return fmt.Errorf("spend pushed request: %w", authn.ErrGone)
	}
	return nil
}
