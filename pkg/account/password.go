// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"net/http"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

const passwordPage = home + "/password"

// servePassword asks for a new password, M7.
func (p *Pages) servePassword(w http.ResponseWriter, r *http.Request) error {
	v, ok, err := p.own(w, r, flow.PurposeProve, passwordPage)
	if !ok {
		return err
	}
	p.passwordPage(w, r, v, "")
	return nil
}

func (p *Pages) passwordPage(w http.ResponseWriter, r *http.Request, v session.View, problem string) {
	p.cfg.Site.Page(w, r, http.StatusOK, templates.AccountPassword{
		Frame: p.cfg.Site.OwnFrame(w, r, v), Action: passwordPage, Account: v.Account.Name, Problem: problem,
	})
}

// submitPassword changes the password. It ends all other sessions, all remembered devices and what was issued.
func (p *Pages) submitPassword(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeProve, passwordPage)
	if !ok {
		return err
	}
	co, err := p.company(r.Context(), a.Account)
	if err != nil {
		return err
	}
	password := a.form.Get("new_password")
	if err := p.cfg.Passwords.Check(password, a.Account.Name, a.Account.Contact.Person, co.Name); err != nil {
		problem := authn.PasswordProblem(err)
		if problem == "" {
			return fmt.Errorf("check password: %w", err)
		}
		p.passwordPage(w, r, a.View, problem)
		return nil
	}
	record, err := p.cfg.Passwords.Hash(r.Context(), password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	change := authn.SetPassword
	if p.proved(a.View) {
		change = authn.SetPasswordProved
	}
	now, err := p.cfg.Accounts.ChangePassword(r.Context(), a.Account, change, record)
	if err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.PasswordChanged, a.View)
	p.cfg.Site.Tell(r, after(now, a.View), notify.PasswordChanged, "", 0)
	p.cfg.Site.DropDevice(w, a.Account.Tag)
	if err := p.cfg.Site.Renew(w, r, a.View, now); err != nil {
		return err
	}
	return p.did(w, r, "password")
}

// proved says whether a factor itself was shown lately: a remembered device is none.
func (p *Pages) proved(v session.View) bool {
	for _, e := range v.Session.Factors {
		if !e.Device && !e.At.Before(p.cfg.Now().Add(-authn.FreshProof)) {
			return true
		}
	}
	return false
}
