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
	"github.com/lychgate/lychgate/templates"
)

// serveFactor asks for the second factor, J7. It never shows a set-up to somebody who is enrolled.
func (s *Site) serveFactor(w http.ResponseWriter, r *http.Request) error {
	f, ok, err := s.at(w, r, flow.StepFactor)
	if !ok {
		return err
	}
	p, err := s.factorPage(w, r, f)
	if err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// factor is the factor that is asked for; somebody with one method is not asked which.
func (s *Site) factor() authn.Enroller { return s.cfg.Factors[0] }

// attempt describes this try for the factor's provider.
func (s *Site) attempt(r *http.Request, f *flow.Flow) authn.Attempt {
	lane := authn.LaneUnknown
	for _, e := range f.Factors {
		if e.Device {
			lane = authn.LaneKnown
		}
	}
	a := authn.Attempt{
		Account: *f.Account, Flow: f.ID, Bind: s.jar.bind(r), Lane: lane, Issuer: "Lychgate", AccountName: f.AccountName,
	}
	if co, err := s.cfg.Companies.Company(r.Context(), f.Account.Company); err == nil {
		a.Issuer = co.Name
	}
	return a
}

func (s *Site) factorPage(w http.ResponseWriter, r *http.Request, f *flow.Flow) (templates.Factor, error) {
	prompt, err := s.factor().Challenge(r.Context(), s.attempt(r, f))
	if err != nil {
		return templates.Factor{}, fmt.Errorf("challenge: %w", err)
	}
	p := templates.Factor{
		Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/factor", NotYou: "/flow/" + f.ID + "/restart",
		Account: f.AccountName, Prompt: prompt.Page, Values: prompt.Values,
	}
	if s.remembers(f) {
		p.RememberDays = s.cfg.RememberDays
		p.RememberUntil = s.cfg.Now().Add(s.rememberLife())
	}
	return p, nil
}

// remembers says whether a device may be remembered in this flow: not where the policy asks each time.
func (s *Site) remembers(f *flow.Flow) bool {
	return s.cfg.RememberDays > 0 && f.Policy.Factor != flow.FactorAlways
}

func (s *Site) rememberLife() time.Duration { return time.Duration(s.cfg.RememberDays) * day }

// submitFactor checks the code. The provider charges the guess, spends the step and writes the evidence.
func (s *Site) submitFactor(w http.ResponseWriter, r *http.Request) error {
	in, err := form(w, r)
	if err != nil {
		return err
	}
	f, ok, err := s.at(w, r, flow.StepFactor)
	if !ok {
		return err
	}
	e, err := s.factor().Verify(r.Context(), s.attempt(r, f), in)
	if err != nil {
		return s.factorRefused(w, r, f, err)
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorAccepted, slog.String("account", f.Account.ID),
		slog.String("method", e.Method), slog.String("client", f.Request.ClientID),
		slog.String("request_id", Reference(r.Context())))
	if err := s.remember(w, r, f, e, in); err != nil {
		return err
	}
	bind := s.jar.bind(r)
	if err := s.proved(w, r, f.ID, bind); err != nil {
		return err
	}
	return see(w, r, "/flow/"+f.ID)
}

// remember stores the device if the person ticked the box and gave a real code: never for a recovery code, a
// set-up, or a device that stood in for one (security.md RD-09).
func (s *Site) remember(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Evidence, in url.Values) error {
	if in.Get("remember") == "" || e.Device || e.Method == "recovery" || !s.remembers(f) {
		return nil
	}
	cookie, end, err := s.cfg.Devices.Remember(r.Context(), *f.Account, deviceLabel(r), e.At, s.rememberLife())
	if err != nil {
		return fmt.Errorf("remember device: %w", err)
	}
	s.trimDevices(w, r, f.Account.Tag)
	s.jar.set(w, deviceCookie+f.Account.Tag, cookie, end)
	s.cfg.Audit.Event(r.Context(), audit.DeviceRemember, slog.String("account", f.Account.ID),
		slog.String("request_id", Reference(r.Context())))
	return nil
}

// factorRefused shows the page again. A wrong, a used and a late code get the same words, J9.
func (s *Site) factorRefused(w http.ResponseWriter, r *http.Request, f *flow.Flow, err error) error {
	wait, waiting := errors.AsType[*authn.WaitError](err)
	var problem string
	event := audit.FactorRejected
	switch {
	case waiting:
		problem = "wait"
	case errors.Is(err, authn.ErrRejected):
		problem = "rejected"
	case errors.Is(err, authn.ErrBudget):
		problem = "budget"
	case errors.Is(err, authn.ErrLocked):
		problem, event = "locked", audit.FactorLocked
	default:
		return fmt.Errorf("check factor: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), event, slog.String("account", f.Account.ID), slog.String("reason", problem),
		slog.String("client", f.Request.ClientID), slog.String("source", s.source(r)),
		slog.String("request_id", Reference(r.Context())))
	if problem == "locked" {
		return &Error{Status: http.StatusBadRequest, Kind: "locked", Flow: f, Err: err}
	}
	p, perr := s.factorPage(w, r, f)
	if perr != nil {
		return perr
	}
	p.Problem = problem
	if waiting {
		p.Wait = wait.For
		waitHeader(w, wait.For)
		s.page(w, r, http.StatusTooManyRequests, p, s.ways(r, f)...)
		return nil
	}
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// serveRestart leads somebody else to the sign-in page: the request begins anew without the account, and the
// session that the browser may have is not used.
func (s *Site) serveRestart(w http.ResponseWriter, r *http.Request) error {
	f, err := s.load(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	bind := s.jar.bind(r)
	anew := s.newFlow(&f.Request)
	if err := s.cfg.Flows.End(r.Context(), f.ID, bind); err != nil {
		return err
	}
	if err := s.cfg.Flows.Create(r.Context(), anew, bind[0]); err != nil {
		return fmt.Errorf("store flow: %w", err)
	}
	return see(w, r, "/flow/"+anew.ID)
}
