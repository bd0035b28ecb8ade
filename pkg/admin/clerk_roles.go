// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// maxDeclaredRoles is how many roles can be declared.
const maxDeclaredRoles = 500

// RolePage is a page of roles.
type RolePage struct {
	Roles []client.Role
	// Next is what the next page begins behind; empty: there is none. Total is how many there are on all pages.
	Next  string
	Total int
}

// RoleTag names the version of a role, as CompanyTag does.
func RoleTag(r client.Role) string { return digest(r) }

// ListRoles returns a page of the roles that are declared. All admins see them: they give them.
func (c *Clerk) ListRoles(ctx context.Context, q DeclaredQuery) (RolePage, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return RolePage{}, err
	}
	page := RolePage{Total: len(st.Roles)}
	page.Roles, page.Next = paged(slices.Collect(maps.Values(st.Roles)), q, func(r client.Role) string { return r.Name })
	return page, nil
}

// Role returns one role that is declared.
func (c *Clerk) Role(ctx context.Context, name string) (client.Role, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return client.Role{}, err
	}
	return heldRole(st, name, "")
}

// CreateRole declares a role; for the IT team alone. authn.ErrExists for a name that is declared.
func (c *Clerk) CreateRole(ctx context.Context, r client.Role) error {
	return c.declare(ctx, slog.String("role", r.Name), func(st registry.State) (declaration, error) {
		if err := client.ValidateRole(r); err != nil {
			return declaration{}, err
		}
		if _, there := st.Roles[r.Name]; there {
			return declaration{}, fmt.Errorf("role %q: %w", r.Name, authn.ErrExists)
		}
		if len(st.Roles) >= maxDeclaredRoles {
			return declaration{}, fieldf("name", "is one too many: %d roles are the most", maxDeclaredRoles)
		}
		return declaration{registry.Change{PutRoles: []client.Role{r}}, "", asJSON(r)}, nil
	})
}

// ChangeRole declares a role anew; for the IT team alone. tag as for ChangeScope.
func (c *Clerk) ChangeRole(ctx context.Context, name, tag string, r client.Role) error {
	return c.declare(ctx, slog.String("role", name), func(st registry.State) (declaration, error) {
		before, err := heldRole(st, name, tag)
		if err != nil {
			return declaration{}, err
		}
		if r.Name != name {
			return declaration{}, fieldf("name", "cannot be changed: it must be the role's own")
		}
		return declaration{registry.Change{PutRoles: []client.Role{r}}, asJSON(before), asJSON(r)}, client.ValidateRole(r)
	})
}

// RemoveRole takes a declaration away; for the IT team alone. Who has the role keeps it. tag as for ChangeScope.
func (c *Clerk) RemoveRole(ctx context.Context, name, tag string) error {
	return c.declare(ctx, slog.String("role", name), func(st registry.State) (declaration, error) {
		before, err := heldRole(st, name, tag)
		return declaration{registry.Change{RemoveRoles: []string{name}}, asJSON(before), ""}, err
	})
}

// heldRole returns a role that is there and of the version.
func heldRole(st registry.State, name, tag string) (client.Role, error) {
	r, there := st.Roles[name]
	if !there {
		return r, fmt.Errorf("role %q: %w", name, authn.ErrNotFound)
	}
	if tag != "" && tag != RoleTag(r) {
		return r, fmt.Errorf("role %q: %w", name, ErrStale)
	}
	return r, nil
}
