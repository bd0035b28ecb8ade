// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// maxAuthenticators is how many an account may have.
const maxAuthenticators = 10

// serveView shows the account page. It changes nothing.
func (p *Pages) serveView(w http.ResponseWriter, r *http.Request) error {
	v, ok, err := p.own(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	page := templates.Account{Frame: p.cfg.Site.OwnFrame(w, r, v), Account: v.Account.Name, Done: done(r)}
	for _, fill := range []func(context.Context, session.View, *templates.Account) error{
		p.addFactors, p.addSessions, p.addApps, p.addEvents,
	} {
		if err := fill(r.Context(), v, &page); err != nil {
			return fmt.Errorf("account page: %w", err)
		}
	}
	if err := p.addDevices(r, v, &page); err != nil {
		return fmt.Errorf("account page: %w", err)
	}
	p.cfg.Site.Page(w, r, http.StatusOK, page)
	return nil
}

// done is what the address says was done, if it is one of ours: it is looked up, never echoed.
func done(r *http.Request) string {
	what := r.URL.Query().Get("done")
	if slices.Contains([]string{
		"added", "replaced", "renamed", "removed", "codes", "forgotten", "forgotten-all", "ended", "ended-others",
		"withdrawn", "password", "moved",
	}, what) {
		return what
	}
	return ""
}

// company is that of the account; the zero Company if it has none. One that is missing is a lost record, never a milder
// policy.
func (p *Pages) company(ctx context.Context, a authn.Account) (company.Company, error) {
	if a.Company == "" {
		return company.Company{}, nil
	}
	co, err := p.cfg.Companies.Company(ctx, a.Company)
	if errors.Is(err, authn.ErrNotFound) {
		return co, fmt.Errorf("company %s: %w", a.Company, authn.ErrLost)
	}
	return co, err
}

// wanted says whether the policy asks the account for a second factor.
func (p *Pages) wanted(ctx context.Context, a authn.Account) (bool, error) {
	co, err := p.company(ctx, a)
	if err != nil {
		return false, err
	}
	var policy flow.Policy
	co.Apply(&policy, a, p.cfg.Now())
	return policy.Factor.Wanted(), nil
}

func (p *Pages) addFactors(ctx context.Context, v session.View, page *templates.Account) error {
	f, err := p.cfg.Factors.Authenticators(ctx, v.Account)
	if err != nil {
		return err
	}
	if page.Wanted, err = p.wanted(ctx, v.Account); err != nil {
		return err
	}
	page.On, page.Locked, page.RecoveryLeft = len(f.List) > 0, f.Locked, f.RecoveryLeft
	page.Full = len(f.List) >= maxAuthenticators
	for _, x := range f.List {
		page.Authenticators = append(page.Authenticators, templates.AccountAuthenticator{
			ID: x.ID, Kind: x.Kind, Name: x.Name, Added: utc(x.Added), Used: utc(x.Used), Stays: f.Locked || (page.Wanted && len(f.List) == 1),
		})
	}
	return nil
}

func (p *Pages) addDevices(r *http.Request, v session.View, page *templates.Account) error {
	list, err := p.cfg.Devices.List(r.Context(), v.Account.ID)
	if err != nil {
		return err
	}
	own := p.cfg.Site.OwnDevice(r, v.Account.Tag)
	for _, d := range list {
		page.Devices = append(page.Devices, templates.AccountDevice{
			ID: d.ID, Label: d.Label, First: utc(d.First), Last: utc(d.Last), End: utc(d.End), Own: d.ID == own,
		})
	}
	return nil
}

func (p *Pages) addSessions(ctx context.Context, v session.View, page *templates.Account) error {
	list, err := p.cfg.Sessions.List(ctx, v.Account, v.Session.Handle)
	if err != nil {
		return err
	}
	for _, s := range list {
		page.Sessions = append(page.Sessions, templates.AccountSession{
			ID: s.ID, Label: s.Label, Started: utc(s.Started), Last: utc(s.Last), Own: s.Own,
		})
	}
	return nil
}

func (p *Pages) addApps(ctx context.Context, v session.View, page *templates.Account) error {
	list, err := p.cfg.Standings.List(ctx, v.Account)
	if err != nil {
		return err
	}
	for _, s := range list {
		app := p.app(ctx, v.Account, s)
		if app.Words, err = client.ScopeWords(ctx, p.cfg.Clients, app.Scopes, page.Lang); err != nil {
			return err
		}
		page.Apps = append(page.Apps, app)
	}
	return nil
}

// app is an app as its person sees it. One that is registered no more has its id for a name.
func (p *Pages) app(ctx context.Context, a authn.Account, s grant.Standing) templates.AccountApp {
	out := templates.AccountApp{ID: s.ClientID, Name: s.ClientID, Since: utc(s.Since), Offline: s.Offline}
	if c, err := p.cfg.Clients.Client(ctx, s.ClientID); err == nil {
		out.Own = c.Company != "" && c.Company == a.Company
		if c.Name != "" {
			out.Name = c.Name
		}
	}
	var others []string
	for _, known := range []string{"openid", "profile", "email", "address", "phone"} {
		if slices.Contains(s.Scopes, known) {
			out.Scopes = append(out.Scopes, known)
		}
	}
	for _, scope := range s.Scopes {
		if scope != "offline_access" && !slices.Contains(out.Scopes, scope) {
			others = append(others, scope)
		}
	}
	slices.Sort(others)
	out.Scopes = append(out.Scopes, others...)
	return out
}

// utc keeps a time that is not known as it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}
