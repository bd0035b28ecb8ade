// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package logout tells apps that a session has ended (OpenID Connect Back-Channel Logout 1.0). What is to be told waits
// in a queue and is sent by whichever node comes first: an app that is away or hangs holds up neither the person nor any
// other app. It knows neither Redis nor HTTP nor how a logout token is made.
package logout

import (
	"context"
	"errors"
	"time"
)

// Entry is one session that one app is to be told of, lent to this node.
type Entry struct {
	// ID names the entry; what stands before its dot names the client, as the queue knows it.
	ID                       string
	ClientID, AccountID, SID string
	// Failures counts the tries that failed.
	Failures int
}

// ErrNobody: the app of an entry is gone, disabled, or does not ask to be told any more.
var ErrNobody = errors.New("nobody to tell")

// Queue keeps entries until they are sent or given up. Every failure of the store wraps authn.ErrUnavailable.
type Queue interface {
	// Claim lends at most n due entries to the caller. Until the lease ends, or Free, nobody else gets an entry of the
	// same client: one flight to each app at a time, over all nodes. An entry whose session lives is not lent: it was
	// written just before an end that never came, and goes after a minute.
	Claim(ctx context.Context, n int, lease time.Duration) ([]Entry, error)
	// Done takes an entry out, sent or given up.
	Done(ctx context.Context, e Entry) error
	// Failed gives an entry back after a try that failed, due after wait; Return does so without a try.
	Failed(ctx context.Context, e Entry, wait time.Duration) error
	Return(ctx context.Context, e Entry, wait time.Duration) error
	// Free ends the lease on the client of e.
	Free(ctx context.Context, e Entry) error
}

// Waits returns the times between the tries (decisions.md); after the last of them an entry is given up.
func Waits() []time.Duration { return []time.Duration{time.Minute, 5 * time.Minute, 30 * time.Minute} }
