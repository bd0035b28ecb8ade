// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// maxScopes is how many scopes can be declared.
const maxScopes = 500

// DeclaredQuery asks for a page of scopes or roles, by name.
type DeclaredQuery struct {
	// After is the name that the page begins behind; Limit as in ClientQuery.
	After string
	Limit int
}

// ListedScope is a scope that is in force.
type ListedScope struct {
	client.Scope
	// BuiltIn: it is there without being declared. A declaration of its name takes its place.
	BuiltIn bool `json:"built_in,omitempty"`
}

// ScopePage is a page of scopes.
type ScopePage struct {
	Scopes []ListedScope
	// Next is what the next page begins behind; empty: there is none. Total is how many there are on all pages.
	Next  string
	Total int
}

// ScopeTag names the version of a scope, as CompanyTag does.
func ScopeTag(s ListedScope) string { return digest(s) }

// ListScopes returns a page of the scopes that are declared or built in. All admins see them: they grant them.
func (c *Clerk) ListScopes(ctx context.Context, q DeclaredQuery) (ScopePage, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return ScopePage{}, err
	}
	var all []ListedScope
	for _, s := range st.Scopes {
		all = append(all, ListedScope{Scope: s})
	}
	for _, s := range client.BuiltIn() {
		if _, declared := st.Scopes[s.Name]; !declared {
			all = append(all, ListedScope{s, true})
		}
	}
	page := ScopePage{Total: len(all)}
	page.Scopes, page.Next = paged(all, q, func(s ListedScope) string { return s.Name })
	return page, nil
}

// paged are the entries of a page by name, and what the next one begins behind.
func paged[T any](all []T, q DeclaredQuery, name func(T) string) (page []T, next string) {
	sort.Slice(all, func(i, j int) bool { return name(all[i]) < name(all[j]) })
	all = slices.DeleteFunc(all, func(x T) bool { return q.After != "" && name(x) <= q.After })
	limit := pageSize(q.Limit)
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], name(all[limit-1])
}

// scopeIn is a scope as it is in force: declared, or else built in.
func scopeIn(st registry.State, name string) (s ListedScope, there bool) {
	if s, declared := st.Scopes[name]; declared {
		return ListedScope{Scope: s}, true
	}
	for _, s := range client.BuiltIn() {
		if s.Name == name {
			return ListedScope{s, true}, true
		}
	}
	return ListedScope{}, false
}

// Scope returns one scope that is declared or built in.
func (c *Clerk) Scope(ctx context.Context, name string) (ListedScope, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return ListedScope{}, err
	}
	s, there := scopeIn(st, name)
	if !there {
		return ListedScope{}, fmt.Errorf("scope %q: %w", name, authn.ErrNotFound)
	}
	return s, nil
}

// ScopesNamed are those of the named scopes that are declared or built in, by name.
func (c *Clerk) ScopesNamed(ctx context.Context, names []string) (map[string]ListedScope, error) {
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]ListedScope{}
	for _, name := range names {
		if s, there := scopeIn(st, name); there {
			out[name] = s
		}
	}
	return out, nil
}

// maxHolders is how many clients Holders names.
const maxHolders = 20

// Holders are the clients that hold a scope.
type Holders struct {
	// Clients are the first of them, by client_id; shared values: never change them. Total is how many there are.
	Clients []*client.Client
	Total   int
}

// ScopeHolders says which of the clients that may be seen hold a scope.
func (c *Clerk) ScopeHolders(ctx context.Context, name string) (Holders, error) {
	all, err := c.o.Clients.Clients(ctx)
	if err != nil {
		return Holders{}, err
	}
	all = slices.DeleteFunc(all, func(x *client.Client) bool {
		return !c.within(x.Company) || !slices.Contains(x.Scopes(), name)
	})
	return Holders{Clients: all[:min(len(all), maxHolders)], Total: len(all)}, nil
}

// CreateScope declares a scope; for the IT team alone. authn.ErrExists for a name that is declared or built in.
func (c *Clerk) CreateScope(ctx context.Context, s client.Scope) error {
	return c.declare(ctx, slog.String("scope", s.Name), func(st registry.State) (declaration, error) {
		d, err := putScope(st, s)
		if _, there := scopeIn(st, s.Name); err == nil && there {
			err = fmt.Errorf("scope %q: %w", s.Name, authn.ErrExists)
		}
		return d, err
	})
}

// ChangeScope declares a scope anew, or one that is built in; for the IT team alone. tag is the version that the change was
// made from (ErrStale if that is not in force any more); empty: any. Tokens that are out have the claims of the new
// declaration at userinfo within 1 s.
func (c *Clerk) ChangeScope(ctx context.Context, name, tag string, s client.Scope) error {
	return c.declare(ctx, slog.String("scope", name), func(st registry.State) (declaration, error) {
		if _, err := heldScope(st, name, tag); err != nil {
			return declaration{}, err
		}
		if s.Name != name {
			return declaration{}, fieldf("name", "cannot be changed: it must be the scope's own")
		}
		return putScope(st, s)
	})
}

// RemoveScope takes a declaration away; for the IT team alone. Clients keep the name, which opens nothing any more, or what
// is built in by that name. tag as for ChangeScope. authn.ErrConflict for a scope that is built in.
func (c *Clerk) RemoveScope(ctx context.Context, name, tag string) error {
	return c.declare(ctx, slog.String("scope", name), func(st registry.State) (declaration, error) {
		s, err := heldScope(st, name, tag)
		if err == nil && s.BuiltIn {
			err = fmt.Errorf("scope %q is built in: %w", name, authn.ErrConflict)
		}
		return declaration{registry.Change{RemoveScopes: []string{name}}, asJSON(s.Scope), ""}, err
	})
}

// heldScope returns a scope that is there and of the version.
func heldScope(st registry.State, name, tag string) (ListedScope, error) {
	s, there := scopeIn(st, name)
	if !there {
		return s, fmt.Errorf("scope %q: %w", name, authn.ErrNotFound)
	}
	if tag != "" && tag != ScopeTag(s) {
		return s, fmt.Errorf("scope %q: %w", name, ErrStale)
	}
	return s, nil
}

func putScope(st registry.State, s client.Scope) (declaration, error) {
	if err := client.ValidateScope(s, Scopes()); err != nil {
		return declaration{}, err
	}
	before, declared := st.Scopes[s.Name]
	d := declaration{registry.Change{PutScopes: []client.Scope{s}}, "", asJSON(s)}
	if declared {
		d.before = asJSON(before)
	} else if len(st.Scopes) >= maxScopes {
		return declaration{}, fieldf("name", "is one too many: %d scopes are the most", maxScopes)
	}
	return d, nil
}

// declaration is a change of what is declared, with before and after for the audit log; empty: there is none.
type declaration struct {
	change        registry.Change
	before, after string
}

// declare makes a change that is for the IT team alone, with before and after in the audit log.
func (c *Clerk) declare(ctx context.Context, what slog.Attr, change func(registry.State) (declaration, error)) error {
	if c.by.Company != "" {
		c.event(ctx, audit.AdminRefused, what)
		return ErrForbidden
	}
	var d declaration
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var err error
		if d, err = change(st); err != nil || d.before == d.after {
			return registry.Change{}, err
		}
		return d.change, nil
	})
	if err == nil && d.before != d.after {
		c.event(ctx, audit.DeclarationChanged, what, slog.String("before", d.before), slog.String("after", d.after))
	}
	return err
}
