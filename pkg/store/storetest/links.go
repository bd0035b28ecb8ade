// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func testLinks(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	want := authn.Link{Kind: authn.LinkPassword, AccountID: "a", PasswordGen: 3, FactorGen: 4, Browser: "b", ClientID: "app"}
	token, err := s.Links.NewLink(ctx, want, time.Hour)
	is(t, "NewLink", err, nil)
	for range 3 {
		got, err := s.Links.Link(ctx, token)
		is(t, "Link", err, nil)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("Link() (-want +got):\n%s", d)
		}
	}
	var c tally
	together(32, func(int) {
		_, err := s.Links.UseLink(ctx, token)
		c.outcome(err, authn.ErrGone)
	})
	if c.get("ok") != 1 || c.get("gone") != 31 {
		t.Errorf("32 uses of one link: %v, want one", c.n)
	}
	for _, x := range []string{token, "", "x", token[:42], token + "A", "A" + token[1:]} {
		_, err := s.Links.Link(ctx, x)
		is(t, "Link of "+x, err, authn.ErrGone)
	}
	token, err = s.Links.NewLink(ctx, want, life)
	is(t, "NewLink", err, nil)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Links.UseLink(ctx, token)
	is(t, "UseLink after its end", err, authn.ErrGone)
}
