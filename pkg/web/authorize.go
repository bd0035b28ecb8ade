// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/session"
)

// maxQuery bounds the authorization request in an address.
const maxQuery = 16 << 10

// serveAuthorize begins a sign-in (OIDC Core §3.1.2.1).
func (s *Site) serveAuthorize(w http.ResponseWriter, r *http.Request) error {
	if len(r.URL.RawQuery) > maxQuery {
		return &Error{Status: http.StatusRequestURITooLong, Kind: "toolarge"}
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &Error{Status: http.StatusBadRequest, Kind: "bad", Err: err}
	}
	q, err := s.cfg.Engine.Authorize(r.Context(), params)
	if err != nil {
		return s.refused(w, r, err)
	}
	return s.begin(w, r, q)
}

// submitAuthorize takes the request as a form. It comes cross-site, without our cookies: it is stored unbound, and
// the GET that follows binds it to the browser (decisions.md).
func (s *Site) submitAuthorize(w http.ResponseWriter, r *http.Request) error {
	params, err := authorizeForm(w, r)
	if err != nil {
		return err
	}
	q, err := s.cfg.Engine.Authorize(r.Context(), params)
	if err != nil {
		return s.refused(w, r, err)
	}
	f := s.newFlow(q)
	if err := s.cfg.Flows.Create(r.Context(), f, ""); err != nil {
		return fmt.Errorf("store flow: %w", err)
	}
	return see(w, r, "/flow/"+f.ID)
}

// authorizeForm reads the body alone: parameters in the address of a POST do not count. Duplicates are the
// engine's to refuse, since it knows whether the client may be told.
func authorizeForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.URL.RawQuery = ""
	params, err := form(w, r)
	if err != nil && r.PostForm != nil && errors.Is(err, errBadForm) {
		return r.PostForm, nil
	}
	return params, err
}

// refused answers a request that is not valid: by redirect where the client and its redirect_uri are known to
// belong together, else by a page that repeats nothing of what was sent (RFC 6749 §4.1.2.1).
func (s *Site) refused(w http.ResponseWriter, r *http.Request, err error) error {
	no, ok := errors.AsType[*flow.Refusal](err)
	if !ok {
		return err
	}
	AddLog(r.Context(), slog.String("refused", no.Code), slog.String("parameter", no.Parameter))
	if no.Redirect != nil {
		return s.cfg.Engine.Refuse(w, r, no.Redirect, no.Code)
	}
	s.cfg.Audit.Event(r.Context(), audit.RedirectRefused, slog.String("client", no.Client),
		slog.String("parameter", no.Parameter), slog.String("detail", no.Detail),
		slog.String("request_id", Reference(r.Context())))
	return &Error{Status: http.StatusBadRequest, Kind: "client", Parameter: no.Parameter, Client: no.Client, Code: no.Code}
}

func (s *Site) newFlow(q *flow.Request) *flow.Flow {
	return &flow.Flow{Request: *q, Created: s.now()}
}

// now is the node's time to the millisecond, as the store keeps it.
func (s *Site) now() time.Time { return s.cfg.Now().Truncate(time.Millisecond) }

// begin answers at once if the browser's session satisfies every rule, else stores the flow and leads to it.
func (s *Site) begin(w http.ResponseWriter, r *http.Request, q *flow.Request) error {
	f := s.newFlow(q)
	if err := s.adopt(r, f); err != nil {
		return err
	}
	if err := s.applyPolicy(r.Context(), f); err != nil {
		return err
	}
	step, reason, pass := flow.Next(f, s.now())
	switch {
	case step == flow.StepDone:
		return s.answer(w, r, f, pass)
	case step == flow.StepRefused || q.HasPrompt("none"):
		return s.inform(w, r, q, string(reason))
	case step == flow.StepLogin:
		// Somebody else may sign in: nothing of the session counts.
		f.Account, f.PasswordAt, f.Factors, f.Session, f.Consented = nil, time.Time{}, nil, "", nil
		f.Skipped = false
	}
	return s.lead(w, r, f)
}

// lead stores the flow and leads the browser to it.
func (s *Site) lead(w http.ResponseWriter, r *http.Request, f *flow.Flow) error {
	id := f.Request.ClientID
	bind, err := s.binding(w, r)
	if err != nil {
		return err
	}
	if err := s.cfg.Flows.Create(r.Context(), f, bind); err != nil {
		return fmt.Errorf("store flow: %w", err)
	}
	if id == "" {
		return see(w, r, "/flow/"+f.ID)
	}
	s.jar.set(w, clientCookie, id, time.Time{})
	if len(s.jar.bind(r)) == 0 {
		return see(w, r, "/flow/"+f.ID+"?client="+url.QueryEscape(id))
	}
	return see(w, r, "/flow/"+f.ID)
}

// inform sends the client an error; on the own account page it leads back there.
func (s *Site) inform(w http.ResponseWriter, r *http.Request, q *flow.Request, code string) error {
	switch {
	case q.Purpose == flow.PurposeTry:
		return see(w, r, q.Return+"&error="+tryDenied)
	case q.Purpose.ForAdmins():
		return see(w, r, consolePage)
	case q.Purpose != flow.PurposeClient:
		return see(w, r, ownPage)
	}
	return s.cfg.Engine.Refuse(w, r, q, code)
}

// adopt takes over what the browser's session proves, if it has one.
func (s *Site) adopt(r *http.Request, f *flow.Flow) error {
	handle := s.jar.get(r, sessionCookie)
	if handle == "" {
		return nil
	}
	v, err := s.cfg.Sessions.Load(r.Context(), handle, f.Request.ClientID)
	if errors.Is(err, authn.ErrGone) || errors.Is(err, authn.ErrMoved) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load session: %w", err)
	}
	f.Session, f.Consented = handle, v.Consented
	fromSession(f, v)
	return nil
}

func fromSession(f *flow.Flow, v session.View) {
	f.Account = &v.Account
	f.AccountName = v.Account.Name
	f.Epoch, f.PasswordGen = v.Session.Epoch, v.Session.PasswordGen
	f.PasswordAt, f.Factors, f.Skipped = v.Session.PasswordAt, v.Session.Factors, v.Session.Skipped
}

// binding returns the browser's newest binding secret; a browser without one gets one. An existing one is never
// replaced here, so that tabs do not disturb each other.
func (s *Site) binding(w http.ResponseWriter, r *http.Request) (string, error) {
	if have := s.jar.bind(r); len(have) > 0 {
		return have[0], nil
	}
	secret, err := s.secret()
	if err != nil {
		return "", err
	}
	s.jar.set(w, bindCookie, secret, time.Time{})
	return secret, nil
}

// answer issues the code. The engine takes the pass as proof that every rule was asked.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, f *flow.Flow, pass flow.Pass) error {
	if f.Request.Purpose != flow.PurposeClient {
		return s.back(w, r, f)
	}
	var err error
	if f.BrowserState, err = s.browserState(w, r); err != nil {
		return err
	}
	if err := s.cfg.Engine.Answer(w, r, f, pass); err != nil {
		return &Error{Status: problem(err).Status, Kind: problem(err).Kind, Flow: f, Err: err}
	}
	s.cfg.Audit.Event(r.Context(), audit.GrantIssued, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("client", f.Request.ClientID), slog.String("request_id", Reference(r.Context())))
	return nil
}
