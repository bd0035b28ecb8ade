// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Policy is what a company wants of the second factor. What is left out has its default.
type Policy struct {
	SecondFactor string    `json:"second_factor,omitempty" enum:"off,optional,required,always" doc:"Absent: optional"`
	Groups       []string  `json:"second_factor_groups,omitempty" nullable:"false" maxItems:"50" doc:"Groups and roles that it is for; empty: everybody"`
	From         time.Time `json:"second_factor_from,omitzero" required:"false" doc:"When it begins; absent: it is in force"`
	Skips        int       `json:"second_factor_skips,omitempty" minimum:"0" maximum:"20" doc:"How often a person may put the set-up off"`
	RememberDays *int      `json:"remember_days,omitempty" minimum:"0" maximum:"365" doc:"How long a device is remembered; absent: the server's setting; 0: never"`
	SetupDays    *int      `json:"setup_days,omitempty" minimum:"0" maximum:"365" doc:"How long a first set-up by password alone stays open; absent: 14"`
	ResetAdmins  int       `json:"reset_admins,omitempty" minimum:"0" maximum:"2" doc:"How many admins a reset takes"`
	ResetWait    int       `json:"reset_wait_hours,omitempty" minimum:"0" maximum:"168" doc:"How long a reset waits after it was asked for"`
}

func policyOf(co company.Company) Policy {
	return Policy{
		SecondFactor: string(co.SecondFactor), Groups: co.FactorGroups, From: co.From, Skips: co.Skips, RememberDays: co.RememberDays,
		SetupDays: co.SetupDays, ResetAdmins: co.ResetAdmins, ResetWait: co.ResetWait,
	}
}

func (p Policy) into(co *company.Company) {
	co.SecondFactor = flow.FactorMode(p.SecondFactor)
	co.Policy = company.Policy{
		FactorGroups: p.Groups, From: p.From, Skips: p.Skips, RememberDays: p.RememberDays, SetupDays: p.SetupDays,
		ResetAdmins: p.ResetAdmins, ResetWait: p.ResetWait,
	}
}

type policyOutput struct {
	ETag string `header:"ETag"`
	Body Policy
}

type putPolicyInput struct {
	CompanyID
	MatchInput
	Body Policy
}

type previewInput struct {
	CompanyID
	Body Policy
}

// PolicyPreview is whom a policy would concern.
type PolicyPreview struct {
	Concerned int  `json:"concerned" doc:"Active accounts that would need a second factor"`
	Set       int  `json:"set" doc:"Of these, how many have one"`
	Without   int  `json:"without" doc:"Of these, how many have none"`
	More      bool `json:"more" doc:"Whether there are more people than were looked at"`
}

type previewOutput struct{ Body PolicyPreview }

// Group is some of a company's people.
type Group struct {
	ID   string `json:"id" maxLength:"64" pattern:"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$" patternDescription:"lower-case letters, digits and dashes, no dash at the ends" doc:"Lower-case letters, digits and dashes: what apps see"`
	Name string `json:"name,omitempty" maxLength:"64" doc:"Shown to people; absent: the id"`
}

// Groups are all groups of a company.
type Groups struct {
	Groups []Group `json:"groups" nullable:"false" maxItems:"200"`
}

type groupsOutput struct {
	ETag string `header:"ETag"`
	Body Groups
}

type putGroupsInput struct {
	CompanyID
	MatchInput
	Body Groups
}

func (a *API) addPolicies() {
	const policy, groups = "/api/v1/companies/{company_id}/policy", "/api/v1/companies/{company_id}/groups"
	add(a, spec{
		id: "read_policy", method: http.MethodGet, path: policy, scope: ScopePoliciesRead, tag: "policies", summary: "Read a company's policy",
		status: http.StatusOK,
	}, a.readPolicy)
	add(a, spec{
		id: "replace_policy", method: http.MethodPut, path: policy, scope: ScopePoliciesWrite, tag: "policies", summary: "Replace a company's policy",
		status: http.StatusOK, traits: hasBody | mustMatch | slow,
		more: "In force within a second. Who has to set a second factor up from then on is told by mail.",
	}, a.replacePolicy)
	add(a, spec{
		id: "preview_policy", method: http.MethodPost, path: policy + "/preview", scope: ScopePoliciesRead, tag: "policies",
		summary: "Say whom a policy would concern", status: http.StatusOK, traits: hasBody, more: "Nothing is changed.",
	}, a.previewPolicy)
	add(a, spec{
		id: "list_groups", method: http.MethodGet, path: groups, scope: ScopeCompaniesRead, tag: "companies", summary: "List a company's groups",
		status: http.StatusOK,
	}, a.listGroups)
	add(a, spec{
		id: "replace_groups", method: http.MethodPut, path: groups, scope: ScopeCompaniesWrite, tag: "companies", summary: "Replace a company's groups",
		status: http.StatusOK, traits: hasBody | mustMatch, more: "All of them: what is left out is removed.",
	}, a.replaceGroups)
}

func (a *API) readPolicy(ctx context.Context, c call, in *CompanyID) (*policyOutput, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &policyOutput{etag(admin.CompanyTag(co)), policyOf(co)}, nil
}

func (a *API) replacePolicy(ctx context.Context, c call, in *putPolicyInput) (*policyOutput, error) {
	co, err := c.editCompany(ctx, in.ID, in.Body.into)
	if err != nil {
		return nil, err
	}
	if told, err := c.clerk.TellPolicy(ctx, in.ID); err != nil {
		p := unavailable()
		p.Detail = fmt.Sprintf("The policy is in force; %d people were told of it. Send it again to tell the others.", told)
		return nil, p
	}
	return &policyOutput{etag(admin.CompanyTag(co)), policyOf(co)}, nil
}

func (a *API) previewPolicy(ctx context.Context, c call, in *previewInput) (*previewOutput, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	in.Body.into(&co)
	p, err := c.clerk.PreviewPolicy(ctx, co)
	if err != nil {
		return nil, err
	}
	return &previewOutput{PolicyPreview(p)}, nil
}

func groupsOf(co company.Company) *groupsOutput {
	out := &groupsOutput{ETag: etag(admin.CompanyTag(co)), Body: Groups{Groups: []Group{}}}
	for _, g := range co.Groups {
		out.Body.Groups = append(out.Body.Groups, Group(g))
	}
	return out
}

func (a *API) listGroups(ctx context.Context, c call, in *CompanyID) (*groupsOutput, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return groupsOf(co), nil
}

func (a *API) replaceGroups(ctx context.Context, c call, in *putGroupsInput) (*groupsOutput, error) {
	co, err := c.editCompany(ctx, in.ID, func(co *company.Company) {
		co.Groups = nil
		for _, g := range in.Body.Groups {
			co.Groups = append(co.Groups, company.Group(g))
		}
	})
	if err != nil {
		return nil, err
	}
	return groupsOf(co), nil
}
