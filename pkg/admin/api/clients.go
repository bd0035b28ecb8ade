// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
)

// ClientActs is what a clerk does for clients (admin.Clerk).
type ClientActs interface {
	ListClients(ctx context.Context, q admin.ClientQuery) (admin.ClientPage, error)
	Client(ctx context.Context, id string) (*client.Client, error)
	CreateClient(ctx context.Context, r client.Registration) (admin.Registered, error)
	ChangeClient(ctx context.Context, id, tag string, r client.Registration) (*client.Client, error)
	RemoveClient(ctx context.Context, id, tag string) error
}

// ClientID is the part of a path that names a client.
type ClientID struct {
	ID string `path:"client_id" maxLength:"255" pattern:"^[!-\\-0-~][!-.0-~]*$" doc:"The client_id"`
}

type listClientsInput struct {
	PageInput
	Company string `query:"company" maxLength:"64" doc:"Own apps of this company alone"`
	Text    string `query:"text" maxLength:"200" doc:"A part of client_name or client_id, in any case"`
}

type clientList struct {
	Clients    []clientView `json:"clients" nullable:"false"`
	Total      int          `json:"total" doc:"How many there are on all pages"`
	NextCursor string       `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one"`
}

type clientListOutput struct{ Body clientList }

type clientOutput struct {
	ETag string `header:"ETag"`
	Body clientView
}

type createClientInput struct {
	KeyInput
	Body clientBody
}

type createdOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     createdView
}

type putClientInput struct {
	ClientID
	MatchInput
	Body clientBody
}

type patchClientInput struct {
	ClientID
	MatchInput
	Body clientPatch `contentType:"application/merge-patch+json"`
}

type deleteClientInput struct {
	ClientID
	OptionalMatchInput
}

func (a *API) addClients() {
	const tag, path, one = "clients", "/api/v1/clients", "/api/v1/clients/{client_id}"
	add(a, spec{
		id: "list_clients", method: http.MethodGet, path: path, scope: ScopeClientsRead, tag: tag, summary: "List clients",
		status: http.StatusOK, traits: pages, more: "By client_id. Another company's filter is answered 404.",
	}, a.listClients)
	add(a, spec{
		id: "create_client", method: http.MethodPost, path: path, scope: ScopeClientsWrite, tag: tag, summary: "Register a client",
		status: http.StatusCreated, traits: hasBody | creates,
		more: "The names are those of RFC 7591. The secret is in this answer alone. " + keyWords,
	}, a.createClient)
	add(a, spec{
		id: "read_client", method: http.MethodGet, path: one, scope: ScopeClientsRead, tag: tag, summary: "Read a client",
		status: http.StatusOK,
	}, a.readClient)
	add(a, spec{
		id: "replace_client", method: http.MethodPut, path: one, scope: ScopeClientsWrite, tag: tag, summary: "Replace the whole description",
		status: http.StatusOK, traits: hasBody | mustMatch,
		more: "What is left out falls back to its default. The secrets stay.",
	}, a.replaceClient)
	add(a, spec{
		id: "change_client", method: http.MethodPatch, path: one, scope: ScopeClientsWrite, tag: tag, summary: "Change parts of the description",
		status: http.StatusOK, traits: hasPatch | mustMatch,
		more: "A merge patch (RFC 7396): what is left out stays, null takes away.",
	}, a.patchClient)
	add(a, spec{
		id: "remove_client", method: http.MethodDelete, path: one, scope: ScopeClientsWrite, tag: tag, summary: "Remove a client",
		status: http.StatusNoContent, traits: mayMatch, more: "Its tokens are refused within a second.",
	}, a.removeClient)
}

