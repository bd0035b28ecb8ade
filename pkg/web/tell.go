// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/notify"
)

const (
	// notMeLife is how long the link "it was not me" in the mail about a first set-up is good.
	notMeLife = 7 * day
	// fewCodes is from how many recovery codes left on the person is told that they run out.
	fewCodes = 2
)

// Tell sends the person a message about what was done to the account: authenticator is the name of the one it is
// about, left a number of recovery codes. a is the account as it is after the act. What cannot be written is logged
// and holds nobody up.
func (s *Site) Tell(r *http.Request, a authn.Account, kind notify.Kind, authenticator string, left int) {
	// The time names the act: two in one millisecond are one press, sent twice.
	act := fmt.Sprintf("%d/%d", a.FactorGen, s.now().UnixMilli())
	s.tell(r, a, act, notify.Message{Kind: kind, Authenticator: authenticator, Left: left})
}

// tell puts m into the outbox for every address of the account. act names what happened, so that a retry tells of it
// once.
func (s *Site) tell(r *http.Request, a authn.Account, act string, m notify.Message) {
	if len(a.Contact.Emails) == 0 {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	m.Event, m.To = string(m.Kind)+"/"+a.ID+"/"+act, a.Contact.Emails
	m.Account, m.Name, m.At, m.Browser = a.Name, a.Contact.Person, s.now(), deviceLabel(r)
	m.Lang = s.languageOf(r, a)
	if s.cfg.Place != nil {
		m.Place = s.cfg.Place(s.source(r))
	}
	m.HelpEmail, m.HelpPhone = s.help.Load().email, s.help.Load().phone
	if co, err := s.cfg.Companies.Company(ctx, a.Company); err == nil {
		m.Company = co.Name
		if co.HelpEmail != "" || co.HelpPhone != "" {
			m.HelpEmail, m.HelpPhone = co.HelpEmail, co.HelpPhone
		}
	}
	if err := s.cfg.Outbox.Put(ctx, m); err != nil {
		s.cfg.Log.LogAttrs(ctx, slog.LevelError, "message not kept", slog.String("kind", string(m.Kind)),
			slog.String("account", a.ID), slog.String("error", err.Error()))
	}
}

// languageOf is the language of the account's person: the claim if there is one, else that of the browser.
func (s *Site) languageOf(r *http.Request, a authn.Account) string {
	if a.Contact.Locale != "" && len(a.Contact.Locale) < 100 {
		return s.cfg.Templates.MatchLanguage(a.Contact.Locale)
	}
	if c := s.jar.get(r, langCookie); c == "en" || c == "nl" {
		return c
	}
	if h := r.Header.Get("Accept-Language"); len(h) < 1000 {
		return s.cfg.Templates.MatchLanguage(h)
	}
	return s.cfg.Templates.MatchLanguage()
}

// tellEnrolled tells of a set-up. Where the password alone has opened it, the mail has a link that takes it back: a
// stolen password must not win an account for good (decisions.md, Policy). A replacement is told as both of what it is.
func (s *Site) tellEnrolled(r *http.Request, a authn.Account, flowID string, mode authn.SetupMode) {
	m := notify.Message{Kind: notify.FactorAdded}
	if mode == authn.SetupReplace {
		s.tell(r, a, flowID, notify.Message{Kind: notify.FactorRemoved})
	}
	if mode == authn.SetupFirst {
		token, err := s.cfg.Links.NewLink(r.Context(), authn.Link{
			Kind: authn.LinkNotMe, AccountID: a.ID, PasswordGen: a.PasswordGen, FactorGen: a.FactorGen,
		}, notMeLife)
		if err != nil {
			s.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "link not made", slog.String("account", a.ID), slog.String("error", err.Error()))
		} else {
			m.Link = s.cfg.Issuer + linkPath + token
		}
	}
	s.tell(r, a, flowID, m)
}

// tellAdmins tells those who look after the account's company: m names its person.
func (s *Site) tellAdmins(r *http.Request, a authn.Account, act string, m notify.Message) {
	if co, err := s.cfg.Companies.Company(r.Context(), a.Company); err == nil && len(co.Admins()) > 0 {
		a.Contact.Emails, a.Contact.Locale = co.Admins(), ""
		s.tell(r, a, act, m)
	}
}

// tellRecovered tells that a recovery code was used, and that they run out.
func (s *Site) tellRecovered(r *http.Request, a authn.Account, flowID string, left int) {
	s.tell(r, a, flowID, notify.Message{Kind: notify.RecoveryUsed, Left: left})
	if left <= fewCodes {
		s.tell(r, a, flowID, notify.Message{Kind: notify.RecoveryLow, Left: left})
	}
}

// tellRefused tells that somebody has the password and no code: once an hour, and once a day that codes are closed
// (decisions.md, Guesses; OWASP MFA cheat sheet). A browser with a remembered device is the person's own.
func (s *Site) tellRefused(r *http.Request, a authn.Account, lane authn.Lane, problem string) {
	now := s.now().UTC()
	hour, today := now.Format("2006-01-02T15"), now.Format(time.DateOnly)
	switch {
	case problem == "locked":
		s.tell(r, a, fmt.Sprint(a.FactorGen), notify.Message{Kind: notify.FactorLocked})
	case problem == "budget":
		s.tell(r, a, today, notify.Message{Kind: notify.BudgetSpent})
	case lane == authn.LaneUnknown && problem == "rejected":
		s.tell(r, a, hour, notify.Message{Kind: notify.CodesWrong})
	}
}
