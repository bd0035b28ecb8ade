// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

// secretOf is the secret of the n-th authenticator of a test.
func secretOf(n int) []byte { return fmt.Appendf(nil, "%020d", n) }

// inPurpose is a person after the password in a flow of the account page that began with factors shown in a session.
func (s *Stores) inPurpose(t *testing.T, a authn.Account, shown ...authn.Evidence) authn.Attempt {
	t.Helper()
	f := &flow.Flow{
		Request: flow.Request{Purpose: flow.PurposeAdd, Return: "/account"}, Created: s.at(), Account: &a, Epoch: a.Epoch,
		PasswordGen: a.PasswordGen, PasswordAt: s.at(), Factors: shown,
	}
	is(t, "Create", s.Flows.Create(t.Context(), f, "b"), nil)
	at := attempt(f, []string{"b"})
	at.Setup = authn.SetupAdd
	return at
}

// pass shows a fresh code in a flow.
func (s *Stores) show(t *testing.T, at authn.Attempt, step int64) {
	t.Helper()
	c, err := s.Credentials.Charge(t.Context(), at, fmt.Sprint(step))
	is(t, "Charge", err, nil)
	_, err = s.Credentials.Consume(t.Context(), at, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: step}})
	is(t, "Consume", err, nil)
}

// again reads the account as it is now.
func (s *Stores) again(t *testing.T, a authn.Account) authn.Account {
	t.Helper()
	r, err := s.Accounts.ByID(t.Context(), a.ID)
	is(t, "ByID", err, nil)
	return r.Account
}

// add sets up one more authenticator, right after a code.
func (s *Stores) add(t *testing.T, a authn.Account, n int, step int64) authn.Account {
	t.Helper()
	at := s.inPurpose(t, a)
	s.show(t, at, step)
	_, err := s.Credentials.Begin(t.Context(), at, secretOf(n))
	is(t, "Begin", err, nil)
	_, err = s.Credentials.Confirm(t.Context(), at, enrolment(secretOf(n), 100))
	is(t, "Confirm", err, nil)
	return s.again(t, a)
}

func testSeveral(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	a = s.add(t, s.add(t, a, 1, 200), 2, 201)
	have, err := s.Credentials.Authenticators(ctx, a)
	is(t, "Authenticators", err, nil)
	if len(have.List) != 3 || have.RecoveryLeft != 0 || have.Locked || have.List[1].Added.IsZero() || have.List[0].Used.IsZero() || !have.List[2].Used.IsZero() {
		t.Fatalf("Authenticators() = %+v, want three", have)
	}
	// Each has a last step of its own: the same step of two of them is accepted once from each.
	ids := []string{have.List[1].ID, have.List[2].ID}
	for _, id := range append(ids, ids...) {
		at, c := s.charged(t, a, "same"+id)
		if len(c.Credentials) != 3 {
			t.Fatalf("Charge() revealed %d authenticators, want 3", len(c.Credentials))
		}
		_, err := s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 300}})
		if slices.Contains(ids, id) {
			ids = slices.DeleteFunc(slices.Clone(ids), func(x string) bool { return x == id })
			is(t, "Consume", err, nil)
			continue
		}
		is(t, "Consume again", err, authn.ErrRejected)
	}
	// One that is named is the only one revealed, and costs a third.
	f, bind := s.signedIn(t, a)
	at := attempt(f, bind)
	at.Authenticator = have.List[2].ID
	c, err := s.Credentials.Charge(ctx, at, "named")
	is(t, "Charge of one", err, nil)
	if len(c.Credentials) != 1 || c.Credentials[0].ID != at.Authenticator || string(c.Credentials[0].Secret) != string(secretOf(2)) {
		t.Errorf("Charge() of one = %v", c)
	}
	for _, wrong := range []string{"totp.AAAAAAAAAAA", "passkey", ""} {
		at.Authenticator, at.Kind = wrong, "passkey"
		_, err = s.Credentials.Charge(ctx, at, "foreign")
		is(t, "Charge of none: "+wrong, err, authn.ErrRejected)
	}
}

