// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
)

const uri = "https://app.example/cb"

// granted is a grant as the gate would issue it.
func (s *Stores) granted(a authn.Account) grant.NewCode {
	return grant.NewCode{
		Grant: grant.Grant{
			ClientID: "app", AccountID: a.ID, Subject: a.ID, SID: "sid", Scopes: []string{"openid", "offline_access"},
			Audience: []string{"app"}, AuthTime: s.at(), RequestedAt: s.at(), ACR: authn.ACRFactor, AMR: []string{"pwd", "otp"},
			Evidence: []authn.Evidence{{Method: "otp", At: s.at()}}, Nonce: "n-1", RedirectURI: uri, Ends: s.at().Add(90 * 24 * time.Hour),
		},
		Account: a, Challenge: "challenge", Offline: true, Rotate: true,
	}
}

func opaque() grant.Access {
	return grant.Access{Life: time.Hour, Stored: true, RefreshIdle: 24 * time.Hour}
}

// code issues a code.
func (s *Stores) code(t *testing.T, n grant.NewCode) string {
	t.Helper()
	out, err := s.Grants.Issue(t.Context(), n, nil)
	is(t, "Issue", err, nil)
	return out.Code
}

// tokens issues and redeems a code.
func (s *Stores) tokens(t *testing.T, n grant.NewCode, a grant.Access) grant.Issued {
	t.Helper()
	i, err := s.Grants.Redeem(t.Context(), s.code(t, n), "app", uri, n.Challenge, a)
	is(t, "Redeem", err, nil)
	return i
}

func testCode(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	n := s.granted(a)
	f, _ := s.signedIn(t, a)
	n.Flow = f.ID
	code := s.code(t, n)
	if len(code) != 80 || code[:4] != "lgc_" {
		t.Errorf("code %q, want lgc_ and 80 characters", code)
	}
	_, err := s.Grants.Issue(ctx, n, nil)
	is(t, "Issue of the same flow", err, authn.ErrGone)
	for _, c := range []struct {
		what, client, uri, challenge string
		want                         error
	}{
		{"another client", "other", uri, "challenge", grant.ErrOtherClient},
		{"another redirect_uri", "app", uri + "/", "challenge", grant.ErrRedirect},
		{"no redirect_uri", "app", "", "challenge", grant.ErrRedirect},
		{"a wrong verifier", "app", uri, "other", grant.ErrVerifier},
		{"no verifier", "app", uri, "", grant.ErrVerifier},
	} {
		_, err := s.Grants.Redeem(ctx, code, c.client, c.uri, c.challenge, opaque())
		is(t, "Redeem by "+c.what, err, c.want)
	}
	i, err := s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
	is(t, "Redeem", err, nil)
	want := n.Grant
	if d := cmp.Diff(want, i.Grant); d != "" {
		t.Errorf("Redeem() grant (-want +got):\n%s", d)
	}
	if len(i.Access) != 91 || len(i.Refresh) != 86 || i.AccessLife != time.Hour {
		t.Errorf("Redeem() = %d and %d characters for %s, want 91, 86, 1h", len(i.Access), len(i.Refresh), i.AccessLife)
	}
	_, err = s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
	is(t, "Redeem again", err, grant.ErrReplay)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup after a replay", err, grant.ErrUnknown)
	_, err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
	is(t, "Refresh after a replay", err, grant.ErrUnknown)

	n.Flow, n.Challenge, n.Offline = "", "", false
	plain := s.code(t, n)
	_, err = s.Grants.Redeem(ctx, plain, "app", uri, "verifier", opaque())
	is(t, "Redeem with a verifier that was not announced", err, grant.ErrVerifier)
	i, err = s.Grants.Redeem(ctx, plain, "app", uri, "", opaque())
	is(t, "Redeem", err, nil)
	if i.Refresh != "" {
		t.Error("a refresh token came without offline_access")
	}
	// A flow of another account ends nothing.
	other, bind := s.signedIn(t, s.person(t, "ben"))
	n.Flow = other.ID
	_, err = s.Grants.Issue(ctx, n, nil)
	is(t, "Issue with another person's flow", err, authn.ErrGone)
	_, err = s.Flows.Load(ctx, other.ID, bind)
	is(t, "Load of that flow", err, nil)
}

func testCodeRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	for range 5 {
		n := s.granted(a)
		f, _ := s.signedIn(t, a)
		n.Flow = f.ID
		var c tally
		together(32, func(int) {
			_, err := s.Grants.Issue(ctx, n, nil)
			c.outcome(err, authn.ErrGone)
		})
		if c.get("ok") != 1 || c.get("gone") != 31 {
			t.Fatalf("32 Issue of one flow: %v, want one", c.n)
		}
		n.Flow = ""
		code := s.code(t, n)
		var r tally
		together(64, func(int) {
			i, err := s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
			r.outcome(err, grant.ErrReplay, grant.ErrUnknown)
			if err == nil {
				r.add(i.Access)
			}
		})
		if r.get("ok") != 1 || r.get(grant.ErrReplay.Error()) != 1 {
			t.Fatalf("64 redemptions of one code: %v, want one success, one replay, then nothing", r.n)
		}
		for token := range r.n {
			if len(token) != 91 {
				continue
			}
			_, err := s.Grants.Lookup(ctx, token)
			is(t, "Lookup of the token of a code that was replayed", err, grant.ErrUnknown)
		}
	}
}

func testRefresh(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{RefreshGrace: life}), t.Context()
	a := s.person(t, "ann")
	i := s.tokens(t, s.granted(a), opaque())
	_, err := s.Grants.Refresh(ctx, i.Refresh, "other", opaque(), nil)
	is(t, "Refresh by another client", err, grant.ErrOtherClient)
	j, err := s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
	is(t, "Refresh", err, nil)
	if j.Refresh == i.Refresh || j.Access == i.Access || j.Lead != 0 {
		t.Errorf("Refresh() = %+v, want new tokens", j)
	}
	if d := cmp.Diff(i.Grant, j.Grant); d != "" {
		t.Errorf("grant after a refresh (-want +got):\n%s", d)
	}
	_, err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
	is(t, "Refresh with the one before, within the grace", err, nil)
	no := errors.New("scope too wide")
	_, err = s.Grants.Refresh(ctx, j.Refresh, "app", opaque(), func(g grant.Grant) error {
		if g.ClientID != "app" {
			t.Errorf("check got %+v", g)
		}
		return no
	})
	is(t, "Refresh that the check refuses", err, no)
	k, err := s.Grants.Refresh(ctx, j.Refresh, "app", opaque(), nil)
	is(t, "Refresh after a refused one", err, nil)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Grants.Refresh(ctx, j.Refresh, "app", opaque(), nil)
	is(t, "Refresh after the grace", err, grant.ErrReplay)
	for what, token := range map[string]string{"refresh": k.Refresh, "access": k.Access} {
		_, err = s.Grants.Lookup(ctx, token)
		is(t, "Lookup of the "+what+" token after a replay", err, grant.ErrUnknown)
	}

	n := s.granted(a)
	n.Rotate = false
	i = s.tokens(t, n, opaque())
	for range 3 {
		j, err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
		is(t, "Refresh without rotation", err, nil)
		_, err = s.Grants.Lookup(ctx, i.Refresh)
		is(t, "Lookup of a refresh token that stays", err, nil)
	}
	is(t, "Drop of the new access token", s.Grants.Drop(ctx, j, false), nil)
	_, err = s.Grants.Lookup(ctx, j.Access)
	is(t, "Lookup of what was dropped", err, grant.ErrUnknown)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup of what was not", err, nil)
	is(t, "Drop of the grant", s.Grants.Drop(ctx, i, true), nil)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup after the grant was dropped", err, grant.ErrUnknown)
}

func testRefreshRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	for range 5 {
		i := s.tokens(t, s.granted(a), opaque())
		results := make([]grant.Issued, 50)
		var c tally
		together(50, func(n int) {
			var err error
			results[n], err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
			c.outcome(err)
		})
		if c.get("ok") != 50 {
			t.Fatalf("50 refreshes of one token: %v, want the same generation for all", c.n)
		}
		// One generation: a second use of any makes those before it old, so all still work once more.
		for _, r := range results[:3] {
			if _, err := s.Grants.Lookup(ctx, r.Refresh); err != nil {
				t.Fatalf("Lookup of a successor: %v", err)
			}
		}
		next, err := s.Grants.Refresh(ctx, results[7].Refresh, "app", opaque(), nil)
		is(t, "Refresh of a successor", err, nil)
		_, err = s.Grants.Lookup(ctx, results[9].Refresh)
		is(t, "Lookup of a sibling after that", err, grant.ErrUnknown)
		_, err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
		is(t, "Refresh of n-2", err, grant.ErrReplay)
		_, err = s.Grants.Lookup(ctx, next.Access)
		is(t, "Lookup after n-2", err, grant.ErrUnknown)
	}
}

