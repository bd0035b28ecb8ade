// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package account is the person's own account page: authenticators, recovery codes, remembered devices, sessions, apps,
// password and recent activity (journeys M1 to M8). Who may see it, and what has to be shown before a change, is decided
// by the machinery of the sign-in, behind Site.
package account

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// Site is what the account page needs of the sign-in.
type Site interface {
	// Own returns the person once everything that q asks for was shown. If ok is false without an error, the browser was
	// led to a flow that comes back to q.Return.
	Own(w http.ResponseWriter, r *http.Request, q flow.Request) (v session.View, ok bool, err error)
	// Renew makes the own session anew after the generations of the account moved to those of a.
	Renew(w http.ResponseWriter, r *http.Request, v session.View, a authn.Account) error
	// Leave ends the own session, in the store and in the browser, and says so.
	Leave(w http.ResponseWriter, r *http.Request, v session.View) error
	// OwnDevice is the id of this browser's remembered device, as the store lists it; DropDevice removes its cookie.
	OwnDevice(r *http.Request, tag string) string
	DropDevice(w http.ResponseWriter, tag string)
	// Tell sends the person a message about an act; a is the account as it is after it.
	Tell(r *http.Request, a authn.Account, kind notify.Kind, authenticator string, left int)
	Frontage
}

// Frontage reads forms and renders pages as the sign-in does.
type Frontage interface {
	OwnFrame(w http.ResponseWriter, r *http.Request, v session.View) templates.Frame
	Page(w http.ResponseWriter, r *http.Request, status int, p templates.Page)
	Form(w http.ResponseWriter, r *http.Request) (url.Values, error)
	See(w http.ResponseWriter, r *http.Request, path string) error
}

// Factors lists the authenticators of an account.
type Factors interface {
	Authenticators(ctx context.Context, a authn.Account) (authn.Factors, error)
}

// Passwords is what the directory knows of passwords.
type Passwords interface {
	// Check says whether password may be chosen: authn.ErrPasswordShort and its like.
	Check(password string, context ...string) error
	// Hash returns the record of a password. It may answer authn.ErrBusy.
	Hash(ctx context.Context, password string) (string, error)
}

// Config is what the pages are built from. Every field is needed.
type Config struct {
	Site      Site
	Accounts  authn.AccountStore
	Factors   Factors
	Editor    authn.FactorEditor
	Devices   device.Store
	Sessions  session.Store
	Standings grant.Standings
	Activity  audit.Activity
	Clients   client.Registry
	Companies company.Registry
	Passwords Passwords
	// NewRecovery makes recovery codes, as they are shown and as they are kept.
	NewRecovery func() (shown, kept []string, err error)
	Audit       *audit.Log
	Now         func() time.Time
}

// Pages are the handlers of the account page.
type Pages struct{ cfg Config }

// New returns the pages.
func New(cfg Config) *Pages { return &Pages{cfg} }

// Handler is what a route is answered by.
type Handler = func(http.ResponseWriter, *http.Request) error

// Routes are the handlers, for pkg/server to protect and mount. Those that change something are for POST alone.
type Routes struct {
	View                        Handler
	Add, Replace                Handler
	Rename, RenamePost          Handler
	Remove, RemovePost          Handler
	Recovery, RecoveryPost      Handler
	ForgetDevice, ForgetDevices Handler
	EndSession, EndOthers       Handler
	SignOut, SignOutEverywhere  Handler
	EndApp                      Handler
	Password, PasswordPost      Handler
}

// Routes returns the handlers.
func (p *Pages) Routes() Routes {
	return Routes{
		View: p.serveView, Add: p.submitAdd, Replace: p.submitReplace,
		Rename: p.serveRename, RenamePost: p.submitRename, Remove: p.serveRemove, RemovePost: p.submitRemove,
		Recovery: p.serveRecovery, RecoveryPost: p.submitRecovery,
		ForgetDevice: p.submitForget, ForgetDevices: p.submitForgetAll,
		EndSession: p.submitEnd, EndOthers: p.submitEndOthers, SignOut: p.submitSignOut, SignOutEverywhere: p.submitEverywhere,
		EndApp: p.submitEndApp, Password: p.servePassword, PasswordPost: p.submitPassword,
	}
}

const (
	home = "/account"
	// moved leads to the page with a note that the account had changed meanwhile.
	moved = home + "?done=moved"
)

// act is a form of the account page with the person who sent it.
type act struct {
	session.View
	form url.Values
}

// act reads a form and asks for what its purpose needs; a person who is led elsewhere comes back to back, without the
// form.
func (p *Pages) act(w http.ResponseWriter, r *http.Request, purpose flow.Purpose, back string) (act, bool, error) {
	in, err := p.cfg.Site.Form(w, r)
	if err != nil {
		return act{}, false, err
	}
	v, ok, err := p.own(w, r, purpose, back)
	return act{v, in}, ok, err
}

func (p *Pages) own(w http.ResponseWriter, r *http.Request, purpose flow.Purpose, back string) (session.View, bool, error) {
	return p.cfg.Site.Own(w, r, flow.Request{Purpose: purpose, Return: back})
}

// did leads back to the page, which says what was done.
func (p *Pages) did(w http.ResponseWriter, r *http.Request, what string) error {
	return p.cfg.Site.See(w, r, home+"?done="+what)
}

// settle answers an act that was refused: a page that was open while the account changed elsewhere is shown anew, with
// a note that nothing was done. Anything else is the caller's.
func (p *Pages) settle(w http.ResponseWriter, r *http.Request, err error) error {
	for _, stale := range []error{authn.ErrMoved, authn.ErrConflict, authn.ErrNotFound, authn.ErrGone} {
		if errors.Is(err, stale) {
			return p.cfg.Site.See(w, r, moved)
		}
	}
	return err
}

// after is the account after an act, with what the store had no need to read.
func after(now authn.Account, v session.View) authn.Account {
	now.Name, now.Company, now.Contact = v.Account.Name, v.Account.Company, v.Account.Contact
	return now
}
