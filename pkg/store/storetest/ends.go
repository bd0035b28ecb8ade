// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/logout"
	"github.com/lychgate/lychgate/pkg/session"
)

// listens registers clients that are told of the end of sessions.
func (s *Stores) listens(t *testing.T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		is(t, "PutClient", s.Clients.PutClient(t.Context(), &client.Client{ID: id, BackchannelURI: "https://" + id + ".example/bye"}), nil)
	}
}

// serve issues a code to a client under a session.
func (s *Stores) serve(t *testing.T, a authn.Account, n session.Session, clientID string) error {
	t.Helper()
	c := s.granted(a)
	c.Session, c.Grant.ClientID, c.Grant.SID = n.Handle, clientID, session.ID(n.Handle)
	_, err := s.Grants.Issue(t.Context(), c, nil)
	return err
}

func (s *Stores) servedBy(t *testing.T, handle string) []session.Served {
	t.Helper()
	got, err := s.Sessions.Served(t.Context(), handle)
	is(t, "Served", err, nil)
	return got
}

// told lends all that is due, as client and sid.
func (s *Stores) told(t *testing.T) []logout.Entry {
	t.Helper()
	var all []logout.Entry
	for {
		got, err := s.Ends.Claim(t.Context(), 7, time.Hour)
		is(t, "Claim", err, nil)
		if len(got) > 7 {
			t.Fatalf("Claim() = %d entries, want 7 at most", len(got))
		}
		if len(got) == 0 {
			slices.SortFunc(all, func(x, y logout.Entry) int { return strings.Compare(x.ClientID+x.SID, y.ClientID+y.SID) })
			return all
		}
		all = append(all, got...)
	}
}

// testServed: which apps a session has served is recorded with the answer, once for each, and goes over to the session
// that replaces it; nothing is issued under a session that has ended.
func testServed(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	n, other := s.session(t, a, time.Hour), s.session(t, a, 2*time.Hour)
	for _, id := range []string{"app", "app", "mail"} {
		is(t, "Issue", s.serve(t, a, n, id), nil)
	}
	is(t, "Issue", s.serve(t, a, other, "app"), nil)
	sid := session.ID(n.Handle)
	if d := cmp.Diff([]session.Served{{ClientID: "app", SID: sid}, {ClientID: "mail", SID: sid}}, s.servedBy(t, n.Handle)); d != "" {
		t.Errorf("Served() (-want +got):\n%s", d)
	}
	m, err := s.Sessions.Create(ctx, n, n.Handle)
	is(t, "Create in place of another", err, nil)
	is(t, "Issue under a session that was replaced", s.serve(t, a, n, "late"), authn.ErrMoved)
	is(t, "Issue", s.serve(t, a, m, "app"), nil)
	want := []session.Served{{ClientID: "app", SID: sid}, {ClientID: "app", SID: session.ID(m.Handle)}, {ClientID: "mail", SID: sid}}
	got := s.servedBy(t, m.Handle)
	slices.SortFunc(want, func(x, y session.Served) int { return strings.Compare(x.ClientID+x.SID, y.ClientID+y.SID) })
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("Served() after a renewal (-want +got):\n%s", d)
	}
	if got := s.servedBy(t, other.Handle); len(got) != 1 {
		t.Errorf("Served() of another session = %v, want its own", got)
	}
	for _, handle := range []string{"", "x", n.Handle} {
		if got := s.servedBy(t, handle); len(got) != 0 {
			t.Errorf("Served() of %.10q = %v, want none", handle, got)
		}
	}
	b := s.person(t, "ben")
	is(t, "Issue under another person's session", s.serve(t, b, m, "app"), authn.ErrGone)
	if got := s.told(t); len(got) != 0 {
		t.Errorf("told %v, but nothing has ended", got)
	}
}

