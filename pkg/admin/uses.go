// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"slices"

	"github.com/lychgate/lychgate/pkg/client"
)

// SecretUses returns when a client was last signed in to, and when each of its secrets was last used, on any node up to a
// few seconds ago. authn.ErrNotFound as for Client.
func (c *Clerk) SecretUses(ctx context.Context, id string) (client.Uses, error) {
	x, err := c.Client(ctx, id)
	if err != nil {
		return client.Uses{}, err
	}
	all, err := c.o.Uses.Uses(ctx, []*client.Client{x})
	return all[id], err
}

// UsesOf returns the same of many clients, by their ids; those that may not be seen are left out.
func (c *Clerk) UsesOf(ctx context.Context, list []*client.Client) (map[string]client.Uses, error) {
	return c.o.Uses.Uses(ctx, slices.DeleteFunc(slices.Clone(list), func(x *client.Client) bool { return !c.within(x.Company) }))
}
