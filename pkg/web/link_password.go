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
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/throttle"
	"github.com/lychgate/lychgate/templates"
)

// passwordPage asks for the new password. A browser that did not ask for the link types the address as well, and sees
// nothing of the account: a stranger asked, or the mail was passed on.
func (s *Site) passwordPage(w http.ResponseWriter, r *http.Request, o opened) templates.NewPassword {
	p := templates.NewPassword{Action: r.URL.Path, Account: o.account.Name}
	if !s.asker(r, o.link) {
		p.Account = ""
		p.Frame = s.frame(w, r, o.request(), nil)
		return p
	}
	p.Frame = s.linkFrame(w, r, o)
	return p
}

// choosePassword sets the new password. What is wrong with it is said before the link is used up; the second factor is
// neither skipped nor shown nor removed (security.md SF-27, ASVS 6.4.3).
func (s *Site) choosePassword(w http.ResponseWriter, r *http.Request, o opened, in url.Values) error {
	if !s.asker(r, o.link) {
		if err := s.sameAddress(r, o, in.Get("username")); err != nil {
			return err
		}
	}
	password := in.Get("new_password")
	if err := s.cfg.Passwords.Check(password, s.wordsOf(r, o.account)...); err != nil {
		problem := authn.PasswordProblem(err)
		if problem == "" {
			return fmt.Errorf("check password: %w", err)
		}
		p := s.passwordPage(w, r, o)
		p.Problem = problem
		if p.Account == "" {
			p.Username = clip(in.Get("username"), maxName)
		}
		s.page(w, r, http.StatusOK, p)
		return nil
	}
	record, err := s.cfg.Passwords.Hash(r.Context(), password)
	if err != nil {
		return fmt.Errorf("hash password: %w", err)
	}
	if err := s.use(r, o); err != nil {
		return err
	}
	a, err := s.cfg.People.SetPassword(r.Context(), o.account, record)
	if errors.Is(err, authn.ErrMoved) {
		return deadLink(err)
	}
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.PasswordReset, slog.String("account", a.ID), slog.String("company", a.Company), slog.String("client", o.link.ClientID),
		slog.String("source", s.source(r)), slog.String("request_id", Reference(r.Context())))
	s.tell(r, a, fmt.Sprint(a.PasswordGen), notify.Message{Kind: notify.PasswordChanged})
	s.page(w, r, http.StatusOK, templates.PasswordSet{Frame: s.linkFrame(w, r, o), Back: s.backTo(r, o)})
	return nil
}

// sameAddress compares what was typed with the account of the link, a few times for each link.
func (s *Site) sameAddress(r *http.Request, o opened, typed string) error {
	err := s.cfg.Throttle.Charge(r.Context(), throttle.Guess{
		Limit: throttle.Limit{Kind: "l", Free: 5, First: time.Hour, Per: time.Hour}, Subject: o.token,
	})
	if _, waits := errors.AsType[*authn.WaitError](err); waits {
		return deadLink(err)
	}
	if err != nil {
		return fmt.Errorf("charge link: %w", err)
	}
	if typed = strings.TrimSpace(typed); len(typed) > maxName || s.cfg.Directory.Canonical(typed) != o.account.Name {
		return deadLink(authn.ErrRejected)
	}
	return nil
}

// wordsOf are the words that a password of the account must not be made of: its name, its person's and the company's.
func (s *Site) wordsOf(r *http.Request, a authn.Account) []string {
	local, _, _ := strings.Cut(a.Name, "@")
	words := []string{local, a.Contact.Person}
	if co, err := s.cfg.Companies.Company(r.Context(), a.Company); err == nil {
		words = append(words, co.Name)
	}
	return words
}
