// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net"
	"time"
)

const (
	// lookupPatience is how long DNS is waited for, so that a page that waits for it is still answered in time.
	lookupPatience = 1500 * time.Millisecond
	// maxLookups are under way at once on a node.
	maxLookups = 8
)

// lookupTXT asks DNS. A question waits for its turn within the same patience.
func lookupTXT(deps Deps) func(context.Context, string) ([]string, error) {
	ask, turns := deps.LookupTXT, make(chan struct{}, maxLookups)
	if ask == nil {
		ask = func(ctx context.Context, name string) ([]string, error) {
			// The dot at the end keeps the machine's search domains out of it.
			return net.DefaultResolver.LookupTXT(ctx, name+".")
		}
	}
	return func(ctx context.Context, name string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, lookupPatience)
		defer cancel()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
			return ask(ctx, name)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
