// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lychgate/lychgate/pkg/admin/declared"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/registry"
)

// Step is one change that declarative files ask for.
type Step struct {
	// What is add, change or remove; Kind is company, role, scope or client.
	What string `json:"what"`
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Fields are the names of what differs in a change, as they stand in the file.
	Fields []string `json:"fields,omitempty"`
	Before any      `json:"before,omitempty"`
	After  any      `json:"after,omitempty"`
}

// The acts and kinds of a Step.
const (
	stepAdd    = "add"
	stepChange = "change"
	stepRemove = "remove"

	kindCompany = "company"
	kindRole    = "role"
	kindScope   = "scope"
	kindClient  = "client"
)

// Plan is what declarative files would change, worked out from one version of the registry.
type Plan struct {
	Steps []Step
	// Kept is how many entries of the lists in the files are registered and stand in none of them; they stay without
	// Prune.
	Kept int
	// made are the secrets of clients that are added without one, by client_id.
	made    map[string]string
	version string
	change  registry.Change
}

// Prune says whether a plan removes what the files do not name.
type Prune string

// PruneNone leaves it alone; PruneListed removes the entries of those lists that stand in the files. Clients that
// registered themselves always stay.
const (
	PruneNone   Prune = ""
	PruneListed Prune = "listed"
)

// planner is a plan as it is worked out.
type planner struct {
	*Clerk
	doc      declared.Doc
	before   registry.State
	after    registry.State
	plan     Plan
	problems []error
}

// Plan says what Apply would do. Everything is checked; with a problem nothing is planned, and all problems are told at
// once, each with file and line. For the IT team alone.
func (c *Clerk) Plan(ctx context.Context, d declared.Doc, prune Prune) (Plan, error) {
	if c.by.Company != "" {
		return Plan{}, ErrForbidden
	}
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return Plan{}, err
	}
	if len(st.Broken) > 0 {
		return Plan{}, fmt.Errorf("entries of the registry cannot be read: %v; `lychgate doctor` says more: %w", st.Broken, authn.ErrLost)
	}
	p := &planner{Clerk: c, doc: d, before: st, after: copied(st), plan: Plan{made: map[string]string{}, version: st.Version}}
	p.companies()
	p.roles()
	p.scopes()
	p.prune(prune)
	p.clients()
	if err := p.left(ctx); err != nil {
		return Plan{}, err
	}
	if err := errors.Join(append(d.Problems, p.problems...)...); err != nil {
		return Plan{}, fmt.Errorf("nothing was changed:\n%w", err)
	}
	return p.plan, nil
}

// copied is a state whose maps can be changed.
func copied(st registry.State) registry.State {
	st.Clients, st.Companies = cloned(st.Clients), cloned(st.Companies)
	st.Scopes, st.Roles = cloned(st.Scopes), cloned(st.Roles)
	return st
}

func cloned[V any](m map[string]V) map[string]V {
	out := make(map[string]V, len(m))
	maps.Copy(out, m)
	return out
}

// step notes what becomes of an entry; before or after is nil for one that is added or removed.
func (p *planner) step(kind, id string, before, after any) {
	s := Step{Kind: kind, ID: id, Before: before, After: after}
	switch {
	case before == nil:
		s.What = stepAdd
	case after == nil:
		s.What = stepRemove
	default:
		s.What, s.Fields = stepChange, differing(before, after)
	}
	p.plan.Steps = append(p.plan.Steps, s)
}

func (p *planner) companies() {
	for _, o := range p.doc.Companies {
		if err := errors.Join(checkCompany(o.Value), ownDomains(p.after, o.Value)); err != nil {
			p.problems = append(p.problems, o.Wrap(err))
			continue
		}
		before, there := p.before.Companies[o.Value.ID]
		p.after.Companies[o.Value.ID] = o.Value
		if there && asJSON(before) == asJSON(o.Value) {
			continue
		}
		p.plan.change.PutCompanies = append(p.plan.change.PutCompanies, o.Value)
		p.step(kindCompany, o.Value.ID, orNil(before, there), o.Value)
	}
}

func (p *planner) roles() {
	for _, o := range p.doc.Roles {
		if err := client.ValidateRole(o.Value); err != nil {
			p.problems = append(p.problems, o.Wrap(err))
			continue
		}
		before, there := p.before.Roles[o.Value.Name]
		p.after.Roles[o.Value.Name] = o.Value
		if there && before == o.Value {
			continue
		}
		p.plan.change.PutRoles = append(p.plan.change.PutRoles, o.Value)
		p.step(kindRole, o.Value.Name, orNil(before, there), o.Value)
	}
}

func (p *planner) scopes() {
	for _, o := range p.doc.Scopes {
		if err := client.ValidateScope(o.Value, Scopes()); err != nil {
			p.problems = append(p.problems, o.Wrap(err))
			continue
		}
		before, there := p.before.Scopes[o.Value.Name]
		p.after.Scopes[o.Value.Name] = o.Value
		if there && asJSON(before) == asJSON(o.Value) {
			continue
		}
		p.plan.change.PutScopes = append(p.plan.change.PutScopes, o.Value)
		p.step(kindScope, o.Value.Name, orNil(before, there), o.Value)
	}
}

func orNil[T any](v T, there bool) any {
	if !there {
		return nil
	}
	return v
}

