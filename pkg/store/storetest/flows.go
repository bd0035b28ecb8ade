// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

func testAnonymousFlow(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	f := &flow.Flow{Request: request(), Created: s.at()}
	is(t, "Create", s.Flows.Create(ctx, f, "mine"), nil)
	if len(f.ID) != 22 {
		t.Errorf("id %q, want 22 characters", f.ID)
	}
	got, err := s.Flows.Load(ctx, f.ID, []string{"other", "mine"})
	is(t, "Load", err, nil)
	if d := cmp.Diff(&flow.Flow{ID: f.ID, Request: request(), Created: f.Created}, got); d != "" {
		t.Errorf("Load() (-want +got):\n%s", d)
	}
	for what, bind := range map[string][]string{"another browser": {"other"}, "no cookie": nil, "empty cookie": {""}} {
		_, err = s.Flows.Load(ctx, f.ID, bind)
		is(t, "Load by "+what, err, authn.ErrGone)
		is(t, "End by "+what, s.Flows.End(ctx, f.ID, bind), authn.ErrGone)
	}
	is(t, "Bind of a bound flow", s.Flows.Bind(ctx, f.ID, "thief"), authn.ErrGone)
	is(t, "Mark before the password", s.Flows.Mark(ctx, f.ID, []string{"mine"}, flow.Update{Allowed: true}), authn.ErrGone)
	is(t, "End", s.Flows.End(ctx, f.ID, []string{"mine"}), nil)
	is(t, "End again", s.Flows.End(ctx, f.ID, []string{"mine"}), authn.ErrGone)

	u := &flow.Flow{Request: request(), Created: s.at()}
	is(t, "Create unbound", s.Flows.Create(ctx, u, ""), nil)
	_, err = s.Flows.Load(ctx, u.ID, []string{"mine"})
	is(t, "Load of an unbound flow", err, authn.ErrGone)
	is(t, "Bind to nothing", s.Flows.Bind(ctx, u.ID, ""), authn.ErrGone)
	is(t, "Bind", s.Flows.Bind(ctx, u.ID, "mine"), nil)
	is(t, "Bind again", s.Flows.Bind(ctx, u.ID, "mine"), authn.ErrGone)
	_, err = s.Flows.Load(ctx, u.ID, []string{"mine"})
	is(t, "Load after Bind", err, nil)
	is(t, "Bind of an unknown flow", s.Flows.Bind(ctx, "AAAAAAAAAAAAAAAAAAAAAA", "mine"), authn.ErrGone)
}

func testFlow(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	f := &flow.Flow{Request: request(), Created: s.at()}
	is(t, "Create", s.Flows.Create(ctx, f, "before"), nil)
	old := f.ID
	f.Account, f.AccountName, f.Epoch, f.PasswordGen, f.PasswordAt = &a, "Ann", a.Epoch, a.PasswordGen, s.at()
	is(t, "Identify by another browser", s.Flows.Identify(ctx, f, []string{"x"}, "after"), authn.ErrGone)
	is(t, "Identify", s.Flows.Identify(ctx, f, []string{"before"}, "after"), nil)
	if f.ID == old || len(f.ID) != 80 {
		t.Errorf("id after the password %q, want a new one of 80 characters", f.ID)
	}
	_, err := s.Flows.Load(ctx, old, []string{"before"})
	is(t, "Load of the old id", err, authn.ErrGone)
	_, err = s.Flows.Load(ctx, f.ID, []string{"before"})
	is(t, "Load with the old cookie", err, authn.ErrGone)
	is(t, "Allow", s.Consents.Allow(ctx, a, "app", []string{"openid"}), nil)
	got, err := s.Flows.Load(ctx, f.ID, []string{"after", "before"})
	is(t, "Load", err, nil)
	want := &flow.Flow{
		ID: f.ID, Request: request(), Created: f.Created, Account: &a, AccountName: "Ann", Epoch: 1, PasswordGen: 1,
		PasswordAt: f.PasswordAt, Consented: []string{"openid"},
	}
	if len(got.Account.OfKind("totp")) != 1 || len(got.Account.Authenticators) != 1 {
		t.Errorf("authenticators = %v, want one of kind totp", got.Account.Authenticators)
	}
	a.Authenticators = got.Account.Authenticators
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Load() (-want +got):\n%s", d)
	}
	is(t, "Identify again", s.Flows.Identify(ctx, f, []string{"after"}, "later"), nil)
	is(t, "End", s.Flows.End(ctx, f.ID, []string{"later"}), nil)
	_, err = s.Flows.Load(ctx, f.ID, []string{"later"})
	is(t, "Load after End", err, authn.ErrGone)
}

