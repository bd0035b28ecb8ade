// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

// personDones are what the page of a person says was done.
func personDones() []string {
	return []string{
		"saved", "off", "on", "signed-out", "forgotten", "forgotten-all", "ended", "withdrawn", "reset", "asked", "link", "mute", "own", "itonly", "stale",
	}
}

// whose returns the person that a request is about, with the company, which may be none.
func (v *visit) whose() (authn.Record, company.Company, error) {
	r, err := v.clerk.Person(v.r.Context(), v.r.PathValue("person"))
	if err != nil {
		return r, company.Company{}, err
	}
	co, err := v.companyOf(r)
	return r, co, err
}

// companyOf returns a person's company, which may be none.
func (v *visit) companyOf(r authn.Record) (company.Company, error) {
	if r.Company == "" {
		return company.Company{}, nil
	}
	return v.cfg.Companies.Company(v.r.Context(), r.Company)
}

// touches says whether whoever looks may act on the account: a company's admin may not on one of the IT team.
func (v *visit) touches(r authn.Record) bool { return v.it || r.Admin != authn.AdminIT }

// servePerson is what is known of a person, C3: never a password, never a secret.
func servePerson(v *visit) error {
	h, err := v.clerk.Holdings(v.r.Context(), v.r.PathValue("person"))
	if err != nil {
		return err
	}
	r := h.Person
	co, err := v.companyOf(r)
	if err != nil {
		return err
	}
	pending, err := v.clerk.PendingReset(v.r.Context(), r)
	if err != nil {
		return err
	}
	page := templates.ConsolePerson{
		Console: v.frame("people"), ID: r.ID, Person: r.Name, Name: r.Contact.Person, Emails: r.Contact.Emails,
		CompanyName: cmp.Or(co.Name, r.Company), Groups: groupNames(r.Groups, co), Roles: r.Roles, Admin: string(r.Admin),
		Disabled: r.State == authn.Disabled, State: factorState(r.Account), Skips: r.Skips, Most: co.Skips, Created: utc(r.Created),
		Own: r.ID == v.Account.ID, Touch: v.touches(r), RecoveryLeft: h.Factors.RecoveryLeft, Locked: h.Factors.Locked,
		Done: v.done(personDones()...), Pending: waiting(pending, v.cfg.Now()),
	}
	for _, a := range h.Factors.List {
		page.Authenticators = append(page.Authenticators, templates.AccountAuthenticator{ID: a.ID, Kind: a.Kind, Name: a.Name, Added: utc(a.Added), Used: utc(a.Used)})
	}
	for _, d := range h.Devices {
		page.Devices = append(page.Devices, templates.AccountDevice{ID: d.ID, Label: d.Label, First: utc(d.First), Last: utc(d.Last), End: utc(d.End)})
	}
	for _, s := range h.Sessions {
		page.Sessions = append(page.Sessions, templates.AccountSession{ID: s.ID, Label: s.Label, Started: utc(s.Started), Last: utc(s.Last)})
	}
	for _, a := range h.Apps {
		page.Apps = append(page.Apps, templates.ConsolePersonApp{ID: a.ClientID, Name: cmp.Or(h.AppNames[a.ClientID], a.ClientID), Since: utc(a.Since)})
	}
	return v.page(page)
}

// waiting is a reset that was asked for, as the page shows it; nil: none was.
func waiting(p *admin.Pending, now time.Time) *templates.ConsolePending {
	if p == nil {
		return nil
	}
	out := &templates.ConsolePending{Name: p.Name, At: utc(p.At), Another: p.Another}
	if now.Before(p.After) {
		out.After = utc(p.After)
	}
	return out
}

// acted leads back to the person after an act, and says what came of it; what is nobody's business here is the caller's.
func (v *visit) acted(done, at string, err error) error {
	switch {
	case errors.Is(err, admin.ErrForbidden):
		done, at = "itonly", ""
	case errors.Is(err, admin.ErrStale), errors.Is(err, authn.ErrConflict), errors.Is(err, authn.ErrMoved), errors.Is(err, authn.ErrGone):
		done, at = "stale", ""
	case err != nil:
		return err
	}
	return v.see(personPage(v.r.PathValue("person")) + "?done=" + done + at)
}

// changes performs an act on the account that the request is about.
func (v *visit) changes(act authn.Change, done string) error {
	_, err := v.clerk.ChangePerson(v.r.Context(), v.r.PathValue("person"), act)
	return v.acted(done, "", err)
}

// submitDisable keeps somebody from signing in, at once everywhere. Nobody locks the own account: the console would have
// one admin less, and perhaps none.
func submitDisable(v *visit) error {
	if v.r.PathValue("person") == v.Account.ID {
		return v.acted("own", "", nil)
	}
	return v.changes(authn.Disable, "off")
}

func submitEnable(v *visit) error { return v.changes(authn.Enable, "on") }

func submitSignOut(v *visit) error { return v.changes(authn.SignOut, "signed-out") }

func submitForget(v *visit) error { return v.changes(authn.Forget, "forgotten-all") }

func submitForgetDevice(v *visit) error {
	return v.acted("forgotten", "#devices", v.clerk.ForgetDevice(v.r.Context(), v.r.PathValue("person"), v.form.Get("id")))
}

func submitEndSession(v *visit) error {
	return v.acted("ended", "#sessions", v.clerk.EndSession(v.r.Context(), v.r.PathValue("person"), v.form.Get("id")))
}

func submitWithdrawApp(v *visit) error {
	return v.acted("withdrawn", "#apps", v.clerk.WithdrawApp(v.r.Context(), v.r.PathValue("person"), v.form.Get("id")))
}