// clients come last: what they name has to be there after the change.
func (p *planner) clients() {
	for _, o := range p.doc.Clients {
		x := o.Value.Client
		before := p.before.Clients[x.ID]
		if before != nil {
			x.Dynamic = before.Dynamic
			x.KeepSecrets(before)
		}
		err := p.checkClient(p.after, &x, before)
		if err == nil {
			err = p.secrets(&x, before, o.Value)
		}
		if err != nil {
			p.problems = append(p.problems, o.Wrap(err))
			continue
		}
		if before != nil && asJSON(before) == asJSON(&x) && slices.Equal(before.Secrets, x.Secrets) {
			continue
		}
		p.plan.change.PutClients = append(p.plan.change.PutClients, &x)
		if before == nil {
			p.step(kindClient, x.ID, nil, &x)
			continue
		}
		p.step(kindClient, x.ID, before, &x)
		if s := &p.plan.Steps[len(p.plan.Steps)-1]; !slices.Equal(before.Secrets, x.Secrets) {
			s.Fields = append(s.Fields, "client_secret")
		}
	}
}

// secrets gives a client the secret of its reference, those of an export, or a new one, as far as it has none.
func (p *planner) secrets(x, before *client.Client, d declared.Client) error {
	switch {
	case !x.KeepsSecret():
		if d.Secret != "" {
			return problem("client_secret", "is never used with this token_endpoint_auth_method: remove it")
		}
		return nil
	case d.Secret != "":
		if _, err := p.o.newSecret(d.Secret); err != nil {
			return err
		}
		if !x.HasSecret(p.o.Digest(d.Secret), p.o.Now()) {
			x.AddSecret(d.Secret, p.o.Digest, p.o.Now())
		}
		return nil
	case before != nil:
		return nil
	case len(d.Kept) > 0 && x.AuthMethod != client.AuthSecretJWT:
		if len(d.Kept) > client.MaxSecrets {
			return fieldf("client_secret_digests", "can have %d entries at most", client.MaxSecrets)
		}
		x.Secrets = d.Kept
		return nil
	default:
		secret, err := p.o.newSecret("")
		if err != nil {
			return err
		}
		x.AddSecret(secret, p.o.Digest, p.o.Now())
		p.plan.made[x.ID] = secret
		return nil
	}
}

// prune removes what is registered and not declared, or counts it.
func (p *planner) prune(how Prune) {
	for _, id := range p.unnamed(declared.ListClients, slices.Collect(maps.Keys(p.before.Clients)), ids(p.doc.Clients, func(c declared.Client) string { return c.ID })) {
		if p.before.Clients[id].Dynamic != nil {
			continue
		}
		if p.plan.Kept++; how == PruneListed {
			p.plan.change.RemoveClients = append(p.plan.change.RemoveClients, id)
			p.step(kindClient, id, p.before.Clients[id], nil)
			delete(p.after.Clients, id)
		}
	}
	for _, id := range p.unnamed(declared.ListScopes, slices.Collect(maps.Keys(p.before.Scopes)), ids(p.doc.Scopes, func(s client.Scope) string { return s.Name })) {
		if p.plan.Kept++; how == PruneListed {
			p.plan.change.RemoveScopes = append(p.plan.change.RemoveScopes, id)
			p.step(kindScope, id, p.before.Scopes[id], nil)
		}
	}
	for _, id := range p.unnamed(declared.ListRoles, slices.Collect(maps.Keys(p.before.Roles)), ids(p.doc.Roles, func(r client.Role) string { return r.Name })) {
		if p.plan.Kept++; how == PruneListed {
			p.plan.change.RemoveRoles = append(p.plan.change.RemoveRoles, id)
			p.step(kindRole, id, p.before.Roles[id], nil)
		}
	}
	for _, id := range p.unnamed(declared.ListCompanies, slices.Collect(maps.Keys(p.before.Companies)), ids(p.doc.Companies, func(c company.Company) string { return c.ID })) {
		if p.plan.Kept++; how == PruneListed {
			p.plan.change.RemoveCompanies = append(p.plan.change.RemoveCompanies, id)
			p.step(kindCompany, id, p.before.Companies[id], nil)
			delete(p.after.Companies, id)
		}
	}
	if how == PruneListed {
		p.plan.Kept = 0
	}
}

func ids[T any](list []declared.Of[T], id func(T) string) map[string]bool {
	out := map[string]bool{}
	for _, o := range list {
		out[id(o.Value)] = true
	}
	return out
}

// unnamed are the entries of a list that stands in the files which the files do not name, sorted.
func (p *planner) unnamed(list string, have []string, named map[string]bool) []string {
	if !p.doc.Lists[list] {
		return nil
	}
	have = slices.DeleteFunc(have, func(id string) bool { return named[id] })
	slices.SortFunc(have, cmp.Compare)
	return have
}

// left refuses to remove a company that still has people or clients.
func (p *planner) left(ctx context.Context) error {
	for _, id := range p.plan.change.RemoveCompanies {
		n, err := p.o.People.Headcount(ctx, id)
		if err != nil {
			return err
		}
		if n.All > 0 {
			p.problems = append(p.problems, fmt.Errorf("company %q cannot be removed: it has %d accounts", id, n.All))
		}
		if hasClients(p.after, id) {
			p.problems = append(p.problems, fmt.Errorf("company %q cannot be removed: it has clients", id))
		}
	}
	return nil
}
