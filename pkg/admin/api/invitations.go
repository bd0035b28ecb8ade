// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/invitation"
)

// InvitationActs is what a clerk does with invitations (admin.Clerk).
type InvitationActs interface {
	Invite(ctx context.Context, companyID string, p admin.Invitee) (invitation.Invitation, error)
	ListInvitations(ctx context.Context, companyID, after string, limit int) (invitation.Page, error)
	Invitation(ctx context.Context, companyID, id string) (invitation.Invitation, error)
	Resend(ctx context.Context, companyID, id string) (invitation.Invitation, error)
	Withdraw(ctx context.Context, companyID, id string) error
}

// Invitee is who is to be invited.
type Invitee struct {
	Email    string   `json:"email" maxLength:"320" doc:"Will be the sign-in name"`
	Name     string   `json:"name,omitempty" maxLength:"200" doc:"The person's name, as far as it is known"`
	Language string   `json:"language,omitempty" enum:"en,nl"`
	Groups   []string `json:"groups,omitempty" nullable:"false" maxItems:"100"`
	Roles    []string `json:"roles,omitempty" nullable:"false" maxItems:"100"`
	Admin    string   `json:"admin,omitempty" enum:"company,it" doc:"What the account may administrate"`
}

// Invitation is a person who was asked and has no account yet. Its link is in the mail alone.
type Invitation struct {
	ID      string `json:"id"`
	Company string `json:"company"`
	Invitee
	By   string    `json:"invited_by,omitempty" doc:"The account or client that invited"`
	Sent time.Time `json:"sent" doc:"When the last mail went out"`
	Ends time.Time `json:"ends" doc:"When its link ends"`
}

func invitationOf(i invitation.Invitation) Invitation {
	return Invitation{
		ID: i.ID, Company: i.Company, By: i.By, Sent: i.Sent, Ends: i.Ends,
		Invitee: Invitee{Email: i.Email, Name: i.Person, Language: i.Lang, Groups: i.Groups, Roles: i.Roles, Admin: string(i.Admin)},
	}
}

type listInvitationsInput struct {
	CompanyID
	PageInput
}

type invitationListOutput struct {
	Body struct {
		Invitations []Invitation `json:"invitations" nullable:"false"`
		Total       int          `json:"total" doc:"How many wait"`
		NextCursor  string       `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one"`
	}
}

type inviteInput struct {
	CompanyID
	KeyInput
	Body Invitee
}

type invitedOutput struct {
	Location string `header:"Location"`
	Body     Invitation
}

// InvitationID names an invitation of a company.
type InvitationID struct {
	CompanyID
	Invitation string `path:"invitation_id" maxLength:"64" pattern:"^[A-Za-z0-9_-]+$" doc:"The id of the invitation"`
}

type invitationOutput struct{ Body Invitation }

func (a *API) addInvitations() {
	const tag, path = "invitations", "/api/v1/companies/{company_id}/invitations"
	const one = path + "/{invitation_id}"
	add(a, spec{
		id: "list_invitations", method: http.MethodGet, path: path, scope: ScopeAccountsRead, tag: tag, summary: "List invitations that wait",
		status: http.StatusOK, traits: pages, more: "Those sent last first.",
	}, a.listInvitations)
	add(a, spec{
		id: "invite", method: http.MethodPost, path: path, scope: ScopeAccountsWrite, tag: tag, summary: "Invite a person by mail",
		status: http.StatusCreated, traits: hasBody | creates,
		more: "The person chooses a password by a link that is good for a week; nobody else sees it. " + keyWords,
	}, a.invite)
	add(a, spec{
		id: "read_invitation", method: http.MethodGet, path: one, scope: ScopeAccountsRead, tag: tag, summary: "Read an invitation", status: http.StatusOK,
	}, a.readInvitation)
	add(a, spec{
		id: "resend_invitation", method: http.MethodPost, path: one + "/resend", scope: ScopeAccountsWrite, tag: tag, summary: "Mail an invitation again",
		status: http.StatusOK, traits: conflicts, more: "Its week begins anew, and the links that were mailed before are dead.",
	}, a.resendInvitation)
	add(a, spec{
		id: "withdraw_invitation", method: http.MethodDelete, path: one, scope: ScopeAccountsWrite, tag: tag, summary: "Withdraw an invitation",
		status: http.StatusNoContent, traits: conflicts,
	}, a.withdrawInvitation)
}

func (a *API) listInvitations(ctx context.Context, c call, in *listInvitationsInput) (*invitationListOutput, error) {
	way := list{c.by, "invitations", []string{in.ID}}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListInvitations(ctx, in.ID, after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &invitationListOutput{}
	out.Body.Invitations, out.Body.Total = []Invitation{}, page.Total
	for _, i := range page.Invitations {
		out.Body.Invitations = append(out.Body.Invitations, invitationOf(i))
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) invite(ctx context.Context, c call, in *inviteInput) (*invitedOutput, error) {
	p := in.Body
	if p.Admin != "" {
		if err := c.isFresh(a.cfg.Now()); err != nil {
			return nil, err
		}
	}
	i, err := c.clerk.Invite(ctx, in.ID, admin.Invitee{
		Email: p.Email, Person: p.Name, Lang: p.Language, Groups: p.Groups, Roles: p.Roles, Admin: authn.AdminRole(p.Admin),
	})
	if err != nil {
		return nil, err
	}
	return &invitedOutput{Location: address("companies", in.ID, "invitations", i.ID), Body: invitationOf(i)}, nil
}

func (a *API) readInvitation(ctx context.Context, c call, in *InvitationID) (*invitationOutput, error) {
	i, err := c.clerk.Invitation(ctx, in.ID, in.Invitation)
	if err != nil {
		return nil, err
	}
	return &invitationOutput{invitationOf(i)}, nil
}

func (a *API) resendInvitation(ctx context.Context, c call, in *InvitationID) (*invitationOutput, error) {
	i, err := c.clerk.Resend(ctx, in.ID, in.Invitation)
	if err != nil {
		return nil, err
	}
	return &invitationOutput{invitationOf(i)}, nil
}

func (a *API) withdrawInvitation(ctx context.Context, c call, in *InvitationID) (*struct{}, error) {
	return nil, c.clerk.Withdraw(ctx, in.ID, in.Invitation)
}
