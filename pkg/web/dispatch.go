// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/session"
)

// serveFlow is the only dispatcher: every step comes back to it, and none names another.
func (s *Site) serveFlow(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	f, err := s.load(r, id)
	if errors.Is(err, authn.ErrGone) && len(id) == anonymousLen {
		if q, berr := s.bindPosted(w, r, id); berr == nil {
			return s.begin(w, r, q)
		} else if !errors.Is(berr, authn.ErrGone) {
			return berr
		}
	}
	if err != nil {
		return err
	}
	step, reason, pass := flow.Next(f, s.now())
	switch step {
	case flow.StepDone:
		return s.answer(w, r, f, pass)
	case flow.StepRefused:
		return s.refuse(w, r, f, string(reason))
	default:
		return see(w, r, "/flow/"+f.ID+"/"+string(step))
	}
}

// bindPosted takes up a request that was posted from another site: bound once to this browser, then begun anew as
// if it had come by GET, so that the session counts.
func (s *Site) bindPosted(w http.ResponseWriter, r *http.Request, id string) (*flow.Request, error) {
	bind, err := s.binding(w, r)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Flows.Bind(r.Context(), id, bind); err != nil {
		return nil, err
	}
	f, err := s.cfg.Flows.Load(r.Context(), id, []string{bind})
	if err != nil {
		return nil, err
	}
	return &f.Request, s.cfg.Flows.End(r.Context(), id, []string{bind})
}

// load reads a flow for this browser, with its policy. Without our cookie the browser blocks cookies, or the
// address was opened in another browser: nothing of the flow is shown (security.md PR-21).
func (s *Site) load(r *http.Request, id string) (*flow.Flow, error) {
	bind := s.jar.bind(r)
	f, err := s.cfg.Flows.Load(r.Context(), id, bind)
	if errors.Is(err, authn.ErrGone) {
		kind := "expired"
		if len(bind) == 0 {
			kind = "cookies"
		}
		return nil, &Error{Status: http.StatusBadRequest, Kind: kind, Err: err}
	}
	if err != nil {
		return nil, fmt.Errorf("load flow: %w", err)
	}
	if err := s.applyPolicy(r.Context(), f); err != nil {
		return nil, err
	}
	return f, nil
}

// at loads the flow and checks that step is the one it needs; otherwise ok is false and the browser was led to
// the dispatcher: nobody can jump ahead, and a reload of an old page does no harm.
func (s *Site) at(w http.ResponseWriter, r *http.Request, step flow.Step) (f *flow.Flow, ok bool, err error) {
	f, err = s.load(r, r.PathValue("id"))
	if err != nil {
		return nil, false, err
	}
	if need, _, _ := flow.Next(f, s.now()); need != step {
		return f, false, see(w, r, "/flow/"+f.ID)
	}
	return f, true, nil
}

// refuse ends the flow and tells the client, once.
func (s *Site) refuse(w http.ResponseWriter, r *http.Request, f *flow.Flow, code string) error {
	if err := s.cfg.Flows.End(r.Context(), f.ID, s.jar.bind(r)); err != nil {
		return err
	}
	return s.inform(w, r, &f.Request, code)
}

// proved reads the flow again after a step has added to it, and makes the session if that was the last of it.
func (s *Site) proved(w http.ResponseWriter, r *http.Request, id string, bind []string) error {
	f, err := s.cfg.Flows.Load(r.Context(), id, bind)
	if err != nil {
		return fmt.Errorf("reload flow: %w", err)
	}
	if err := s.applyPolicy(r.Context(), f); err != nil {
		return err
	}
	return s.settle(w, r, f, bind)
}

// settle makes the session once everything but consent is shown, and ends the one the browser had: a session's
// handle is new after each rise of what it proves (ASVS 7.2.4, security.md SE-01).
func (s *Site) settle(w http.ResponseWriter, r *http.Request, f *flow.Flow, bind []string) error {
	if !flow.Authenticated(f, s.now()) {
		return nil
	}
	made, err := s.cfg.Sessions.Create(r.Context(), session.Session{
		AccountID: f.Account.ID, Epoch: f.Epoch, PasswordGen: f.PasswordGen, FactorGen: f.Account.FactorGen,
		PasswordAt: f.PasswordAt, Factors: f.Kept(), End: f.PasswordAt.Add(s.cfg.SessionEnd),
		Label: deviceLabel(r), Started: s.now(), Skipped: f.Skipped,
	}, s.jar.get(r, sessionCookie))
	if err != nil {
		return fmt.Errorf("make session: %w", err)
	}
	if err := s.cfg.Flows.Mark(r.Context(), f.ID, bind, flow.Update{Session: made.Handle}); err != nil {
		return fmt.Errorf("mark session: %w", err)
	}
	s.jar.set(w, sessionCookie, made.Handle, time.Time{})
	if _, err := s.newState(w); err != nil {
		return err
	}
	s.cfg.Audit.Event(r.Context(), audit.SessionStarted, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("client", f.Request.ClientID), slog.String("acr", authn.ACR(f.Factors)),
		slog.String("request_id", Reference(r.Context())))
	return nil
}
