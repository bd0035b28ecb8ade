// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/templates"
)

// Invitations is what the page behind an invitation's link needs. Every method may answer authn.ErrUnavailable or
// authn.ErrLost.
type Invitations interface {
	// Invited returns the invitation of a link without taking it: authn.ErrGone if it cannot be taken any more.
	Invited(ctx context.Context, l authn.Link) (invitation.Invitation, error)
	// Accept takes the invitation and makes the account: authn.ErrGone if another took it, authn.ErrExists if the address
	// has an account by now.
	Accept(ctx context.Context, i invitation.Invitation, person, record string) (authn.Account, error)
}

// maxPerson bounds the name that a person types.
const maxPerson = 200

// openInvite reads the invitation behind a link.
func (s *Site) openInvite(r *http.Request, o opened) (opened, error) {
	i, err := s.cfg.Invitations.Invited(r.Context(), o.link)
	if errors.Is(err, authn.ErrGone) {
		return o, deadLink(err)
	}
	if err != nil {
		return o, fmt.Errorf("read invitation: %w", err)
	}
	o.invitation = i
	o.account = authn.Account{Company: i.Company, Name: i.Email}
	return o, nil
}

// serveInvite asks for a password. The browser is bound here, so that the answer can sign it in.
func (s *Site) serveInvite(w http.ResponseWriter, r *http.Request, o opened) error {
	if _, err := s.binding(w, r); err != nil {
		return err
	}
	p, err := s.invitePage(w, r, o)
	if err != nil {
		return err
	}
	p.Person = o.invitation.Person
	s.page(w, r, http.StatusOK, p)
	return nil
}

func (s *Site) invitePage(w http.ResponseWriter, r *http.Request, o opened) (templates.Invited, error) {
	var co company.Company
	if o.invitation.Company != "" {
		var err error
		if co, err = s.cfg.Companies.Company(r.Context(), o.invitation.Company); err != nil {
			return templates.Invited{}, fmt.Errorf("company of an invitation: %w", err)
		}
	}
	of := authn.Account{Groups: o.invitation.Groups, Roles: o.invitation.Roles}
	return templates.Invited{
		Frame: s.linkFrame(w, r, o), Action: r.URL.Path, Account: o.invitation.Email, CompanyName: co.Name,
		Factor: co.SecondFactor.Wanted() && co.Concerns(of),
	}, nil
}

// acceptInvite makes the account, and goes on as if its person had just signed in with the new password: to the set-up of
// a second factor where the company asks for one.
func (s *Site) acceptInvite(w http.ResponseWriter, r *http.Request, o opened, in url.Values) error {
	p, err := s.invitePage(w, r, o)
	if err != nil {
		return err
	}
	p.Person = strings.TrimSpace(in.Get("name"))
	password := in.Get("new_password")
	local, _, _ := strings.Cut(o.invitation.Email, "@")
	problem := s.cfg.Passwords.Check(password, local, p.Person, p.CompanyName)
	switch p.Problem = authn.PasswordProblem(problem); {
	case len(p.Person) > maxPerson:
		p.Problem, p.Person = "name", clip(p.Person, maxPerson)
	case problem != nil && p.Problem == "":
		return fmt.Errorf("check password: %w", problem)
	}
	if p.Problem != "" {
		s.page(w, r, http.StatusOK, p)
		return nil
	}
	record, err := s.cfg.Passwords.Hash(r.Context(), password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	a, err := s.cfg.Invitations.Accept(r.Context(), o.invitation, p.Person, record)
	if errors.Is(err, authn.ErrGone) || errors.Is(err, authn.ErrExists) {
		return deadLink(err)
	}
	if err != nil {
		return fmt.Errorf("take invitation: %w", err)
	}
	// The invitation is taken: what is left of its link leads nowhere, so a failure here changes nothing.
	_ = s.use(r, o)
	return s.welcome(w, r, a)
}

// welcome signs the person in who has just chosen a password. A browser without cookies signs in by hand.
func (s *Site) welcome(w http.ResponseWriter, r *http.Request, a authn.Account) error {
	bind := s.jar.bind(r)
	if len(bind) == 0 {
		return see(w, r, ownPage)
	}
	f := s.newFlow(&flow.Request{Purpose: flow.PurposeView, Return: ownPage})
	if err := s.cfg.Flows.Create(r.Context(), f, bind[0]); err != nil {
		return fmt.Errorf("store flow: %w", err)
	}
	return s.identified(w, r, f, a.Name, a)
}