func (a *API) listClients(ctx context.Context, c call, in *listClientsInput) (*clientListOutput, error) {
	way := list{c.by, "clients", []string{in.Company, in.Text}}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListClients(ctx, admin.ClientQuery{Company: in.Company, Text: in.Text, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &clientListOutput{Body: clientList{Clients: make([]clientView, 0, len(page.Clients)), Total: page.Total}}
	for _, x := range page.Clients {
		out.Body.Clients = append(out.Body.Clients, clientView{x})
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) createClient(ctx context.Context, c call, _ *createClientInput) (*createdOutput, error) {
	r, err := described(c.body)
	if err != nil {
		return nil, err
	}
	if err := c.mayGrant(r.Client); err != nil {
		return nil, err
	}
	made, err := c.clerk.CreateClient(ctx, r)
	if err != nil {
		return nil, err
	}
	return &createdOutput{
		ETag: etag(admin.Tag(made.Client)), Location: address("clients", made.ID), Body: createdView{clientView{made.Client}, made.Secret},
	}, nil
}

func (a *API) readClient(ctx context.Context, c call, in *ClientID) (*clientOutput, error) {
	x, err := c.clerk.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &clientOutput{etag(admin.Tag(x)), clientView{x}}, nil
}

func (a *API) replaceClient(ctx context.Context, c call, in *putClientInput) (*clientOutput, error) {
	r, err := described(c.body)
	if err != nil {
		return nil, err
	}
	before, err := c.clerk.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	tag, err := c.match.against(admin.Tag(before))
	if err != nil {
		return nil, err
	}
	return c.change(ctx, before, tag, r)
}

// change makes a change that the token reaches.
func (c call) change(ctx context.Context, before *client.Client, tag string, r client.Registration) (*clientOutput, error) {
	for _, x := range []*client.Client{before, r.Client} {
		if err := c.mayGrant(x); err != nil {
			return nil, err
		}
	}
	after, err := c.clerk.ChangeClient(ctx, before.ID, tag, r)
	if err != nil {
		return nil, err
	}
	return &clientOutput{etag(admin.Tag(after)), clientView{after}}, nil
}

func (a *API) patchClient(ctx context.Context, c call, in *patchClientInput) (*clientOutput, error) {
	before, err := c.clerk.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if _, err := c.match.against(admin.Tag(before)); err != nil {
		return nil, err
	}
	merged, err := merge(before, c.body)
	if err != nil {
		return nil, err
	}
	r, err := described(merged)
	if err != nil {
		return nil, err
	}
	// Always from the version that was merged into: a part that nobody named must not fall back to what it was.
	return c.change(ctx, before, admin.Tag(before), r)
}

func (a *API) removeClient(ctx context.Context, c call, in *deleteClientInput) (*struct{}, error) {
	before, err := c.clerk.Client(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if err := c.mayGrant(before); err != nil {
		return nil, err
	}
	tag, err := c.match.against(admin.Tag(before))
	if err != nil {
		return nil, err
	}
	return nil, c.clerk.RemoveClient(ctx, in.ID, tag)
}

// mayGrant refuses what would lead beyond the token: a client that may do more at this API than the token itself. Who
// could make one, or make a secret for one, would have all its scopes.
func (c call) mayGrant(x *client.Client) error {
	for _, s := range x.Scopes() {
		if slices.Contains(admin.Scopes(), s) && !slices.Contains(c.caller.Scopes, s) {
			p := lacks(s)
			p.Detail = "The client holds the scope " + s + " of this API, which the token does not have."
			return p
		}
	}
	return nil
}

// described reads the description of one client, with what the rules say of each field.
func described(raw []byte) (client.Registration, error) {
	all, err := client.Parse(bytes.NewReader(raw))
	if err != nil {
		return client.Registration{}, err
	}
	if len(all) != 1 {
		return client.Registration{}, malformed("Describe one client.")
	}
	return all[0], nil
}

// merge applies a merge patch to the description of a client (RFC 7396).
func merge(before *client.Client, patch []byte) ([]byte, error) {
	b, err := json.Marshal(before)
	if err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	var old, changes any
	for raw, into := range map[*any][]byte{&old: b, &changes: patch} {
		d := json.NewDecoder(bytes.NewReader(into))
		d.UseNumber()
		if err := d.Decode(raw); err != nil {
			return nil, malformed("The body is not JSON.")
		}
	}
	return json.Marshal(merged(old, changes))
}

func merged(old, changes any) any {
	patch, ok := changes.(map[string]any)
	if !ok {
		return changes
	}
	out, ok := old.(map[string]any)
	if !ok || out == nil {
		out = map[string]any{}
	}
	for name, v := range patch {
		if v == nil {
			delete(out, name)
			continue
		}
		out[name] = merged(out[name], v)
	}
	return out
}