func testGrantMoved(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for _, act := range []authn.Change{authn.SignOut, authn.Disable, authn.SetPassword, authn.ResetFactor} {
		a := s.enrolled(t, string(act))
		code := s.code(t, s.granted(a))
		used, asked := s.tokens(t, s.granted(a), opaque()), s.tokens(t, s.granted(a), opaque())
		_, err := s.Accounts.Apply(ctx, a.ID, "*", act, "new")
		is(t, string(act), err, nil)
		_, err = s.Grants.Issue(ctx, s.granted(a), nil)
		is(t, "Issue after "+string(act), err, authn.ErrMoved)
		_, err = s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
		is(t, "Redeem after "+string(act), err, authn.ErrMoved)
		_, err = s.Grants.Refresh(ctx, used.Refresh, "app", opaque(), nil)
		is(t, "Refresh after "+string(act), err, authn.ErrMoved)
		for what, token := range map[string]string{"access": asked.Access, "refresh": asked.Refresh} {
			_, err = s.Grants.Lookup(ctx, token)
			is(t, "Lookup of "+what+" after "+string(act), err, grant.ErrUnknown)
		}
	}
}

func testGrantExpires(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{CodeLife: life}), t.Context()
	a := s.person(t, "ann")
	code := s.code(t, s.granted(a))
	short := grant.Access{Life: life, Stored: true, RefreshIdle: life}
	idle := s.tokens(t, s.granted(a), short)
	ends := s.granted(a)
	ends.Grant.Ends = s.at().Add(life)
	bounded := s.tokens(t, ends, opaque())
	if bounded.AccessLife > life {
		t.Errorf("access token lives %s, past the grant's end", bounded.AccessLife)
	}
	l, err := s.Grants.Lookup(ctx, bounded.Access)
	is(t, "Lookup", err, nil)
	if l.Expires.After(ends.Grant.Ends) {
		t.Errorf("Lookup() expires %s, after the grant's end %s", l.Expires, ends.Grant.Ends)
	}
	s.pass(life + 100*time.Millisecond)
	_, err = s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
	is(t, "Redeem of an old code", err, grant.ErrUnknown)
	for what, i := range map[string]grant.Issued{"idle": idle, "past the end": bounded} {
		_, err = s.Grants.Lookup(ctx, i.Access)
		is(t, "Lookup of an access token that is "+what, err, grant.ErrUnknown)
		_, err = s.Grants.Lookup(ctx, i.Refresh)
		is(t, "Lookup of a refresh token that is "+what, err, grant.ErrUnknown)
		_, err = s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
		is(t, "Refresh that is "+what, err, grant.ErrUnknown)
	}
	ends.Grant.Ends = s.at().Add(-time.Second)
	_, err = s.Grants.Issue(ctx, ends, nil)
	is(t, "Issue after the end", err, authn.ErrLost)
}

func testLookup(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	n := s.granted(a)
	code := s.code(t, n)
	narrow := opaque()
	narrow.Scopes = []string{"openid"}
	i := s.tokens(t, n, narrow)
	l, err := s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup", err, nil)
	if d := cmp.Diff([]string{"openid"}, l.Scopes); d != "" || l.Kind != grant.KindAccess || l.Expires.Sub(l.Issued) != time.Hour {
		t.Errorf("Lookup() = %+v", l)
	}
	if d := cmp.Diff(a, l.Account); d != "" || l.Profile.Claims["email"] != "ann" {
		t.Errorf("Lookup() account (-want +got):\n%s and profile %v", d, l.Profile)
	}
	l, err = s.Grants.Lookup(ctx, i.Refresh)
	is(t, "Lookup of a refresh token", err, nil)
	if l.Kind != grant.KindRefresh || len(l.Scopes) != 2 || !l.Expires.After(s.Now()) {
		t.Errorf("Lookup() of a refresh token = %+v", l)
	}
	_, err = s.Grants.Lookup(ctx, code)
	is(t, "Lookup of a code", err, grant.ErrUnknown)
	is(t, "Revoke of a code", s.Grants.Revoke(ctx, code, "app", false), nil)

	is(t, "Revoke by another client", s.Grants.Revoke(ctx, i.Access, "other", false), grant.ErrOtherClient)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup after another client revoked", err, nil)
	is(t, "Revoke of an access token", s.Grants.Revoke(ctx, i.Access, "app", false), nil)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup after Revoke", err, grant.ErrUnknown)
	j, err := s.Grants.Refresh(ctx, i.Refresh, "app", opaque(), nil)
	is(t, "Refresh after the access token was revoked", err, nil)
	is(t, "Revoke of a refresh token", s.Grants.Revoke(ctx, j.Refresh, "app", false), nil)
	is(t, "Revoke again", s.Grants.Revoke(ctx, j.Refresh, "app", false), nil)
	_, err = s.Grants.Lookup(ctx, j.Access)
	is(t, "Lookup after the grant was revoked", err, grant.ErrUnknown)

	jwt := s.tokens(t, n, grant.Access{Life: time.Minute, RefreshIdle: time.Hour})
	l, err = s.Grants.Lookup(ctx, jwt.Access)
	is(t, "Lookup of a jti", err, nil)
	if l.Kind != grant.KindAccess || !l.Expires.IsZero() {
		t.Errorf("Lookup() of a jti = %+v, want no times", l)
	}
	is(t, "Revoke of a JWT", s.Grants.Revoke(ctx, jwt.Access, "app", true), nil)
	_, err = s.Grants.Refresh(ctx, jwt.Refresh, "app", opaque(), nil)
	is(t, "Refresh after the JWT was revoked", err, grant.ErrUnknown)
}

