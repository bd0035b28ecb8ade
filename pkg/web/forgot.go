// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/throttle"
	"github.com/lychgate/lychgate/templates"
)

// passwordLinkLife is how long a link to a new password is good (decisions.md, Lifetimes).
const passwordLinkLife = 10 * time.Minute

// mails says whether messages are sent at all: without them nobody is offered one.
func (s *Site) mails() bool {
	_, off := s.cfg.Outbox.(notify.Off)
	return !off
}

// forgotLink is where the sign-in page leads those who forgot the password; empty without mails.
func (s *Site) forgotLink(f *flow.Flow) string {
	if !s.mails() {
		return ""
	}
	return "/flow/" + f.ID + "/forgot"
}

// serveForgot asks for the address of somebody who forgot the password, M7.
func (s *Site) serveForgot(w http.ResponseWriter, r *http.Request) error {
	f, err := s.atForgot(w, r)
	if f == nil {
		return err
	}
	p := s.forgotPage(w, r, f)
	p.Username = clip(f.Request.LoginHint, maxName)
	s.page(w, r, http.StatusOK, p)
	return nil
}

// atForgot returns the flow if its password is still to be shown and mails are sent; else it is nil and the answer is
// given.
func (s *Site) atForgot(w http.ResponseWriter, r *http.Request) (*flow.Flow, error) {
	if !s.mails() {
		return nil, &Error{Status: http.StatusNotFound, Kind: "notfound"}
	}
	f, ok, err := s.at(w, r, flow.StepLogin)
	if !ok {
		return nil, err
	}
	return f, nil
}

func (s *Site) forgotPage(w http.ResponseWriter, r *http.Request, f *flow.Flow) templates.Forgot {
	return templates.Forgot{Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/forgot", Back: "/flow/" + f.ID + "/login"}
}

// submitForgot sends the link. Known or not, the same is done in the same time and said in the same words: charged
// first, then one lookup, one link and one message, which is void where nobody may have it (security.md PL-03, ASVS
// 6.3.8).
func (s *Site) submitForgot(w http.ResponseWriter, r *http.Request) error {
	started := s.cfg.Now()
	in, err := form(w, r)
	if err != nil {
		return err
	}
	f, err := s.atForgot(w, r)
	if f == nil {
		return err
	}
	name := strings.TrimSpace(in.Get("username"))
	if name == "" || len(name) > maxName {
		p := s.forgotPage(w, r, f)
		p.Problem, p.Username = "missing", clip(name, maxName)
		s.page(w, r, http.StatusOK, p)
		return nil
	}
	if err := s.mailPassword(r, f, name); err != nil {
		return err
	}
	hold(r.Context(), s.cfg.RefusalFloor-s.cfg.Now().Sub(started))
	s.page(w, r, http.StatusOK, templates.ForgotSent{Frame: s.frame(w, r, &f.Request, f), Back: "/flow/" + f.ID + "/login"})
	return nil
}

// mailPassword puts the message into the outbox, if the limits let it.
func (s *Site) mailPassword(r *http.Request, f *flow.Flow, name string) error {
	ok, err := s.mayMail(r.Context(), append(mailLimits("f", s.cfg.Directory.Canonical(name)), throttle.Guess{
		Limit: throttle.Limit{Kind: "fs", Free: 30, First: time.Hour, Per: time.Hour}, Subject: network(s.source(r)),
	}))
	if err != nil {
		return err
	}
	result := "throttled"
	if ok {
		result = "asked"
	}
	s.cfg.Audit.Event(r.Context(), audit.PasswordAsked, slog.String("client", f.Request.ClientID), slog.String("result", result),
		slog.String("source", s.source(r)), slog.String("request_id", Reference(r.Context())))
	if !ok {
		return nil
	}
	a, known, err := s.addressee(r, name)
	if err != nil {
		return err
	}
	l := authn.Link{
		Kind: authn.LinkPassword, AccountID: a.ID, PasswordGen: a.PasswordGen, FactorGen: a.FactorGen, ClientID: f.Request.ClientID,
	}
	if bind := s.jar.bind(r); len(bind) > 0 {
		l.Browser = browserOf(bind[0])
	}
	token, err := s.cfg.Links.NewLink(r.Context(), l, passwordLinkLife)
	if err != nil {
		return fmt.Errorf("make link: %w", err)
	}
	// The link stands in a void message too: it is as long as any, and nobody gets it.
	s.tell(r, a, token, notify.Message{Kind: notify.ResetAsked, Link: s.cfg.Issuer + linkPath + token, Void: !known})
	return nil
}

// addressee is whom to write to: the account of the name, or somebody who is nobody, to whom the same is written in vain.
func (s *Site) addressee(r *http.Request, name string) (a authn.Account, known bool, err error) {
	a, err = s.cfg.Directory.Lookup(r.Context(), name)
	switch {
	case err == nil && a.State == authn.Active && len(a.Contact.Emails) > 0:
		return a, true, nil
	case errors.Is(err, authn.ErrLost):
		s.cfg.Audit.Event(r.Context(), audit.RecordLost, slog.String("detail", err.Error()), slog.String("request_id", Reference(r.Context())))
	case err != nil && !errors.Is(err, authn.ErrNotFound):
		return authn.Account{}, false, fmt.Errorf("look up account: %w", err)
	}
	return authn.Account{Name: name, Contact: authn.Contact{Emails: []string{name}}}, false, nil
}

// mailLimits are the counters of the mails that somebody can have sent to one person: 3 in an hour, 5 in a day
// (decisions.md, Guesses). kind is a letter of the mail; the name is hashed whether it exists or not.
func mailLimits(kind, name string) []throttle.Guess {
	return []throttle.Guess{
		{Limit: throttle.Limit{Kind: kind + "h", Free: 3, First: time.Hour, Per: time.Hour}, Name: name},
		{Limit: throttle.Limit{Kind: kind + "d", Free: 5, First: day, Per: day}, Name: name},
	}
}

// mayMail charges the limits and says whether there is one mail left in them.
func (s *Site) mayMail(ctx context.Context, limits []throttle.Guess) (bool, error) {
	err := s.cfg.Throttle.Charge(ctx, limits...)
	if _, waits := errors.AsType[*authn.WaitError](err); waits {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("charge mail: %w", err)
	}
	return true, nil
}

// browserOf stands for a browser in a link: a hash of its binding secret, which is random and as long as a key.
func browserOf(secret string) string {
	sum := sha256.Sum256([]byte("lychgate link browser\x00" + secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
