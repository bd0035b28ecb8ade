// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/lychgate/lychgate/pkg/company"
	reg "github.com/lychgate/lychgate/pkg/registry"
)

// Registry returns the registry as a whole.
func (s *Store) Registry() reg.Store { return s.registry }

// State implements registry.Store, in one round trip.
func (r *registry) State(ctx context.Context) (reg.State, error) {
	if err := r.s.gate(); err != nil {
		return reg.State{}, fmt.Errorf("read registry: %w", err)
	}
	snap, err := r.reload(ctx, r.snap.Load())
	if err != nil {
		return reg.State{}, fmt.Errorf("read registry: %w", err)
	}
	st := reg.State{Version: snap.version, Clients: snap.clients, Companies: snap.companies, Scopes: snap.scopes, Roles: snap.roles}
	for place := range snap.broken {
		st.Broken = append(st.Broken, place)
	}
	slices.Sort(st.Broken)
	return st, nil
}

// The keys of registry_apply by their places.
const (
	placeClients   = 2
	placeCompanies = 3
	placeScopes    = 4
	placeRoles     = 5
)

// Apply implements registry.Store.
func (r *registry) Apply(ctx context.Context, version string, c reg.Change) error {
	args := []any{version}
	for _, cl := range c.PutClients {
		sealed, err := r.sealClient(cl)
		if err != nil {
			return err
		}
		args = append(args, placeClients, cl.ID, sealed)
	}
	for _, co := range c.PutCompanies {
		sealed, err := r.sealCompany(co)
		if err != nil {
			return err
		}
		args = append(args, placeCompanies, co.ID, sealed)
	}
	for _, sc := range c.PutScopes {
		sealed, err := r.s.sealJSON("scope", field(r.s.key.scopes(), sc.Name), sc)
		if err != nil {
			return fmt.Errorf("store scope: %w", err)
		}
		args = append(args, placeScopes, sc.Name, sealed)
	}
	for _, ro := range c.PutRoles {
		sealed, err := r.s.sealJSON("role", field(r.s.key.roles(), ro.Name), ro)
		if err != nil {
			return fmt.Errorf("store role: %w", err)
		}
		args = append(args, placeRoles, ro.Name, sealed)
	}
	for place, ids := range map[int][]string{
		placeClients: c.RemoveClients, placeCompanies: c.RemoveCompanies, placeScopes: c.RemoveScopes, placeRoles: c.RemoveRoles,
	} {
		for _, id := range ids {
			args = append(args, place, id, "")
		}
	}
	if err := r.change(ctx, "registry_apply", r.s.key.registry(), args...); err != nil {
		return fmt.Errorf("change registry: %w", err)
	}
	return nil
}

// sealCompany makes the record of a company.
func (r *registry) sealCompany(c company.Company) (string, error) {
	if c.ID == "" || len(c.ID) > maxID || !printable(c.ID) {
		return "", fmt.Errorf("store company: id: %w", errInput)
	}
	sealed, err := r.s.sealJSON("company", field(r.s.key.companies(), c.ID), c)
	if err != nil {
		return "", fmt.Errorf("store company: %w", err)
	}
	return sealed, nil
}
