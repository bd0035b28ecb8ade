// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/client"
)

// declaredClaims says whose claims are wanted, and whether for an ID token beside which there is userinfo.
type declaredClaims struct {
	person client.Person
	// idToken takes the scopes alone that say so.
	idToken bool
}

// addDeclared adds the claims of scopes that are declared or built in. It asks the snapshot of the registry, so it costs
// no round trip. What the standard says of a claim stays.
func (p *Provider) addDeclared(ctx context.Context, claims map[string]any, scopes []string, of declaredClaims) error {
	for _, name := range scopes {
		if name == scopeOpenID || name == scopeOffline || claimsOf(name) != nil {
			continue
		}
		s, known, err := p.cfg.Clients.Scope(ctx, name)
		if err != nil {
			return fmt.Errorf("claims of scope: %w", err)
		}
		if !known || (of.idToken && !s.IDToken) {
			continue
		}
		for claim, v := range s.Of(of.person) {
			if _, there := claims[claim]; !there {
				claims[claim] = v
			}
		}
	}
	return nil
}
