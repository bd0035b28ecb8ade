// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
)

// RoleActs is what a clerk does for roles that are declared (admin.Clerk).
type RoleActs interface {
	ListRoles(ctx context.Context, q admin.DeclaredQuery) (admin.RolePage, error)
	Role(ctx context.Context, name string) (client.Role, error)
	CreateRole(ctx context.Context, r client.Role) error
	ChangeRole(ctx context.Context, name, tag string, r client.Role) error
	RemoveRole(ctx context.Context, name, tag string) error
}

// RoleName is the part of a path that names a role.
type RoleName struct {
	Name string `path:"role_name" minLength:"1" maxLength:"64" doc:"The name of the role, percent-encoded as a whole: a slash in it too"`
}

// Role is a role that people can have, with what it means for those who give it.
type Role struct {
	Name string `json:"name" minLength:"1" maxLength:"64" doc:"What accounts hold, and apps see"`
	Text string `json:"text,omitempty" maxLength:"200" doc:"What it means, for those who give it"`
}

type roleListOutput struct {
	Body struct {
		Roles      []Role `json:"roles" nullable:"false"`
		Total      int    `json:"total" doc:"How many there are on all pages"`
		NextCursor string `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one"`
	}
}

type roleOutput struct {
	ETag string `header:"ETag"`
	Body Role
}

type createRoleInput struct {
	KeyInput
	Body Role
}

type createdRoleOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Role
}

type putRoleInput struct {
	RoleName
	MatchInput
	Body Role
}

type deleteRoleInput struct {
	RoleName
	OptionalMatchInput
}

func (a *API) addRoles() {
	const tag, path, one = "roles", rolesPath, rolesPath + "/{role_name}"
	add(a, spec{
		id: "list_roles", method: http.MethodGet, path: path, scope: ScopeScopesRead, tag: tag, summary: "List roles",
		status: http.StatusOK, more: "Those that are declared, by name; accounts may hold others. A token of a company sees them too: it gives them.",
	}, a.listRoles)
	add(a, spec{
		id: "create_role", method: http.MethodPost, path: path, scope: ScopeScopesWrite, tag: tag, summary: "Declare a role",
		status: http.StatusCreated, traits: hasBody | creates, more: "For the IT team alone, as every change of a role is. " + keyWords,
	}, a.createRole)
	add(a, spec{
		id: "read_role", method: http.MethodGet, path: one, scope: ScopeScopesRead, tag: tag, summary: "Read a role", status: http.StatusOK,
	}, a.readRole)
	add(a, spec{
		id: "replace_role", method: http.MethodPut, path: one, scope: ScopeScopesWrite, tag: tag, summary: "Declare a role anew",
		status: http.StatusOK, traits: hasBody | mustMatch,
	}, a.replaceRole)
	add(a, spec{
		id: "remove_role", method: http.MethodDelete, path: one, scope: ScopeScopesWrite, tag: tag, summary: "Remove a role",
		status: http.StatusNoContent, traits: mayMatch, more: "Accounts that hold it keep it.",
	}, a.removeRole)
}

func (a *API) listRoles(ctx context.Context, c call, in *PageInput) (*roleListOutput, error) {
	way := list{c.by, "roles", nil}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListRoles(ctx, admin.DeclaredQuery{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &roleListOutput{}
	out.Body.Roles, out.Body.Total = []Role{}, page.Total
	for _, r := range page.Roles {
		out.Body.Roles = append(out.Body.Roles, Role(r))
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) createRole(ctx context.Context, c call, in *createRoleInput) (*createdRoleOutput, error) {
	r := client.Role(in.Body)
	if err := c.clerk.CreateRole(ctx, r); err != nil {
		return nil, err
	}
	return &createdRoleOutput{etag(admin.RoleTag(r)), named(rolesPath, r.Name), in.Body}, nil
}

func (a *API) readRole(ctx context.Context, c call, in *RoleName) (*roleOutput, error) {
	r, err := c.clerk.Role(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &roleOutput{etag(admin.RoleTag(r)), Role(r)}, nil
}

func (a *API) replaceRole(ctx context.Context, c call, in *putRoleInput) (*roleOutput, error) {
	tag, err := c.roleTag(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	r := client.Role(in.Body)
	if err := c.clerk.ChangeRole(ctx, in.Name, tag, r); err != nil {
		return nil, err
	}
	return &roleOutput{etag(admin.RoleTag(r)), in.Body}, nil
}

func (a *API) removeRole(ctx context.Context, c call, in *deleteRoleInput) (*struct{}, error) {
	tag, err := c.roleTag(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return nil, c.clerk.RemoveRole(ctx, in.Name, tag)
}

// roleTag is what a change of a role is to be compared with.
func (c call) roleTag(ctx context.Context, name string) (string, error) {
	r, err := c.clerk.Role(ctx, name)
	if err != nil {
		return "", err
	}
	return c.match.against(admin.RoleTag(r))
}
