// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// serveConsent asks whether the client may have what it wants, J14.
func (s *Site) serveConsent(w http.ResponseWriter, r *http.Request) error {
	f, ok, err := s.at(w, r, flow.StepConsent)
	if !ok {
		return err
	}
	c, err := s.cfg.Clients.Client(r.Context(), f.Request.ClientID)
	if err != nil {
		return err
	}
	frame := s.frame(w, r, &f.Request, f)
	said, err := client.ScopeWords(r.Context(), s.cfg.Clients, f.Request.Asked(), frame.Lang)
	if err != nil {
		return err
	}
	s.page(w, r, http.StatusOK, templates.Consent{
		Frame: frame, Words: said, Action: "/flow/" + f.ID + "/consent", NotYou: "/flow/" + f.ID + "/restart",
		Account: f.AccountName, Scopes: f.Request.Asked(), PolicyURI: c.PolicyURI, TosURI: c.TosURI,
		ClientOwnedByCompany: c.Company != "", Unverified: c.Dynamic != nil,
	}, s.ways(r, f)...)
	return nil
}

// submitConsent keeps the person's word. Anything but the button Allow is a no.
func (s *Site) submitConsent(w http.ResponseWriter, r *http.Request) error {
	in, err := form(w, r)
	if err != nil {
		return err
	}
	f, ok, err := s.at(w, r, flow.StepConsent)
	if !ok {
		return err
	}
	fields := []slog.Attr{
		slog.String("account", f.Account.ID), slog.String("company", f.Account.Company), slog.String("client", f.Request.ClientID),
		slog.String("request_id", Reference(r.Context())),
	}
	if in.Get("answer") != "allow" {
		s.cfg.Audit.Event(r.Context(), audit.ConsentDenied, fields...)
		return s.refuse(w, r, f, string(flow.ReasonAccessDenied))
	}
	if err := s.cfg.Consents.Allow(r.Context(), *f.Account, f.Request.ClientID, f.Request.Asked()); err != nil {
		return fmt.Errorf("keep consent: %w", err)
	}
	if err := s.cfg.Flows.Mark(r.Context(), f.ID, s.jar.bind(r), flow.Update{Allowed: true}); err != nil {
		return fmt.Errorf("mark consent: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.ConsentGiven, fields...)
	return see(w, r, "/flow/"+f.ID)
}
