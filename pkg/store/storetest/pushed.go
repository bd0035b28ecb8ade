// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func testPushed(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{FlowLife: life}), t.Context()
	want := request()
	id, err := s.Pushed.Push(ctx, &want, time.Minute)
	is(t, "Push", err, nil)
	want.Pushed = id
	for range 3 {
		got, err := s.Pushed.Pushed(ctx, id)
		is(t, "Pushed", err, nil)
		if d := cmp.Diff(&want, got); d != "" {
			t.Errorf("Pushed() (-want +got):\n%s", d)
		}
	}
	var c tally
	together(50, func(int) { c.outcome(s.Pushed.Spend(ctx, id), authn.ErrGone) })
	if c.get("ok") != 1 || c.get(authn.ErrGone.Error()) != 49 {
		t.Errorf("50 answers of one pushed request: %v, want one", c.n)
	}
	other, err := s.Pushed.Push(ctx, &want, time.Minute)
	is(t, "Push", err, nil)
	for _, x := range []string{id, "", "x", other[:42], other + "A", unlike(other) + other[1:]} {
		_, err := s.Pushed.Pushed(ctx, x)
		is(t, "Pushed of "+x, err, authn.ErrGone)
		is(t, "Spend of "+x, s.Pushed.Spend(ctx, x), authn.ErrGone)
	}
	// Opened in time, a request can be answered for as long as a flow lives; it cannot be opened any more then.
	for _, tt := range []struct {
		wait time.Duration
		want error
	}{{life + life/2, nil}, {2*life + life/4, authn.ErrGone}} {
		id, err := s.Pushed.Push(ctx, &want, life)
		is(t, "Push", err, nil)
		_, err = s.Pushed.Pushed(ctx, id)
		is(t, "Pushed", err, nil)
		s.pass(tt.wait)
		_, err = s.Pushed.Pushed(ctx, id)
		is(t, "Pushed after its life", err, authn.ErrGone)
		is(t, "Spend after its life", s.Pushed.Spend(ctx, id), tt.want)
	}
}
