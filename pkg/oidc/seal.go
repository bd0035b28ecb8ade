// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// seal signs claims for a client by its algorithm.
func (p *Provider) seal(_ context.Context, c *client.Client, typ keys.Typ, claims []byte) (string, error) {
	return p.cfg.Keys.Sign(c.Alg(), typ, claims)
}
