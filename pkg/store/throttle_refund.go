// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/throttle"
)

// Refund implements throttle.Counter.
func (s counter) Refund(ctx context.Context, g ...throttle.Guess) error {
	all, err := s.groups(g)
	if err != nil {
		return fmt.Errorf("refund guess: %w", err)
	}
	for _, gr := range all {
		if _, err := s.run(ctx, "throttle_undo", gr.keys, gr.args...); err != nil {
			return fmt.Errorf("refund guess: %w", err)
		}
	}
	return nil
}
