// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// The bounds of what is declared.
const (
	maxScopes        = 500
	maxDeclaredRoles = 500
)

// ListScopes returns the scopes that are declared or built in, by name. All admins see them: they grant them.
func (c *Clerk) ListScopes(ctx context.Context) ([]client.Scope, error) {
	return c.o.Clients.Scopes(ctx)
}

// ListRoles returns the roles that are declared, by name.
func (c *Clerk) ListRoles(ctx context.Context) ([]client.Role, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return nil, err
	}
	return slices.SortedFunc(maps.Values(st.Roles), func(a, b client.Role) int { return cmp.Compare(a.Name, b.Name) }), nil
}

// PutScope declares a scope, or declares it anew; for the IT team alone. Tokens that are out have the claims of the new
// declaration at userinfo within 1 s.
func (c *Clerk) PutScope(ctx context.Context, s client.Scope) error {
	return c.declare(ctx, slog.String("scope", s.Name), func(st registry.State) (registry.Change, string, string, error) {
		before, there := st.Scopes[s.Name]
		if err := client.ValidateScope(s, Scopes()); err != nil {
			return registry.Change{}, "", "", err
		}
		if !there && len(st.Scopes) >= maxScopes {
			return registry.Change{}, "", "", fieldf("name", "is one too many: %d scopes are the most", maxScopes)
		}
		return registry.Change{PutScopes: []client.Scope{s}}, asJSON(before), asJSON(s), nil
	})
}

// RemoveScope takes a declaration away; for the IT team alone. Clients keep the name, which opens nothing any more.
func (c *Clerk) RemoveScope(ctx context.Context, name string) error {
	return c.declare(ctx, slog.String("scope", name), func(st registry.State) (registry.Change, string, string, error) {
		before, there := st.Scopes[name]
		if !there {
			return registry.Change{}, "", "", fmt.Errorf("scope %q: %w", name, authn.ErrNotFound)
		}
		return registry.Change{RemoveScopes: []string{name}}, asJSON(before), "", nil
	})
}

// PutRole declares a role, or declares it anew; for the IT team alone.
func (c *Clerk) PutRole(ctx context.Context, r client.Role) error {
	return c.declare(ctx, slog.String("role", r.Name), func(st registry.State) (registry.Change, string, string, error) {
		before, there := st.Roles[r.Name]
		if err := client.ValidateRole(r); err != nil {
			return registry.Change{}, "", "", err
		}
		if !there && len(st.Roles) >= maxDeclaredRoles {
			return registry.Change{}, "", "", fieldf("name", "is one too many: %d roles are the most", maxDeclaredRoles)
		}
		return registry.Change{PutRoles: []client.Role{r}}, asJSON(before), asJSON(r), nil
	})
}

// RemoveRole takes a declaration away; for the IT team alone. Who has the role keeps it.
func (c *Clerk) RemoveRole(ctx context.Context, name string) error {
	return c.declare(ctx, slog.String("role", name), func(st registry.State) (registry.Change, string, string, error) {
		before, there := st.Roles[name]
		if !there {
			return registry.Change{}, "", "", fmt.Errorf("role %q: %w", name, authn.ErrNotFound)
		}
		return registry.Change{RemoveRoles: []string{name}}, asJSON(before), "", nil
	})
}

// declare makes a change that is for the IT team alone, with before and after in the audit log.
func (c *Clerk) declare(ctx context.Context, what slog.Attr, change func(registry.State) (ch registry.Change, before, after string, err error)) error {
	if c.by.Company != "" {
		c.event(ctx, audit.AdminRefused, what)
		return ErrForbidden
	}
	var before, after string
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var ch registry.Change
		var err error
		ch, before, after, err = change(st)
		if err == nil && before == after {
			return registry.Change{}, nil
		}
		return ch, err
	})
	if err == nil && before != after {
		c.event(ctx, audit.DeclarationChanged, what, slog.String("before", before), slog.String("after", after))
	}
	return err
}
