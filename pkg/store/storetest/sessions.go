// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/session"
)

func (s *Stores) session(t *testing.T, a authn.Account, end time.Duration) session.Session {
	t.Helper()
	n, err := s.Sessions.Create(t.Context(), session.Session{
		AccountID: a.ID, Epoch: a.Epoch, PasswordGen: a.PasswordGen, FactorGen: a.FactorGen, PasswordAt: s.at(),
		Factors: []authn.Evidence{{Method: "otp", At: s.at()}}, End: s.at().Add(end),
	}, "")
	is(t, "create session", err, nil)
	return n
}

func testSession(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	n := s.session(t, a, time.Hour)
	if len(n.Handle) != 102 {
		t.Errorf("handle has %d characters, want 102", len(n.Handle))
	}
	is(t, "Allow", s.Consents.Allow(ctx, a, "app", []string{"openid", "email"}), nil)
	v, err := s.Sessions.Load(ctx, n.Handle, "app")
	is(t, "Load", err, nil)
	want := session.View{Session: n, Account: a, Consented: []string{"openid", "email"}}
	if d := cmp.Diff(want, v); d != "" {
		t.Errorf("Load() (-want +got):\n%s", d)
	}
	v, err = s.Sessions.Load(ctx, n.Handle, "other")
	is(t, "Load", err, nil)
	if v.Consented != nil {
		t.Errorf("Load() for another client: consented %v, want none", v.Consented)
	}
	m, err := s.Sessions.Create(ctx, n, n.Handle)
	is(t, "Create in place of another", err, nil)
	_, err = s.Sessions.Load(ctx, n.Handle, "app")
	is(t, "Load of a session that was replaced", err, authn.ErrGone)
	b := s.person(t, "ben")
	other, err := s.Sessions.Create(ctx, session.Session{
		AccountID: b.ID, Epoch: 1, PasswordGen: 1, PasswordAt: s.at(), End: s.at().Add(time.Hour),
	}, m.Handle)
	is(t, "Create in place of another person's", err, nil)
	_, err = s.Sessions.Load(ctx, m.Handle, "app")
	is(t, "Load of another person's session that was replaced", err, authn.ErrGone)
	for range 2 {
		is(t, "End", s.Sessions.End(ctx, other.Handle), nil)
	}
	_, err = s.Sessions.Load(ctx, other.Handle, "app")
	is(t, "Load after End", err, authn.ErrGone)
	is(t, "End of nothing", s.Sessions.End(ctx, ""), nil)
}

func testSessionMoved(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for _, c := range []struct {
		act  authn.Change
		pw   string
		want error
	}{
		{authn.SignOut, "", authn.ErrGone},
		{authn.Disable, "", authn.ErrGone},
		{authn.SetPassword, "p", authn.ErrGone},
		{authn.ResetFactor, "", authn.ErrGone},
		{authn.Forget, "", nil},
	} {
		a := s.enrolled(t, string(c.act))
		n := s.session(t, a, time.Hour)
		_, err := s.Accounts.Apply(ctx, a.ID, "*", c.act, c.pw)
		is(t, string(c.act), err, nil)
		_, err = s.Sessions.Load(ctx, n.Handle, "app")
		is(t, "Load after "+string(c.act), err, c.want)
		if c.want == nil {
			continue
		}
		_, err = s.Sessions.Create(ctx, n, "")
		is(t, "Create after "+string(c.act), err, authn.ErrMoved)
	}
	// A change of the factor that leaves the session alive takes its evidence.
	a := s.person(t, "set-up")
	n := s.session(t, a, time.Hour)
	f, bind := s.signedIn(t, a)
	s.enrol(t, attempt(f, bind))
	v, err := s.Sessions.Load(ctx, n.Handle, "app")
	is(t, "Load after a set-up", err, nil)
	if len(v.Session.Factors) != 0 {
		t.Errorf("factors after the generation moved: %v, want none", v.Session.Factors)
	}
}

func testSessionExpires(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{SessionIdle: 2 * life}), t.Context()
	a := s.person(t, "ann")
	used, idle, short := s.session(t, a, time.Hour), s.session(t, a, time.Hour), s.session(t, a, 2*life+life/2)
	load := func(what string, n session.Session, want error) {
		t.Helper()
		_, err := s.Sessions.Load(ctx, n.Handle, "app")
		is(t, "Load of the session that is "+what, err, want)
	}
	s.pass(life)
	load("used", used, nil)
	load("short", short, nil)
	s.pass(life + 50*time.Millisecond)
	load("used", used, nil)
	load("idle", idle, authn.ErrGone)
	s.pass(life)
	load("used", used, nil)
	load("past its absolute end", short, authn.ErrGone)
	_, err := s.Sessions.Create(ctx, short, "")
	is(t, "Create after the absolute end", err, authn.ErrConflict)
}
