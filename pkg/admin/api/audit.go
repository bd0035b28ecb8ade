// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
)

// TrailActs is what a clerk knows of the journal (admin.Clerk).
type TrailActs interface {
	Trail(ctx context.Context, q admin.TrailQuery) (audit.Page, error)
}

type trailInput struct {
	PageInput
	From    time.Time `query:"from" doc:"RFC 3339; events from then on"`
	Until   time.Time `query:"until" doc:"RFC 3339; events before then"`
	Event   string    `query:"event" maxLength:"64" doc:"The name of the event, such as client.changed"`
	Account string    `query:"account" maxLength:"255" doc:"Whom it is about"`
	Actor   string    `query:"actor" maxLength:"255" doc:"Who did it"`
	Client  string    `query:"client" maxLength:"255" doc:"The client_id"`
	Company string    `query:"company" maxLength:"64" doc:"The id of a company"`
}

type trailOutput struct {
	Body struct {
		Events     []audit.Record `json:"events" nullable:"false"`
		NextCursor string         `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one. A page may be empty though more follows."`
	}
}

func (a *API) addAudit() {
	add(a, spec{
		id: "list_events", method: http.MethodGet, path: "/api/v1/audit", scope: ScopeAuditRead, tag: "audit", summary: "Read the journal of security events",
		status: http.StatusOK, traits: pages, more: "The newest first. A token of a company sees what concerns that company.",
	}, a.listEvents)
}

func (a *API) listEvents(ctx context.Context, c call, in *trailInput) (*trailOutput, error) {
	way := list{c.by, "audit", []string{in.From.String(), in.Until.String(), in.Event, in.Account, in.Actor, in.Client, in.Company}}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.Trail(ctx, admin.TrailQuery{
		From: in.From, Until: in.Until, Event: in.Event, Account: in.Account, Actor: in.Actor, Client: in.Client, Company: in.Company,
		After: after, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	out := &trailOutput{}
	out.Body.Events = append([]audit.Record{}, page.Records...)
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}
