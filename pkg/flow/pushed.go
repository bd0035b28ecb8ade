// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"context"
	"time"
)

// PushedStore keeps authorization requests that a client sent ahead of the browser (RFC 9126). Every method is one round
// trip and may answer authn.ErrUnavailable.
type PushedStore interface {
	// Push keeps q and returns the id by which it can be opened for life: 43 characters of base64url.
	Push(ctx context.Context, q *Request, life time.Duration) (id string, err error)
	// Pushed opens a request as often as is wanted, so that a page can be loaded again; its Pushed is the id.
	// authn.ErrGone when it is unknown, answered or not to be opened any more.
	Pushed(ctx context.Context, id string) (*Request, error)
	// Spend ends a request when it is answered. A flow that opened it in time has its whole Lifetime for that. Of any
	// number of calls one answers nil, the others authn.ErrGone.
	Spend(ctx context.Context, id string) error
}
