// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
)

func testEdit(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.add(t, s.enrolled(t, "ann"), 1, 100)
	have, err := s.Credentials.Authenticators(ctx, a)
	is(t, "Authenticators", err, nil)
	one, two := have.List[0].ID, have.List[1].ID
	is(t, "Rename", s.Editor.Rename(ctx, a, two, "Work phone"), nil)
	is(t, "Rename of none", s.Editor.Rename(ctx, a, "totp.AAAAAAAAAAA", "x"), authn.ErrNotFound)
	stale := a
	stale.FactorGen--
	is(t, "Rename of an old page", s.Editor.Rename(ctx, stale, two, "x"), authn.ErrMoved)
	_, err = s.Editor.Remove(ctx, stale, two, authn.KeepNone)
	is(t, "Remove of an old page", err, authn.ErrMoved)
	cookie, _, err := s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at()}, time.Hour)
	is(t, "Remember", err, nil)

	f, bind := s.signedIn(t, a)
	parked := attempt(f, bind)
	c, err := s.Credentials.Charge(ctx, parked, "1")
	is(t, "Charge", err, nil)
	b, err := s.Editor.Remove(ctx, a, one, authn.KeepOne)
	is(t, "Remove", err, nil)
	if now := s.again(t, a); b.FactorGen != a.FactorGen+1 || now.FactorGen != b.FactorGen || now.Factor != authn.FactorOn {
		t.Errorf("Remove() = %+v, account %+v", b, now)
	}
	_, err = s.Credentials.Consume(ctx, parked, c, []authn.Match{{Credential: one, Step: 500}})
	is(t, "Consume of a removed authenticator", err, authn.ErrMoved)
	_, err = s.Devices.Use(ctx, b, cookie)
	is(t, "RD-05 Use after a removal", err, authn.ErrGone)
	_, c = s.charged(t, b, "2")
	if len(c.Credentials) != 1 || c.Credentials[0].ID != two {
		t.Errorf("Charge() after a removal = %v", c)
	}
	have, err = s.Credentials.Authenticators(ctx, b)
	is(t, "Authenticators", err, nil)
	if len(have.List) != 1 || have.List[0].Name != "Work phone" {
		t.Errorf("Authenticators() = %+v, want the named one", have)
	}
	_, err = s.Editor.Remove(ctx, b, two, authn.KeepOne)
	is(t, "Remove of the last one that policy wants", err, authn.ErrConflict)
	off, err := s.Editor.Remove(ctx, b, two, authn.KeepNone)
	is(t, "Remove of the last one", err, nil)
	if now := s.again(t, a); now.Factor != authn.FactorOff || now.FactorGen != off.FactorGen {
		t.Errorf("account without its last authenticator = %+v", now)
	}
	have, err = s.Credentials.Authenticators(ctx, s.again(t, a))
	is(t, "Authenticators", err, nil)
	if len(have.List) != 0 {
		t.Errorf("Authenticators() = %+v, want none", have)
	}
	// It can be set up again, as for the first time.
	f, bind = s.signedIn(t, s.again(t, a))
	s.enrol(t, attempt(f, bind))
	if now := s.again(t, a); now.Factor != authn.FactorOn || now.FactorGen <= off.FactorGen {
		t.Errorf("account set up again = %+v", now)
	}
	removeRaces(t, s)
}

// removeRaces: of two authenticators that are removed at once, one stays.
func removeRaces(t *testing.T, s *Stores) {
	t.Helper()
	a := s.add(t, s.enrolled(t, "ben"), 1, 100)
	have, err := s.Credentials.Authenticators(t.Context(), a)
	is(t, "Authenticators", err, nil)
	var c tally
	together(2, func(i int) {
		_, err := s.Editor.Remove(t.Context(), a, have.List[i].ID, authn.KeepOne)
		c.outcome(err, authn.ErrMoved, authn.ErrConflict)
	})
	if c.get("ok") != 1 {
		t.Errorf("two removals at once: %v, want one", c.n)
	}
}

