// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
)

// PeopleActs is what a clerk does for accounts (admin.Clerk).
type PeopleActs interface {
	ListPeople(ctx context.Context, q authn.PeopleQuery) (authn.PeoplePage, error)
	Person(ctx context.Context, id string) (authn.Record, error)
	EditPerson(ctx context.Context, id, tag string, e admin.PersonEdit) (authn.Record, error)
	ChangePerson(ctx context.Context, id string, act authn.Change) (authn.Account, error)
	DeletePerson(ctx context.Context, id string) error
	ResetPerson(ctx context.Context, id string) (admin.Reset, error)
}

// AccountID is the part of a path that names an account.
type AccountID struct {
	ID string `path:"account_id" maxLength:"255" pattern:"^[!-\\-0-~][!-.0-~]*$" doc:"The id of the account: the sub that apps see"`
}

// Account is a person's account as it is read: nothing to sign in with.
type Account struct {
	ID           string         `json:"id"`
	Username     string         `json:"username" doc:"The sign-in name"`
	Company      string         `json:"company,omitempty"`
	State        string         `json:"state" enum:"active,disabled"`
	SecondFactor string         `json:"second_factor" enum:"never,on,off,reset" doc:"never: not set up; reset: taken away by an admin"`
	Claims       map[string]any `json:"claims,omitempty" doc:"Claims of OpenID Connect, by their names"`
	Attributes   map[string]any `json:"attributes,omitempty" doc:"The operator's own: texts, numbers, booleans, lists of texts"`
	Roles        []string       `json:"roles,omitempty" nullable:"false"`
	Groups       []string       `json:"groups,omitempty" nullable:"false"`
	Admin        string         `json:"admin,omitempty" enum:"company,it" doc:"What it may administrate; absent: nothing"`
	Created      time.Time      `json:"created,omitzero"`
}

func accountOf(r authn.Record) Account {
	out := Account{
		ID: r.ID, Username: r.Profile.Name, Company: r.Company, State: string(r.State), SecondFactor: string(r.Factor),
		Claims: r.Profile.Claims, Attributes: r.Profile.Attributes, Roles: r.Profile.Roles, Groups: r.Profile.Groups, Admin: string(r.Profile.Admin),
	}
	if r.Profile.Created != 0 {
		out.Created = time.Unix(r.Profile.Created, 0).UTC()
	}
	return out
}

// AccountPatch is a merge patch of what is said of a person.
type AccountPatch struct {
	Claims     map[string]any `json:"claims,omitempty" doc:"Merged by name; null takes a claim away"`
	Attributes map[string]any `json:"attributes,omitempty" doc:"Merged by name; null takes an attribute away"`
	Roles      []string       `json:"roles,omitempty" nullable:"true" maxItems:"100"`
	Groups     []string       `json:"groups,omitempty" nullable:"true" maxItems:"100"`
	Admin      *string        `json:"admin,omitempty" enum:"company,it" doc:"null takes the role away"`
}

// TransformSchema implements huma.SchemaTransformer: what can be taken away can be null.
func (AccountPatch) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	s.Properties["claims"].Nullable, s.Properties["attributes"].Nullable = true, true
	s.Properties["admin"].Enum = append(s.Properties["admin"].Enum, nil)
	return s
}

type listAccountsInput struct {
	PageInput
	Company string `query:"company" maxLength:"64" doc:"People of this company"`
	Text    string `query:"text" maxLength:"200" doc:"Begins the sign-in name, or a word of the person's name, in any case"`
	Factor  string `query:"second_factor" enum:"with,without" doc:"Who has one, or has none"`
	Group   string `query:"group" maxLength:"64" doc:"People of this group; needs company"`
}

type accountListOutput struct {
	Body struct {
		Accounts   []Account `json:"accounts" nullable:"false"`
		NextCursor string    `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one. A page may be short though more follows."`
	}
}

type accountOutput struct {
	ETag string `header:"ETag"`
	Body Account
}

type patchAccountInput struct {
	AccountID
	MatchInput
	Body AccountPatch `contentType:"application/merge-patch+json"`
}

// FactorReset is what a reset of a second factor has led to.
type FactorReset struct {
	Done    bool      `json:"done" doc:"There was none in force: the link was mailed"`
	Mailed  int       `json:"mailed" doc:"To how many addresses the link to a new set-up was mailed"`
	AskedBy string    `json:"asked_by,omitempty" doc:"Who asked for a reset that waits"`
	After   time.Time `json:"after,omitzero" doc:"Until when it waits"`
	Another bool      `json:"another_admin,omitempty" doc:"Whether it waits for another admin"`
}

type resetOutput struct{ Body FactorReset }

