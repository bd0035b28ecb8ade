// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"errors"
	"slices"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// Scopes are those of the REST API. Who grants one to a client hands out what an IT team may do: no company admin can,
// and no client that registers itself gets one.
func Scopes() []string {
	return []string{
		"clients:read", "clients:write", "companies:read", "companies:write", "accounts:read", "accounts:write",
		"policies:read", "policies:write", "scopes:read", "scopes:write", "keys:read", "keys:write", "audit:read",
	}
}

// standardScopes are those that a company's admin may grant: what they open is the person's own profile.
func standardScopes() []string {
	return []string{"openid", "profile", "email", "address", "phone", "offline_access", "roles", "groups"}
}

// checkClient fills in defaults and holds a client against the rules for all, and for the clerk; before is the client
// as it was, or nil.
func (c *Clerk) checkClient(st registry.State, x, before *client.Client) error {
	if c.by.Company != "" {
		c.bound(x)
	}
	client.Defaults(x)
	problems := []error{client.Validate(x), client.ValidateLifetimes(x, c.o.Lifetimes)}
	if x.Company != "" {
		if _, ok := st.Companies[x.Company]; !ok {
			problems = append(problems, problem("lychgate_company", "is no company that is registered"))
		}
	}
	for _, id := range x.Companies {
		// One of another company is no news to an admin of this one.
		if _, ok := st.Companies[id]; !ok && c.by.Company == "" {
			problems = append(problems, problem("lychgate_companies", "holds a company that is not registered"))
			break
		}
	}
	if x.Dynamic != nil && slices.ContainsFunc(x.Scopes(), isAPIScope) {
		problems = append(problems, problem("scope", "of a client that registered itself cannot hold a scope of the API"))
	}
	if c.by.Company != "" {
		problems = append(problems, c.checkBounds(st, x, before)...)
	}
	return errors.Join(problems...)
}

func isAPIScope(s string) bool { return slices.Contains(Scopes(), s) }

// bound fills in what a company admin's client cannot do without: it is the company's own, for its people alone.
func (c *Clerk) bound(x *client.Client) {
	if x.Company == "" {
		x.Company = c.by.Company
	}
	if len(x.Companies) == 0 {
		x.Companies = []string{c.by.Company}
	}
}

// checkBounds is what a company admin may not decide: it would reach beyond the company. What the IT team has decided
// before may stay.
func (c *Clerk) checkBounds(st registry.State, x, before *client.Client) []error {
	if before == nil {
		before = &client.Client{}
	}
	var problems []error
	if x.Company != c.by.Company {
		problems = append(problems, problem("lychgate_company", "must be your own company"))
	}
	if !slices.Equal(x.Companies, before.Companies) && !slices.Equal(x.Companies, []string{c.by.Company}) {
		problems = append(problems, problem("lychgate_companies", "must be your own company alone: the IT team can open an app to others"))
	}
	for _, s := range x.Scopes() {
		if !slices.Contains(standardScopes(), s) && !slices.Contains(before.Scopes(), s) {
			problems = append(problems, problem("scope", "holds one that the IT team alone can grant"))
			break
		}
	}
	if !slices.Equal(x.Audience, before.Audience) {
		problems = append(problems, problem("lychgate_audience", "can be changed by the IT team alone"))
	}
	for _, id := range x.Introspect {
		other, ok := st.Clients[id]
		if (!ok || other.Company != c.by.Company) && !slices.Contains(before.Introspect, id) {
			problems = append(problems, problem("lychgate_introspect", "may hold clients of your own company alone"))
			break
		}
	}
	return problems
}
