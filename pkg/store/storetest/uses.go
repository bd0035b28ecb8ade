// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

// testUses: the last use of a client and its secrets is kept as it was written down last, and forgotten with them.
func testUses(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	app := &client.Client{ID: "app", Secrets: []client.Secret{{Digest: "aaaaaaaa11"}, {Digest: "bbbbbbbb22"}}}
	other := &client.Client{ID: "app2"}
	for _, c := range []*client.Client{app, other} {
		is(t, "PutClient", s.Clients.PutClient(ctx, c), nil)
	}
	at := s.at().UTC().Truncate(time.Second)
	is(t, "KeepUses of nothing", s.Uses.KeepUses(ctx, nil), nil)
	is(t, "KeepUses", s.Uses.KeepUses(ctx, map[client.UseKey]client.Use{
		{Client: "app"}: {At: at.Add(-time.Hour)}, {Client: "app", Secret: "aaaaaaaa"}: {At: at, From: "192.0.2.17"}, {Client: "app2"}: {At: at},
	}), nil)
	is(t, "KeepUses again", s.Uses.KeepUses(ctx, map[client.UseKey]client.Use{{Client: "app"}: {At: at}}), nil)
	got, err := s.Uses.Uses(ctx, []*client.Client{app, other})
	is(t, "Uses", err, nil)
	if u := got["app"]; !u.SignIn.Equal(at) || len(u.Secrets) != 1 || u.Secrets["aaaaaaaa"].From != "192.0.2.17" || !u.Secrets["aaaaaaaa"].At.Equal(at) {
		t.Errorf("Uses() of app = %+v", u)
	}
	if u := got["app2"]; !u.SignIn.Equal(at) || len(u.Secrets) != 0 {
		t.Errorf("Uses() of app2 = %+v", u)
	}
	none, err := s.Uses.Uses(ctx, nil)
	is(t, "Uses of nobody", err, nil)
	if len(none) != 0 {
		t.Errorf("Uses() of nobody = %v", none)
	}

	app = &client.Client{ID: "app", Secrets: app.Secrets[1:]}
	is(t, "PutClient", s.Clients.PutClient(ctx, app), nil)
	is(t, "RemoveClient", s.Clients.RemoveClient(ctx, "app2"), nil)
	is(t, "TidyUses", s.Uses.TidyUses(ctx), nil)
	app.Secrets = []client.Secret{{Digest: "aaaaaaaa11"}}
	got, err = s.Uses.Uses(ctx, []*client.Client{app, other})
	is(t, "Uses", err, nil)
	if u := got["app"]; !u.SignIn.Equal(at) || len(u.Secrets) != 0 || !got["app2"].SignIn.IsZero() {
		t.Errorf("Uses() after TidyUses() = %+v", got)
	}
}
