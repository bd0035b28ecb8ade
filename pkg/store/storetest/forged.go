// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
)

// mutants are handles that look like a good one.
func mutants(good string) map[string]string {
	last := "A"
	if strings.HasSuffix(good, "A") {
		last = "B"
	}
	return map[string]string{
		"nothing": "", "prefix only": good[:4], "cut short": good[:len(good)-1], "longer": good + "A", "newline": good + "\n",
		"newline inside": good[:20] + "\n" + good[20:], "newline instead": good[:20] + "\n" + good[21:], "padding": good + "==",
		"padding instead": good[:len(good)-1] + "=", "space": " " + good, "other case": swapCase(good),
		"other last character": good[:len(good)-1] + last, "other prefix": "lgx_" + good[4:], "no prefix": good[4:],
		"other alphabet": good[:30] + "+" + good[31:], "dot": good + ".", "long": strings.Repeat(good, 100),
	}
}

func swapCase(s string) string {
	b := []byte(s)
	for i := 4; i < len(b); i++ {
		if b[i] >= 'a' && b[i] <= 'z' || b[i] >= 'A' && b[i] <= 'Z' {
			b[i] ^= 0x20
		}
	}
	return string(b)
}

func testForged(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	i := s.tokens(t, s.granted(a), opaque())
	n := s.session(t, a, time.Hour)
	f, bind := s.signedIn(t, a)
	code := s.code(t, s.granted(a))
	for what, m := range mutants(code) {
		_, err := s.Grants.Redeem(ctx, m, "app", uri, "challenge", opaque())
		is(t, "Redeem of a code with "+what, err, grant.ErrUnknown)
	}
	for what, m := range mutants(i.Access) {
		_, err := s.Grants.Lookup(ctx, m)
		is(t, "Lookup of a token with "+what, err, grant.ErrUnknown)
		is(t, "Revoke of a token with "+what, s.Grants.Revoke(ctx, m, "app", false), nil)
	}
	for what, m := range mutants(i.Refresh) {
		_, err := s.Grants.Refresh(ctx, m, "app", opaque(), nil)
		is(t, "Refresh of a token with "+what, err, grant.ErrUnknown)
	}
	for what, m := range mutants(n.Handle) {
		_, err := s.Sessions.Load(ctx, m, "app")
		is(t, "Load of a session with "+what, err, authn.ErrGone)
		is(t, "End of a session with "+what, s.Sessions.End(ctx, m), nil)
	}
	for what, m := range mutants(f.ID) {
		_, err := s.Flows.Load(ctx, m, bind)
		is(t, "Load of a flow with "+what, err, authn.ErrGone)
		is(t, "Mark of a flow with "+what, s.Flows.Mark(ctx, m, bind, flow.Update{Allowed: true}), authn.ErrGone)
	}
	// One kind of handle is no other kind.
	for _, h := range []string{code, i.Refresh, n.Handle, f.ID} {
		_, err := s.Grants.Lookup(ctx, "lga_"+h[4:])
		is(t, "Lookup of another kind of handle", err, grant.ErrUnknown)
	}
	_, err := s.Grants.Redeem(ctx, "lgc_"+f.ID[4:], "app", uri, "challenge", opaque())
	is(t, "Redeem of a flow's id", err, grant.ErrUnknown)
	_, err = s.Grants.Redeem(ctx, code, "app", uri, "challenge", opaque())
	is(t, "Redeem of the code itself, after all that", err, nil)
	_, err = s.Grants.Lookup(ctx, i.Access)
	is(t, "Lookup of the token itself", err, nil)
}
