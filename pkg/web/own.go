// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// ownPage is the person's own account page.
const ownPage = "/account"

// Own returns the person who may see the own account page as q asks for it. Where more has to be shown first, it leads
// there by a flow that comes back to q.Return, and ok is false: the same rules, throttles and budgets as for any app.
func (s *Site) Own(w http.ResponseWriter, r *http.Request, q flow.Request) (v session.View, ok bool, err error) {
	return s.ownIf(w, r, &q, func(authn.Account) error { return nil })
}

// ownIf is Own for accounts that may at all: whoever may not is told before anything is asked. may can change q.
func (s *Site) ownIf(w http.ResponseWriter, r *http.Request, q *flow.Request, may func(authn.Account) error) (v session.View, ok bool, err error) {
	v, live, err := s.session(r)
	if err == nil && live {
		err = may(v.Account)
	}
	if err != nil {
		return session.View{}, false, err
	}
	f := s.newFlow(q)
	if live {
		f.Session = v.Session.Handle
		fromSession(f, v)
	}
	if err := s.applyPolicy(r.Context(), f); err != nil {
		return session.View{}, false, err
	}
	step, _, _ := flow.Next(f, s.now())
	if step == flow.StepDone {
		return v, true, nil
	}
	if step == flow.StepLogin {
		f.Account, f.PasswordAt, f.Factors, f.Session, f.Skipped = nil, time.Time{}, nil, "", false
	}
	return session.View{}, false, s.lead(w, r, f)
}

// back ends a flow of the account page and leads on to where it came from.
func (s *Site) back(w http.ResponseWriter, r *http.Request, f *flow.Flow) error {
	if f.Request.Purpose == flow.PurposeTry {
		// It ends where it is looked at.
		return see(w, r, f.Request.Return+"&flow="+f.ID)
	}
	if f.ID != "" {
		if err := s.cfg.Flows.End(r.Context(), f.ID, s.jar.bind(r)); err != nil {
			return err
		}
	}
	return see(w, r, f.Request.Return)
}

// Renew makes the person's own session anew after a change that ended all of them, or the evidence in them: a is the
// account as it is now.
func (s *Site) Renew(w http.ResponseWriter, r *http.Request, v session.View, a authn.Account) error {
	n := v.Session
	n.Epoch, n.PasswordGen, n.FactorGen, n.Started = a.Epoch, a.PasswordGen, a.FactorGen, s.now()
	made, err := s.cfg.Sessions.Create(r.Context(), n, v.Session.Handle)
	if errors.Is(err, authn.ErrMoved) {
		// Another change came between: the person signs in again.
		s.jar.clear(w, sessionCookie)
		return nil
	}
	if err != nil {
		return fmt.Errorf("make session: %w", err)
	}
	s.jar.set(w, sessionCookie, made.Handle, time.Time{})
	return nil
}

// OwnFrame returns what stands around a page of the account.
func (s *Site) OwnFrame(w http.ResponseWriter, r *http.Request, v session.View) templates.Frame {
	return s.frame(w, r, nil, &flow.Flow{Account: &v.Account})
}

// Page renders a page with the headers that all pages carry.
func (s *Site) Page(w http.ResponseWriter, r *http.Request, status int, p templates.Page) {
	s.page(w, r, status, p)
}

// Form reads a form: at most 64 KiB, no field twice, no control characters.
func (s *Site) Form(w http.ResponseWriter, r *http.Request) (url.Values, error) { return form(w, r) }

// See answers 303.
func (s *Site) See(w http.ResponseWriter, r *http.Request, path string) error { return see(w, r, path) }

// OwnDevice returns the id of the remembered device whose cookie this browser has for the account of the given tag, as
// the store lists it; empty: none. It marks a line of a list and decides nothing.
func (s *Site) OwnDevice(r *http.Request, tag string) string {
	b, err := base64.RawURLEncoding.DecodeString(s.jar.get(r, deviceCookie+tag))
	if err != nil || len(b) != deviceIDSize+deviceSecretSize {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b[:deviceIDSize])
}

// The parts of a device cookie.
const (
	deviceIDSize     = 16
	deviceSecretSize = 32
)

// DropDevice removes the cookie of a device that is forgotten from this browser.
func (s *Site) DropDevice(w http.ResponseWriter, tag string) { s.jar.clear(w, deviceCookie+tag) }

// Leave ends the person's own session and says so.
func (s *Site) Leave(w http.ResponseWriter, r *http.Request, v session.View) error {
	frames, err := s.endSession(w, r, v)
	if err != nil {
		return err
	}
	s.signedOut(w, r, templates.SignedOut{Frame: s.OwnFrame(w, r, v)}, frames, "")
	return nil
}
