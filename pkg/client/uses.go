// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"time"
)

// Use is when something of a client was last used, and from which address; both may be empty.
type Use struct {
	At   time.Time `json:"at"`
	From string    `json:"from,omitempty"`
}

// UseKey names what was used: a secret of a client by its ID, or, without a secret, the client for a sign-in.
type UseKey struct{ Client, Secret string }

// Uses is when a client was last signed in to, and when each of its secrets was last used, by their IDs.
type Uses struct {
	SignIn  time.Time
	Secrets map[string]Use
}

// UseStore keeps the last use of clients and their secrets. Nodes write down what they saw every few seconds: of two that
// see the same secret at once, either may be kept. Every method may answer authn.ErrUnavailable.
type UseStore interface {
	KeepUses(ctx context.Context, seen map[UseKey]Use) error
	// Uses returns what is known of the clients, by their ids, in one round trip.
	Uses(ctx context.Context, list []*Client) (map[string]Uses, error)
	// TidyUses forgets clients and secrets that are gone.
	TidyUses(ctx context.Context) error
}
