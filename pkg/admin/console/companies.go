// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

const companies = home + "/companies"

func (p *Pages) companyRoutes() []route {
	const one = companies + "/{company}"
	return []route{
		get(companies, NeedCompany, serveCompanies),
		get(companies+"/new", NeedIT, serveNewCompany),
		post(companies+"/new", NeedIT, toCompanies, submitNewCompany).keeps("admin_emails"),
		get(one, NeedCompany, serveCompany),
		get(one+"/edit", NeedCompany, serveEditCompany),
		post(one+"/edit", NeedCompany, atCompany("/edit"), submitEditCompany).keeps("admin_emails"),
		get(one+"/remove", NeedIT, serveRemoveCompany),
		post(one+"/remove", NeedIT, atCompany("/remove"), submitRemoveCompany),
		post(one+"/groups", NeedCompany, atCompany("#groups"), submitAddGroup),
		post(one+"/groups/rename", NeedCompany, atCompany("#groups"), submitRenameGroup),
		post(one+"/groups/remove", NeedCompany, atCompany("#groups"), submitRemoveGroup),
		get(one+"/domains", NeedCompany, serveDomain),
		post(one+"/domains", NeedCompany, atDomain("/domains"), submitDomain),
		get(one+"/domains/remove", NeedCompany, serveDropDomain),
		post(one+"/domains/remove", NeedCompany, atDomain("/domains/remove"), submitDropDomain),
	}
}

func toCompanies(*http.Request) string { return companies + "/new" }

func companyPage(id string) string { return companies + "/" + url.PathEscape(id) }

func atCompany(rest string) func(*http.Request) string {
	return func(r *http.Request) string { return companyPage(r.PathValue("company")) + rest }
}

// serveCompanies lists the companies, C1. A company's admin has one alone, and is led there.
func serveCompanies(v *visit) error {
	if !v.it {
		return v.see(companyPage(v.Account.Company))
	}
	q := v.r.URL.Query()
	list, err := v.clerk.ListCompanies(v.r.Context(), admin.CompanyQuery{Text: q.Get("q"), After: q.Get("after"), Limit: pageSize})
	if err != nil {
		return err
	}
	page := templates.ConsoleCompanies{Console: v.frame("companies"), Query: q.Get("q"), Total: list.Total, Done: v.done("removed")}
	var ids []string
	for _, co := range list.Companies {
		ids = append(ids, co.ID)
	}
	counts, err := v.clerk.Headcounts(v.r.Context(), ids)
	if err != nil {
		return err
	}
	for i, co := range list.Companies {
		n := counts[i]
		page.Rows = append(page.Rows, templates.ConsoleCompanyRow{ID: co.ID, Name: cmp.Or(co.Name, co.ID), Factor: string(co.SecondFactor), All: n.All, Without: n.Without})
	}
	if list.Next != "" {
		next := url.Values{"after": {list.Next}}
		if page.Query != "" {
			next.Set("q", page.Query)
		}
		page.Next = companies + "?" + next.Encode()
	}
	return v.page(page)
}

// serveCompany is a company's page.
func serveCompany(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	return v.company(co, v.done("added", "saved", "stale", "group-added", "group-renamed", "group-removed", "used-policy", "used-people", "kept",
		"domain-added", "domain-there", "domain-removed"))
}

// company shows the page of co; wrong are problems of the groups.
func (v *visit) company(co company.Company, done string, wrong ...templates.ConsoleProblem) error {
	n, err := v.clerk.Headcount(v.r.Context(), co.ID)
	if err != nil {
		return err
	}
	page := templates.ConsoleCompany{
		Console: v.frame("companies"), IT: v.it, ID: co.ID, Name: cmp.Or(co.Name, co.ID), Email: co.HelpEmail, Phone: co.HelpPhone, AdminEmails: co.AdminEmails,
		Tag: admin.CompanyTag(co), All: n.All, Without: n.Without, Done: done, Problems: wrong, GroupID: v.form.Get("id"), GroupName: v.form.Get("name"),
		Domains: co.Domains,
	}
	if len(wrong) == 0 {
		page.GroupID, page.GroupName = "", ""
	}
	for _, g := range co.Groups {
		page.Groups = append(page.Groups, templates.ConsoleTick{ID: g.ID, Name: g.Title()})
	}
	return v.page(page)
}

// companyInput is what was typed.
func companyInput(f url.Values) templates.ConsoleCompanyInput {
	one := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	return templates.ConsoleCompanyInput{
		Tag: one("tag"), ID: one("id"), Name: one("name"), Email: one("help_email"), Phone: one("help_phone"), Admins: f.Get("admin_emails"),
	}
}

