// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/templates"
)

// serveFactor asks for the second factor, J7. It never shows a set-up to somebody who is enrolled.
func (s *Site) serveFactor(w http.ResponseWriter, r *http.Request) error {
	f, ok, err := s.at(w, r, flow.StepFactor)
	if !ok {
		return err
	}
	mine := s.mine(f.Account)
	e := pick(r, mine)
	if e == nil {
		s.page(w, r, http.StatusOK, s.choicePage(w, r, f, mine), s.ways(r, f)...)
		return nil
	}
	return s.showFactor(w, r, f, e)
}

// serveRecovery asks for a recovery code, J10.
func (s *Site) serveRecovery(w http.ResponseWriter, r *http.Request) error {
	f, ok, err := s.at(w, r, flow.StepFactor)
	if !ok {
		return err
	}
	return s.showFactor(w, r, f, s.standIn())
}

func (s *Site) showFactor(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Factor) error {
	p, err := s.factorPage(w, r, f, e)
	if err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

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
		Setup: setupMode(f), Replaces: f.Request.Replaces,
	}
	if co, err := s.cfg.Companies.Company(r.Context(), f.Account.Company); err == nil {
		a.Issuer = co.Name
	}
	return a
}

// setupMode says what a set-up in this flow is for.
func setupMode(f *flow.Flow) authn.SetupMode {
	switch {
	case f.Account.Factor != authn.FactorOn:
		return authn.SetupFirst
	case f.Request.Purpose == flow.PurposeReplace:
		return authn.SetupReplace
	default:
		return authn.SetupAdd
	}
}

func (s *Site) factorPage(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Factor) (templates.Factor, error) {
	prompt, err := e.Challenge(r.Context(), s.attempt(r, f))
	if err != nil {
		return templates.Factor{}, fmt.Errorf("challenge: %w", err)
	}
	at := "/flow/" + f.ID
	p := templates.Factor{
		Frame: s.frame(w, r, &f.Request, f), NotYou: at + "/restart", Account: f.AccountName,
		Prompt: prompt.Page, Values: prompt.Values,
	}
	for _, o := range prompt.Options {
		p.Options = append(p.Options, [2]string{o.ID, o.Name})
	}
	mine := s.mine(f.Account)
	own, enrolled := e.(authn.Enroller)
	if !enrolled {
		p.Action, p.Instead = at+"/recovery", at+"/factor"
		return p, nil
	}
	p.Action, p.Recovery = action(at+"/factor", mine, own), at+"/recovery"
	if len(mine) > 1 {
		p.Instead = at + "/factor"
	}
	if s.remembers(f) {
		p.RememberDays = int(f.Policy.Remember / day)
		p.RememberUntil = s.cfg.Now().Add(f.Policy.Remember)
	}
	return p, nil
}

// remembers says whether a device may be remembered in this flow: not where the policy asks each time, nor where the
// person is about to change something and would be asked all the same.
func (s *Site) remembers(f *flow.Flow) bool {
	return f.Policy.Remember >= day && f.Policy.Factor != flow.FactorAlways && f.Policy.Fresh == 0
}

func (s *Site) rememberLife() time.Duration { return max(0, time.Duration(s.cfg.RememberDays)*day) }

// submitFactor checks the code. The provider charges the guess, spends the step and writes the evidence.
func (s *Site) submitFactor(w http.ResponseWriter, r *http.Request) error {
	in, f, err := s.posted(w, r, flow.StepFactor)
	if f == nil {
		return err
	}
	own := pick(r, s.mine(f.Account))
	if own == nil {
		return see(w, r, r.URL.Path)
	}
	e, ok, err := s.verify(w, r, f, own, in)
	if !ok {
		return err
	}
	if err := s.remember(w, r, f, e, in); err != nil {
		return err
	}
	if err := s.proved(w, r, f.ID, s.jar.bind(r)); err != nil {
		return err
	}
	return see(w, r, "/flow/"+f.ID)
}

