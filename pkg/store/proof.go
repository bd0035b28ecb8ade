// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/grant"
)

// proofs implements grant.Proofs.
type proofs struct{ *Store }

// Spend implements grant.Proofs.
func (s proofs) Spend(ctx context.Context, issuer, id string, life time.Duration) error {
	key := s.key.proof(s.index.HashTag("jti", issuer, id))
	out, err := s.do(ctx, cmd{"set", key, "1", "px", max(1, life.Milliseconds()), "nx"})
	if err != nil {
		return fmt.Errorf("record proof: %w", err)
	}
	if out[0] == nil {
		return fmt.Errorf("record proof: %w", grant.ErrReplay)
	}
	return nil
}