func testFlowMarks(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	old := authn.Evidence{Method: "otp", At: s.at().Add(-time.Minute)}
	f := &flow.Flow{
		Request: request(), Created: s.at(), Account: &a, Epoch: 1, PasswordGen: 1, PasswordAt: s.at(),
		Factors: []authn.Evidence{old}, Session: "lgs_x",
	}
	is(t, "Create with a session", s.Flows.Create(ctx, f, "b"), nil)
	bind := []string{"b"}
	dev := authn.Evidence{Method: "otp", At: s.at().Add(-time.Hour), Device: true}
	is(t, "Mark by another browser", s.Flows.Mark(ctx, f.ID, []string{"x"}, flow.Update{Allowed: true}), authn.ErrGone)
	is(t, "Mark device", s.Flows.Mark(ctx, f.ID, bind, flow.Update{Device: &dev}), nil)
	got, err := s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load", err, nil)
	if d := cmp.Diff([]authn.Evidence{old, dev}, got.Factors); d != "" || got.Session != "lgs_x" || got.Allowed {
		t.Errorf("Load() = %+v, factors (-want +got):\n%s", got, d)
	}
	is(t, "Mark the rest", s.Flows.Mark(ctx, f.ID, bind, flow.Update{Session: "lgs_y", Allowed: true, Ticket: "t"}), nil)
	is(t, "Mark nothing", s.Flows.Mark(ctx, f.ID, bind, flow.Update{}), nil)
	got, err = s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load", err, nil)
	if got.Session != "lgs_y" || !got.Allowed || got.Ticket != "t" || len(got.Factors) != 2 {
		t.Errorf("Load() = %+v, want all marks", got)
	}
	is(t, "End", s.Flows.End(ctx, f.ID, bind), nil)
	is(t, "Mark after the end", s.Flows.Mark(ctx, f.ID, bind, flow.Update{Allowed: true}), authn.ErrGone)
	_, err = s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load after a late mark", err, authn.ErrGone)

	// What a session or a device had shown counts no more once the authenticators change.
	b := s.person(t, "ben")
	f = &flow.Flow{
		Request: request(), Created: s.at(), Account: &b, Epoch: 1, PasswordGen: 1, PasswordAt: s.at(), Factors: []authn.Evidence{old},
	}
	is(t, "Create", s.Flows.Create(ctx, f, "b"), nil)
	is(t, "Mark device", s.Flows.Mark(ctx, f.ID, bind, flow.Update{Device: &dev}), nil)
	g, gbind := s.signedIn(t, b)
	s.enrol(t, attempt(g, gbind))
	got, err = s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load after another flow set a factor up", err, nil)
	if len(got.Factors) != 0 || got.Account.Factor != authn.FactorOn {
		t.Errorf("factors after the generation moved = %v, want none", got.Factors)
	}
}

func testFlowMoved(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for _, c := range []struct {
		name string
		act  authn.Change
		pw   string
		want error
	}{
		{"signout", authn.SignOut, "", authn.ErrMoved},
		{"disable", authn.Disable, "", authn.ErrMoved},
		{"password", authn.SetPassword, "new", authn.ErrMoved},
		{"reset", authn.ResetFactor, "", authn.ErrMoved},
		{"forget", authn.Forget, "", nil},
	} {
		a := s.enrolled(t, c.name)
		f, bind := s.signedIn(t, a)
		_, err := s.Accounts.Apply(ctx, a.ID, "*", c.act, c.pw)
		is(t, c.name, err, nil)
		_, err = s.Flows.Load(ctx, f.ID, bind)
		is(t, "Load after "+c.name, err, c.want)
	}
}

func testFlowExpires(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{FlowLife: life}), t.Context()
	a := s.person(t, "ann")
	before := &flow.Flow{Request: request(), Created: s.at()}
	is(t, "Create", s.Flows.Create(ctx, before, "b"), nil)
	f, bind := s.signedIn(t, a)
	_, err := s.Credentials.Begin(ctx, attempt(f, bind), totpSecret())
	is(t, "Begin", err, nil)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Flows.Load(ctx, before.ID, []string{"b"})
	is(t, "Load of an old flow", err, authn.ErrGone)
	_, err = s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load of an old flow after the password", err, authn.ErrGone)
	is(t, "Mark of an old flow", s.Flows.Mark(ctx, f.ID, bind, flow.Update{Allowed: true}), authn.ErrGone)
	_, _, err = s.Credentials.Pending(ctx, attempt(f, bind))
	is(t, "Pending of an old set-up", err, authn.ErrGone)
}

func testFlowRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	for range 5 {
		f := flow.Flow{Request: request(), Created: s.at()}
		is(t, "Create", s.Flows.Create(ctx, &f, "b"), nil)
		var c tally
		together(32, func(int) {
			g := f
			g.Account, g.Epoch, g.PasswordGen, g.PasswordAt = &a, 1, 1, s.at()
			c.outcome(s.Flows.Identify(ctx, &g, []string{"b"}, "n"), authn.ErrGone)
		})
		if c.get("ok") != 1 || c.get("gone") != 31 {
			t.Fatalf("32 Identify of one flow: %v, want one", c.n)
		}
		u := flow.Flow{Request: request(), Created: s.at()}
		is(t, "Create", s.Flows.Create(ctx, &u, ""), nil)
		var b tally
		together(32, func(int) { b.outcome(s.Flows.Bind(ctx, u.ID, "b"), authn.ErrGone) })
		if b.get("ok") != 1 {
			t.Fatalf("32 Bind of one flow: %v, want one", b.n)
		}
		var e tally
		together(32, func(int) { e.outcome(s.Flows.End(ctx, u.ID, []string{"b"}), authn.ErrGone) })
		if e.get("ok") != 1 {
			t.Fatalf("32 End of one flow: %v, want one", e.n)
		}
	}
}
