// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
)

// Lookup implements grant.Store. For the jti of a JWT, Expires and Issued are zero: they stand in the JWT.
func (s grants) Lookup(ctx context.Context, text string) (grant.Live, error) {
	prefix := prefixAccess
	if strings.HasPrefix(text, prefixRefresh) {
		prefix = prefixRefresh
	}
	t, err := s.openToken(prefix, text)
	if err != nil {
		return grant.Live{}, fmt.Errorf("look up token: %w", s.handleError(err))
	}
	l, err := s.lookup(ctx, prefix, t)
	if err != nil {
		return grant.Live{}, fmt.Errorf("look up token: %w", err)
	}
	return l, nil
}

// unknownLost is a token that is refused because a record behind it is broken.
func unknownLost(err error) error { return fmt.Errorf("%w: %w", grant.ErrUnknown, err) }

func (s grants) lookup(ctx context.Context, prefix string, t token) (grant.Live, error) {
	keys := t.keys(s.key)
	out, err := s.do(ctx, cmd{"get", keys[3]}, cmd{"get", keys[2]}, hmget(keys[1], "cid", "ep", "n", "off", "ro", "mx", "st"),
		cmd{"pttl", keys[1]}, hmget(keys[0], acctFields()...), cmd{"get", s.key.prof(t.tag)})
	if err != nil {
		return grant.Live{}, err
	}
	control := list(out[2])
	if value(out[1]) == "" || control.text(0) == "" || control.text(6) != "1" {
		return grant.Live{}, grant.ErrUnknown
	}
	g, err := s.openGrant(t, value(out[1]))
	if err != nil {
		return grant.Live{}, unknownLost(err)
	}
	if g.ClientID != control.text(0) {
		return grant.Live{}, unknownLost(authn.ErrLost)
	}
	l := grant.Live{Grant: g.Grant, Scopes: g.Scopes}
	if g.AccountID != "" {
		if err := s.livePerson(&l, g, control, out[4:]); err != nil {
			return grant.Live{}, err
		}
	}
	if prefix == prefixRefresh {
		return l, s.liveRefresh(&l, t, control, out[3])
	}
	return l, s.liveAccess(&l, t, value(out[0]))
}

// livePerson checks the account behind a grant: active, and in the epoch that the grant was made in.
func (s grants) livePerson(l *grant.Live, g storedGrant, control reply, out []any) error {
	a, err := s.readAccount(list(out[0]), 0)
	if err != nil {
		return unknownLost(err)
	}
	ep, err := number(control.text(1))
	if err != nil {
		return unknownLost(err)
	}
	if a.ID != g.AccountID {
		return unknownLost(authn.ErrLost)
	}
	if a.State != authn.Active || a.Epoch != ep || a.Epoch != g.epoch {
		return grant.ErrUnknown
	}
	if l.Profile, err = s.addProfile(&a, value(out[1])); err != nil {
		return unknownLost(err)
	}
	l.Account = a
	return nil
}

func (s grants) liveAccess(l *grant.Live, t token, sealed string) error {
	l.Kind = grant.KindAccess
	if t.isJWT() {
		return nil
	}
	if sealed == "" {
		return grant.ErrUnknown
	}
	b, err := s.open("access", s.key.access(t.tag, t.gidText(), t.aidText()), sealed)
	if err != nil {
		return unknownLost(err)
	}
	o, err := decodeOverlay(b)
	if err != nil {
		return unknownLost(err)
	}
	if o.narrowed {
		l.Scopes = o.scopes
	}
	l.Issued, l.Expires = o.issued, o.issued.Add(o.life)
	if !l.Grant.Ends.IsZero() && l.Grant.Ends.Before(l.Expires) {
		l.Expires = l.Grant.Ends
	}
	return nil
}

// liveRefresh: the generation in force, or one ahead of a record that lost writes.
func (s grants) liveRefresh(l *grant.Live, t token, control reply, left any) error {
	l.Kind = grant.KindRefresh
	n, err := number(control.text(2))
	if err != nil || control.text(3) != "1" {
		return grant.ErrUnknown
	}
	if int64(t.n) < n || control.text(4) != "1" && int64(t.n) != n {
		return grant.ErrUnknown
	}
	ms, _ := left.(int64)
	l.Issued = l.Grant.RequestedAt
	l.Expires = s.now().Add(time.Duration(ms) * time.Millisecond)
	return nil
}
