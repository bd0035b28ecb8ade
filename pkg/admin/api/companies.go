// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
)

// CompanyActs is what a clerk does for companies (admin.Clerk).
type CompanyActs interface {
	ListCompanies(ctx context.Context, q admin.CompanyQuery) (admin.CompanyPage, error)
	Company(ctx context.Context, id string) (company.Company, error)
	CreateCompany(ctx context.Context, co company.Company) (company.Company, error)
	ChangeCompany(ctx context.Context, id, tag string, co company.Company) (company.Company, error)
	RemoveCompany(ctx context.Context, id, tag string) error
	PreviewPolicy(ctx context.Context, co company.Company) (admin.Preview, error)
	TellPolicy(ctx context.Context, id string) (int, error)
	DomainActs
}

// CompanyID is the part of a path that names a company.
type CompanyID struct {
	ID string `path:"company_id" maxLength:"64" pattern:"^[a-z0-9-]+$" doc:"The id of the company"`
}

// Company is what is said of a company; its policy and its groups have addresses of their own.
type Company struct {
	ID          string   `json:"id" maxLength:"64" pattern:"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$" patternDescription:"lower-case letters, digits and dashes, no dash at the ends" doc:"Lower-case letters, digits and dashes"`
	Name        string   `json:"name" maxLength:"64" doc:"Shown to people, and in authenticator apps"`
	HelpEmail   string   `json:"help_email,omitempty" maxLength:"320"`
	HelpPhone   string   `json:"help_phone,omitempty" maxLength:"64"`
	AdminEmails []string `json:"admin_emails,omitempty" nullable:"false" maxItems:"20" doc:"Told of what admins do to accounts; empty: help_email is"`
}

func companyOf(co company.Company) Company {
	return Company{ID: co.ID, Name: co.Name, HelpEmail: co.HelpEmail, HelpPhone: co.HelpPhone, AdminEmails: co.AdminEmails}
}

// into writes what is said into the company, whose policy and groups stay.
func (v Company) into(co *company.Company) {
	co.Name, co.HelpEmail, co.HelpPhone, co.AdminEmails = v.Name, v.HelpEmail, v.HelpPhone, v.AdminEmails
}

type listCompaniesInput struct {
	PageInput
	Text string `query:"text" maxLength:"200" doc:"A part of the name or the id, in any case"`
}

type companyListOutput struct {
	Body struct {
		Companies  []Company `json:"companies" nullable:"false"`
		Total      int       `json:"total" doc:"How many there are on all pages"`
		NextCursor string    `json:"next_cursor,omitempty" doc:"What to send as cursor for the next page; absent on the last one"`
	}
}

type companyOutput struct {
	ETag string `header:"ETag"`
	Body Company
}

type createCompanyInput struct {
	KeyInput
	Body Company
}

type createdCompanyOutput struct {
	ETag     string `header:"ETag"`
	Location string `header:"Location"`
	Body     Company
}

type putCompanyInput struct {
	CompanyID
	MatchInput
	Body Company
}

type deleteCompanyInput struct {
	CompanyID
	OptionalMatchInput
}

func (a *API) addCompanies() {
	const tag, path, one = "companies", "/api/v1/companies", "/api/v1/companies/{company_id}"
	add(a, spec{
		id: "list_companies", method: http.MethodGet, path: path, scope: ScopeCompaniesRead, tag: tag, summary: "List companies",
		status: http.StatusOK, more: "By id. A token of a company sees that company alone.",
	}, a.listCompanies)
	add(a, spec{
		id: "create_company", method: http.MethodPost, path: path, scope: ScopeCompaniesWrite, tag: tag, summary: "Add a company",
		status: http.StatusCreated, traits: hasBody | creates, more: "For the IT team alone. " + keyWords,
	}, a.createCompany)
	add(a, spec{
		id: "read_company", method: http.MethodGet, path: one, scope: ScopeCompaniesRead, tag: tag, summary: "Read a company", status: http.StatusOK,
	}, a.readCompany)
	add(a, spec{
		id: "replace_company", method: http.MethodPut, path: one, scope: ScopeCompaniesWrite, tag: tag, summary: "Replace what is said of a company",
		status: http.StatusOK, traits: hasBody | mustMatch, more: "Its policy and its groups stay.",
	}, a.replaceCompany)
	add(a, spec{
		id: "remove_company", method: http.MethodDelete, path: one, scope: ScopeCompaniesWrite, tag: tag, summary: "Remove a company",
		status: http.StatusNoContent, traits: mayMatch | conflicts, more: "One that has neither people nor clients; for the IT team alone.",
	}, a.removeCompany)
}

func (a *API) listCompanies(ctx context.Context, c call, in *listCompaniesInput) (*companyListOutput, error) {
	way := list{c.by, "companies", []string{in.Text}}
	after, err := a.place(way, in.Cursor)
	if err != nil {
		return nil, err
	}
	page, err := c.clerk.ListCompanies(ctx, admin.CompanyQuery{Text: in.Text, After: after, Limit: in.Limit})
	if err != nil {
		return nil, err
	}
	out := &companyListOutput{}
	out.Body.Companies, out.Body.Total = []Company{}, page.Total
	for _, co := range page.Companies {
		out.Body.Companies = append(out.Body.Companies, companyOf(co))
	}
	out.Body.NextCursor, err = a.cursor(way, page.Next)
	return out, err
}

func (a *API) createCompany(ctx context.Context, c call, in *createCompanyInput) (*createdCompanyOutput, error) {
	co := company.Company{ID: in.Body.ID}
	in.Body.into(&co)
	made, err := c.clerk.CreateCompany(ctx, co)
	if err != nil {
		return nil, err
	}
	return &createdCompanyOutput{
		ETag: etag(admin.CompanyTag(made)), Location: address("companies", made.ID), Body: companyOf(made),
	}, nil
}

func (a *API) readCompany(ctx context.Context, c call, in *CompanyID) (*companyOutput, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return &companyOutput{etag(admin.CompanyTag(co)), companyOf(co)}, nil
}

func (a *API) replaceCompany(ctx context.Context, c call, in *putCompanyInput) (*companyOutput, error) {
	if in.Body.ID != in.ID {
		return nil, invalid(Fault{Detail: "cannot be changed: it must be the company's own", Pointer: "/id"})
	}
	co, err := c.editCompany(ctx, in.ID, in.Body.into)
	if err != nil {
		return nil, err
	}
	return &companyOutput{etag(admin.CompanyTag(co)), companyOf(co)}, nil
}

// maxTries is how often a part of a company is put into it anew, where the caller said that any version will do.
const maxTries = 10

// editCompany changes a part of a company; the rest stays as it is in the version that If-Match names.
func (c call) editCompany(ctx context.Context, id string, change func(*company.Company)) (company.Company, error) {
	for try := 1; ; try++ {
		co, err := c.clerk.Company(ctx, id)
		if err != nil {
			return co, err
		}
		tag := admin.CompanyTag(co)
		if _, err := c.match.against(tag); err != nil {
			return co, err
		}
		change(&co)
		co, err = c.clerk.ChangeCompany(ctx, id, tag, co)
		if !errors.Is(err, admin.ErrStale) || !c.match.any || try == maxTries {
			return co, err
		}
	}
}

func (a *API) removeCompany(ctx context.Context, c call, in *deleteCompanyInput) (*struct{}, error) {
	co, err := c.clerk.Company(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	tag, err := c.match.against(admin.CompanyTag(co))
	if err != nil {
		return nil, err
	}
	return nil, c.clerk.RemoveCompany(ctx, in.ID, tag)
}
