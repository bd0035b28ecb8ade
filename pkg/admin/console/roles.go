// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

const declaredRoles = home + "/roles"

// roleRoutes are of the roles that are declared; they are listed beside the scopes.
func (p *Pages) roleRoutes() []route {
	return []route{
		get(declaredRoles+"/new", NeedIT, serveNewRole),
		post(declaredRoles+"/new", NeedIT, atNamed(declaredRoles+"/new"), submitNewRole).keeps(),
		get(declaredRoles+"/edit", NeedIT, serveEditRole),
		post(declaredRoles+"/edit", NeedIT, atNamed(declaredRoles+"/edit"), submitEditRole).keeps(),
		get(declaredRoles+"/remove", NeedIT, serveRemoveRole),
		post(declaredRoles+"/remove", NeedIT, atNamed(declaredRoles+"/remove"), submitRemoveRole),
	}
}

func roleRows(list []client.Role) []templates.ConsoleRole {
	var out []templates.ConsoleRole
	for _, r := range list {
		out = append(out, templates.ConsoleRole{Name: r.Name, Text: r.Text})
	}
	return out
}

// maxOffered is how many declared roles stand beside the field for a person's.
const maxOffered = 100

// offered are the roles that are declared, for those who give them, and how many there are in all.
func (v *visit) offered() ([]templates.ConsoleRole, int, error) {
	list, err := v.clerk.ListRoles(v.r.Context(), admin.DeclaredQuery{Limit: maxOffered})
	return roleRows(list.Roles), list.Total, err
}

// roleInput is what was typed.
func roleInput(f url.Values) templates.ConsoleRoleInput {
	one := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	return templates.ConsoleRoleInput{Tag: one("tag"), Name: one("name"), Text: one("text")}
}

// roleForm shows the form; name is that of the role that is changed, empty for a new one.
func (v *visit) roleForm(name string, in templates.ConsoleRoleInput, problem string, wrong ...templates.ConsoleProblem) error {
	page := templates.ConsoleRoleForm{
		Console: v.frame("clients"), Action: withName(v.r.URL.Path, name), Name: name, In: in, Problem: problem, Problems: wrong,
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	return v.page(page)
}

func serveNewRole(v *visit) error {
	if kept := v.draft(); kept != nil {
		return v.roleForm("", roleInput(kept), "proof")
	}
	return v.roleForm("", templates.ConsoleRoleInput{}, "")
}

// submitNewRole declares a role.
func submitNewRole(v *visit) error {
	in := roleInput(v.form)
	err := v.clerk.CreateRole(v.r.Context(), client.Role{Name: in.Name, Text: in.Text})
	if wrong := roleProblems(err); len(wrong) > 0 {
		return v.roleForm("", in, "", wrong...)
	}
	return v.declared("role-added", err)
}

func serveEditRole(v *visit) error {
	r, err := v.clerk.Role(v.r.Context(), v.named())
	if err != nil {
		return v.declared("", err)
	}
	if kept := v.draft(); kept.Get("name") == r.Name {
		return v.roleForm(r.Name, roleInput(kept), "proof")
	}
	return v.roleForm(r.Name, templates.ConsoleRoleInput{Tag: admin.RoleTag(r), Text: r.Text}, "")
}

// submitEditRole says anew what a role means.
func submitEditRole(v *visit) error {
	before, err := v.clerk.Role(v.r.Context(), v.named())
	if err != nil {
		return v.declared("", err)
	}
	in := roleInput(v.form)
	if in.Tag == "" {
		return v.declared("", admin.ErrStale)
	}
	err = v.clerk.ChangeRole(v.r.Context(), before.Name, in.Tag, client.Role{Name: before.Name, Text: in.Text})
	if errors.Is(err, admin.ErrStale) {
		in.Tag = admin.RoleTag(before)
		return v.roleForm(before.Name, in, "stale")
	}
	if wrong := roleProblems(err); len(wrong) > 0 {
		return v.roleForm(before.Name, in, "", wrong...)
	}
	return v.declared("role-saved", err)
}

// serveRemoveRole says what stays.
func serveRemoveRole(v *visit) error {
	r, err := v.clerk.Role(v.r.Context(), v.named())
	if err != nil {
		return v.declared("", err)
	}
	return v.page(templates.ConsoleRoleRemove{
		Console: v.frame("clients"), Action: withName(v.r.URL.Path, r.Name), Name: r.Name, Tag: admin.RoleTag(r),
	})
}

// submitRemoveRole takes a declaration away: the one that was looked at.
func submitRemoveRole(v *visit) error {
	tag := v.form.Get("tag")
	if tag == "" {
		return v.declared("", admin.ErrStale)
	}
	return v.declared("role-removed", v.clerk.RemoveRole(v.r.Context(), v.named(), tag))
}

// roleProblems are the problems of a role's fields; an error that names none has none.
func roleProblems(err error) []templates.ConsoleProblem {
	if errors.Is(err, authn.ErrExists) {
		return []templates.ConsoleProblem{{Field: "name", Kind: "taken"}}
	}
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		p := templates.ConsoleProblem{Field: f.Field, Kind: "role"}
		switch {
		case f.Field == "text":
			p.Kind = "words"
		case strings.Contains(f.Problem, "one too many"):
			p.Kind = "full"
		}
		out = append(out, p)
	}
	return out
}
