// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// TestRoundTrips holds table 3 of the storage design, on every way to run Redis.
func TestRoundTrips(t *testing.T) {
	t.Run("miniredis", func(t *testing.T) {
		s, _ := mini(t, nil)
		roundTrips(t, s)
	})
	t.Run("redis", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		roundTrips(t, opened(t, config(t, addr)))
	})
	t.Run("cluster", func(t *testing.T) {
		c := config(t, storetest.StartCluster(t)...)
		c.Mode = store.Cluster
		roundTrips(t, opened(t, c))
	})
}

func roundTrips(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	costs := func(what string, want uint64, act func(context.Context) error) {
		t.Helper()
		before := s.Trips()
		if err := act(ctx); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := s.Trips() - before; got != want {
			t.Errorf("%s: %d round trips, want %d", what, got, want)
		}
	}
	a, err := s.Accounts().Create(ctx, authn.NewAccount{Name: "ann", PasswordRecord: "x", TOTPSecret: []byte("12345678901234567890")})
	if err != nil {
		t.Fatal(err)
	}
	costs("ByName", 2, func(ctx context.Context) error { _, err := s.Accounts().ByName(ctx, "ann"); return err })
	costs("ByName of nobody", 2, func(ctx context.Context) error { _, _ = s.Accounts().ByName(ctx, "bob"); return nil })
	now := time.Now()
	f := &flow.Flow{Request: flow.Request{ClientID: "app"}, Created: now}
	costs("store a flow", 1, func(ctx context.Context) error { return s.Flows().Create(ctx, f, "b") })
	costs("load a flow", 1, func(ctx context.Context) error { _, err := s.Flows().Load(ctx, f.ID, []string{"b"}); return err })
	f.Account, f.Epoch, f.PasswordGen, f.PasswordAt = &a, 1, 1, now
	costs("identify", 2, func(ctx context.Context) error { return s.Flows().Identify(ctx, f, []string{"b"}, "c") })
	costs("load a flow after the password", 1, func(ctx context.Context) error {
		_, err := s.Flows().Load(ctx, f.ID, []string{"c"})
		return err
	})
	costs("a second-factor post", 2, func(ctx context.Context) error {
		at := authn.Attempt{Account: a, Flow: f.ID, Bind: []string{"c"}, Kind: "totp"}
		c, err := s.Credentials().Charge(ctx, at, "123456")
		if err != nil {
			return err
		}
		_, err = s.Credentials().Consume(ctx, at, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: 9}})
		return err
	})
	var n session.Session
	costs("make a session", 1, func(ctx context.Context) error {
		n, err = s.Sessions().Create(ctx, session.Session{AccountID: a.ID, Epoch: 1, PasswordGen: 1, FactorGen: 1, End: now.AddDate(90, 0, 0)}, "")
		return err
	})
	told := grant.NewCode{Grant: grant.Grant{ClientID: "told", SID: "sid"}, Account: a, Session: n.Handle}
	costs("issue a code to an app that is told of the end", 1, func(ctx context.Context) error {
		_, err := s.Grants().Issue(ctx, told, nil)
		return err
	})
	costs("make a session, and end it", 3, func(ctx context.Context) error {
		m, err := s.Sessions().Create(ctx, session.Session{AccountID: a.ID, Epoch: 1, PasswordGen: 1, FactorGen: 1, End: now.AddDate(90, 0, 0)}, "")
		if err != nil {
			return err
		}
		return s.Sessions().End(ctx, m.Handle)
	})
	costs("session, account and consent", 1, func(ctx context.Context) error {
		_, err := s.Sessions().Load(ctx, n.Handle, "app")
		return err
	})
	tokenTrips(t, s, a, f.ID, costs)
	costs("put a message for two addresses", 1, func(ctx context.Context) error {
		return s.Outbox().Put(ctx, notify.Message{Kind: notify.FactorAdded, Event: "e", To: []string{"a@acme.example", "b@acme.example"}})
	})
	costs("guesses at one name", 1, func(ctx context.Context) error {
		l := throttle.Limit{Free: 9, First: time.Second, Kind: "n"}
		return s.Throttle().Charge(ctx, throttle.Guess{Limit: l, Name: "ann", Subject: "x"}, throttle.Guess{Limit: l, Name: "ann"})
	})
	if err := s.Clients().PutClient(ctx, &client.Client{ID: "app"}); err != nil {
		t.Fatal(err)
	}
	var pushed string
	costs("push a request", 1, func(ctx context.Context) error {
		pushed, err = s.Pushed().Push(ctx, &flow.Request{ClientID: "app"}, time.Minute)
		return err
	})
	costs("open a pushed request", 1, func(ctx context.Context) error { _, err := s.Pushed().Pushed(ctx, pushed); return err })
	costs("spend a pushed request", 1, func(ctx context.Context) error { return s.Pushed().Spend(ctx, pushed) })
	costs("record a proof", 1, func(ctx context.Context) error { return s.Proofs().Spend(ctx, "app", "id", time.Minute) })
	costs("client", 0, func(ctx context.Context) error { _, err := s.Clients().Client(ctx, "app"); return err })
}