func serveNewCompany(v *visit) error {
	if kept := v.draft(); kept != nil {
		return v.companyForm("", companyInput(kept), "proof")
	}
	return v.companyForm("", templates.ConsoleCompanyInput{}, "")
}

// companyForm shows the form; name is that of the company that is changed, or empty.
func (v *visit) companyForm(name string, in templates.ConsoleCompanyInput, problem string, wrong ...templates.ConsoleProblem) error {
	page := templates.ConsoleCompanyForm{
		Console: v.frame("companies"), Action: v.r.URL.Path, Cancel: strings.TrimSuffix(strings.TrimSuffix(v.r.URL.Path, "/new"), "/edit"), IT: v.it,
		Name: name, In: in, Problem: problem, Problems: wrong,
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	return v.page(page)
}

// submitNewCompany registers a company, C1.
func submitNewCompany(v *visit) error {
	in := companyInput(v.form)
	if in.ID == "new" {
		// Its page would be this form.
		return v.companyForm("", in, "", templates.ConsoleProblem{Field: "id", Kind: "taken"})
	}
	co, err := v.clerk.CreateCompany(v.r.Context(), ofForm(in, company.Company{ID: in.ID, Name: in.Name}))
	if err == nil {
		return v.see(companyPage(co.ID) + "?done=added")
	}
	wrong, err := companyProblems(err)
	if err != nil {
		return err
	}
	return v.companyForm("", in, "", wrong...)
}

// ofForm is the company that a form makes of one before: what the form has no field for stays.
func ofForm(in templates.ConsoleCompanyInput, co company.Company) company.Company {
	co.HelpEmail, co.HelpPhone, co.AdminEmails = in.Email, in.Phone, entries(in.Admins)
	return co
}

func serveEditCompany(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	name := cmp.Or(co.Name, co.ID)
	if kept := v.draft(); kept != nil {
		return v.companyForm(name, companyInput(kept), "proof")
	}
	return v.companyForm(name, templates.ConsoleCompanyInput{
		Tag: admin.CompanyTag(co), Name: co.Name, Email: co.HelpEmail, Phone: co.HelpPhone, Admins: strings.Join(co.AdminEmails, "\n"),
	}, "")
}

// submitEditCompany changes what is said of a company. Its name is for the IT team: people know the company by it.
func submitEditCompany(v *visit) error {
	before, err := v.ofPath()
	if err != nil {
		return err
	}
	in := companyInput(v.form)
	if in.Tag == "" {
		return v.see(companyPage(before.ID) + "?done=stale")
	}
	after := ofForm(in, before)
	if v.it {
		after.Name = in.Name
	}
	_, err = v.clerk.ChangeCompany(v.r.Context(), before.ID, in.Tag, after)
	name := cmp.Or(before.Name, before.ID)
	switch {
	case err == nil:
		return v.see(companyPage(before.ID) + "?done=saved")
	case errors.Is(err, admin.ErrStale):
		in.Tag = admin.CompanyTag(before)
		return v.companyForm(name, in, "stale")
	}
	wrong, err := companyProblems(err)
	if err != nil {
		return err
	}
	return v.companyForm(name, in, "", wrong...)
}

// companyProblems are the problems of a company's fields; an error that names none is the caller's.
func companyProblems(err error) ([]templates.ConsoleProblem, error) {
	if errors.Is(err, authn.ErrExists) {
		return []templates.ConsoleProblem{{Field: "id", Kind: "taken"}}, nil
	}
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		out = append(out, companyProblem(f))
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

func companyProblem(f *client.FieldError) templates.ConsoleProblem {
	switch f.Field {
	case "id", "name", "help_email", "admin_emails":
		return templates.ConsoleProblem{Field: f.Field, Kind: f.Field}
	default:
		return templates.ConsoleProblem{Field: "name", Text: f.Field + " " + f.Problem}
	}
}

// serveRemoveCompany says whether the company can be removed.
func serveRemoveCompany(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	return v.page(templates.ConsoleCompanyRemove{
		Console: v.frame("companies"), Action: companyPage(co.ID) + "/remove", Back: companyPage(co.ID), Name: cmp.Or(co.Name, co.ID), Tag: admin.CompanyTag(co),
	})
}

// submitRemoveCompany removes a company that has neither people nor clients.
func submitRemoveCompany(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	done := ""
	if tag := v.form.Get("tag"); tag == "" {
		done = "stale"
	} else if err = v.clerk.RemoveCompany(v.r.Context(), co.ID, tag); errors.Is(err, admin.ErrStale) {
		done = "stale"
	} else if errors.Is(err, authn.ErrConflict) {
		done = "kept"
	} else if err != nil {
		return err
	}
	if done != "" {
		return v.see(companyPage(co.ID) + "?done=" + done)
	}
	return v.see(companies + "?done=removed")
}
