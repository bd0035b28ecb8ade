// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// logoutFields are what the confirm page carries on.
var logoutFields = []string{"id_token_hint", "client_id", "post_logout_redirect_uri", "state", "ui_locales"} //nolint:gochecknoglobals // a constant list

// serveLogout is RP-initiated logout by GET or POST (RP-Initiated Logout 1.0 §2). It acts at once only with a hint
// that fits the browser's session; otherwise it asks, since anybody can send a browser here.
func (s *Site) serveLogout(w http.ResponseWriter, r *http.Request) error {
	params, err := s.logoutParams(w, r)
	if err != nil {
		return err
	}
	if query := params.Encode(); r.Method == http.MethodPost && s.jar.get(r, sessionCookie) == "" && len(query) <= maxQuery {
		// A post from the app's site brings no Lax cookie: without this the app would be told that all is done while
		// the session lives on. The GET that follows brings it.
		return see(w, r, "/logout?"+query)
	}
	out, err := s.cfg.Engine.Logout(r.Context(), params)
	if err != nil {
		return err
	}
	v, live, err := s.session(r)
	if err != nil {
		return err
	}
	q := &flow.Request{ClientID: out.ClientID, UILocales: out.UILocales}
	if !live {
		return s.leave(w, r, q, out, nil)
	}
	fits, err := s.hintFits(r.Context(), out, v)
	if err != nil {
		return err
	}
	if fits {
		frames, err := s.endSession(w, r, v)
		if err != nil {
			return err
		}
		return s.leave(w, r, q, out, frames)
	}
	hidden := map[string]string{}
	for _, name := range logoutFields {
		if value := params.Get(name); value != "" {
			hidden[name] = value
		}
	}
	p := templates.SignOut{
		Frame: s.frame(w, r, q, &flow.Flow{Account: &v.Account}), Action: "/logout/confirm",
		Account: v.Account.Name, Hidden: hidden,
	}
	p.SwitchURL = ""
	redirects := []string{out.RedirectURI}
	if c, err := s.clientOf(r.Context(), q, ""); err == nil {
		redirects = append(redirects, c.URI)
	}
	s.page(w, r, http.StatusOK, p, redirects...)
	return nil
}

func (s *Site) logoutParams(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if r.Method == http.MethodPost {
		return form(w, r)
	}
	if len(r.URL.RawQuery) > maxQuery {
		return nil, &Error{Status: http.StatusRequestURITooLong, Kind: "toolarge"}
	}
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: address", errBadForm)
	}
	return params, nil
}

// submitLogoutConfirm is the person's own word on our page.
func (s *Site) submitLogoutConfirm(w http.ResponseWriter, r *http.Request) error {
	in, err := form(w, r)
	if err != nil {
		return err
	}
	out, err := s.cfg.Engine.Logout(r.Context(), in)
	if err != nil {
		return err
	}
	q := &flow.Request{ClientID: out.ClientID, UILocales: out.UILocales}
	v, live, err := s.session(r)
	if err != nil {
		return err
	}
	if in.Get("answer") != "sign-out" {
		return s.stay(w, r, q)
	}
	var frames []string
	if live {
		if frames, err = s.endSession(w, r, v); err != nil {
			return err
		}
	}
	return s.leave(w, r, q, out, frames)
}

// session returns the browser's live session, if it has one.
func (s *Site) session(r *http.Request) (session.View, bool, error) {
	handle := s.jar.get(r, sessionCookie)
	if handle == "" {
		return session.View{}, false, nil
	}
	v, err := s.cfg.Sessions.Load(r.Context(), handle, "")
	if errors.Is(err, authn.ErrGone) || errors.Is(err, authn.ErrMoved) {
		return session.View{}, false, nil
	}
	if err != nil {
		return session.View{}, false, fmt.Errorf("load session: %w", err)
	}
	return v, true, nil
}

// hintFits says whether the hint of a logout request is of this very session's person (and session, if it names one).
func (s *Site) hintFits(ctx context.Context, out flow.Logout, v session.View) (bool, error) {
	if out.HintSubject == "" {
		return false, nil
	}
	c, err := s.cfg.Clients.Client(ctx, out.ClientID)
	if errors.Is(err, authn.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if out.HintSubject != s.cfg.Engine.Subject(c, v.Account.ID) {
		return false, nil
	}
	if out.HintSID == "" || out.HintSID == session.ID(v.Session.Handle) {
		return true, nil
	}
	// The session's handle may have been renewed since: the app still knows the sid of before.
	served, err := s.cfg.Sessions.Served(ctx, v.Session.Handle)
	if err != nil {
		return false, fmt.Errorf("apps of the session: %w", err)
	}
	return slices.Contains(served, session.Served{ClientID: out.ClientID, SID: out.HintSID}), nil
}

// endSession ends the session on the server, then in the browser, where the binding is made anew as well. It returns what
// the browser has to load to sign out of other apps.
func (s *Site) endSession(w http.ResponseWriter, r *http.Request, v session.View) ([]string, error) {
	frames, err := s.frames(r.Context(), v)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Sessions.End(r.Context(), v.Session.Handle); err != nil {
		return nil, fmt.Errorf("end session: %w", err)
	}
	s.jar.clear(w, sessionCookie)
	s.jar.clear(w, bindCookie)
	s.jar.setState(w, "")
	s.cfg.Audit.Event(r.Context(), audit.SessionEnded, slog.String("account", v.Account.ID), slog.String("company", v.Account.Company),
		slog.String("request_id", Reference(r.Context())))
	return frames, nil
}

// leave goes back to the client if a hint of ours and a registered address allow it, else says that it is done. Frames to
// load come first, on a page that then leads on.
func (s *Site) leave(w http.ResponseWriter, r *http.Request, q *flow.Request, out flow.Logout, frames []string) error {
	next := ""
	if out.RedirectURI != "" && out.HintSubject != "" {
		to, err := url.Parse(out.RedirectURI)
		if err != nil {
			return err
		}
		if out.State != "" {
			query := to.Query()
			query.Set("state", out.State)
			to.RawQuery = query.Encode()
		}
		next = to.String()
	}
	if next != "" && len(frames) == 0 {
		return see(w, r, next)
	}
	p := templates.SignedOut{Frame: s.frame(w, r, q, nil)}
	if c, err := s.clientOf(r.Context(), q, ""); err == nil {
		p.Back = c.URI
	}
	s.signedOut(w, r, p, frames, next)
	return nil
}

// stay follows Cancel: back to the app, or to a page that says that nothing has changed.
func (s *Site) stay(w http.ResponseWriter, r *http.Request, q *flow.Request) error {
	if c, err := s.clientOf(r.Context(), q, ""); err == nil && c.URI != "" {
		return see(w, r, c.URI)
	}
	return see(w, r, "/")
}