func testClientGrant(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	g := grant.Grant{ClientID: "robot", Subject: "robot", Scopes: []string{"read"}, RequestedAt: s.at()}
	i, err := s.Grants.IssueClient(ctx, g, grant.Access{Life: life, Stored: true})
	is(t, "IssueClient", err, nil)
	l, err := s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup", err, nil)
	if d := cmp.Diff(g, l.Grant); d != "" || i.Refresh != "" {
		t.Errorf("Lookup() (-want +got):\n%s", d)
	}
	is(t, "Revoke by another client", s.Grants.Revoke(ctx, i.Access, "other", false), grant.ErrOtherClient)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup after its life", err, grant.ErrUnknown)
	i, err = s.Grants.IssueClient(ctx, g, grant.Access{Life: time.Minute})
	is(t, "IssueClient of a JWT", err, nil)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup of a JWT that left no record", err, grant.ErrUnknown)
	is(t, "Revoke of it", s.Grants.Revoke(ctx, i.Access, "robot", true), nil)
}

// testFront: what goes through the browser beside a code, or in its place, is one step with the end of the flow, and
// an access token there lives by itself.
func testFront(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	n := s.granted(a)
	f, _ := s.signedIn(t, a)
	n.Flow = f.ID
	short := grant.Access{Life: 30 * time.Minute, Stored: true}
	out, err := s.Grants.Issue(ctx, n, &short)
	is(t, "Issue", err, nil)
	if len(out.Code) != 80 || len(out.Access) != 91 || out.AccessLife != short.Life {
		t.Errorf("Issue() = %d and %d characters for %s", len(out.Code), len(out.Access), out.AccessLife)
	}
	_, err = s.Grants.Issue(ctx, n, &short)
	is(t, "Issue of the same flow", err, authn.ErrGone)
	live, err := s.Grants.Lookup(ctx, out.Access)
	is(t, "Lookup before the code is used", err, nil)
	late := s.at().Add(short.Life).Sub(live.Expires) // a real clock moves on
	if live.Kind != grant.KindAccess || live.Grant.Subject != a.ID || late < 0 || late > 5*time.Second {
		t.Errorf("Lookup() = %s for %q until %s", live.Kind, live.Grant.Subject, live.Expires)
	}
	for _, want := range []error{nil, grant.ErrReplay} {
		_, err = s.Grants.Redeem(ctx, out.Code, "app", uri, n.Challenge, opaque())
		is(t, "Redeem", err, want)
	}
	_, err = s.Grants.Lookup(ctx, out.Access)
	is(t, "Lookup after the code was used twice", err, nil)

	n.Flow, n.NoCode = "", true
	out, err = s.Grants.Issue(ctx, n, &short)
	is(t, "Issue without a code", err, nil)
	if out.Code != "" {
		t.Errorf("a code came where none was wanted")
	}
	is(t, "Revoke", s.Grants.Revoke(ctx, out.Access, "app", false), nil)
	_, err = s.Grants.Lookup(ctx, out.Access)
	is(t, "Lookup after Revoke", err, grant.ErrUnknown)
	f, bind := s.signedIn(t, a)
	n.Flow = f.ID
	out, err = s.Grants.Issue(ctx, n, nil)
	is(t, "Issue of nothing but the end of the flow", err, nil)
	if out != (grant.Front{}) {
		t.Errorf("Issue() = %+v, want nothing", out)
	}
	_, err = s.Flows.Load(ctx, f.ID, bind)
	is(t, "Load of the flow", err, authn.ErrGone)
	n.Flow, n.Account.Epoch = "", a.Epoch+1
	_, err = s.Grants.Issue(ctx, n, &short)
	is(t, "Issue after the account moved", err, authn.ErrMoved)
}

func testFrontExpires(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s := open(t, Options{CodeLife: life})
	out, err := s.Grants.Issue(t.Context(), s.granted(s.person(t, "ann")), &grant.Access{Life: 3 * life, Stored: true})
	is(t, "Issue", err, nil)
	s.pass(2 * life)
	_, err = s.Grants.Lookup(t.Context(), out.Access)
	is(t, "Lookup after the code has ended", err, nil)
	s.pass(life + life/2)
	_, err = s.Grants.Lookup(t.Context(), out.Access)
	is(t, "Lookup after its life", err, grant.ErrUnknown)
}
