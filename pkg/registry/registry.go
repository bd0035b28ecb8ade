// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package registry is what is registered, seen as one: clients, companies, scopes and roles with their version, so that a change of
// many entries is one step and two that change at once do not overwrite each other.
package registry

import (
	"context"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// State is the registry as of one moment. Its maps and values are shared: never change them.
type State struct {
	// Version changes with every change of any entry.
	Version   string
	Clients   map[string]*client.Client
	Companies map[string]company.Company
	// Scopes and Roles are those that are declared.
	Scopes map[string]client.Scope
	Roles  map[string]client.Role
	// Broken names entries that are there and cannot be read.
	Broken []string
}

// Change is what becomes of entries; those that it does not name stay.
type Change struct {
	PutClients      []*client.Client
	RemoveClients   []string
	PutCompanies    []company.Company
	RemoveCompanies []string
	PutScopes       []client.Scope
	RemoveScopes    []string
	PutRoles        []client.Role
	RemoveRoles     []string
}

// Empty says whether nothing would change.
func (c Change) Empty() bool {
	return len(c.PutClients)+len(c.RemoveClients)+len(c.PutCompanies)+len(c.RemoveCompanies)+
		len(c.PutScopes)+len(c.RemoveScopes)+len(c.PutRoles)+len(c.RemoveRoles) == 0
}

// Store keeps the registry. Every method may answer authn.ErrUnavailable.
type Store interface {
	// State reads the registry as it is now, not as it was up to a second ago.
	State(ctx context.Context) (State, error)
	// Apply makes the whole change in one step, if the registry is still of the given version: authn.ErrMoved else.
	// This node sees it when it is answered, others within 1 s.
	Apply(ctx context.Context, version string, c Change) error
}
