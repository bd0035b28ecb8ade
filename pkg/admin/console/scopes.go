// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

const scopes = home + "/scopes"

// scopeRoutes are of scopes. Their names may hold any sign, a slash too, so they stand in the query.
func (p *Pages) scopeRoutes() []route {
	return []route{
		get(scopes, NeedIT, serveScopes),
		get(scopes+"/new", NeedIT, serveNewScope),
		post(scopes+"/new", NeedIT, atNamed(scopes+"/new"), submitNewScope).keeps(claimsField),
		get(scopes+"/edit", NeedIT, serveEditScope),
		post(scopes+"/edit", NeedIT, atNamed(scopes+"/edit"), submitEditScope).keeps(claimsField),
		get(scopes+"/remove", NeedIT, serveRemoveScope),
		post(scopes+"/remove", NeedIT, atNamed(scopes+"/remove"), submitRemoveScope),
	}
}

// atNamed is a page about the name that a request is about, if it is about one.
func atNamed(page string) func(*http.Request) string {
	return func(r *http.Request) string { return withName(page, r.URL.Query().Get("name")) }
}

func withName(page, name string) string {
	if name == "" {
		return page
	}
	return page + "?" + url.Values{"name": {name}}.Encode()
}

// named is the name that the address says a page is about.
func (v *visit) named() string { return v.r.URL.Query().Get("name") }

// declared leads back to the list after an act on a scope or a role, and says what came of it.
func (v *visit) declared(done string, err error) error {
	switch {
	case errors.Is(err, authn.ErrNotFound):
		done = "gone"
	case errors.Is(err, admin.ErrStale), errors.Is(err, authn.ErrConflict):
		done = "stale"
	case err != nil:
		return err
	}
	return v.see(scopes + "?done=" + done)
}

// serveScopes lists scopes and roles, each page by page.
func serveScopes(v *visit) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	list, err := v.clerk.ListScopes(ctx, admin.DeclaredQuery{After: q.Get("after"), Limit: pageSize})
	if err != nil {
		return err
	}
	roles, err := v.clerk.ListRoles(ctx, admin.DeclaredQuery{After: q.Get("role"), Limit: pageSize})
	if err != nil {
		return err
	}
	page := templates.ConsoleScopes{
		Console: v.frame("clients"), ScopeTotal: list.Total, RoleTotal: roles.Total, Roles: roleRows(roles.Roles),
		Done: v.done("scope-added", "scope-saved", "scope-removed", "role-added", "role-saved", "role-removed", "gone", "stale"),
	}
	for _, s := range list.Scopes {
		page.Scopes = append(page.Scopes, templates.ConsoleScope{
			ScopeWords: templates.ScopeWords{Name: s.Name, Words: s.Words(page.Lang)}, Claims: claimLines(s.Scope), BuiltIn: s.BuiltIn, IDToken: s.IDToken,
		})
	}
	page.ScopesNext, page.RolesNext = nextOf(q, "after", list.Next, "#scopes"), nextOf(q, "role", roles.Next, "#roles")
	return v.page(page)
}

// nextOf is the address of a list's next page; the other list stays where it is.
func nextOf(q url.Values, field, after, at string) string {
	if after == "" {
		return ""
	}
	next := url.Values{}
	for _, kept := range []string{"after", "role"} {
		if value := q.Get(kept); value != "" {
			next.Set(kept, value)
		}
	}
	next.Set(field, after)
	return scopes + "?" + next.Encode() + at
}

// claimLines are the claims of a scope as they are typed.
func claimLines(s client.Scope) []string { return entries(claimsText(s.Claims)) }

// scopeInput is what was typed.
func scopeInput(f url.Values) templates.ConsoleScopeInput {
	one := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	return templates.ConsoleScopeInput{
		Tag: one("tag"), Name: one("name"), EN: one("en"), NL: one("nl"), Claims: f.Get(claimsField), IDToken: f.Get("id_token") != "",
	}
}

