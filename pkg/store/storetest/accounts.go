// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func testAccounts(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	_, err := s.Accounts.ByName(ctx, "ann@example.org")
	is(t, "ByName of nobody", err, authn.ErrNotFound)
	_, err = s.Accounts.ByID(ctx, "nobody")
	is(t, "ByID of nobody", err, authn.ErrNotFound)

	a := s.person(t, "ann@example.org")
	want := authn.Account{
		ID: a.ID, Tag: a.Tag, Name: "ann@example.org", Company: "acme", State: authn.Active, Epoch: 1, PasswordGen: 1,
		Factor: authn.FactorNever, Roles: []string{"clerk"}, Created: a.Created, Contact: authn.Contact{Emails: []string{"ann@example.org"}},
		Claims: map[string]any{"email": "ann@example.org"},
	}
	if d := s.Now().Sub(a.Created); d > 5*time.Second || d < -5*time.Second {
		t.Errorf("Created is %s off the store's clock", d)
	}
	if d := cmp.Diff(want, a); d != "" {
		t.Errorf("Create() (-want +got):\n%s", d)
	}
	if len(a.ID) != 26 || len(a.Tag) != 13 {
		t.Errorf("id %q and tag %q, want 26 and 13 characters", a.ID, a.Tag)
	}
	for how, find := range map[string]func() (authn.Record, error){
		"ByName": func() (authn.Record, error) { return s.Accounts.ByName(ctx, "ann@example.org") },
		"ByID":   func() (authn.Record, error) { return s.Accounts.ByID(ctx, a.ID) },
	} {
		r, err := find()
		is(t, how, err, nil)
		if r.PasswordRecord != "$argon2id$ann@example.org" || r.Profile.Claims["email"] != "ann@example.org" || r.Profile.Created == 0 {
			t.Errorf("%s() = %+v", how, r)
		}
		if d := cmp.Diff(want, r.Account); d != "" {
			t.Errorf("%s() (-want +got):\n%s", how, d)
		}
	}
	_, err = s.Accounts.Create(ctx, authn.NewAccount{Name: "ann@example.org", PasswordRecord: "x"})
	is(t, "Create with a name that is taken", err, authn.ErrExists)
	_, err = s.Accounts.Create(ctx, authn.NewAccount{ID: a.ID, Name: "other", PasswordRecord: "x"})
	is(t, "Create with an id that is taken", err, authn.ErrExists)
	_, err = s.Accounts.ByName(ctx, "other")
	is(t, "ByName after a refused create", err, authn.ErrNotFound)

	b := s.enrolled(t, "ben")
	if b.Factor != authn.FactorOn || b.FactorGen != 1 {
		t.Errorf("imported factor: %s gen %d, want on, 1", b.Factor, b.FactorGen)
	}
	seen := map[string]bool{}
	is(t, "List", s.Accounts.List(ctx, func(r authn.Record) bool { seen[r.Name] = true; return true }), nil)
	if !seen["ann@example.org"] || !seen["ben"] || len(seen) != 2 {
		t.Errorf("List() = %v, want both accounts", seen)
	}
	n := 0
	is(t, "List", s.Accounts.List(ctx, func(authn.Record) bool { n++; return false }), nil)
	if n != 1 {
		t.Errorf("List() went on %d times after the end, want 1 call", n)
	}
}

func testNameRace(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s := open(t, Options{})
	for round := range 5 {
		var c tally
		name := fmt.Sprintf("name-%d", round)
		together(32, func(int) {
			_, err := s.Accounts.Create(t.Context(), authn.NewAccount{Name: name, PasswordRecord: "x"})
			c.outcome(err, authn.ErrExists)
		})
		if c.get("ok") != 1 || c.get(authn.ErrExists.Error()) != 31 {
			t.Fatalf("32 creates of one name: %v, want one", c.n)
		}
		_, err := s.Accounts.ByName(t.Context(), name)
		is(t, "ByName after the race", err, nil)
	}
	n := 0
	is(t, "List", s.Accounts.List(t.Context(), func(authn.Record) bool { n++; return true }), nil)
	if n != 5 {
		t.Errorf("%d accounts are left after the races, want 5", n)
	}
}

func testChanges(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	apply := func(c authn.Change, pw string) authn.Account {
		t.Helper()
		b, err := s.Accounts.Apply(ctx, a.ID, "acme", c, pw)
		is(t, string(c), err, nil)
		return b
	}
	for _, c := range []struct {
		act                  authn.Change
		pw                   string
		epoch, pwgen, mfagen int64
		state                authn.State
		factor               authn.FactorState
	}{
		{authn.SignOut, "", 2, 1, 1, authn.Active, authn.FactorOn},
		{authn.Disable, "", 3, 1, 1, authn.Disabled, authn.FactorOn},
		{authn.Enable, "", 3, 1, 1, authn.Active, authn.FactorOn},
		{authn.SetPassword, "new", 4, 2, 1, authn.Active, authn.FactorOn},
		{authn.Forget, "", 4, 2, 1, authn.Active, authn.FactorOn},
		{authn.ResetFactor, "", 5, 2, 2, authn.Active, authn.FactorReset},
	} {
		b := apply(c.act, c.pw)
		got := []any{b.Epoch, b.PasswordGen, b.FactorGen, b.State, b.Factor}
		if d := cmp.Diff([]any{c.epoch, c.pwgen, c.mfagen, c.state, c.factor}, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.act, d)
		}
	}
	r, err := s.Accounts.ByName(ctx, "ann")
	is(t, "ByName", err, nil)
	if r.PasswordRecord != "new" {
		t.Errorf("password record = %q, want the new one", r.PasswordRecord)
	}
	for what, err := range map[string]error{
		"other company": applyErr(s.Accounts.Apply(ctx, a.ID, "other", authn.Disable, "")),
		"nobody":        applyErr(s.Accounts.Apply(ctx, "nobody", "*", authn.Disable, "")),
	} {
		is(t, what, err, authn.ErrNotFound)
	}
	is(t, "enable what is active", applyErr(s.Accounts.Apply(ctx, a.ID, "*", authn.Enable, "")), authn.ErrConflict)
	is(t, "empty password record", applyErr(s.Accounts.Apply(ctx, a.ID, "*", authn.SetPassword, "")), authn.ErrConflict)
	is(t, "unknown act", applyErr(s.Accounts.Apply(ctx, a.ID, "*", "promote", "")), authn.ErrConflict)

	var won tally
	own := s.again(t, a)
	together(8, func(int) {
		_, err := s.Accounts.ChangePassword(ctx, own, authn.SetPassword, "own")
		won.outcome(err, authn.ErrMoved)
	})
	if won.get("ok") != 1 {
		t.Errorf("8 changes of one password: %v, want one", won.n)
	}

	b := s.person(t, "ben")
	_, err = s.Accounts.NewTicket(ctx, b.ID)
	is(t, "ticket for a first set-up that is late", err, nil)
	_, err = s.Accounts.NewTicket(ctx, s.enrolled(t, "eve").ID)
	is(t, "ticket for an account that has a factor", err, authn.ErrConflict)
	_, err = s.Accounts.NewTicket(ctx, "nobody")
	is(t, "ticket for nobody", err, authn.ErrNotFound)
	is(t, "reset of what never was", applyErr(s.Accounts.Apply(ctx, b.ID, "*", authn.ResetFactor, "")), authn.ErrConflict)
}

func applyErr(_ authn.Account, err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}