func testRecovery(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{Free: 1000}), t.Context()
	p := s.person(t, "ann")
	f, bind := s.signedIn(t, p)
	at := attempt(f, bind)
	at.Recovery = []string{"AAAA", "BBBB", "CCCC"}
	s.enrol(t, at)
	a := s.again(t, p)
	spend := func(a authn.Account, code string) (authn.Evidence, error) {
		f, bind, err := s.signIn(ctx, a)
		if err != nil {
			return authn.Evidence{}, err
		}
		at := attempt(f, bind)
		at.Kind = "recovery"
		c, err := s.Credentials.Charge(ctx, at, code)
		if err != nil {
			return authn.Evidence{}, err
		}
		e, err := s.Credentials.Recover(ctx, at, c, code)
		if err != nil {
			return e, err
		}
		l, err := s.Flows.Load(ctx, at.Flow, at.Bind)
		if err == nil && (len(l.Factors) != 1 || l.Factors[0].Method != "recovery") {
			err = fmt.Errorf("evidence %v", l.Factors)
		}
		return e, err
	}
	cookie, _, err := s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at()}, time.Hour)
	is(t, "Remember", err, nil)
	_, err = spend(a, "ZZZZ")
	is(t, "unknown code", err, authn.ErrRejected)
	e, err := spend(a, "BBBB")
	is(t, "code", err, nil)
	if e.Method != "recovery" || e.Left != 2 || e.Device {
		t.Errorf("Recover() = %+v, want two left", e)
	}
	_, err = spend(a, "BBBB")
	is(t, "used code", err, authn.ErrRejected)
	_, err = s.Devices.Use(ctx, a, cookie)
	is(t, "RD-05 Use after a recovery code", err, authn.ErrGone)
	other := s.person(t, "ben")
	of, ob := s.signedIn(t, other)
	oat := attempt(of, ob)
	oat.Recovery = []string{"DDDD"}
	s.enrol(t, oat)
	_, err = spend(s.again(t, other), "AAAA")
	is(t, "a code of somebody else", err, authn.ErrRejected)
	var c tally
	// At most 32 guesses are under way at once; the rows below need room.
	together(24, func(int) {
		_, err := spend(a, "AAAA")
		c.outcome(err, authn.ErrRejected)
	})
	if c.get("ok") != 1 {
		t.Errorf("SF-25 24 flows with one recovery code: %v, want one success", c.n)
	}
	is(t, "NewRecovery", s.Editor.NewRecovery(ctx, a, 0, []string{"EEEE", "FFFF"}), nil)
	is(t, "NewRecovery a second time", s.Editor.NewRecovery(ctx, a, 0, []string{"HHHH"}), authn.ErrMoved)
	have, err := s.Credentials.Authenticators(ctx, a)
	is(t, "Authenticators", err, nil)
	if have.RecoveryLeft != 2 || have.RecoveryGen != 1 {
		t.Errorf("%d codes left of generation %d, want the two new ones", have.RecoveryLeft, have.RecoveryGen)
	}
	_, err = spend(a, "CCCC")
	is(t, "old code after new ones were made", err, authn.ErrRejected)
	_, err = spend(a, "EEEE")
	is(t, "new code", err, nil)
	is(t, "NewRecovery without a factor", s.Editor.NewRecovery(ctx, s.person(t, "never"), 0, []string{"GGGG"}), authn.ErrLost)
}

