// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
)

// anyone is the company that an act on the own account is bound to: none, since the account is that of the session.
const anyone = "*"

// submitForget forgets one remembered device, M5.
func (p *Pages) submitForget(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	id := a.form.Get("id")
	list, err := p.cfg.Devices.List(r.Context(), a.Account.ID)
	if err != nil {
		return fmt.Errorf("forget device: %w", err)
	}
	if !slices.ContainsFunc(list, func(d device.Device) bool { return d.ID == id }) {
		return p.cfg.Site.See(w, r, moved)
	}
	if err := p.cfg.Devices.Remove(r.Context(), a.Account.ID, id); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.DeviceForgotten, a.View, slog.String("devices", "one"))
	if p.cfg.Site.OwnDevice(r, a.Account.Tag) == id {
		p.cfg.Site.DropDevice(w, a.Account.Tag)
	}
	return p.did(w, r, "forgotten")
}

// submitForgetAll forgets all of them.
func (p *Pages) submitForgetAll(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	if _, err := p.cfg.Accounts.Apply(r.Context(), a.Account.ID, anyone, authn.Forget, ""); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.DeviceForgotten, a.View, slog.String("devices", "all"))
	p.cfg.Site.DropDevice(w, a.Account.Tag)
	return p.did(w, r, "forgotten-all")
}

// submitEnd ends another session, M6.
func (p *Pages) submitEnd(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	id := a.form.Get("id")
	list, err := p.cfg.Sessions.List(r.Context(), a.Account, a.Session.Handle)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	i := slices.IndexFunc(list, func(s session.Listed) bool { return s.ID == id })
	switch {
	case i < 0:
		return p.cfg.Site.See(w, r, moved)
	case list[i].Own:
		return p.cfg.Site.Leave(w, r, a.View)
	}
	if err := p.cfg.Sessions.EndListed(r.Context(), a.Account, id); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.SessionEnded, a.View)
	return p.did(w, r, "ended")
}

// submitEndOthers ends every session but this one, which is made anew.
func (p *Pages) submitEndOthers(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	now, err := p.everywhere(r, a.View)
	if err != nil {
		return p.settle(w, r, err)
	}
	if err := p.cfg.Site.Renew(w, r, a.View, now); err != nil {
		return err
	}
	return p.did(w, r, "ended-others")
}

// everywhere ends every session of the account and the access of every app.
func (p *Pages) everywhere(r *http.Request, v session.View) (authn.Account, error) {
	now, err := p.cfg.Accounts.Apply(r.Context(), v.Account.ID, anyone, authn.SignOut, "")
	if err != nil {
		return authn.Account{}, err
	}
	p.event(r.Context(), audit.SignedOut, v)
	return now, nil
}

// submitEverywhere ends every session, also this one.
func (p *Pages) submitEverywhere(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	if _, err := p.everywhere(r, a.View); err != nil {
		return p.settle(w, r, err)
	}
	return p.cfg.Site.Leave(w, r, a.View)
}

// submitSignOut ends the own session.
func (p *Pages) submitSignOut(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	return p.cfg.Site.Leave(w, r, a.View)
}

// submitEndApp ends the access of an app.
func (p *Pages) submitEndApp(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	id := a.form.Get("id")
	list, err := p.cfg.Standings.List(r.Context(), a.Account)
	if err != nil {
		return fmt.Errorf("end access: %w", err)
	}
	if !slices.ContainsFunc(list, func(s grant.Standing) bool { return s.ClientID == id }) {
		return p.cfg.Site.See(w, r, moved)
	}
	if err := p.cfg.Standings.Withdraw(r.Context(), a.Account, id); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.AppWithdrawn, a.View, slog.String("client", id))
	return p.did(w, r, "withdrawn")
}
