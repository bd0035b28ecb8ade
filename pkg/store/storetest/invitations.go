// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/invitation"
)

func (s *Stores) invited(name string, sent time.Time) invitation.Invitation {
	return invitation.Invitation{
		ID: s.Invitations.ID("acme", name), Company: "acme", Email: name, Groups: []string{"lawyers"},
		Sent: sent.UTC().Truncate(time.Second), Ends: sent.Add(invitation.Life).UTC().Truncate(time.Second), Serial: 1,
	}
}

func testInvitations(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	now := s.Now()
	for i := range 5 {
		is(t, "Add", s.Invitations.Add(ctx, s.invited(fmt.Sprintf("p%d@acme.example", i), now.Add(time.Duration(i)*time.Second))), nil)
	}
	one := s.invited("p1@acme.example", now.Add(time.Second))
	is(t, "Add again", s.Invitations.Add(ctx, one), authn.ErrExists)
	got, err := s.Invitations.Get(ctx, "acme", one.ID)
	is(t, "Get", err, nil)
	if d := cmp.Diff(one, got); d != "" {
		t.Errorf("Get() (-want +got):\n%s", d)
	}
	_, err = s.Invitations.Get(ctx, "beta", one.ID)
	is(t, "Get by another company", err, authn.ErrNotFound)
	var names []string
	after := ""
	for {
		page, err := s.Invitations.List(ctx, "acme", after, 2)
		is(t, "List", err, nil)
		if page.Total != 5 {
			t.Fatalf("List() = %d in all, want 5", page.Total)
		}
		for _, i := range page.Invitations {
			names = append(names, i.Email[:2])
		}
		if after = page.Next; after == "" {
			break
		}
	}
	if d := cmp.Diff([]string{"p4", "p3", "p2", "p1", "p0"}, names); d != "" {
		t.Errorf("List() (-want +got):\n%s", d)
	}
	_, err = s.Invitations.List(ctx, "acme", "-1", 2)
	is(t, "List from nowhere", err, authn.ErrGone)

	again := one
	again.Serial = 2
	is(t, "Replace", s.Invitations.Replace(ctx, one, again), nil)
	is(t, "Replace of what is replaced", s.Invitations.Replace(ctx, one, again), authn.ErrMoved)
	is(t, "Take of what is replaced", s.Invitations.Take(ctx, one), authn.ErrGone)
	var c tally
	together(32, func(int) { c.outcome(s.Invitations.Take(ctx, again), authn.ErrGone) })
	if c.get("ok") != 1 || c.get(authn.ErrGone.Error()) != 31 {
		t.Errorf("32 take one invitation: %v, want one", c.n)
	}
	_, err = s.Invitations.Get(ctx, "acme", one.ID)
	is(t, "Get after Take", err, authn.ErrNotFound)
	is(t, "Add after Take", s.Invitations.Add(ctx, one), nil)
}

// testInvitationsEnd: what nobody can take or send again goes.
func testInvitationsEnd(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	old := s.invited("old@acme.example", s.Now().Add(-invitation.Life-invitation.Kept-time.Minute))
	is(t, "Add", s.Invitations.Add(ctx, old), nil)
	is(t, "Add", s.Invitations.Add(ctx, s.invited("new@acme.example", s.Now())), nil)
	page, err := s.Invitations.List(ctx, "acme", "", 0)
	is(t, "List", err, nil)
	if page.Total != 1 || len(page.Invitations) != 1 || page.Invitations[0].Email != "new@acme.example" {
		t.Errorf("List() = %+v, want the new one", page)
	}
	_, err = s.Invitations.Get(ctx, "acme", old.ID)
	is(t, "Get of one that ended long ago", err, authn.ErrNotFound)
}
