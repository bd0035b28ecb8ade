// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

// charged charges a guess in a flow of its own.
func (s *Stores) charged(t *testing.T, a authn.Account, typed string) (authn.Attempt, authn.Charge) {
	t.Helper()
	f, bind := s.signedIn(t, a)
	at := attempt(f, bind)
	c, err := s.Credentials.Charge(t.Context(), at, typed)
	is(t, "Charge", err, nil)
	return at, c
}

func testFactor(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.enrolled(t, "ann")
	at, c := s.charged(t, a, "123456")
	if len(c.Credentials) != 1 || string(c.Credentials[0].Secret) != string(totpSecret()) || c.Credentials[0].LastStep != 0 || c.Gen != 1 {
		t.Fatalf("Charge() = %v, want the imported secret", c)
	}
	if d := s.Now().Sub(c.Now); d > 5*time.Second || d < -5*time.Second {
		t.Errorf("Charge().Now is %s off the store's clock", d)
	}
	id := c.Credentials[0].ID
	again, err := s.Credentials.Charge(ctx, at, "123456")
	is(t, "Charge of the same post", err, nil)
	if again.Attempt != c.Attempt {
		t.Errorf("attempt of the same post = %q, want %q", again.Attempt, c.Attempt)
	}
	e, err := s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 100}})
	is(t, "Consume", err, nil)
	if e.Method != "otp" || e.Device || e.At.IsZero() {
		t.Errorf("Consume() = %+v, want fresh otp", e)
	}
	f, err := s.Flows.Load(ctx, at.Flow, at.Bind)
	is(t, "Load", err, nil)
	if d := cmp.Diff([]authn.Evidence{e}, f.Factors); d != "" {
		t.Errorf("evidence in the flow (-want +got):\n%s", d)
	}
	e2, err := s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 100}})
	is(t, "Consume of the same post", err, nil)
	if !e2.At.Equal(e.At) && e2.At.Before(e.At) {
		t.Errorf("Consume() again = %v, want the same pass", e2)
	}
	again, err = s.Credentials.Charge(ctx, at, "123456")
	is(t, "Charge after acceptance", err, nil)
	if !again.Accepted {
		t.Error("Charge() after acceptance: Accepted = false, want true")
	}
	_, err = s.Credentials.Consume(ctx, at, again, nil)
	is(t, "Consume of what was accepted", err, nil)

	for step, want := range map[int64]error{100: authn.ErrUsed, 99: authn.ErrUsed} {
		at, c := s.charged(t, a, fmt.Sprint("old", step))
		_, err = s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: step}})
		is(t, fmt.Sprintf("Consume of step %d after 100", step), err, want)
	}
	at, c = s.charged(t, a, "next")
	_, err = s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 100}, {Credential: id, Step: 101}})
	is(t, "Consume of the next step", err, nil)
}

func testFactorRefuses(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	p := s.person(t, "never")
	f, bind := s.signedIn(t, p)
	_, err := s.Credentials.Charge(ctx, attempt(f, bind), "1")
	is(t, "Charge without a factor", err, authn.ErrNotEnrolled)

	a := s.enrolled(t, "ann")
	f, bind = s.signedIn(t, a)
	at := attempt(f, bind)
	foreign := at
	foreign.Bind = []string{"x"}
	_, err = s.Credentials.Charge(ctx, foreign, "1")
	is(t, "Charge by another browser", err, authn.ErrGone)
	other := at
	other.Account = p
	_, err = s.Credentials.Charge(ctx, other, "1")
	is(t, "Charge for another account", err, authn.ErrGone)
	c, err := s.Credentials.Charge(ctx, at, "1")
	is(t, "Charge", err, nil)
	id := c.Credentials[0].ID
	uncharged := c
	uncharged.Attempt = "AAAAAAAAAAAAAAAAAAAAAA"
	_, err = s.Credentials.Consume(ctx, at, uncharged, []authn.Match{{Credential: id, Step: 5}})
	is(t, "Consume without a charge", err, authn.ErrRejected)
	_, err = s.Credentials.Consume(ctx, at, c, nil)
	is(t, "Consume of no match", err, authn.ErrRejected)
	_, err = s.Credentials.Consume(ctx, foreign, c, []authn.Match{{Credential: id, Step: 5}})
	is(t, "Consume by another browser", err, authn.ErrGone)
	_, err = s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: "nobody", Step: 5}})
	is(t, "Consume of an unknown authenticator", err, authn.ErrLost)
	is(t, "End", s.Flows.End(ctx, at.Flow, at.Bind), nil)
	_, err = s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 5}})
	is(t, "Consume in a flow that ended", err, authn.ErrGone)

	at, c = s.charged(t, a, "2")
	_, err = s.Accounts.Apply(ctx, a.ID, "*", authn.SetPassword, "new")
	is(t, "change password", err, nil)
	_, err = s.Credentials.Consume(ctx, at, c, []authn.Match{{Credential: id, Step: 5}})
	is(t, "Consume after the password changed", err, authn.ErrMoved)
	_, err = s.Credentials.Charge(ctx, at, "3")
	is(t, "Charge after the password changed", err, authn.ErrMoved)
}

