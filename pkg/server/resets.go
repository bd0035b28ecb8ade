// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/store"
)

// resets is the store of resets that wait, as pkg/admin wants it.
type resets struct{ *store.Store }

// AskReset implements admin.Resets.
func (r resets) AskReset(ctx context.Context, accountID string, a admin.Asked, life time.Duration) (admin.Asked, bool, error) {
	w, first, err := r.Store.AskReset(ctx, accountID, store.Waiting(a), life)
	return admin.Asked(w), first, err
}

// AskedReset implements admin.Resets.
func (r resets) AskedReset(ctx context.Context, accountID string) (admin.Asked, bool, error) {
	w, asked, err := r.Store.AskedReset(ctx, accountID)
	return admin.Asked(w), asked, err
}
