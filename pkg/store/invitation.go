// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/invitation"
)

// invitations implements invitation.Store: all of a company's are in one slot.
type invitations struct{ *Store }

// Invitations keeps invitations.
func (s *Store) Invitations() invitation.Store { return invitations{s} }

func (s invitations) keys(company string) []string {
	tag := s.index.HashTag("invitations", company)
	return []string{s.key.invited(tag), s.key.invitedAt(tag)}
}

// ID implements invitation.Store.
func (s invitations) ID(company, name string) string {
	return s.index.Hash("invitation", company, name)
}

// read returns an invitation and its sealed form.
func (s invitations) read(ctx context.Context, company, id string) (invitation.Invitation, string, error) {
	key := s.keys(company)[0]
	out, err := s.do(ctx, cmd{"hget", key, id})
	if err != nil {
		return invitation.Invitation{}, "", err
	}
	if value(out[0]) == "" {
		return invitation.Invitation{}, "", authn.ErrNotFound
	}
	var i invitation.Invitation
	err = s.openJSON("invitation", field(key, id), value(out[0]), &i)
	return i, value(out[0]), err
}

// Get implements invitation.Store.
func (s invitations) Get(ctx context.Context, company, id string) (invitation.Invitation, error) {
	i, _, err := s.read(ctx, company, id)
	if err != nil {
		return invitation.Invitation{}, fmt.Errorf("read invitation: %w", err)
	}
	return i, nil
}

// Add implements invitation.Store.
func (s invitations) Add(ctx context.Context, i invitation.Invitation) error {
	return s.put(ctx, i, "")
}

// Replace implements invitation.Store.
func (s invitations) Replace(ctx context.Context, before, after invitation.Invitation) error {
	i, sealed, err := s.read(ctx, before.Company, before.ID)
	if errors.Is(err, authn.ErrNotFound) || err == nil && i.Serial != before.Serial {
		err = authn.ErrMoved
	}
	if err != nil {
		return fmt.Errorf("change invitation: %w", err)
	}
	return s.put(ctx, after, sealed)
}

func (s invitations) put(ctx context.Context, i invitation.Invitation, before string) error {
	keys := s.keys(i.Company)
	sealed, err := s.sealJSON("invitation", field(keys[0], i.ID), i)
	if err != nil {
		return fmt.Errorf("keep invitation: %w", err)
	}
	life := invitation.Life + invitation.Kept
	r, err := s.run(ctx, "invite_put", keys, i.ID, sealed, before, i.Sent.UnixMilli(), life.Milliseconds(), invitation.Most)
	if err == nil {
		switch r.code() {
		case done:
			return nil
		case lost:
			err = authn.ErrExists
		case tooMany:
			err = authn.ErrTooMany
		default:
			err = refused(r.code())
		}
	}
	return fmt.Errorf("keep invitation: %w", err)
}

// Take implements invitation.Store.
func (s invitations) Take(ctx context.Context, i invitation.Invitation) error {
	have, sealed, err := s.read(ctx, i.Company, i.ID)
	if errors.Is(err, authn.ErrNotFound) || err == nil && have.Serial != i.Serial {
		return fmt.Errorf("take invitation: %w", authn.ErrGone)
	}
	if err != nil {
		return fmt.Errorf("take invitation: %w", err)
	}
	r, err := s.run(context.WithoutCancel(ctx), "invite_take", s.keys(i.Company), i.ID, sealed)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("take invitation: %w", err)
	}
	return nil
}

// List implements invitation.Store. The place in the list is the time that the last one was sent, and its id.
func (s invitations) List(ctx context.Context, company, after string, limit int) (invitation.Page, error) {
	keys := s.keys(company)
	if limit <= 0 || limit > maxPage {
		limit = usualPage
	}
	from := int64(0)
	if after != "" {
		var err error
		if from, err = strconv.ParseInt(after, 10, 64); err != nil || from < 0 || from > invitation.Most {
			return invitation.Page{}, fmt.Errorf("list invitations: %w", authn.ErrGone)
		}
	}
	old := s.cfg.Now().Add(-invitation.Life - invitation.Kept).UnixMilli()
	out, err := s.do(ctx, cmd{"zrevrangebyscore", keys[1], "+inf", "(" + strconv.FormatInt(old, 10), "limit", from, limit + 1},
		cmd{"zcount", keys[1], "(" + strconv.FormatInt(old, 10), "+inf"}, cmd{"zrangebyscore", keys[1], "-inf", old, "limit", 0, maxPage})
	if err != nil {
		return invitation.Page{}, fmt.Errorf("list invitations: %w", err)
	}
	s.forget(ctx, keys, list(out[2]))
	ids := list(out[0])
	page := invitation.Page{Total: int(list(out).num(1))}
	if len(ids) > limit {
		ids, page.Next = ids[:limit], strconv.FormatInt(from+int64(limit), 10)
	}
	if len(ids) == 0 {
		return page, nil
	}
	read := cmd{"hmget", keys[0]}
	for i := range ids {
		read = append(read, ids.text(i))
	}
	if out, err = s.do(ctx, read); err != nil {
		return invitation.Page{}, fmt.Errorf("list invitations: %w", err)
	}
	for i := range ids {
		sealed := list(out[0]).text(i)
		if sealed == "" {
			continue // taken meanwhile
		}
		var inv invitation.Invitation
		if err := s.openJSON("invitation", field(keys[0], ids.text(i)), sealed, &inv); err != nil {
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "invitation lost or broken", slog.String("id", ids.text(i)))
			continue
		}
		page.Invitations = append(page.Invitations, inv)
	}
	return page, nil
}

// forget removes invitations that nobody can take or send again; what fails is done by the next listing.
func (s invitations) forget(ctx context.Context, keys []string, ids reply) {
	if len(ids) == 0 {
		return
	}
	from, of := cmd{"hdel", keys[0]}, cmd{"zrem", keys[1]}
	for i := range ids {
		from, of = append(from, ids.text(i)), append(of, ids.text(i))
	}
	_, _ = s.do(ctx, from, of)
}
