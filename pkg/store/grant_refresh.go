// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/seal"
)

// Refresh implements grant.Store.
func (s grants) Refresh(ctx context.Context, text, clientID string, a grant.Access, check func(grant.Grant) error) (grant.Issued, error) {
	i, err := s.refresh(ctx, text, clientID, a)
	if err != nil {
		return grant.Issued{}, fmt.Errorf("refresh: %w", err)
	}
	if check != nil {
		if err := check(i.Grant); err != nil {
			// The generation stays: the client may ask again with scopes that it has.
			return grant.Issued{}, errors.Join(err, s.Drop(ctx, i, false))
		}
	}
	return i, nil
}

func (s grants) refresh(ctx context.Context, text, clientID string, a grant.Access) (grant.Issued, error) {
	t, err := s.openToken(prefixRefresh, text)
	if err != nil {
		return grant.Issued{}, s.handleError(err)
	}
	over, err := s.newAccess(&t, a)
	if err != nil {
		return grant.Issued{}, err
	}
	r, err := s.run(ctx, "refresh", t.keys(s.key), clientID, t.n, "", s.guard.grace().Milliseconds(), over,
		a.Life.Milliseconds(), s.idle(a).Milliseconds())
	if err != nil {
		return grant.Issued{}, err
	}
	if r.code() != done {
		return grant.Issued{}, grantError(r.code())
	}
	n := r.num(1)
	if n < 0 || n > math.MaxUint32 {
		return grant.Issued{}, fmt.Errorf("generation: %w", authn.ErrLost)
	}
	t.n = uint32(n)
	i, err := s.issued(t, r.text(2), r.num(4))
	if err != nil {
		return grant.Issued{}, fmt.Errorf("%w: %w", grant.ErrUnknown, err)
	}
	i.Lead = r.num(5)
	return i, nil
}

// IssueClient implements grant.Store.
func (s grants) IssueClient(ctx context.Context, g grant.Grant, a grant.Access) (grant.Issued, error) {
	i, err := s.issueClient(ctx, g, a)
	if err != nil {
		return grant.Issued{}, fmt.Errorf("issue to client: %w", err)
	}
	return i, nil
}

func (s grants) issueClient(ctx context.Context, g grant.Grant, a grant.Access) (grant.Issued, error) {
	if err := s.gate(); err != nil {
		return grant.Issued{}, err
	}
	b, err := s.random(seal.TagSize)
	if err != nil {
		return grant.Issued{}, err
	}
	tag, err := seal.TagText(b)
	if err != nil {
		return grant.Issued{}, err
	}
	t, err := s.newToken(tag)
	if err != nil {
		return grant.Issued{}, err
	}
	over, err := s.newAccess(&t, a)
	if err != nil {
		return grant.Issued{}, err
	}
	i := grant.Issued{Grant: g, AccessLife: a.Life}
	if i.Access, err = s.accessHandle(t); err != nil || !a.Stored {
		return i, err
	}
	g.AccountID = ""
	keys := t.keys(s.key)[1:]
	sealed, err := s.seal("grant", keys[1], encodeGrant(storedGrant{Grant: g}))
	if err != nil {
		return grant.Issued{}, err
	}
	r, err := s.run(ctx, "client_issue", keys, g.ClientID, sealed, over, a.Life.Milliseconds())
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	return i, err
}

// Revoke implements grant.Store.
func (s grants) Revoke(ctx context.Context, text, clientID string, jwt bool) error { //nolint:revive // the interface has it
	prefix, what := prefixAccess, "token"
	if strings.HasPrefix(text, prefixRefresh) {
		prefix, what = prefixRefresh, "grant"
	} else if jwt {
		what = "grant"
	}
	t, err := s.openToken(prefix, text)
	if err != nil {
		if s.gate() != nil {
			return fmt.Errorf("revoke: %w", err)
		}
		return nil // RFC 7009 §2.2: an unknown token is revoked already
	}
	keys := t.keys(s.key)[1:]
	if prefix == prefixRefresh {
		keys[2] = keys[1]
	}
	r, err := s.run(ctx, "revoke", keys, clientID, what)
	if err == nil && r.code() != done {
		err = grantError(r.code())
	}
	if err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	return nil
}

// Drop implements grant.Store. It is done even if the request that asked for the tokens has gone away.
func (s grants) Drop(ctx context.Context, i grant.Issued, wholeGrant bool) error { //nolint:revive // the interface has it
	t, err := s.openToken(prefixAccess, i.Access)
	if err != nil {
		return fmt.Errorf("drop tokens: %w", err)
	}
	keys := t.keys(s.key)
	unlink := cmd{"unlink", keys[3]}
	if wholeGrant {
		unlink = append(unlink, keys[1], keys[2])
	} else if t.isJWT() {
		return nil
	}
	if _, err := s.do(context.WithoutCancel(ctx), unlink); err != nil {
		return fmt.Errorf("drop tokens: %w", err)
	}
	return nil
}