func testChallenges(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	p := s.person(t, "ann")
	f, bind := s.signedIn(t, p)
	at := attempt(f, bind)
	at.Kind = "passkey"
	_, err := s.Credentials.Ask(ctx, at, []byte("who?"))
	is(t, "Ask of nobody", err, authn.ErrNotEnrolled)
	pending, err := s.Credentials.Begin(ctx, at, []byte("registration"))
	is(t, "Begin", err, nil)
	_, err = s.Credentials.Confirm(ctx, at, authn.Enrolment{Method: "hwk", Pending: pending, Secret: []byte("public key 0")})
	is(t, "Confirm", err, nil)
	a := s.again(t, p)
	totp, b2 := s.signedIn(t, a)
	_, err = s.Credentials.Charge(ctx, attempt(totp, b2), "123456")
	is(t, "a code for somebody with a passkey alone", err, authn.ErrRejected)

	f, bind = s.signedIn(t, a)
	at = attempt(f, bind)
	at.Kind = "passkey"
	_, err = s.Credentials.Asked(ctx, at)
	is(t, "Asked before Ask", err, authn.ErrGone)
	first, err := s.Credentials.Ask(ctx, at, []byte("first"))
	is(t, "Ask", err, nil)
	q, err := s.Credentials.Ask(ctx, at, []byte("second"))
	is(t, "Ask again", err, nil)
	if len(q.Credentials) != 1 || string(q.Credentials[0].Secret) != "public key 0" || string(q.Challenge) != "second" {
		t.Fatalf("Ask() = %+v", q)
	}
	id := q.Credentials[0].ID
	_, err = s.Credentials.Prove(ctx, at, authn.Answer{Method: "hwk", Credential: id, Secret: []byte("public key 1"), Asked: first})
	is(t, "Prove of a challenge that was replaced", err, authn.ErrRejected)
	read, err := s.Credentials.Asked(ctx, at)
	is(t, "Asked", err, nil)
	var c tally
	together(32, func(int) {
		_, err := s.Credentials.Prove(ctx, at, authn.Answer{Method: "hwk", Credential: id, Secret: []byte("public key 2"), Asked: read})
		c.outcome(err, authn.ErrRejected)
	})
	if c.get("ok") != 1 || c.get("rejected") != 31 {
		t.Errorf("32 answers to one challenge: %v, want one success", c.n)
	}
	l, err := s.Flows.Load(ctx, at.Flow, at.Bind)
	is(t, "Load", err, nil)
	if len(l.Factors) != 1 || l.Factors[0].Method != "hwk" || authn.ACR(l.Factors) != authn.ACRFactor {
		t.Errorf("evidence = %v, want hwk", l.Factors)
	}
	q, err = s.Credentials.Ask(ctx, at, []byte("third"))
	is(t, "Ask", err, nil)
	if string(q.Credentials[0].Secret) != "public key 2" {
		t.Errorf("record = %q, want the new one", q.Credentials[0].Secret)
	}
}

func testSkips(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	var c tally
	together(16, func(int) {
		f, bind, err := s.signIn(ctx, a)
		if err == nil {
			err = s.Flows.Skip(ctx, f.ID, bind, 3)
		}
		c.outcome(err, authn.ErrConflict)
	})
	if c.get("ok") != 3 {
		t.Errorf("16 flows put a set-up off: %v, want three", c.n)
	}
	f, bind := s.signedIn(t, a)
	is(t, "Skip", s.Flows.Skip(ctx, f.ID, bind, 5), nil)
	is(t, "Skip again in one flow", s.Flows.Skip(ctx, f.ID, bind, 5), nil)
	l, err := s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load", err, nil)
	if !l.Skipped || l.Account.Skips != 4 {
		t.Errorf("flow = skipped %v, %d times, want four", l.Skipped, l.Account.Skips)
	}
	is(t, "Skip by another browser", s.Flows.Skip(ctx, f.ID, []string{"x"}, 9), authn.ErrGone)
	e, bind := s.signedIn(t, s.enrolled(t, "eve"))
	is(t, "Skip when enrolled", s.Flows.Skip(ctx, e.ID, bind, 9), authn.ErrConflict)
}

