// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
)

// consents implements grant.Consents.
type consents struct{ *Store }

// maxScopes bounds what is kept for one client.
const maxScopes = 100

// Allow implements grant.Consents.
func (s consents) Allow(ctx context.Context, a authn.Account, clientID string, scopes []string) error {
	if clientID == "" {
		return fmt.Errorf("allow: client: %w", errInput)
	}
	tag := s.index.Tag(a.ID)
	args := []any{a.ID, clientID, maxScopes}
	for _, sc := range scopes {
		if sc == "" || len(sc) > 256 || strings.ContainsAny(sc, " \t\r\n\v\f") {
			return fmt.Errorf("allow: scope: %w", errInput)
		}
		args = append(args, sc)
	}
	r, err := s.run(ctx, "consent_allow", []string{s.key.acct(tag), s.key.con(tag)}, args...)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("allow: %w", err)
	}
	return nil
}

// consented reads the scopes of one field of lg:{T}:con. What is broken was not allowed.
func consented(v string) []string {
	_, scopes, ok := strings.Cut(v, "|")
	if !ok {
		return nil
	}
	f := strings.Fields(scopes)
	if len(f) == 0 {
		return nil
	}
	return f
}
