// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

const invitations = home + "/invitations"

// The company stands in the path of what is done, so that an invitation of another one is not there, and is written down.
func (p *Pages) invitationRoutes() []route {
	const of = invitations + "/{company}"
	return []route{
		get(invitations, NeedCompany, serveInvitations),
		get(of+"/new", NeedCompany, serveInvite),
		post(of+"/new", NeedCompany, atInvitations("/new"), submitInvite).keeps("roles"),
		get(of+"/file", NeedCompany, serveInviteFile),
		post(of+"/file", NeedCompany, atInvitations("/file"), submitInviteFile).uploads("lines").looks(),
		post(of+"/send", NeedCompany, atInvitations("/file"), submitInviteSend).uploads("lines"),
		post(of+"/{invitation}/resend", NeedCompany, backToInvitations, submitResend),
		post(of+"/{invitation}/withdraw", NeedCompany, backToInvitations, submitWithdraw),
	}
}

func atInvitations(rest string) func(*http.Request) string {
	return func(r *http.Request) string { return invitations + "/" + url.PathEscape(r.PathValue("company")) + rest }
}

func backToInvitations(r *http.Request) string {
	return withCompany(invitations, r.PathValue("company"))
}

// ofPath returns the company in the path, and looks at it from now on.
func (v *visit) ofPath() (company.Company, error) {
	co, err := v.clerk.Company(v.r.Context(), v.r.PathValue("company"))
	if err == nil {
		v.of = co.ID
	}
	return co, err
}

// serveInvitations lists those who are invited to a company and have no account yet, C1.
func serveInvitations(v *visit) error {
	page := templates.ConsoleInvitations{
		Console: v.frame("people"), IT: v.it, Chosen: v.of, Done: v.done("sent", "resent", "withdrawn", "gone", "mute"),
	}
	var err error
	if v.it {
		if page.Companies, err = v.companies(); err != nil {
			return err
		}
	}
	if v.of == "" {
		return v.page(page)
	}
	co, err := v.clerk.Company(v.r.Context(), v.of)
	if err != nil {
		return err
	}
	after, err := v.opened("invitations")
	if err != nil {
		return err
	}
	list, err := v.clerk.ListInvitations(v.r.Context(), v.of, after, pageSize)
	if err != nil {
		return err
	}
	page.Total = list.Total
	for _, i := range list.Invitations {
		page.Rows = append(page.Rows, templates.ConsoleInvitation{
			ID: i.ID, Email: i.Email, Name: i.Person, Groups: groupNames(i.Groups, co), Admin: string(i.Admin), Sent: utc(i.Sent), Ends: utc(i.Ends),
			Ended: !v.cfg.Now().Before(i.Ends),
		})
	}
	next, err := v.sealed("invitations", list.Next)
	if next != "" {
		q := url.Values{"after": {next}}
		if v.it {
			q.Set("company", v.of)
		}
		page.Next = invitations + "?" + q.Encode()
	}
	if err != nil {
		return err
	}
	return v.page(page)
}

// told leads back to the list after an act on an invitation, and says what came of it.
func (v *visit) told(done string, err error) error {
	switch {
	case errors.Is(err, authn.ErrNotFound), errors.Is(err, authn.ErrMoved), errors.Is(err, authn.ErrGone):
		// The person has just taken it, or another admin was faster.
		done = "gone"
	case errors.Is(err, authn.ErrConflict):
		done = "mute"
	case err != nil:
		return err
	}
	q := url.Values{"done": {done}}
	if v.it {
		q.Set("company", v.of)
	}
	return v.see(invitations + "?" + q.Encode())
}

// submitResend mails an invitation again; the links that were mailed before are dead.
func submitResend(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	_, err = v.clerk.Resend(v.r.Context(), co.ID, v.r.PathValue("invitation"))
	return v.told("resent", err)
}

// submitWithdraw ends an invitation at once.
func submitWithdraw(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	return v.told("withdrawn", v.clerk.Withdraw(v.r.Context(), co.ID, v.r.PathValue("invitation")))
}

// serveInvite asks who is to be invited.
func serveInvite(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	if kept := v.draft(); kept != nil {
		return v.inviteForm(co, personInput(kept), "proof")
	}
	return v.inviteForm(co, templates.ConsolePersonInput{}, "")
}

func (v *visit) inviteForm(co company.Company, in templates.ConsolePersonInput, problem string, wrong ...templates.ConsoleProblem) error {
	page := templates.ConsoleInvite{
		Console: v.frame("people"), Action: v.r.URL.Path, Cancel: v.listOf(co), Name: cmp.Or(co.Name, co.ID), In: in, Problem: problem, Problems: wrong,
		Groups: groupTicks(co, in.Groups), Admins: v.roles(co, authn.AdminNone),
	}
	var err error
	if page.Declared, page.DeclaredTotal, err = v.offered(); err != nil {
		return err
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	return v.page(page)
}

// listOf is the address of a company's list of invitations.
func (v *visit) listOf(co company.Company) string {
	if v.it {
		return withCompany(invitations, co.ID)
	}
	return invitations
}

// submitInvite invites one person by mail, C1.
func submitInvite(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	in := personInput(v.form)
	_, err = v.clerk.Invite(v.r.Context(), co.ID, admin.Invitee{
		Email: in.Email, Person: in.Name, Lang: in.Lang, Groups: in.Groups, Roles: entries(in.Roles), Admin: authn.AdminRole(in.Admin),
	})
	switch {
	case err == nil:
		return v.told("sent", nil)
	case errors.Is(err, authn.ErrTooMany):
		return v.inviteForm(co, in, "full")
	case errors.Is(err, authn.ErrConflict):
		return v.inviteForm(co, in, "mute")
	}
	wrong, err := personProblems(err)
	if err != nil {
		return err
	}
	return v.inviteForm(co, in, "", wrong...)
}
