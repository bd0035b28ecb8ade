// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

// enrolment is a confirmed set-up of an authenticator app.
func enrolment(secret []byte, step int64) authn.Enrolment {
	return authn.Enrolment{Method: "otp", Pending: secret, Secret: secret, Step: step}
}

// enrol sets a factor up in the flow of an attempt.
func (s *Stores) enrol(t *testing.T, at authn.Attempt) authn.Evidence {
	t.Helper()
	secret, err := s.Credentials.Begin(t.Context(), at, totpSecret())
	is(t, "Begin", err, nil)
	e, err := s.Credentials.Confirm(t.Context(), at, enrolment(secret, 100))
	is(t, "Confirm", err, nil)
	return e
}

func testSetup(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	f, bind := s.signedIn(t, a)
	at := attempt(f, bind)
	_, _, err := s.Credentials.Pending(ctx, at)
	is(t, "Pending before Begin", err, authn.ErrGone)
	secret, err := s.Credentials.Begin(ctx, at, totpSecret())
	is(t, "Begin", err, nil)
	same, err := s.Credentials.Begin(ctx, at, []byte("another secret here!"))
	is(t, "Begin again", err, nil)
	if string(same) != string(secret) {
		t.Error("Begin() again gave another secret")
	}
	foreign := at
	foreign.Bind = []string{"x"}
	_, err = s.Credentials.Begin(ctx, foreign, secret)
	is(t, "Begin by another browser", err, authn.ErrGone)
	_, _, err = s.Credentials.Pending(ctx, foreign)
	is(t, "Pending by another browser", err, authn.ErrGone)
	_, err = s.Credentials.Confirm(ctx, foreign, enrolment(secret, 1))
	is(t, "Confirm by another browser", err, authn.ErrGone)
	got, now, err := s.Credentials.Pending(ctx, at)
	is(t, "Pending", err, nil)
	if string(got) != string(secret) || now.Sub(s.Now()) > 5*time.Second || s.Now().Sub(now) > 5*time.Second {
		t.Errorf("Pending() = %d bytes at %s", len(got), now)
	}
	_, err = s.Credentials.Confirm(ctx, at, enrolment([]byte("another secret here!"), 100))
	is(t, "Confirm of another secret", err, authn.ErrGone)
	e, err := s.Credentials.Confirm(ctx, at, enrolment(secret, 100))
	is(t, "Confirm", err, nil)
	l, err := s.Flows.Load(ctx, at.Flow, bind)
	is(t, "Load", err, nil)
	if !l.Enrolled || len(l.Factors) != 1 || !l.Factors[0].At.Equal(e.At) || l.Account.Factor != authn.FactorOn {
		t.Errorf("flow after the set-up = %+v", l)
	}
	_, err = s.Credentials.Confirm(ctx, at, enrolment(secret, 101))
	is(t, "Confirm again", err, authn.ErrGone)
	_, err = s.Credentials.Begin(ctx, at, secret)
	is(t, "Begin when enrolled", err, authn.ErrConflict)
	// The step that confirmed is spent (SF-05).
	at2, c := s.charged(t, *l.Account, "x")
	_, err = s.Credentials.Consume(ctx, at2, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: 100}})
	is(t, "Consume of the confirming step", err, authn.ErrRejected)
	_, err = s.Credentials.Consume(ctx, at2, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: 101}})
	is(t, "Consume of the next step", err, nil)

	b := s.person(t, "ben")
	f, bind = s.signedIn(t, b)
	at = attempt(f, bind)
	_, err = s.Credentials.Begin(ctx, at, totpSecret())
	is(t, "Begin", err, nil)
	for i := range 10 {
		_, _, err = s.Credentials.Pending(ctx, at)
		is(t, fmt.Sprintf("guess %d at the set-up", i), err, nil)
	}
	_, _, err = s.Credentials.Pending(ctx, at)
	is(t, "guess 11 at the set-up", err, authn.ErrGone)
	_, err = s.Credentials.Begin(ctx, at, totpSecret())
	is(t, "Begin after too many guesses", err, authn.ErrGone)
}

func testSetupTicket(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{TicketLife: life}), t.Context()
	reset := func(name string) (authn.Account, authn.Attempt, string) {
		t.Helper()
		a := s.enrolled(t, name)
		a, err := s.Accounts.Apply(ctx, a.ID, "*", authn.ResetFactor, "")
		is(t, "reset", err, nil)
		ticket, err := s.Accounts.NewTicket(ctx, a.ID)
		is(t, "NewTicket", err, nil)
		f, bind := s.signedIn(t, a)
		at := attempt(f, bind)
		_, err = s.Credentials.Charge(ctx, at, "1")
		is(t, "Charge after a reset", err, authn.ErrNotEnrolled)
		_, err = s.Credentials.Begin(ctx, at, totpSecret())
		is(t, "Begin", err, nil)
		return a, at, ticket
	}
	a, at, ticket := reset("ann")
	_, err := s.Credentials.Confirm(ctx, at, enrolment(totpSecret(), 1))
	is(t, "Confirm without a ticket", err, authn.ErrGone)
	is(t, "Mark", s.Flows.Mark(ctx, at.Flow, at.Bind, updateTicket("wrong")), nil)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(totpSecret(), 1))
	is(t, "Confirm with a wrong ticket", err, authn.ErrGone)
	is(t, "Mark", s.Flows.Mark(ctx, at.Flow, at.Bind, updateTicket(ticket)), nil)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(totpSecret(), 1))
	is(t, "Confirm with the ticket", err, nil)
	_, err = s.Accounts.NewTicket(ctx, a.ID)
	is(t, "NewTicket when enrolled", err, authn.ErrConflict)

	_, at, ticket = reset("late")
	is(t, "Mark", s.Flows.Mark(ctx, at.Flow, at.Bind, updateTicket(ticket)), nil)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(totpSecret(), 1))
	is(t, "Confirm with an old ticket", err, authn.ErrGone)

	a, _, ticket = reset("password")
	a, err = s.Accounts.Apply(ctx, a.ID, "*", authn.SetPassword, "new")
	is(t, "change password", err, nil)
	f, bind := s.signedIn(t, a)
	at = attempt(f, bind)
	_, err = s.Credentials.Begin(ctx, at, totpSecret())
	is(t, "Begin", err, nil)
	is(t, "Mark", s.Flows.Mark(ctx, at.Flow, at.Bind, updateTicket(ticket)), nil)
	_, err = s.Credentials.Confirm(ctx, at, enrolment(totpSecret(), 1))
	is(t, "Confirm with a ticket from before the password change", err, authn.ErrGone)
}

func testSetupRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	for round := range 3 {
		a := s.person(t, fmt.Sprint("ann", round))
		attempts := make([]authn.Attempt, 16)
		for i := range attempts {
			f, bind := s.signedIn(t, a)
			attempts[i] = attempt(f, bind)
			_, err := s.Credentials.Begin(ctx, attempts[i], totpSecret())
			is(t, "Begin", err, nil)
		}
		var c tally
		together(64, func(i int) {
			_, err := s.Credentials.Confirm(ctx, attempts[i%len(attempts)], enrolment(totpSecret(), 100))
			c.outcome(err, authn.ErrGone)
		})
		if c.get("ok") != 1 || c.get("gone") != 63 {
			t.Fatalf("64 Confirm of 16 set-ups: %v, want one", c.n)
		}
	}
}

func updateTicket(ticket string) flow.Update { return flow.Update{Ticket: ticket} }