// testServedBound: of more apps than are kept, those served longest ago go; another session loses none.
func testServedBound(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s := open(t, Options{})
	a := s.person(t, "ann")
	n, other := s.session(t, a, time.Hour), s.session(t, a, time.Hour)
	is(t, "Issue", s.serve(t, a, other, "app"), nil)
	is(t, "Issue", s.serve(t, a, n, "first"), nil)
	s.pass(5 * time.Millisecond)
	for i := range session.MaxServed - 1 {
		is(t, "Issue", s.serve(t, a, n, fmt.Sprint("app", i)), nil)
	}
	s.pass(5 * time.Millisecond)
	is(t, "Issue of one more", s.serve(t, a, n, "last"), nil)
	is(t, "Issue of it again", s.serve(t, a, n, "last"), nil)
	got := s.servedBy(t, n.Handle)
	has := func(id string) bool {
		return slices.ContainsFunc(got, func(v session.Served) bool { return v.ClientID == id })
	}
	if len(got) != session.MaxServed || has("first") || !has("last") || !has("app0") {
		t.Errorf("Served() = %d, with the first %v, with the last %v", len(got), has("first"), has("last"))
	}
	if len(s.servedBy(t, other.Handle)) != 1 {
		t.Error("another session has lost its app")
	}
}

// testEnds: every way by which one session ends tells the apps that it served and have an address, and no others.
func testEnds(t *testing.T, open Open) { //nolint:thelper,gocognit // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	s.listens(t, "app", "mail")
	is(t, "PutClient", s.Clients.PutClient(ctx, &client.Client{ID: "framed", FrontchannelURI: "https://f.example/bye"}), nil)
	a, b := s.person(t, "ann"), s.person(t, "ben")
	for what, end := range map[string]func(n session.Session) error{
		"End": func(n session.Session) error { return s.Sessions.End(ctx, n.Handle) },
		"EndListed": func(n session.Session) error {
			list, err := s.Sessions.List(ctx, a, n.Handle)
			is(t, "List", err, nil)
			i := slices.IndexFunc(list, func(l session.Listed) bool { return l.Own })
			return s.Sessions.EndListed(ctx, a, list[i].ID)
		},
		"Create for another person": func(n session.Session) error {
			_, err := s.Sessions.Create(ctx, session.Session{
				AccountID: b.ID, Epoch: 1, PasswordGen: 1, PasswordAt: s.at(), End: s.at().Add(time.Hour),
			}, n.Handle)
			return err
		},
	} {
		n, stays := s.session(t, a, time.Hour), s.session(t, a, time.Hour)
		for _, id := range []string{"app", "mail", "framed"} {
			is(t, "Issue", s.serve(t, a, n, id), nil)
		}
		is(t, "Issue", s.serve(t, a, stays, "app"), nil)
		for range 2 {
			is(t, what, end(n), nil)
			if what == "EndListed" {
				break
			}
		}
		got := s.told(t)
		if len(got) != 2 || got[0].ClientID != "app" || got[1].ClientID != "mail" {
			t.Fatalf("%s tells %+v, want app and mail", what, got)
		}
		for _, e := range got {
			if e.AccountID != a.ID || e.SID != session.ID(n.Handle) || e.Failures != 0 || strings.Contains(e.ID, e.ClientID) {
				t.Errorf("%s: entry %+v", what, e)
			}
			is(t, "Done", s.Ends.Done(ctx, e), nil)
			is(t, "Free", s.Ends.Free(ctx, e), nil)
		}
		if len(s.servedBy(t, n.Handle)) != 0 {
			t.Errorf("%s: the apps are still recorded", what)
		}
		is(t, "End", s.Sessions.End(ctx, stays.Handle), nil)
		for _, e := range s.told(t) {
			is(t, "Done", s.Ends.Done(ctx, e), nil)
			is(t, "Free", s.Ends.Free(ctx, e), nil)
		}
	}
}

// testEndsAll: every act that ends all sessions of an account tells the apps of all of them; others tell none, and an act
// that is refused none either.
func testEndsAll(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	s.listens(t, "app", "mail")
	for _, c := range []struct {
		act  authn.Change
		pw   string
		want int
	}{
		{authn.SignOut, "", 3}, {authn.Disable, "", 3}, {authn.SetPassword, "p", 3}, {authn.ResetFactor, "", 3}, {authn.Forget, "", 0},
	} {
		a := s.enrolled(t, string(c.act))
		one, two := s.session(t, a, time.Hour), s.session(t, a, time.Hour)
		for _, id := range []string{"app", "mail"} {
			is(t, "Issue", s.serve(t, a, one, id), nil)
		}
		is(t, "Issue", s.serve(t, a, two, "app"), nil)
		_, err := s.Accounts.Apply(ctx, a.ID, "another company", c.act, c.pw)
		is(t, "Apply for another company", err, authn.ErrNotFound)
		if got := s.told(t); len(got) != 0 {
			t.Errorf("%s was refused and tells %+v", c.act, got)
		}
		_, err = s.Accounts.Apply(ctx, a.ID, "*", c.act, c.pw)
		is(t, string(c.act), err, nil)
		got := s.told(t)
		if len(got) != c.want {
			t.Errorf("%s tells %+v, want %d", c.act, got, c.want)
		}
		if left := len(s.servedBy(t, one.Handle)); (left == 0) != (c.want > 0) {
			t.Errorf("%s leaves %d apps", c.act, left)
		}
		for _, e := range got {
			is(t, "Done", s.Ends.Done(ctx, e), nil)
			is(t, "Free", s.Ends.Free(ctx, e), nil)
		}
	}
}

