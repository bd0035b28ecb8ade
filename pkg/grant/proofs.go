// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"context"
	"time"
)

// Proofs remembers the ids of signed statements that count once (RFC 7519 §4.1.7, RFC 7523 §3).
type Proofs interface {
	// Spend records that a statement of issuer with this id was used, for life, in one round trip: of any number of
	// calls on any nodes one answers nil and all others ErrReplay. Ask last, when everything else about the statement is
	// right: a refused one must not use an id up. It may answer authn.ErrUnavailable; nothing was accepted then.
	Spend(ctx context.Context, issuer, id string, life time.Duration) error
}