// submitRecovery spends a recovery code and says how many are left.
func (s *Site) submitRecovery(w http.ResponseWriter, r *http.Request) error {
	in, f, err := s.posted(w, r, flow.StepFactor)
	if f == nil {
		return err
	}
	e, ok, err := s.verify(w, r, f, s.standIn(), in)
	if !ok {
		return err
	}
	s.tellRecovered(r, *f.Account, f.ID, e.Left)
	// Its use has ended every remembered device, this one with them.
	s.jar.clear(w, deviceCookie+f.Account.Tag)
	if err := s.proved(w, r, f.ID, s.jar.bind(r)); err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, templates.RecoveryUsed{
		Frame: s.frame(w, r, &f.Request, f), Next: "/flow/" + f.ID, Left: e.Left,
	}, s.ways(r, f)...)
	return nil
}

// posted reads a form and the flow that it is for; no flow: it is at another step, and the browser was led there.
func (s *Site) posted(w http.ResponseWriter, r *http.Request, step flow.Step) (url.Values, *flow.Flow, error) {
	in, err := form(w, r)
	if err != nil {
		return nil, nil, err
	}
	f, ok, err := s.at(w, r, step)
	if !ok {
		return nil, nil, err
	}
	return in, f, nil
}

// verify asks the factor; ok is false if it refused and the page is answered.
func (s *Site) verify(w http.ResponseWriter, r *http.Request, f *flow.Flow, by authn.Factor, in url.Values) (authn.Evidence, bool, error) {
	e, err := by.Verify(r.Context(), s.attempt(r, f), in)
	if err != nil {
		return authn.Evidence{}, false, s.factorRefused(w, r, f, by, err)
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorAccepted, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("method", e.Method), slog.String("client", f.Request.ClientID),
		slog.String("request_id", Reference(r.Context())))
	return e, true, nil
}

// remember stores the device if the person ticked the box and gave a real code: never for a recovery code, a
// set-up, or a device that stood in for one (security.md RD-09).
func (s *Site) remember(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Evidence, in url.Values) error {
	if in.Get("remember") == "" || e.Device || e.Method == "recovery" || !s.remembers(f) {
		return nil
	}
	cookie, end, err := s.cfg.Devices.Remember(r.Context(), *f.Account, deviceLabel(r), e, f.Policy.Remember)
	if err != nil {
		return fmt.Errorf("remember device: %w", err)
	}
	s.trimDevices(w, r, f.Account.Tag)
	s.jar.set(w, deviceCookie+f.Account.Tag, cookie, end)
	s.cfg.Audit.Event(r.Context(), audit.DeviceRemember, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("request_id", Reference(r.Context())))
	s.tell(r, *f.Account, f.ID, notify.Message{Kind: notify.DeviceRemembered})
	return nil
}

// factorRefused shows the page again. A wrong, a used and a late code get the same words, J9; the audit log tells them
// apart, and the failure that locks a factor from those that come after it.
func (s *Site) factorRefused(w http.ResponseWriter, r *http.Request, f *flow.Flow, by authn.Factor, err error) error {
	wait, waiting := errors.AsType[*authn.WaitError](err)
	var problem, reason string
	event := audit.FactorRejected
	switch {
	case waiting:
		problem = "wait"
	case errors.Is(err, authn.ErrSlip):
		problem = "slip"
	case errors.Is(err, authn.ErrUsed):
		problem, reason = "rejected", audit.ReasonUsed
	case errors.Is(err, authn.ErrRejected):
		problem = "rejected"
	case errors.Is(err, authn.ErrBudget):
		problem = "budget"
	case errors.Is(err, authn.ErrLockedNow):
		problem, event = "locked", audit.FactorLocked
	case errors.Is(err, authn.ErrLocked):
		problem, reason, event = "locked", audit.ReasonStill, audit.FactorLocked
	default:
		return fmt.Errorf("check factor: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), event, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("reason", cmp.Or(reason, problem)), slog.String("client", f.Request.ClientID), slog.String("source", s.source(r)),
		slog.String("request_id", Reference(r.Context())))
	s.tellRefused(r, *f.Account, s.attempt(r, f).Lane, problem)
	if problem == "locked" {
		return &Error{Status: http.StatusBadRequest, Kind: "locked", Flow: f, Err: err}
	}
	p, perr := s.factorPage(w, r, f, by)
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