func (a *API) addAccounts() {
	const tag, path, one = "accounts", "/api/v1/accounts", "/api/v1/accounts/{account_id}"
	add(a, spec{
		id: "list_accounts", method: http.MethodGet, path: path, scope: ScopeAccountsRead, tag: tag, summary: "List or search accounts",
		status: http.StatusOK, more: "The newest first.",
	}, a.listAccounts)
	add(a, spec{
		id: "read_account", method: http.MethodGet, path: one, scope: ScopeAccountsRead, tag: tag, summary: "Read an account", status: http.StatusOK,
	}, a.readAccount)
	add(a, spec{
		id: "change_account", method: http.MethodPatch, path: one, scope: ScopeAccountsWrite, tag: tag, summary: "Change what is said of a person",
		status: http.StatusOK, traits: hasPatch | mustMatch | conflicts, more: "Sign-in name and password are the person's own.",
	}, a.patchAccount)
	add(a, spec{
		id: "delete_account", method: http.MethodDelete, path: one, scope: ScopeAccountsWrite, tag: tag, summary: "Delete an account",
		status: http.StatusNoContent, traits: conflicts | fresh, more: "With all that is kept of the person, who is told. Its id is never used again.",
	}, a.deleteAccount)
	for _, act := range []struct {
		change              authn.Change
		id, path, inOneLine string
	}{
		{authn.Disable, "disable_account", "disable", "Disable an account"},
		{authn.Enable, "enable_account", "enable", "Enable an account"},
		{authn.SignOut, "sign_out_account", "sign-out", "End all sessions and tokens of an account"},
		{authn.Forget, "forget_devices", "forget-devices", "Forget all remembered devices of an account"},
	} {
		add(a, spec{
			id: act.id, method: http.MethodPost, path: one + "/" + act.path, scope: ScopeAccountsWrite, tag: tag, summary: act.inOneLine,
			status: http.StatusNoContent, traits: conflicts, more: "In force on every node when it is answered.",
		}, func(ctx context.Context, c call, in *AccountID) (*struct{}, error) {
			_, err := c.clerk.ChangePerson(ctx, in.ID, act.change)
			return nil, err
		})
	}
	add(a, spec{
		id: "reset_second_factor", method: http.MethodPost, path: one + "/reset-second-factor", scope: ScopeAccountsWrite, tag: tag,
		summary: "Ask for a reset of a person's second factor", status: http.StatusOK, traits: conflicts | fresh,
		more: "By the API it is only asked for: an admin does it at the console, whatever the policy. The person is told, and can object. Whoever has none in force is mailed a link to a new set-up, which nobody else sees.",
	}, a.resetFactor)
}

func (a *API) listAccounts(ctx context.Context, c call, in *listAccountsInput) (*accountListOutput, error) {
	way := list{c.by, "accounts", []string{in.Company, in.Text, in.Factor, in.Group}}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListPeople(ctx, authn.PeopleQuery{
		Company: in.Company, Show: authn.PeopleShow(in.Factor), Text: in.Text, Group: in.Group, After: after, Limit: in.Limit,
	})
	if errors.Is(err, authn.ErrGone) {
		return nil, wrongCursor()
	}
	if err != nil {
		return nil, err
	}
	out := &accountListOutput{}
	out.Body.Accounts = []Account{}
	for _, r := range page.People {
		out.Body.Accounts = append(out.Body.Accounts, accountOf(r))
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) readAccount(ctx context.Context, c call, in *AccountID) (*accountOutput, error) {
	r, err := c.clerk.Person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &accountOutput{etag(admin.PersonTag(r)), accountOf(r)}, nil
}

func (a *API) patchAccount(ctx context.Context, c call, in *patchAccountInput) (*accountOutput, error) {
	before, err := c.clerk.Person(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := c.match.against(admin.PersonTag(before)); err != nil {
		return nil, err
	}
	edit, err := in.Body.edit(before.Profile, c.body)
	if err != nil {
		return nil, err
	}
	if edit.Admin != nil {
		if err := c.isFresh(a.cfg.Now()); err != nil {
			return nil, err
		}
	}
	after, err := c.clerk.EditPerson(ctx, in.ID, admin.PersonTag(before), edit)
	if err != nil {
		return nil, err
	}
	return &accountOutput{etag(admin.PersonTag(after)), accountOf(after)}, nil
}

// edit says what the patch changes: of a member that is not named nothing.
func (p AccountPatch) edit(before authn.Profile, raw []byte) (admin.PersonEdit, error) {
	var named map[string]any
	if err := json.Unmarshal(raw, &named); err != nil {
		return admin.PersonEdit{}, fmt.Errorf("read patch: %w", err)
	}
	var e admin.PersonEdit
	if patch, ok := named["claims"]; ok {
		e.Claims = mergedMember(before.Claims, patch)
	}
	if patch, ok := named["attributes"]; ok {
		e.Attributes = mergedMember(before.Attributes, patch)
	}
	if _, ok := named["roles"]; ok {
		e.Roles = &p.Roles
	}
	if _, ok := named["groups"]; ok {
		e.Groups = &p.Groups
	}
	if _, ok := named["admin"]; ok {
		role := authn.AdminNone
		if p.Admin != nil {
			role = authn.AdminRole(*p.Admin)
		}
		e.Admin = &role
	}
	return e, nil
}

// mergedMember applies a merge patch to an object that is kept; it is never nil.
func mergedMember(old map[string]any, patch any) map[string]any {
	if out, ok := merged(maps.Clone(old), patch).(map[string]any); ok && out != nil {
		return out
	}
	return map[string]any{}
}

func (a *API) deleteAccount(ctx context.Context, c call, in *AccountID) (*struct{}, error) {
	return nil, c.clerk.DeletePerson(ctx, in.ID)
}

func (a *API) resetFactor(ctx context.Context, c call, in *AccountID) (*resetOutput, error) {
	r, err := c.clerk.ResetPerson(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &resetOutput{FactorReset{Done: r.Done, Mailed: r.Mailed, AskedBy: r.By, After: r.After, Another: r.Another}}, nil
}
