// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func testRenew(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	is(t, "Renew", s.Renewer.Renew(ctx, a, "same password"), nil)
	r, err := s.Accounts.ByID(ctx, a.ID)
	is(t, "ByID", err, nil)
	if d := cmp.Diff(a, r.Account); d != "" || r.PasswordRecord != "same password" {
		t.Errorf("after Renew() the record is %q, and the account (-want +got):\n%s", r.PasswordRecord, d)
	}
	_, err = s.Accounts.Apply(ctx, a.ID, "*", authn.SetPassword, "chosen")
	is(t, "SetPassword", err, nil)
	is(t, "Renew after a change", s.Renewer.Renew(ctx, a, "late"), authn.ErrMoved)
	now := s.again(t, a)
	_, err = s.Accounts.Apply(ctx, a.ID, "*", authn.Disable, "")
	is(t, "Disable", err, nil)
	is(t, "Renew of a disabled account", s.Renewer.Renew(ctx, now, "late"), authn.ErrMoved)
	is(t, "Renew of nobody", s.Renewer.Renew(ctx, authn.Account{ID: "nobody", Tag: a.Tag, PasswordGen: now.PasswordGen}, "late"), authn.ErrMoved)
	if r, err = s.Accounts.ByID(ctx, a.ID); err != nil || r.PasswordRecord != "chosen" {
		t.Errorf("password record = %q, %v, want the one that was chosen", r.PasswordRecord, err)
	}
	if s.Renewer.Renew(ctx, now, "") == nil {
		t.Error("Renew with an empty record = nil, want an error")
	}
}

// testCreateDisabled: somebody who was disabled elsewhere is never active here, not even for a moment.
func testCreateDisabled(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a, err := s.Accounts.Create(ctx, authn.NewAccount{Name: "ann", PasswordRecord: "x", State: authn.Disabled, TOTPSecret: totpSecret()})
	is(t, "Create", err, nil)
	if a.State != authn.Disabled || a.Epoch != 1 || a.Factor != authn.FactorOn {
		t.Errorf("created disabled: %+v", a)
	}
	b, err := s.Accounts.Apply(ctx, a.ID, "*", authn.Enable, "")
	is(t, "Enable", err, nil)
	if b.State != authn.Active {
		t.Errorf("after Enable the state is %s", b.State)
	}
	_, err = s.Accounts.Create(ctx, authn.NewAccount{Name: "ben", PasswordRecord: "x", State: "locked"})
	if err == nil {
		t.Error("Create in a state that is none = nil, want an error")
	}
}

// testRenewRaces: whatever the order, a password that was chosen is never written over.
func testRenewRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for round := range 5 {
		a := s.person(t, fmt.Sprintf("name-%d", round))
		var c tally
		together(16, func(i int) {
			if i == 7 {
				_, err := s.Accounts.ChangePassword(ctx, a, authn.SetPassword, "chosen")
				c.outcome(err)
				return
			}
			if err := s.Renewer.Renew(ctx, a, "same password"); err != nil {
				c.outcome(err, authn.ErrMoved)
			}
		})
		if c.get("ok") != 1 || c.get("ok")+c.get(authn.ErrMoved.Error()) != total(&c) {
			t.Fatalf("15 renewals and one change: %v, want the change done and nothing but ErrMoved", c.n)
		}
		r, err := s.Accounts.ByID(ctx, a.ID)
		is(t, "ByID", err, nil)
		if r.PasswordRecord != "chosen" || r.PasswordGen != 2 {
			t.Fatalf("record %q of generation %d, want the one that was chosen, 2", r.PasswordRecord, r.PasswordGen)
		}
	}
}

// total is how many outcomes were counted.
func total(c *tally) int {
	n := 0
	for _, one := range c.n {
		n += one
	}
	return n
}