// scopeForm shows the form; s is the scope that is changed, without a name for a new one.
func (v *visit) scopeForm(s admin.ListedScope, in templates.ConsoleScopeInput, problem string, wrong ...templates.ConsoleProblem) error {
	page := templates.ConsoleScopeForm{
		Console: v.frame("clients"), Action: withName(v.r.URL.Path, s.Name), Name: s.Name, BuiltIn: s.BuiltIn, In: in, Problem: problem, Problems: wrong,
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	return v.page(page)
}

// typedScope is the scope that a form makes, and everything that is wrong with it.
func typedScope(name string, in templates.ConsoleScopeInput) (client.Scope, typedClaims, []templates.ConsoleProblem) {
	typed := readClaims(in.Claims)
	s := client.Scope{Name: name, Claims: typed.claims, IDToken: in.IDToken}
	for lang, words := range map[string]string{"en": in.EN, "nl": in.NL} {
		if words != "" {
			if s.Text == nil {
				s.Text = map[string]string{}
			}
			s.Text[lang] = words
		}
	}
	wrong := append(typed.problems, scopeProblems(client.ValidateScope(s, admin.Scopes()), typed)...)
	sort.SliceStable(wrong, func(i, j int) bool { return wrong[i].Entry < wrong[j].Entry })
	return s, typed, wrong
}

func serveNewScope(v *visit) error {
	if kept := v.draft(); kept != nil {
		return v.scopeForm(admin.ListedScope{}, scopeInput(kept), "proof")
	}
	return v.scopeForm(admin.ListedScope{}, templates.ConsoleScopeInput{}, "")
}

// submitNewScope declares a scope.
func submitNewScope(v *visit) error {
	in := scopeInput(v.form)
	s, typed, wrong := typedScope(in.Name, in)
	if len(wrong) == 0 {
		err := v.clerk.CreateScope(v.r.Context(), s)
		if wrong = scopeProblems(err, typed); len(wrong) == 0 {
			return v.declared("scope-added", err)
		}
	}
	return v.scopeForm(admin.ListedScope{}, in, "", wrong...)
}

func serveEditScope(v *visit) error {
	s, err := v.clerk.Scope(v.r.Context(), v.named())
	if err != nil {
		return v.declared("", err)
	}
	if kept := v.draft(); kept.Get("name") == s.Name {
		return v.scopeForm(s, scopeInput(kept), "proof")
	}
	return v.scopeForm(s, templates.ConsoleScopeInput{
		Tag: admin.ScopeTag(s), EN: s.Text["en"], NL: s.Text["nl"], Claims: claimsText(s.Claims), IDToken: s.IDToken,
	}, "")
}

// submitEditScope declares a scope anew. Of two who change it at once the second is told, and may look.
func submitEditScope(v *visit) error {
	before, err := v.clerk.Scope(v.r.Context(), v.named())
	if err != nil {
		return v.declared("", err)
	}
	in := scopeInput(v.form)
	if in.Tag == "" {
		return v.declared("", admin.ErrStale)
	}
	s, typed, wrong := typedScope(before.Name, in)
	if len(wrong) == 0 {
		err := v.clerk.ChangeScope(v.r.Context(), before.Name, in.Tag, s)
		if errors.Is(err, admin.ErrStale) {
			in.Tag = admin.ScopeTag(before)
			return v.scopeForm(before, in, "stale")
		}
		if wrong = scopeProblems(err, typed); len(wrong) == 0 {
			return v.declared("scope-saved", err)
		}
	}
	return v.scopeForm(before, in, "", wrong...)
}

// serveRemoveScope says what ends.
func serveRemoveScope(v *visit) error {
	s, err := v.clerk.Scope(v.r.Context(), v.named())
	if err == nil && s.BuiltIn {
		err = authn.ErrNotFound // there is nothing to take away
	}
	if err != nil {
		return v.declared("", err)
	}
	held, err := v.clerk.ScopeHolders(v.r.Context(), s.Name)
	if err != nil {
		return err
	}
	page := templates.ConsoleScopeRemove{
		Console: v.frame("clients"), Action: withName(v.r.URL.Path, s.Name), Name: s.Name, Tag: admin.ScopeTag(s), Total: held.Total,
		BuiltIn: slices.ContainsFunc(client.BuiltIn(), func(b client.Scope) bool { return b.Name == s.Name }),
	}
	for _, c := range held.Clients {
		page.Clients = append(page.Clients, templates.ConsoleHolder{ID: c.ID, Name: c.Name})
	}
	return v.page(page)
}

// submitRemoveScope takes a declaration away: the one that was looked at.
func submitRemoveScope(v *visit) error {
	tag := v.form.Get("tag")
	if tag == "" {
		return v.declared("", admin.ErrStale)
	}
	return v.declared("scope-removed", v.clerk.RemoveScope(v.r.Context(), v.named(), tag))
}

// scopeProblems are the problems of a scope's fields, those of claims with their line; an error that names none has none.
func scopeProblems(err error, typed typedClaims) []templates.ConsoleProblem {
	if errors.Is(err, authn.ErrExists) {
		return []templates.ConsoleProblem{{Field: "name", Kind: "taken"}}
	}
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		field, claim, _ := strings.Cut(f.Field, ".")
		p := templates.ConsoleProblem{Field: field, Text: f.Field + " " + f.Problem}
		switch field {
		case "text":
			p.Field = claim // the language
		case claimsField:
			p.Entry = typed.lines[claim]
		}
		for _, k := range scopeKinds() {
			if k[0] == field && strings.Contains(f.Problem, k[1]) {
				p.Kind, p.Text = k[2], ""
				break
			}
		}
		out = append(out, p)
	}
	return out
}

// scopeKinds are the problems that people have in their own language, as problemKinds are for clients.
func scopeKinds() [][3]string {
	return [][3]string{
		{"name", "meaning already", "standard"},
		{"name", "one too many", "full"},
		{"name", "", "name"},
		{"text", "", "words"},
		{claimsField, "must have a name", "claim-name"},
		{claimsField, "what a token is", "reserved"},
		{claimsField, "value must be JSON", "json"},
		{claimsField, "prefix goes", "prefix"},
		{claimsField, "prefix must", "prefix-long"},
		{claimsField, "from must", "source"},
		{claimsField, "are the most", "many"},
	}
}
