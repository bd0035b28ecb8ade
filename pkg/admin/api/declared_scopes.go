// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
)

// DeclaredActs is what a clerk does for what is declared (admin.Clerk).
type DeclaredActs interface {
	ScopeActs
	RoleActs
}

// ScopeActs is what a clerk does for scopes (admin.Clerk).
type ScopeActs interface {
	ListScopes(ctx context.Context, q admin.DeclaredQuery) (admin.ScopePage, error)
	Scope(ctx context.Context, name string) (admin.ListedScope, error)
	CreateScope(ctx context.Context, s client.Scope) error
	ChangeScope(ctx context.Context, name, tag string, s client.Scope) error
	RemoveScope(ctx context.Context, name, tag string) error
}

// ScopeName is the part of a path that names a scope.
type ScopeName struct {
	Name string `path:"scope_name" maxLength:"128" pattern:"^[!#-\\[\\]-~]+$" patternDescription:"visible ASCII characters without quotes and backslashes" doc:"The name of the scope, percent-encoded as a whole: a slash in it too"`
}

// ScopeBody is a scope as it is declared.
type ScopeBody struct {
	Name    string           `json:"name" maxLength:"128" pattern:"^[!#-\\[\\]-~]+$" patternDescription:"visible ASCII characters without quotes and backslashes" doc:"What apps ask for"`
	Text    *ScopeText       `json:"text,omitempty" doc:"What an app gets by it, as it goes on from \"It will be able to\": read by people and by admins"`
	Claims  map[string]Claim `json:"claims,omitempty" nullable:"false" doc:"The claims that it opens, by their names in ID tokens and userinfo; 50 at most"`
	IDToken bool             `json:"id_token,omitempty" doc:"Whether the claims stand in ID tokens too, not in userinfo alone"`
}

// ScopeText is said in each language.
type ScopeText struct {
	EN string `json:"en,omitempty" maxLength:"200"`
	NL string `json:"nl,omitempty" maxLength:"200" doc:"Absent: the English text is shown"`
}

// Claim says where the value of a claim comes from: from or value, one of them.
type Claim struct {
	From   string     `json:"from,omitempty" maxLength:"80" doc:"roles, groups, company, username, claims.<name> or attributes.<name>"`
	Prefix string     `json:"prefix,omitempty" maxLength:"64" doc:"Takes the roles or groups that begin so alone, without it"`
	Value  ClaimValue `json:"value,omitzero" doc:"The same for everybody: any JSON of at most 1024 bytes"`
}

// ClaimValue is any JSON.
type ClaimValue struct{ json.RawMessage }

// IsZero says that there is none.
func (v ClaimValue) IsZero() bool { return len(v.RawMessage) == 0 }

// Schema implements huma.SchemaProvider.
func (ClaimValue) Schema(huma.Registry) *huma.Schema { return &huma.Schema{} }

// ScopeView is a scope as it is in force.
type ScopeView struct {
	ScopeBody
	BuiltIn bool `json:"built_in,omitempty" doc:"It is there without being declared; a declaration of its name takes its place"`
}

func scopeView(s admin.ListedScope) ScopeView {
	v := ScopeView{ScopeBody: ScopeBody{Name: s.Name, IDToken: s.IDToken}, BuiltIn: s.BuiltIn}
	if len(s.Text) > 0 {
		v.Text = &ScopeText{EN: s.Text["en"], NL: s.Text["nl"]}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Claims)) {
		if v.Claims == nil {
			v.Claims = map[string]Claim{}
		}
		m := s.Claims[name]
		v.Claims[name] = Claim{From: m.From, Prefix: m.Prefix, Value: ClaimValue{m.Value}}
	}
	return v
}

func (b ScopeBody) scope() client.Scope {
	s := client.Scope{Name: b.Name, IDToken: b.IDToken}
	if b.Text != nil {
		for lang, words := range map[string]string{"en": b.Text.EN, "nl": b.Text.NL} {
			if words != "" {
				if s.Text == nil {
					s.Text = map[string]string{}
				}
				s.Text[lang] = words
			}
		}
	}
	for name, m := range b.Claims {
		if s.Claims == nil {
			s.Claims = map[string]client.Mapping{}
		}
		s.Claims[name] = client.Mapping{From: m.From, Prefix: m.Prefix, Value: m.Value.RawMessage}
	}
	return s
}

