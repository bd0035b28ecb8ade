// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/grant"
)

func testProofs(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	var c tally
	together(50, func(int) { c.outcome(s.Proofs.Spend(ctx, "app", "id", time.Minute), grant.ErrReplay) })
	if c.get("ok") != 1 || c.get(grant.ErrReplay.Error()) != 49 {
		t.Errorf("50 uses of one id: %v, want one", c.n)
	}
	for _, other := range [][2]string{{"other", "id"}, {"app", "id2"}, {"appi", "d"}, {"", "appid"}, {"app\x00id", ""}} {
		is(t, "another issuer or id", s.Proofs.Spend(ctx, other[0], other[1], time.Minute), nil)
	}
	is(t, "a short one", s.Proofs.Spend(ctx, "app", "short", life), nil)
	is(t, "again", s.Proofs.Spend(ctx, "app", "short", life), grant.ErrReplay)
	s.pass(life + 50*time.Millisecond)
	is(t, "after its life", s.Proofs.Spend(ctx, "app", "short", life), nil)
	is(t, "the long one", s.Proofs.Spend(ctx, "app", "id", time.Minute), grant.ErrReplay)
}
