// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

func testDevice(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{DeviceGrace: life}), t.Context()
	a := s.enrolled(t, "ann")
	passed := s.at()
	cookie, end, err := s.Devices.Remember(ctx, a, "Firefox, Linux", authn.Evidence{Method: "otp", At: passed}, 30*24*time.Hour)
	is(t, "Remember", err, nil)
	if len(cookie) != 64 || !end.Equal(passed.Add(30*24*time.Hour)) {
		t.Errorf("Remember() = %d characters until %s", len(cookie), end)
	}
	tr, err := s.Devices.Use(ctx, a, cookie)
	is(t, "Use", err, nil)
	if !tr.Pass.At.Equal(passed) || !tr.End.Equal(end) || len(tr.Cookie) != 64 || tr.Cookie == cookie {
		t.Errorf("Use() = %+v", tr)
	}
	second, err := s.Devices.Use(ctx, a, cookie)
	is(t, "Use in a second tab", err, nil)
	if second.Cookie != "" || !second.Pass.At.Equal(passed) {
		t.Errorf("Use() in a second tab = %+v, want to keep the cookie", second)
	}
	for what, c := range map[string]string{"nothing": "", "short": cookie[:63], "unknown": unlike(cookie) + cookie[1:], "newline": cookie[:63] + "\n"} {
		tr, err := s.Devices.Use(ctx, a, c)
		is(t, "Use of a cookie that is "+what, err, authn.ErrGone)
		if tr.Copied {
			t.Errorf("Use() of a cookie that is %s: told of a copy", what)
		}
	}
	b := s.enrolled(t, "ben")
	_, err = s.Devices.Use(ctx, b, tr.Cookie)
	is(t, "Use by another person", err, authn.ErrGone)
	list, err := s.Devices.List(ctx, a.ID)
	is(t, "List", err, nil)
	if len(list) != 1 || list[0].Label != "Firefox, Linux" || !list[0].End.Equal(end) {
		t.Fatalf("List() = %+v", list)
	}
	s.pass(life + 50*time.Millisecond)
	tr2, err := s.Devices.Use(ctx, a, cookie)
	is(t, "Use of an old secret", err, authn.ErrGone)
	if !tr2.Copied {
		t.Error("Use() of an old secret: Copied = false, want true")
	}
	_, err = s.Devices.Use(ctx, a, tr.Cookie)
	is(t, "Use of the new secret after a copy was seen", err, authn.ErrGone)

	cookie, _, err = s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: passed}, time.Hour)
	is(t, "Remember", err, nil)
	list, err = s.Devices.List(ctx, a.ID)
	is(t, "List", err, nil)
	is(t, "Remove", s.Devices.Remove(ctx, a.ID, list[0].ID), nil)
	_, err = s.Devices.Use(ctx, a, cookie)
	is(t, "Use after Remove", err, authn.ErrGone)
	is(t, "Remove of nonsense", s.Devices.Remove(ctx, a.ID, "x"), authn.ErrGone)
}

func testDeviceEnds(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for _, act := range []authn.Change{authn.SignOut, authn.Disable, authn.SetPassword, authn.ResetFactor, authn.Forget} {
		a := s.enrolled(t, string(act))
		cookie, _, err := s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at()}, time.Hour)
		is(t, "Remember", err, nil)
		b, err := s.Accounts.Apply(ctx, a.ID, "*", act, "new")
		is(t, string(act), err, nil)
		// With the account as it is now: the epoch of the next sign-in, not of the one before.
		_, err = s.Devices.Use(ctx, b, cookie)
		want := authn.ErrGone
		if act == authn.SignOut {
			want = nil // signing out ends sessions, not the tick
		}
		is(t, "Use after "+string(act), err, want)
		_, _, err = s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at()}, time.Hour)
		if act != authn.Forget {
			is(t, "Remember after "+string(act), err, authn.ErrMoved)
		}
	}
	a := s.enrolled(t, "short")
	cookie, _, err := s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at()}, life)
	is(t, "Remember", err, nil)
	s.pass(life / 2)
	tr, err := s.Devices.Use(ctx, a, cookie)
	is(t, "Use", err, nil)
	s.pass(life/2 + 50*time.Millisecond)
	_, err = s.Devices.Use(ctx, a, tr.Cookie)
	is(t, "Use after the absolute end, though used meanwhile", err, authn.ErrGone)
	_, _, err = s.Devices.Remember(ctx, a, "x", authn.Evidence{Method: "otp", At: s.at().Add(-time.Hour)}, time.Hour)
	is(t, "Remember after the end", err, authn.ErrConflict)
	_, _, err = s.Devices.Remember(ctx, s.person(t, "never"), "x", authn.Evidence{Method: "otp", At: s.at()}, time.Hour)
	is(t, "Remember without a factor", err, authn.ErrLost)

	a = s.enrolled(t, "many")
	for i := range 25 {
		_, _, err := s.Devices.Remember(ctx, a, fmt.Sprint(i), authn.Evidence{Method: "otp", At: s.at()}, time.Hour+time.Duration(i)*time.Minute)
		is(t, "Remember", err, nil)
	}
	list, err := s.Devices.List(ctx, a.ID)
	is(t, "List", err, nil)
	var labels []string
	for _, d := range list {
		labels = append(labels, d.Label)
	}
	if len(list) != 20 || slices.Contains(labels, "4") || !slices.Contains(labels, "5") {
		t.Errorf("List() = %v, want the 20 last", labels)
	}
	var c tally
	cookie, _, err = s.Devices.Remember(ctx, a, "race", authn.Evidence{Method: "otp", At: s.at()}, 10*time.Hour)
	is(t, "Remember", err, nil)
	together(32, func(int) {
		tr, err := s.Devices.Use(ctx, a, cookie)
		c.outcome(err)
		if tr.Cookie != "" {
			c.add("new secret")
		}
	})
	if c.get("ok") != 32 || c.get("new secret") != 1 {
		t.Errorf("32 uses of one cookie: %v, want one new secret", c.n)
	}
}
