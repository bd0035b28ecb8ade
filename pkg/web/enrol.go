// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// serveEnrol shows the set-up, J3 and J4. Once it is confirmed the same address says so and shows no secret ever
// again (security.md SF-23).
func (s *Site) serveEnrol(w http.ResponseWriter, r *http.Request) error {
	f, err := s.load(r, r.PathValue("id"))
	if err != nil {
		return err
	}
	if f.Enrolled {
		s.page(w, r, http.StatusOK, s.setupDone(w, r, f), s.ways(r, f)...)
		return nil
	}
	if need, _, _ := flow.Next(f, s.now()); need != flow.StepEnrol {
		return see(w, r, "/flow/"+f.ID)
	}
	if s.needsTicket(f) {
		if ok, err := s.carried(w, r, f); err != nil {
			return err
		} else if ok {
			return see(w, r, r.URL.Path)
		}
		s.page(w, r, http.StatusOK, s.ticketPage(w, r, f), s.ways(r, f)...)
		return nil
	}
	e := pick(r, s.enrollers())
	if e == nil {
		s.page(w, r, http.StatusOK, s.choicePage(w, r, f, s.enrollers()), s.ways(r, f)...)
		return nil
	}
	p, err := s.setupPage(w, r, f, e)
	if err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// needsTicket: after a reset, or once the time for a first set-up is over, the password alone opens none.
func (s *Site) needsTicket(f *flow.Flow) bool {
	return f.Account.Factor != authn.FactorOn && f.Ticket == "" && (f.Account.Factor == authn.FactorReset || f.Policy.Closed)
}

func (s *Site) setupPage(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Enroller) (templates.Setup, error) {
	prompt, err := e.Begin(r.Context(), s.attempt(r, f))
	if err != nil {
		return templates.Setup{}, fmt.Errorf("begin set-up: %w", err)
	}
	p := templates.Setup{
		Frame: s.frame(w, r, &f.Request, f), Action: action("/flow/"+f.ID+"/enrol", s.enrollers(), e),
		NotYou: "/flow/" + f.ID + "/restart", Account: f.AccountName, Prompt: prompt.Page, Values: prompt.Values,
		Wanted: f.Policy.Factor.Wanted(), More: setupMode(f) != authn.SetupFirst, Replaces: setupMode(f) == authn.SetupReplace,
	}
	if len(s.enrollers()) > 1 {
		p.Choice = "/flow/" + f.ID + "/enrol"
	}
	p.SkipsLeft, p.SkipUntil = putOff(f)
	return p, nil
}

// putOff says how often a first set-up may still be put off, and until when.
func putOff(f *flow.Flow) (int, time.Time) {
	if setupMode(f) != authn.SetupFirst || f.Request.Purpose != flow.PurposeClient {
		return 0, time.Time{}
	}
	return f.Policy.SkipsLeft, f.Policy.SkipUntil
}

func (s *Site) ticketPage(w http.ResponseWriter, r *http.Request, f *flow.Flow) templates.Ticket {
	p := templates.Ticket{
		Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/enrol", NotYou: "/flow/" + f.ID + "/restart",
		Account: f.AccountName, Cause: "reset",
	}
	if !late(f) {
		return p
	}
	p.Cause = "closed"
	if s.mails() && len(f.Account.Contact.Emails) > 0 {
		p.Kind = "offer"
	}
	return p
}

// submitEnrol takes the ticket, the confirming code, *Not now* or Cancel.
func (s *Site) submitEnrol(w http.ResponseWriter, r *http.Request) error {
	in, f, err := s.posted(w, r, flow.StepEnrol)
	if f == nil {
		return err
	}
	e := pick(r, s.enrollers())
	switch {
	case in.Get("action") == "cancel":
		return s.refuse(w, r, f, string(flow.ReasonAccessDenied))
	case in.Get("action") == "skip":
		return s.skip(w, r, f)
	case in.Get("action") == "mail":
		return s.mailSetup(w, r, f)
	case s.needsTicket(f), f.Ticket != "" && in.Has("ticket"):
		return s.takeTicket(w, r, f, strings.TrimSpace(in.Get("ticket")))
	case e == nil:
		return see(w, r, r.URL.Path)
	}
	return s.confirm(w, r, f, e, in)
}

// confirm makes the set-up live. The recovery codes that come with a first one are shown in the answer, once: they are
// kept as hashes alone.
func (s *Site) confirm(w http.ResponseWriter, r *http.Request, f *flow.Flow, e authn.Enroller, in url.Values) error {
	a := s.attempt(r, f)
	var codes []string
	if a.Setup == authn.SetupFirst {
		var err error
		if codes, a.Recovery, err = s.cfg.NewRecovery(); err != nil {
			return err
		}
	}
	shown, err := e.Confirm(r.Context(), a, in)
	switch {
	case errors.Is(err, authn.ErrRejected):
		return s.setupRefused(w, r, f, e, err)
	case errors.Is(err, authn.ErrGone) && f.Ticket != "":
		return s.ticketRefused(w, r, f, "ticket")
	case err != nil:
		return fmt.Errorf("confirm set-up: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorEnrolled, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("method", shown.Method), slog.String("source", s.source(r)),
		slog.String("request_id", Reference(r.Context())))
	s.tellEnrolled(r, enrolledNow(f), f.ID, a.Setup)
	if err := s.proved(w, r, f.ID, s.jar.bind(r)); err != nil {
		return err
	}
	if len(codes) == 0 {
		return see(w, r, "/flow/"+f.ID)
	}
	p := s.setupDone(w, r, f)
	p.Codes, p.Made = codes, s.cfg.Now()
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// enrolledNow is the account of a flow after its set-up was confirmed: the factor generation has risen by one.
func enrolledNow(f *flow.Flow) authn.Account {
	a := *f.Account
	a.FactorGen++
	return a
}

// setupDone says that the set-up is complete.
func (s *Site) setupDone(w http.ResponseWriter, r *http.Request, f *flow.Flow) templates.SetupDone {
	return templates.SetupDone{Frame: s.frame(w, r, &f.Request, f), Next: "/flow/" + f.ID, Account: f.AccountName}
}

// skip puts the set-up off, where the company lets people do so for a while (C2).
func (s *Site) skip(w http.ResponseWriter, r *http.Request, f *flow.Flow) error {
	if f.Policy.SkipsLeft <= 0 {
		return see(w, r, "/flow/"+f.ID)
	}
	bind := s.jar.bind(r)
	err := s.cfg.Flows.Skip(r.Context(), f.ID, bind, f.Account.Skips+f.Policy.SkipsLeft)
	if errors.Is(err, authn.ErrConflict) {
		return see(w, r, "/flow/"+f.ID)
	}
	if err != nil {
		return err
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorSkipped, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("client", f.Request.ClientID), slog.String("request_id", Reference(r.Context())))
	if err := s.proved(w, r, f.ID, bind); err != nil {
		return err
	}
	return see(w, r, "/flow/"+f.ID)
}

// setupRefused shows the set-up again, with what is known of why the code did not fit (J6).
func (s *Site) setupRefused(w http.ResponseWriter, r *http.Request, f *flow.Flow, by authn.Enroller, rejected error) error {
	cause := authn.SetupError{Cause: authn.CauseUnknown}
	if e, ok := errors.AsType[*authn.SetupError](rejected); ok {
		cause = *e
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorRejected, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("reason", "set-up"), slog.String("cause", string(cause.Cause)), slog.String("request_id", Reference(r.Context())))
	p, err := s.setupPage(w, r, f, by)
	if err != nil {
		return err
	}
	p.Problem, p.Cause, p.Behind, p.Detail = "rejected", string(cause.Cause), cause.Behind, cause.Detail
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// maxTicket bounds a ticket as it is typed.
const maxTicket = 128

// takeTicket keeps what was typed with the flow; whether it is good is decided when the set-up is confirmed, in
// the step that spends it.
func (s *Site) takeTicket(w http.ResponseWriter, r *http.Request, f *flow.Flow, ticket string) error {
	if ticket == "" || len(ticket) > maxTicket {
		return s.ticketRefused(w, r, f, "no ticket")
	}
	if err := s.cfg.Flows.Mark(r.Context(), f.ID, s.jar.bind(r), flow.Update{Ticket: ticket}); err != nil {
		return fmt.Errorf("keep ticket: %w", err)
	}
	return see(w, r, "/flow/"+f.ID+"/enrol")
}

// ticketRefused asks for the ticket again. The set-up that was begun goes on with the next one: nobody scans twice for
// a slip.
func (s *Site) ticketRefused(w http.ResponseWriter, r *http.Request, f *flow.Flow, reason string) error {
	s.cfg.Audit.Event(r.Context(), audit.FactorRejected, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
		slog.String("reason", reason), slog.String("request_id", Reference(r.Context())))
	p := s.ticketPage(w, r, f)
	p.Problem = "rejected"
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}