type scopeListOutput struct {
	Body struct {
		Scopes     []ScopeView `json:"scopes" nullable:"false"`
		Total      int         `json:"total" doc:"How many there are on all pages"`
		NextCursor string      `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one"`
	}
}

type scopeOutput struct {
	ETag string `header:"ETag"`
	Body ScopeView
}

type createScopeInput struct {
	KeyInput
	Body ScopeBody
}

type createdScopeOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     ScopeView
}

type putScopeInput struct {
	ScopeName
	MatchInput
	Body ScopeBody
}

type deleteScopeInput struct {
	ScopeName
	OptionalMatchInput
}

func (a *API) addScopes() {
	const tag, path, one = "scopes", scopesPath, scopesPath + "/{scope_name}"
	add(a, spec{
		id: "list_scopes", method: http.MethodGet, path: path, scope: ScopeScopesRead, tag: tag, summary: "List scopes",
		status: http.StatusOK, more: "Those that are declared or built in, by name. A token of a company sees them too: apps are given them.",
	}, a.listScopes)
	add(a, spec{
		id: "create_scope", method: http.MethodPost, path: path, scope: ScopeScopesWrite, tag: tag, summary: "Declare a scope",
		status: http.StatusCreated, traits: hasBody | creates, more: "For the IT team alone, as every change of a scope is. " + keyWords,
	}, a.createScope)
	add(a, spec{
		id: "read_scope", method: http.MethodGet, path: one, scope: ScopeScopesRead, tag: tag, summary: "Read a scope", status: http.StatusOK,
	}, a.readScope)
	add(a, spec{
		id: "replace_scope", method: http.MethodPut, path: one, scope: ScopeScopesWrite, tag: tag, summary: "Declare a scope anew",
		status: http.StatusOK, traits: hasBody | mustMatch,
		more: "What is left out goes. In force at userinfo within a second, in ID tokens from the next sign-in on. One that is built in is declared by it.",
	}, a.replaceScope)
	add(a, spec{
		id: "remove_scope", method: http.MethodDelete, path: one, scope: ScopeScopesWrite, tag: tag, summary: "Remove a scope",
		status: http.StatusNoContent, traits: mayMatch | conflicts,
		more: "Clients keep the name, which opens nothing any more, or what is built in by it. 409 for one that is built in.",
	}, a.removeScope)
}

func (a *API) listScopes(ctx context.Context, c call, in *PageInput) (*scopeListOutput, error) {
	way := list{c.by, "scopes", nil}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListScopes(ctx, admin.DeclaredQuery{After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &scopeListOutput{}
	out.Body.Scopes, out.Body.Total = []ScopeView{}, page.Total
	for _, s := range page.Scopes {
		out.Body.Scopes = append(out.Body.Scopes, scopeView(s))
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) createScope(ctx context.Context, c call, in *createScopeInput) (*createdScopeOutput, error) {
	made := admin.ListedScope{Scope: in.Body.scope()}
	if err := c.clerk.CreateScope(ctx, made.Scope); err != nil {
		return nil, err
	}
	return &createdScopeOutput{etag(admin.ScopeTag(made)), named(scopesPath, made.Name), scopeView(made)}, nil
}

func (a *API) readScope(ctx context.Context, c call, in *ScopeName) (*scopeOutput, error) {
	s, err := c.clerk.Scope(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &scopeOutput{etag(admin.ScopeTag(s)), scopeView(s)}, nil
}

func (a *API) replaceScope(ctx context.Context, c call, in *putScopeInput) (*scopeOutput, error) {
	tag, err := c.scopeTag(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	after := admin.ListedScope{Scope: in.Body.scope()}
	if err := c.clerk.ChangeScope(ctx, in.Name, tag, after.Scope); err != nil {
		return nil, err
	}
	return &scopeOutput{etag(admin.ScopeTag(after)), scopeView(after)}, nil
}

func (a *API) removeScope(ctx context.Context, c call, in *deleteScopeInput) (*struct{}, error) {
	tag, err := c.scopeTag(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return nil, c.clerk.RemoveScope(ctx, in.Name, tag)
}

// scopeTag is what a change of a scope is to be compared with.
func (c call) scopeTag(ctx context.Context, name string) (string, error) {
	s, err := c.clerk.Scope(ctx, name)
	if err != nil {
		return "", err
	}
	return c.match.against(admin.ScopeTag(s))
}
