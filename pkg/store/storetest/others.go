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
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/throttle"
)

func testConsent(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.person(t, "ann")
	n := s.session(t, a, time.Hour)
	together(20, func(i int) {
		if err := s.Consents.Allow(ctx, a, "app", []string{"openid", fmt.Sprint("s", i)}); err != nil {
			t.Error(err)
		}
	})
	v, err := s.Sessions.Load(ctx, n.Handle, "app")
	is(t, "Load", err, nil)
	if len(v.Consented) != 21 {
		t.Errorf("consented = %v, want openid and s0 to s19, each once", v.Consented)
	}
	if err := s.Consents.Allow(ctx, a, "app", []string{"a b"}); err == nil {
		t.Error("Allow() of a scope with a space: no error")
	}
	_, err = s.Accounts.Apply(ctx, a.ID, "*", authn.Disable, "")
	is(t, "disable", err, nil)
	is(t, "Allow by a disabled account", s.Consents.Allow(ctx, a, "app", []string{"x"}), authn.ErrMoved)
}

func testThrottle(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	waits := func(what string, err error) {
		t.Helper()
		if _, ok := errors.AsType[*authn.WaitError](err); !ok {
			t.Fatalf("%s: %v, want a wait", what, err)
		}
	}
	name := throttle.Limit{Kind: "ns", Free: 3, First: life, Longest: 4 * life}
	src := throttle.Limit{Kind: "s", Free: 6, First: life, Per: 3 * life}
	a := throttle.Guess{Limit: name, Name: "ann", Subject: "192.0.2.1"}
	b := throttle.Guess{Limit: src, Subject: "192.0.2.1"}
	for i := range 3 {
		is(t, fmt.Sprintf("guess %d", i), s.Throttle.Charge(ctx, a, b), nil)
	}
	waits("guess 4", s.Throttle.Charge(ctx, a, b))
	waits("guess 4 in another order", s.Throttle.Charge(ctx, b, a))
	is(t, "another name", s.Throttle.Charge(ctx, throttle.Guess{Limit: name, Name: "ben", Subject: "192.0.2.1"}), nil)
	is(t, "another source", s.Throttle.Charge(ctx, throttle.Guess{Limit: name, Name: "ann", Subject: "192.0.2.2"}), nil)
	// None of the refused guesses was counted against the source: three are left.
	for i := range 3 {
		is(t, fmt.Sprintf("guess %d of the source", i+4), s.Throttle.Charge(ctx, b), nil)
	}
	waits("guess 7 of the source", s.Throttle.Charge(ctx, b))
	is(t, "Clear", s.Throttle.Clear(ctx, a), nil)
	waits("guess of the source after Clear of the name", s.Throttle.Charge(ctx, a, b))
	is(t, "guess after Clear", s.Throttle.Charge(ctx, a), nil)
	s.pass(life + 50*time.Millisecond)
	is(t, "guess of the source after its wait", s.Throttle.Charge(ctx, b), nil)
	waits("the next one", s.Throttle.Charge(ctx, b))
	s.pass(3 * life)
	for range 5 {
		is(t, "guess of the source in a new window", s.Throttle.Charge(ctx, b), nil)
	}
	var c tally
	r := throttle.Guess{Limit: throttle.Limit{Kind: "n", Free: 10, First: time.Minute, Longest: time.Hour}, Name: "race"}
	together(64, func(int) { c.outcome(s.Throttle.Charge(ctx, r)) })
	if c.get("ok") != 10 {
		t.Errorf("64 guesses at once: %v, want 10 free", c.n)
	}
}

func testRegistry(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	_, err := s.Clients.Client(ctx, "app")
	is(t, "Client that there is none of", err, authn.ErrNotFound)
	c := &client.Client{ID: "app", Name: "App", RedirectURIs: []string{uri}, Secrets: []client.Secret{{Digest: "digest", Hint: "gest", Made: 1, Ends: 2}}}
	is(t, "PutClient", s.Clients.PutClient(ctx, c), nil)
	got, err := s.Clients.Client(ctx, "app")
	is(t, "Client", err, nil)
	if d := cmp.Diff(c, got); d != "" {
		t.Errorf("Client() (-want +got):\n%s", d)
	}
	is(t, "PutClient", s.Clients.PutClient(ctx, &client.Client{ID: "app", Disabled: true}), nil)
	is(t, "PutClient", s.Clients.PutClient(ctx, &client.Client{ID: "aaa"}), nil)
	all, err := s.Clients.Clients(ctx)
	is(t, "Clients", err, nil)
	if len(all) != 2 || all[0].ID != "aaa" || !all[1].Disabled {
		t.Errorf("Clients() = %v", all)
	}
	is(t, "RemoveClient", s.Clients.RemoveClient(ctx, "aaa"), nil)
	is(t, "RemoveClient again", s.Clients.RemoveClient(ctx, "aaa"), authn.ErrNotFound)
	is(t, "ReplaceClient after RemoveClient", s.Clients.ReplaceClient(ctx, &client.Client{ID: "aaa"}), authn.ErrNotFound)
	_, err = s.Clients.Client(ctx, "aaa")
	is(t, "Client after that", err, authn.ErrNotFound)
	_, err = s.Clients.Client(ctx, "aaa")
	is(t, "Client after it was removed", err, authn.ErrNotFound)
	if err := s.Clients.PutClient(ctx, &client.Client{ID: "a\nb"}); err == nil {
		t.Error("PutClient() with a newline in its id: no error")
	}
	_, err = s.Companies.Company(ctx, "acme")
	is(t, "Company that there is none of", err, authn.ErrNotFound)
	co := company.Company{ID: "acme", Name: "Acme", HelpEmail: "help@acme.example"}
	is(t, "PutCompany", s.Companies.PutCompany(ctx, co), nil)
	back, err := s.Companies.Company(ctx, "acme")
	is(t, "Company", err, nil)
	if d := cmp.Diff(co, back); d != "" {
		t.Errorf("Company() (-want +got):\n%s", d)
	}
	list, err := s.Companies.Companies(ctx)
	is(t, "Companies", err, nil)
	if len(list) != 1 {
		t.Errorf("Companies() = %v, want one", list)
	}
}

func testKeys(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	rec, v, err := s.Keys.LoadKeys(ctx)
	is(t, "LoadKeys of none", err, nil)
	if rec != nil || v != 0 {
		t.Errorf("LoadKeys() = %q, %d, want nothing", rec, v)
	}
	var c tally
	together(16, func(i int) { c.outcome(s.Keys.SaveKeys(ctx, fmt.Append(nil, "ring ", i), 0), authn.ErrConflict) })
	if c.get("ok") != 1 || c.get(authn.ErrConflict.Error()) != 15 {
		t.Fatalf("16 first rings: %v, want one", c.n)
	}
	_, v, err = s.Keys.LoadKeys(ctx)
	is(t, "LoadKeys", err, nil)
	is(t, "SaveKeys", s.Keys.SaveKeys(ctx, []byte("second"), v), nil)
	is(t, "SaveKeys of an old version", s.Keys.SaveKeys(ctx, []byte("third"), v), authn.ErrConflict)
	rec, w, err := s.Keys.LoadKeys(ctx)
	is(t, "LoadKeys", err, nil)
	if string(rec) != "second" || w != v+1 {
		t.Errorf("LoadKeys() = %q, %d, want second, %d", rec, w, v+1)
	}
}