func testFactorRaces(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{Free: 1000}), t.Context()
	for round := range 3 {
		// One step, 30 flows: charged one after the other within the budget of 12 guesses.
		a := s.enrolled(t, fmt.Sprint("many", round))
		var c tally
		together(64, func(i int) {
			f, bind, err := s.signIn(ctx, a)
			if err != nil {
				c.outcome(err)
				return
			}
			at := attempt(f, bind)
			ch, err := s.Credentials.Charge(ctx, at, fmt.Sprint(i))
			if err != nil {
				c.add("not charged")
				return
			}
			_, err = s.Credentials.Consume(ctx, at, ch, []authn.Match{{Credential: ch.Credentials[0].ID, Step: 100}})
			c.outcome(err, authn.ErrRejected)
		})
		if c.get("ok") != 1 || c.get("ok")+c.get("rejected")+c.get("not charged") != 64 {
			t.Fatalf("64 flows with one code: %v, want one success", c.n)
		}
		// One charge, 64 posts of it: one acceptance, told again to those that repeat it.
		at, ch := s.charged(t, s.enrolled(t, fmt.Sprint("one", round)), "x")
		var d tally
		together(64, func(int) {
			e, err := s.Credentials.Consume(ctx, at, ch, []authn.Match{{Credential: ch.Credentials[0].ID, Step: 7}})
			d.outcome(err)
			_ = e
		})
		if d.get("ok") != 64 {
			t.Fatalf("64 repeats of one post: %v, want the same answer", d.n)
		}
		f, err := s.Flows.Load(ctx, at.Flow, at.Bind)
		is(t, "Load", err, nil)
		if len(f.Factors) != 1 {
			t.Fatalf("evidence = %v, want one", f.Factors)
		}
	}
}

func testFactorWaits(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{FirstWait: life}), t.Context()
	a := s.enrolled(t, "ann")
	f, bind := s.signedIn(t, a)
	at := attempt(f, bind)
	for i := range 5 {
		_, err := s.Credentials.Charge(ctx, at, fmt.Sprint(i))
		is(t, fmt.Sprintf("guess %d", i), err, nil)
	}
	_, err := s.Credentials.Charge(ctx, at, "6")
	w, ok := errors.AsType[*authn.WaitError](err)
	if !ok || w.For <= 0 || w.For > life {
		t.Fatalf("sixth guess: %v, want a wait of up to %s", err, life)
	}
	// Nothing that the guesser can do without a right code makes the wait shorter.
	at2, bind2 := s.signedIn(t, a)
	_, err = s.Credentials.Charge(ctx, attempt(at2, bind2), "6")
	if _, ok := errors.AsType[*authn.WaitError](err); !ok {
		t.Fatalf("guess in another flow: %v, want a wait", err)
	}
	known := at
	known.Lane = authn.LaneKnown
	c, err := s.Credentials.Charge(ctx, known, "owner")
	is(t, "guess from a known browser", err, nil)
	_, err = s.Credentials.Consume(ctx, known, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: 9}})
	is(t, "Consume from a known browser", err, nil)
	s.pass(life + 50*time.Millisecond)
	_, err = s.Credentials.Charge(ctx, at, "7")
	is(t, "guess after the wait", err, nil)
}
