// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
)

// standings implements grant.Standings.
type standings struct{ *Store }

// Standings shows and ends the access of apps.
func (s *Store) Standings() grant.Standings { return standings{s} }

// found is a living grant with where it is kept.
type found struct {
	storedGrant
	control, grant string
}

// living reads the grants of an account that are in force, in two round trips.
func (s standings) living(ctx context.Context, a authn.Account) ([]found, error) {
	tag := s.index.Tag(a.ID)
	out, err := s.do(ctx, cmd{"zrange", s.key.grants(tag), 0, -1})
	if err != nil || len(list(out[0])) == 0 {
		return nil, err
	}
	var cmds []cmd
	for i := range list(out[0]) {
		cmds = append(cmds, cmd{"get", s.key.grant(tag, list(out[0]).text(i))})
	}
	values, err := s.do(ctx, cmds...)
	if err != nil {
		return nil, err
	}
	var all []found
	for i, v := range values {
		gid := list(out[0]).text(i)
		if value(v) == "" {
			continue
		}
		key := s.key.grant(tag, gid)
		b, err := s.open("grant", key, value(v))
		if err != nil {
			return nil, err
		}
		g, err := decodeGrant(b)
		if err != nil {
			return nil, err
		}
		if g.AccountID == a.ID && g.epoch == a.Epoch {
			all = append(all, found{g, s.key.control(tag, gid), key})
		}
	}
	return all, nil
}

// List implements grant.Standings.
func (s standings) List(ctx context.Context, a authn.Account) ([]grant.Standing, error) {
	grants, err := s.living(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	out, err := s.do(ctx, cmd{"hgetall", s.key.con(s.index.Tag(a.ID))})
	if err != nil {
		return nil, fmt.Errorf("list apps: %w", err)
	}
	by := map[string]*grant.Standing{}
	at := func(id string) *grant.Standing {
		if by[id] == nil {
			by[id] = &grant.Standing{ClientID: id}
		}
		return by[id]
	}
	for id, v := range pairs(out[0]) {
		at(id).Scopes = consented(v)
	}
	for _, g := range grants {
		st := at(g.ClientID)
		for _, sc := range g.Scopes {
			if !slices.Contains(st.Scopes, sc) {
				st.Scopes = append(st.Scopes, sc)
			}
		}
		if st.Since.IsZero() || g.RequestedAt.Before(st.Since) {
			st.Since = g.RequestedAt
		}
		st.Offline = st.Offline || g.offline
	}
	var all []grant.Standing
	for _, st := range by {
		all = append(all, *st)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ClientID < all[j].ClientID })
	return all, nil
}

// Withdraw implements grant.Standings. The index may name fewer grants than live when one is issued meanwhile, so it is
// read again until nothing is left.
func (s standings) Withdraw(ctx context.Context, a authn.Account, clientID string) error {
	tag := s.index.Tag(a.ID)
	if _, err := s.do(ctx, cmd{"hdel", s.key.con(tag), clientID}); err != nil {
		return fmt.Errorf("withdraw app: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	for range 3 {
		grants, err := s.living(ctx, a)
		if err != nil {
			return fmt.Errorf("withdraw app: %w", err)
		}
		unlink := cmd{"unlink"}
		for _, g := range grants {
			if g.ClientID == clientID {
				unlink = append(unlink, g.control, g.grant)
			}
		}
		if len(unlink) == 1 {
			return nil
		}
		if _, err := s.do(ctx, unlink); err != nil {
			return fmt.Errorf("withdraw app: %w", err)
		}
	}
	return fmt.Errorf("withdraw app: it signs in faster than it can be ended: %w", authn.ErrUnavailable)
}