// testEndsTimes: an entry is lent until its lease ends and comes back when it is due, with the number of tries that
// failed; its client is lent with it and holds up no other one.
func testEndsTimes(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	s.listens(t, "app", "mail")
	a := s.person(t, "ann")
	end := func(ids ...string) {
		t.Helper()
		n := s.session(t, a, time.Hour)
		for _, id := range ids {
			is(t, "Issue", s.serve(t, a, n, id), nil)
		}
		is(t, "End", s.Sessions.End(ctx, n.Handle), nil)
	}
	claim := func(what string, want int) []logout.Entry {
		t.Helper()
		got, err := s.Ends.Claim(ctx, 7, 5*life)
		is(t, "Claim", err, nil)
		if len(got) != want {
			t.Fatalf("Claim() %s = %+v, want %d", what, got, want)
		}
		return got
	}
	end("app")
	first := claim("of the first", 1)[0]
	end("app", "mail")
	other := claim("while an app is lent", 1)[0]
	if other.ClientID != "mail" {
		t.Errorf("lent %s, want the app that is not lent", other.ClientID)
	}
	is(t, "Done", s.Ends.Done(ctx, other), nil)
	is(t, "Failed", s.Ends.Failed(ctx, first, life), nil)
	is(t, "Failed of what is done", s.Ends.Failed(ctx, other, 0), nil)
	is(t, "Free", s.Ends.Free(ctx, first), nil)
	s.pass(life / 2)
	claim("before any is due", 0)
	s.pass(2*life + 50*time.Millisecond)
	both := claim("when both are due", 2)
	if both[0].Failures+both[1].Failures != 1 {
		t.Errorf("failures of %+v, want one in all", both)
	}
	claim("while both are lent", 0)
	s.pass(5*life + 50*time.Millisecond)
	again := claim("after the lease", 2)
	for _, e := range again {
		is(t, "Return", s.Ends.Return(ctx, e, 0), nil)
		is(t, "Free", s.Ends.Free(ctx, e), nil)
	}
	if got := claim("of what was given back", 2); got[0].Failures+got[1].Failures != 1 {
		t.Errorf("failures of %+v: giving back counts as one", got)
	}
}

// testEndsRaces: whatever races, an app is lent to one caller.
func testEndsRaces(t *testing.T, open Open) { //nolint:thelper,gocognit // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	ids := make([]string, 12)
	for i := range ids {
		ids[i] = fmt.Sprint("app", i)
	}
	s.listens(t, ids...)
	a := s.person(t, "ann")
	n := s.session(t, a, time.Hour)
	for _, id := range ids {
		is(t, "Issue", s.serve(t, a, n, id), nil)
	}
	together(8, func(int) {
		if err := s.Sessions.End(ctx, n.Handle); err != nil {
			t.Error(err)
		}
	})
	var lent, apps tally
	together(8, func(int) {
		for range 20 {
			got, err := s.Ends.Claim(ctx, 3, time.Hour)
			if err != nil {
				t.Error(err)
			}
			mine := map[string]bool{}
			for _, e := range got {
				lent.add(e.ID)
				if !mine[e.ClientID] {
					apps.add(e.ClientID)
				}
				mine[e.ClientID] = true
			}
		}
	})
	if len(apps.n) != len(ids) {
		t.Errorf("%d apps were lent, want %d", len(apps.n), len(ids))
	}
	for id, n := range lent.n {
		if n != 1 {
			t.Errorf("%s was lent %d times", id, n)
		}
	}
	for id, n := range apps.n {
		if n != 1 {
			t.Errorf("%s was lent to %d callers at once", id, n)
		}
	}
}
