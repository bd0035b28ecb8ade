// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/registry"
)

// testApply: many entries are one change, and of two that start from one version one is made.
func testApply(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	st, err := s.Registry.State(ctx)
	is(t, "State", err, nil)
	var ch registry.Change
	for i := range 300 {
		ch.PutClients = append(ch.PutClients, &client.Client{ID: fmt.Sprintf("c%03d", i), Name: "before"})
	}
	ch.PutCompanies = []company.Company{{ID: "acme", Name: "Acme"}, {ID: "beta", Name: "Beta"}}
	is(t, "Apply", s.Registry.Apply(ctx, st.Version, ch), nil)
	is(t, "Apply from an old version", s.Registry.Apply(ctx, st.Version, registry.Change{RemoveCompanies: []string{"acme"}}), authn.ErrMoved)
	st, err = s.Registry.State(ctx)
	is(t, "State", err, nil)
	if len(st.Clients) != 300 || len(st.Companies) != 2 || st.Clients["c299"].Name != "before" || len(st.Broken) != 0 {
		t.Errorf("State() = %d clients, %d companies, broken %v", len(st.Clients), len(st.Companies), st.Broken)
	}
	ch = registry.Change{
		PutClients: []*client.Client{{ID: "c000", Name: "after"}}, RemoveClients: []string{"c001", "none"}, RemoveCompanies: []string{"beta"},
	}
	is(t, "Apply", s.Registry.Apply(ctx, st.Version, ch), nil)
	got, err := s.Clients.Client(ctx, "c000")
	is(t, "Client", err, nil)
	if got.Name != "after" {
		t.Errorf("Client() = %q, want the changed one", got.Name)
	}
	_, err = s.Clients.Client(ctx, "c001")
	is(t, "Client that was removed", err, authn.ErrNotFound)
	_, err = s.Companies.Company(ctx, "beta")
	is(t, "Company that was removed", err, authn.ErrNotFound)

	st, err = s.Registry.State(ctx)
	is(t, "State", err, nil)
	bad := registry.Change{PutClients: []*client.Client{{ID: "fine"}, {ID: "a\nb"}}}
	if err := s.Registry.Apply(ctx, st.Version, bad); err == nil {
		t.Error("Apply() with a newline in an id: no error")
	}
	_, err = s.Clients.Client(ctx, "fine")
	is(t, "Client beside one that cannot be kept", err, authn.ErrNotFound)
	var c tally
	together(32, func(i int) {
		c.outcome(s.Registry.Apply(ctx, st.Version, registry.Change{PutClients: []*client.Client{{ID: fmt.Sprintf("race%d", i)}}}))
	})
	if c.get("ok") != 1 {
		t.Errorf("32 changes from one version: %v, want one", c.n)
	}
}