func testSetupMore(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	old := authn.Evidence{Method: "otp", At: s.at().Add(-authn.FreshProof - time.Minute)}
	device := authn.Evidence{Method: "otp", At: s.at(), Device: true}
	for what, shown := range map[string][]authn.Evidence{"the password alone": nil, "an old code": {old}, "a remembered device": {device}} {
		_, err := s.Credentials.Begin(ctx, s.inPurpose(t, a, shown...), secretOf(1))
		is(t, "SF-17 SF-21 Begin after "+what, err, authn.ErrConflict)
	}
	first := s.inPurpose(t, a)
	first.Setup = authn.SetupFirst
	s.show(t, first, 200)
	_, err := s.Credentials.Begin(ctx, first, secretOf(1))
	is(t, "SF-17 Begin of a first set-up when enrolled", err, authn.ErrConflict)

	at := s.inPurpose(t, a, authn.Evidence{Method: "otp", At: s.at().Add(-time.Minute)})
	_, err = s.Credentials.Begin(ctx, at, secretOf(1))
	is(t, "Begin after a code of a minute ago", err, nil)
	// SF-20: nothing changes until the set-up is confirmed.
	if now := s.again(t, a); now.FactorGen != a.FactorGen || now.Factor != authn.FactorOn {
		t.Errorf("account during a set-up = %+v", now)
	}
	have, err := s.Credentials.Authenticators(ctx, a)
	is(t, "Authenticators", err, nil)
	only := have.List[0].ID
	at.Setup, at.Replaces = authn.SetupReplace, "totp.AAAAAAAAAAA"
	_, err = s.Credentials.Confirm(ctx, at, enrolment(secretOf(1), 100))
	is(t, "Confirm in the place of none", err, authn.ErrConflict)
	at.Replaces = only
	at2 := s.inPurpose(t, a)
	s.show(t, at2, 300)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(secretOf(1), 100))
	is(t, "Confirm in the place of the first", err, nil)
	a = s.again(t, a)
	have, err = s.Credentials.Authenticators(ctx, a)
	is(t, "Authenticators", err, nil)
	if len(have.List) != 1 || have.List[0].ID == only {
		t.Fatalf("Authenticators() after a replacement = %+v", have)
	}
	gone, err := s.Credentials.Removed(ctx, at)
	is(t, "Removed", err, nil)
	if len(gone) != 1 || gone[0].ID != only || string(gone[0].Secret) != string(totpSecret()) {
		t.Errorf("Removed() = %v, want the first", gone)
	}
	fr, err := s.Flows.Load(ctx, at.Flow, at.Bind)
	is(t, "Load", err, nil)
	if !fr.Enrolled || len(fr.Factors) == 0 || fr.Factors[len(fr.Factors)-1].Method != "otp" {
		t.Errorf("flow after a replacement = %+v", fr)
	}
	s.pass(11 * life)
	// The most is ten.
	for n := 2; n <= 10; n++ {
		a = s.add(t, a, n, int64(1000+n))
	}
	at = s.inPurpose(t, a)
	s.show(t, at, 2000)
	_, err = s.Credentials.Begin(ctx, at, secretOf(11))
	is(t, "Begin", err, nil)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(secretOf(11), 100))
	is(t, "an eleventh authenticator", err, authn.ErrTooMany)
}

func testEvidenceMoved(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	f, bind := s.signedIn(t, a)
	parked := attempt(f, bind)
	s.show(t, parked, 100)
	l, err := s.Flows.Load(ctx, parked.Flow, bind)
	is(t, "Load", err, nil)
	if len(l.Factors) != 1 {
		t.Fatalf("evidence = %v, want one", l.Factors)
	}
	s.add(t, a, 1, 101)
	l, err = s.Flows.Load(ctx, parked.Flow, bind)
	is(t, "Load", err, nil)
	if len(l.Factors) != 0 {
		t.Errorf("evidence of a flow parked across a change of factors = %v, want none", l.Factors)
	}
}