func testSessionList(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	begin := func(label, replaced string) session.Session {
		t.Helper()
		n, err := s.Sessions.Create(ctx, session.Session{
			AccountID: a.ID, Epoch: a.Epoch, PasswordGen: a.PasswordGen, FactorGen: a.FactorGen, PasswordAt: s.at(),
			End: s.at().Add(time.Hour), Label: label, Started: s.at(),
		}, replaced)
		is(t, "Create", err, nil)
		return n
	}
	one := begin("one", "")
	two := begin("two", "")
	two = begin("two again", two.Handle)
	list, err := s.Sessions.List(ctx, a, two.Handle)
	is(t, "List", err, nil)
	own := 0
	for _, l := range list {
		if l.Own {
			own++
			if l.Label != "two again" || l.Started.IsZero() || l.Last.IsZero() {
				t.Errorf("own session = %+v", l)
			}
		}
	}
	if len(list) != 2 || own != 1 {
		t.Fatalf("List() = %+v, want two, one of them own", list)
	}
	for _, l := range list {
		if !l.Own {
			is(t, "EndListed", s.Sessions.EndListed(ctx, a, l.ID), nil)
		}
	}
	_, err = s.Sessions.Load(ctx, one.Handle, "")
	is(t, "Load of a session that was ended", err, authn.ErrGone)
	_, err = s.Sessions.Load(ctx, two.Handle, "")
	is(t, "Load of the own one", err, nil)
	for _, id := range []string{"", "x", "AAAAAAAAAAAAAAAAAAAAA*", list[0].ID + "A"} {
		is(t, "EndListed of "+id, s.Sessions.EndListed(ctx, a, id), authn.ErrGone)
	}
	b, err := s.Accounts.Apply(ctx, a.ID, "*", authn.SignOut, "")
	is(t, "sign out everywhere", err, nil)
	list, err = s.Sessions.List(ctx, b, "")
	is(t, "List", err, nil)
	if len(list) != 0 {
		t.Errorf("List() after signing out everywhere = %+v", list)
	}
}

func testStandings(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	issue := func(clientID string, offline bool) grant.Issued {
		t.Helper()
		n := grant.NewCode{Grant: grant.Grant{
			ClientID: clientID, Subject: a.ID, Scopes: []string{"openid"}, RedirectURI: "https://app.example/cb", RequestedAt: s.at(),
			Ends: s.at().Add(time.Hour),
		}, Account: a, Offline: offline, Rotate: true}
		out, err := s.Grants.Issue(ctx, n, nil)
		is(t, "Issue", err, nil)
		i, err := s.Grants.Redeem(ctx, out.Code, clientID, n.Grant.RedirectURI, "", grant.Access{Life: time.Hour, Stored: true, RefreshIdle: time.Hour})
		is(t, "Redeem", err, nil)
		return i
	}
	first, second, other := issue("app", true), issue("app", false), issue("other", true)
	is(t, "Allow", s.Consents.Allow(ctx, a, "third", []string{"openid", "email"}), nil)
	is(t, "Allow", s.Consents.Allow(ctx, a, "app", []string{"email"}), nil)
	list, err := s.Standings.List(ctx, a)
	is(t, "List", err, nil)
	if len(list) != 3 || list[0].ClientID != "app" || !list[0].Offline || len(list[0].Scopes) != 2 || !list[2].Since.IsZero() {
		t.Fatalf("List() = %+v, want app, other and third", list)
	}
	is(t, "Withdraw", s.Standings.Withdraw(ctx, a, "app"), nil)
	for _, i := range []grant.Issued{first, second} {
		_, err := s.Grants.Lookup(ctx, i.Access)
		is(t, "Lookup after a withdrawal", err, grant.ErrUnknown)
	}
	_, err = s.Grants.Refresh(ctx, first.Refresh, "app", grant.Access{Life: time.Hour, Stored: true}, nil)
	is(t, "Refresh after a withdrawal", err, grant.ErrUnknown)
	_, err = s.Grants.Lookup(ctx, other.Access)
	is(t, "Lookup of another app", err, nil)
	f := &flow.Flow{Request: request(), Created: s.at(), Account: &a, Epoch: a.Epoch, PasswordGen: a.PasswordGen, PasswordAt: s.at()}
	is(t, "Create", s.Flows.Create(ctx, f, "b"), nil)
	l, err := s.Flows.Load(ctx, f.ID, []string{"b"})
	is(t, "Load", err, nil)
	if len(l.Consented) != 0 {
		t.Errorf("consent after a withdrawal = %v", l.Consented)
	}
	list, err = s.Standings.List(ctx, a)
	is(t, "List", err, nil)
	if len(list) != 2 {
		t.Errorf("List() after a withdrawal = %+v", list)
	}
	is(t, "Withdraw again", s.Standings.Withdraw(ctx, a, "app"), nil)
}
