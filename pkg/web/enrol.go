// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

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
		s.page(w, r, http.StatusOK, templates.SetupDone{
			Frame: s.frame(w, r, &f.Request, f), Next: "/flow/" + f.ID, Account: f.AccountName,
		}, s.ways(r, f)...)
		return nil
	}
	if need, _, _ := flow.Next(f, s.now()); need != flow.StepEnrol {
		return see(w, r, "/flow/"+f.ID)
	}
	if s.needsTicket(f) {
		s.page(w, r, http.StatusOK, s.ticketPage(w, r, f), s.ways(r, f)...)
		return nil
	}
	p, err := s.setupPage(w, r, f)
	if err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// needsTicket: after a reset the password alone opens no set-up.
func (s *Site) needsTicket(f *flow.Flow) bool {
	return f.Account.Factor == authn.FactorReset && f.Ticket == ""
}

func (s *Site) setupPage(w http.ResponseWriter, r *http.Request, f *flow.Flow) (templates.Setup, error) {
	prompt, err := s.factor().Begin(r.Context(), s.attempt(r, f))
	if err != nil {
		return templates.Setup{}, fmt.Errorf("begin set-up: %w", err)
	}
	return templates.Setup{
		Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/enrol", NotYou: "/flow/" + f.ID + "/restart",
		Account: f.AccountName, Prompt: prompt.Page, Values: prompt.Values,
	}, nil
}

func (s *Site) ticketPage(w http.ResponseWriter, r *http.Request, f *flow.Flow) templates.Ticket {
	return templates.Ticket{
		Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/enrol", NotYou: "/flow/" + f.ID + "/restart",
		Account: f.AccountName,
	}
}

// submitEnrol takes the ticket, the confirming code, or Cancel.
func (s *Site) submitEnrol(w http.ResponseWriter, r *http.Request) error {
	in, err := form(w, r)
	if err != nil {
		return err
	}
	f, ok, err := s.at(w, r, flow.StepEnrol)
	if !ok {
		return err
	}
	switch {
	case in.Get("action") == "cancel":
		return s.refuse(w, r, f, string(flow.ReasonAccessDenied))
	case s.needsTicket(f), f.Ticket != "" && in.Has("ticket"):
		return s.takeTicket(w, r, f, strings.TrimSpace(in.Get("ticket")))
	}
	bind := s.jar.bind(r)
	e, err := s.factor().Confirm(r.Context(), s.attempt(r, f), in)
	if errors.Is(err, authn.ErrRejected) {
		return s.setupRefused(w, r, f, err)
	}
	if errors.Is(err, authn.ErrGone) && f.Ticket != "" {
		return s.ticketRefused(w, r, f, "ticket")
	}
	if err != nil {
		return fmt.Errorf("confirm set-up: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorEnrolled, slog.String("account", f.Account.ID),
		slog.String("method", e.Method), slog.String("source", s.source(r)),
		slog.String("request_id", Reference(r.Context())))
	if err := s.proved(w, r, f.ID, bind); err != nil {
		return err
	}
	return see(w, r, "/flow/"+f.ID+"/enrol")
}

// setupRefused shows the set-up again, with what is known of why the code did not fit (J6).
func (s *Site) setupRefused(w http.ResponseWriter, r *http.Request, f *flow.Flow, rejected error) error {
	cause := authn.SetupError{Cause: authn.CauseUnknown}
	if e, ok := errors.AsType[*authn.SetupError](rejected); ok {
		cause = *e
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorRejected, slog.String("account", f.Account.ID),
		slog.String("reason", "set-up"), slog.String("cause", string(cause.Cause)), slog.String("request_id", Reference(r.Context())))
	p, err := s.setupPage(w, r, f)
	if err != nil {
		return err
	}
	p.Problem, p.Cause, p.Behind, p.Detail = "rejected", string(cause.Cause), cause.Behind, cause.Detail
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// takeTicket keeps what was typed with the flow; whether it is good is decided when the set-up is confirmed, in
// the step that spends it.
func (s *Site) takeTicket(w http.ResponseWriter, r *http.Request, f *flow.Flow, ticket string) error {
	if ticket == "" || len(ticket) > 128 {
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
	s.cfg.Audit.Event(r.Context(), audit.FactorRejected, slog.String("account", f.Account.ID),
		slog.String("reason", reason), slog.String("request_id", Reference(r.Context())))
	p := s.ticketPage(w, r, f)
	p.Problem = "rejected"
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}
