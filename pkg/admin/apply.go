// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin/declared"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// Applied is what became of a plan.
type Applied struct {
	// Secrets are those that were made, by client_id; shown this once.
	Secrets map[string]string
	// Told is how many people were told by mail of a policy.
	Told int
}

// LogValue keeps the secrets out of the logs.
func (Applied) LogValue() slog.Value { return slog.StringValue("[redacted] applied") }

// Apply carries a plan out in one step: all of it, or, with ErrStale, nothing, because the registry was changed since it
// was planned. Every change stands in the audit log. Then it tells those whom a changed policy asks for a second factor;
// if that fails, the plan is in force all the same.
func (c *Clerk) Apply(ctx context.Context, p Plan) (Applied, error) {
	if c.by.Company != "" {
		return Applied{}, ErrForbidden
	}
	if p.change.Empty() {
		return Applied{}, nil
	}
	err := c.o.Registry.Apply(ctx, p.version, p.change)
	if errors.Is(err, authn.ErrMoved) {
		return Applied{}, fmt.Errorf("nothing was changed: somebody else has changed something since it was planned; plan again: %w", ErrStale)
	}
	if err != nil {
		return Applied{}, fmt.Errorf("nothing was changed: %w", err)
	}
	done := Applied{Secrets: p.made}
	for _, s := range p.Steps {
		c.applied(ctx, s)
	}
	for _, s := range p.Steps {
		after, ok := s.After.(company.Company)
		if !ok || !policyChanged(s) || !after.SecondFactor.Wanted() {
			continue
		}
		n, err := c.TellPolicy(ctx, after.ID)
		if done.Told += n; err != nil {
			return done, fmt.Errorf("company %s: %w", after.ID, err)
		}
	}
	return done, nil
}

// applied writes a step into the audit log, under the name that the same act has on any other way in.
func (c *Clerk) applied(ctx context.Context, s Step) {
	event := map[string]string{
		kindClient + stepAdd: audit.ClientRegistered, kindClient + stepChange: audit.ClientChanged, kindClient + stepRemove: audit.ClientRemoved,
		kindCompany + stepAdd: audit.CompanyChanged, kindCompany + stepChange: audit.CompanyChanged, kindCompany + stepRemove: audit.CompanyRemoved,
	}[s.Kind+s.What]
	if event == "" {
		event = audit.DeclarationChanged
	}
	attrs := []slog.Attr{slog.String(s.Kind, s.ID)}
	if s.Before != nil {
		attrs = append(attrs, slog.String("before", asJSON(s.Before)))
	}
	if s.After != nil {
		attrs = append(attrs, slog.String("after", asJSON(s.After)))
	}
	c.event(ctx, event, attrs...)
}

// policyChanged says whether a company asks for the second factor in another way.
func policyChanged(s Step) bool {
	if s.What == stepAdd {
		return true
	}
	return slices.ContainsFunc(s.Fields, func(f string) bool { return strings.HasPrefix(f, "second_factor") })
}

// differing are the names of the fields in which two entries differ.
func differing(before, after any) []string {
	a, b := fieldsOf(before), fieldsOf(after)
	var out []string
	for name := range a {
		if string(a[name]) != string(b[name]) {
			out = append(out, name)
		}
	}
	for name := range b {
		if _, there := a[name]; !there {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

func fieldsOf(v any) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	_ = json.Unmarshal([]byte(asJSON(v)), &out) // both are ours
	return out
}

// Export returns what is registered as a document that applies to nothing here, and makes the same registry in an empty
// store. Clients that registered themselves are left out: nobody has declared them. For the IT team alone.
func (c *Clerk) Export(ctx context.Context) (declared.Doc, error) {
	if c.by.Company != "" {
		return declared.Doc{}, ErrForbidden
	}
	st, err := c.o.Registry.State(ctx)
	if err != nil {
		return declared.Doc{}, err
	}
	if len(st.Broken) > 0 {
		return declared.Doc{}, fmt.Errorf("entries of the registry cannot be read: %v: %w", st.Broken, authn.ErrLost)
	}
	var d declared.Doc
	for _, id := range slices.Sorted(maps.Keys(st.Companies)) {
		d.Companies = append(d.Companies, declared.Of[company.Company]{Value: st.Companies[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(st.Roles)) {
		d.Roles = append(d.Roles, declared.Of[client.Role]{Value: st.Roles[id]})
	}
	for _, id := range slices.Sorted(maps.Keys(st.Scopes)) {
		d.Scopes = append(d.Scopes, declared.Of[client.Scope]{Value: st.Scopes[id]})
	}
	list := slices.SortedFunc(maps.Values(st.Clients), func(a, b *client.Client) int { return cmp.Compare(a.ID, b.ID) })
	for _, x := range list {
		if x.Dynamic == nil {
			d.Clients = append(d.Clients, declared.Of[declared.Client]{Value: declared.Client{Client: *x, Kept: x.Secrets}})
		}
	}
	return d, nil
}