func tokenTrips(t *testing.T, s *store.Store, a authn.Account, flowID string, costs func(string, uint64, func(context.Context) error)) {
	t.Helper()
	g := grant.Grant{ClientID: "app", RedirectURI: "https://app.example/cb", Scopes: []string{"openid"}}
	var out grant.Front
	var i grant.Issued
	var err error
	opaque := grant.Access{Life: time.Hour, Stored: true}
	costs("issue a code", 1, func(ctx context.Context) error {
		out, err = s.Grants().Issue(ctx, grant.NewCode{Grant: g, Account: a, Offline: true, Rotate: true, Flow: flowID}, nil)
		return err
	})
	costs("redeem", 1, func(ctx context.Context) error {
		i, err = s.Grants().Redeem(ctx, out.Code, "app", g.RedirectURI, "", opaque)
		return err
	})
	costs("refresh", 1, func(ctx context.Context) error {
		i, err = s.Grants().Refresh(ctx, i.Refresh, "app", opaque, nil)
		return err
	})
	costs("introspect", 1, func(ctx context.Context) error { _, err := s.Grants().Lookup(ctx, i.Access); return err })
	costs("revoke", 1, func(ctx context.Context) error { return s.Grants().Revoke(ctx, i.Access, "app", false) })
	costs("client credentials, opaque", 1, func(ctx context.Context) error {
		_, err := s.Grants().IssueClient(ctx, grant.Grant{ClientID: "app"}, opaque)
		return err
	})
	costs("client credentials, JWT", 0, func(ctx context.Context) error {
		_, err := s.Grants().IssueClient(ctx, grant.Grant{ClientID: "app"}, grant.Access{Life: time.Minute})
		return err
	})
	for _, forged := range []string{"", "x", i.Access[:90], i.Access + "A", i.Refresh[:50] + "AAAA" + i.Refresh[54:]} {
		costs("forged handles", 0, func(ctx context.Context) error {
			_, _ = s.Grants().Lookup(ctx, forged)
			_, _ = s.Grants().Redeem(ctx, forged, "app", "", "", opaque)
			_, _ = s.Grants().Refresh(ctx, forged, "app", opaque, nil)
			_, _ = s.Sessions().Load(ctx, forged, "app")
			_, _ = s.Flows().Load(ctx, forged, []string{"b"})
			_, _ = s.Devices().Use(ctx, a, forged)
			return s.Grants().Revoke(ctx, forged, "app", false)
		})
	}
}

// TestPeopleTrips: lists of people cost the same whatever there is; never more than nine round trips.
func TestPeopleTrips(t *testing.T) {
	s, _ := mini(t, nil)
	ctx := t.Context()
	for i := range 450 {
		_, err := s.Accounts().Create(ctx, authn.NewAccount{
			Name: fmt.Sprintf("anna%03d@acme.example", i), Company: "acme", PasswordRecord: "x",
			Profile: authn.Profile{Claims: map[string]any{"name": "Anna Example"}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		q    authn.PeopleQuery
		most uint64
		want int
	}{
		"a page":                      {authn.PeopleQuery{Company: "acme"}, 2, 50},
		"a long page":                 {authn.PeopleQuery{Company: "acme", Limit: 200}, 2, 200},
		"the last of many of a name":  {authn.PeopleQuery{Company: "acme", Text: "anna000"}, 9, 1},
		"one of whom there is nobody": {authn.PeopleQuery{Company: "acme", Text: "anna9"}, 9, 0},
		"a group without people":      {authn.PeopleQuery{Company: "acme", Group: "lawyers"}, 9, 0},
		"people without a factor":     {authn.PeopleQuery{Company: "acme", Show: authn.ShowWithout}, 2, 50},
	} {
		before := s.Trips()
		page, err := s.People().Page(ctx, c.q)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Trips() - before; got > c.most || len(page.People) != c.want {
			t.Errorf("%s: %d people in %d round trips, want %d in at most %d", what, len(page.People), got, c.want, c.most)
		}
	}
}
