// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/templates"
)

const (
	// setupLinkLife is how long a mailed set-up link is good: as long as the ticket in it.
	setupLinkLife = 24 * time.Hour
	// ticketLife is how long a browser carries the ticket from the link to the sign-in.
	ticketLife = 10 * time.Minute
)

// carryTicket keeps the ticket for the sign-in that follows in this browser. The link is not used up: the ticket in it
// is spent by the set-up, so whoever is interrupted opens it again.
func (s *Site) carryTicket(w http.ResponseWriter, r *http.Request, o opened) error {
	s.jar.set(w, ticketCookie, o.account.Tag+"."+o.link.Ticket, s.cfg.Now().Add(ticketLife))
	s.page(w, r, http.StatusOK, templates.SetupOn{Frame: s.linkFrame(w, r, o), Back: s.backTo(r, o)})
	return nil
}

// carried takes the ticket that a link has left in this browser into the flow, if it is of the flow's account.
func (s *Site) carried(w http.ResponseWriter, r *http.Request, f *flow.Flow) (bool, error) {
	tag, ticket, ok := strings.Cut(s.jar.get(r, ticketCookie), ".")
	if !ok || tag != f.Account.Tag || ticket == "" || len(ticket) > maxTicket {
		return false, nil
	}
	if err := s.cfg.Flows.Mark(r.Context(), f.ID, s.jar.bind(r), flow.Update{Ticket: ticket}); err != nil {
		return false, fmt.Errorf("keep ticket: %w", err)
	}
	s.jar.clear(w, ticketCookie)
	return true, nil
}

// late says that the time for a first set-up by password alone is over, and that nobody has taken one away: a link to
// the account's mail opens it then. After a reset it does not.
func late(f *flow.Flow) bool { return f.Account.Factor != authn.FactorReset }

// mailSetup sends the link that opens a late first set-up (decisions.md, Policy). The one who asks has shown the
// password; the mail is what a thief of it does not have.
func (s *Site) mailSetup(w http.ResponseWriter, r *http.Request, f *flow.Flow) error {
	if !late(f) || !s.needsTicket(f) || !s.mails() || len(f.Account.Contact.Emails) == 0 {
		return see(w, r, "/flow/"+f.ID+"/enrol")
	}
	ok, err := s.mayMail(r.Context(), mailLimits("t", f.Account.ID))
	if err != nil {
		return err
	}
	result := "throttled"
	if ok {
		result = "asked"
		if err := s.putSetupLink(r, f); err != nil {
			return err
		}
	}
	s.cfg.Audit.Event(r.Context(), audit.SetupLinkAsked, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company), slog.String("client", f.Request.ClientID),
		slog.String("result", result), slog.String("source", s.source(r)), slog.String("request_id", Reference(r.Context())))
	p := s.ticketPage(w, r, f)
	p.Kind = "sent"
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

func (s *Site) putSetupLink(r *http.Request, f *flow.Flow) error {
	ticket, err := s.cfg.People.NewTicket(r.Context(), f.Account.ID)
	if err != nil {
		return fmt.Errorf("make ticket: %w", err)
	}
	token, err := s.cfg.Links.NewLink(r.Context(), authn.Link{
		Kind: authn.LinkSetup, AccountID: f.Account.ID, PasswordGen: f.Account.PasswordGen, FactorGen: f.Account.FactorGen,
		ClientID: f.Request.ClientID, Ticket: ticket,
	}, setupLinkLife)
	if err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	s.tell(r, *f.Account, token, notify.Message{Kind: notify.SetupLink, Link: s.cfg.Issuer + linkPath + token})
	return nil
}

// disown takes back a set-up that its person did not make: every session, device and grant ends, the thief's codes are
// worth nothing, and the password alone opens no set-up any more.
func (s *Site) disown(w http.ResponseWriter, r *http.Request, o opened) error {
	if err := s.use(r, o); err != nil {
		return err
	}
	a, err := s.cfg.People.ResetFactor(r.Context(), o.account.ID)
	if err != nil {
		return fmt.Errorf("take set-up back: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.FactorDisowned, slog.String("account", a.ID), slog.String("company", a.Company), slog.String("source", s.source(r)),
		slog.String("request_id", Reference(r.Context())))
	act := fmt.Sprint(a.FactorGen)
	s.tell(r, a, act, notify.Message{Kind: notify.FactorReset})
	s.tellAdmins(r, a, act, notify.Message{Kind: notify.FactorResetAdmin})
	s.page(w, r, http.StatusOK, templates.NotMeDone{Frame: s.linkFrame(w, r, o)})
	return nil
}
