// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/throttle"
	"github.com/lychgate/lychgate/templates"
)

const (
	maxName     = 256
	maxPassword = 256
)

// serveLogin shows the sign-in page, J1. After the password, "Not you?" leads here: that flow is left alone and
// the request starts anew without the account.
func (s *Site) serveLogin(w http.ResponseWriter, r *http.Request) error {
	f, ok, err := s.at(w, r, flow.StepLogin)
	if !ok {
		return err
	}
	name := f.Request.LoginHint
	if name == "" {
		name = f.AccountName
	}
	s.page(w, r, http.StatusOK, s.loginPage(w, r, f, name), s.ways(r, f)...)
	return nil
}

func (s *Site) loginPage(w http.ResponseWriter, r *http.Request, f *flow.Flow, name string) templates.Login {
	return templates.Login{
		Frame: s.frame(w, r, &f.Request, f), Action: "/flow/" + f.ID + "/login", Username: clip(name, maxName), Forgot: s.forgotLink(f),
	}
}

// submitLogin checks the password: charged first, checked next, and only then is the flow the account's.
func (s *Site) submitLogin(w http.ResponseWriter, r *http.Request) error {
	started := s.cfg.Now()
	in, err := form(w, r)
	if err != nil {
		return err
	}
	f, ok, err := s.at(w, r, flow.StepLogin)
	if !ok {
		return err
	}
	name, password := strings.TrimSpace(in.Get("username")), in.Get("password")
	if len(name) > maxName || len(password) > maxPassword {
		name, password = clip(name, maxName), ""
	}
	guesses, err := s.guesses(r, name)
	if err != nil {
		return err
	}
	if err := s.cfg.Throttle.Charge(r.Context(), guesses...); err != nil {
		return s.loginThrottled(w, r, f, name, err)
	}
	a, err := s.cfg.Directory.Verify(r.Context(), name, password)
	if errors.Is(err, authn.ErrRejected) {
		s.reportRejected(r, f, err)
		return s.loginRejected(w, r, f, name, started)
	}
	if err != nil {
		return fmt.Errorf("check password: %w", err)
	}
	if err := s.cfg.Throttle.Clear(r.Context(), guesses[0]); err != nil {
		return fmt.Errorf("clear throttle: %w", err)
	}
	if err := s.cfg.Throttle.Refund(r.Context(), guesses[1:]...); err != nil {
		return fmt.Errorf("refund guess: %w", err)
	}
	return s.identified(w, r, f, name, a)
}

// guesses are the counters a password guess is charged to (decisions.md, Guesses). The name is hashed whether it
// exists or not, so unknown names are alike, and in its canonical form, so that another spelling gives no new guesses.
// A browser that is remembered for the name has a count of its own, so that a flood from elsewhere does not keep the
// owner out (security.md SF-14).
func (s *Site) guesses(r *http.Request, name string) ([]throttle.Guess, error) {
	src, key := network(s.source(r)), s.cfg.Directory.Canonical(name)
	tag, err := s.knownDevice(r, key)
	if err != nil {
		return nil, err
	}
	if tag != "" {
		return []throttle.Guess{
			{Limit: throttle.Limit{Kind: "d", Free: 5, First: time.Second, Longest: 15 * time.Minute}, Name: key, Subject: tag},
		}, nil
	}
	return []throttle.Guess{
		{Limit: throttle.Limit{Kind: "ns", Free: 5, First: time.Second, Longest: 15 * time.Minute}, Name: key, Subject: src},
		{Limit: throttle.Limit{Kind: "n", Free: 100, First: 5 * time.Second, Per: time.Hour}, Name: key},
		{Limit: throttle.Limit{Kind: "s", Free: 300, First: 5 * time.Second, Per: time.Hour}, Subject: src},
	}, nil
}

// knownDevice returns the tag of the device cookie that stands for a canonical name at this browser; empty if there is
// none.
func (s *Site) knownDevice(r *http.Request, name string) (string, error) {
	prefix := s.jar.name(deviceCookie)
	tried := 0
	for _, c := range r.Cookies() {
		tag, ok := strings.CutPrefix(c.Name, prefix)
		if !ok || tried == maxDevices {
			continue
		}
		tried++
		owner, err := s.cfg.Devices.Known(r.Context(), tag, c.Value)
		if errors.Is(err, authn.ErrGone) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("known device: %w", err)
		}
		if owner == name {
			return tag, nil
		}
	}
	return "", nil
}

func (s *Site) loginThrottled(w http.ResponseWriter, r *http.Request, f *flow.Flow, name string, err error) error {
	wait, ok := errors.AsType[*authn.WaitError](err)
	if !ok {
		return fmt.Errorf("charge guess: %w", err)
	}
	s.cfg.Audit.Event(r.Context(), audit.LoginThrottled, slog.String("client", f.Request.ClientID),
		slog.String("source", s.source(r)), slog.String("request_id", Reference(r.Context())))
	p := s.loginPage(w, r, f, name)
	p.Problem, p.Wait = "wait", wait.For
	waitHeader(w, wait.For)
	s.page(w, r, http.StatusTooManyRequests, p, s.ways(r, f)...)
	return nil
}

// waitHeader says in whole seconds how long to wait.
func waitHeader(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
}

// reportRejected writes the event, with the account if there is one: its person is shown it.
func (s *Site) reportRejected(r *http.Request, f *flow.Flow, err error) {
	attrs := []slog.Attr{slog.String("client", f.Request.ClientID), slog.String("source", s.source(r)), slog.String("request_id", Reference(r.Context()))}
	if e, ok := errors.AsType[*authn.RejectedError](err); ok {
		attrs = append(attrs, slog.String("account", e.AccountID), slog.String("company", e.Company))
	}
	s.cfg.Audit.Event(r.Context(), audit.LoginRejected, attrs...)
}

// loginRejected gives one answer for every reason, no sooner than the floor (journeys J2, security.md PL-03).
func (s *Site) loginRejected(w http.ResponseWriter, r *http.Request, f *flow.Flow, name string, started time.Time) error {
	p := s.loginPage(w, r, f, name)
	p.Problem = "rejected"
	hold(r.Context(), s.cfg.RefusalFloor-s.cfg.Now().Sub(started))
	s.page(w, r, http.StatusOK, p, s.ways(r, f)...)
	return nil
}

// hold waits for d, or until the browser has gone.
func hold(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// identified moves the flow into the account's slot under a new id and a new binding secret, so that nothing an
// attacker planted before the password is worth anything after it (security.md SE-02).
func (s *Site) identified(w http.ResponseWriter, r *http.Request, f *flow.Flow, name string, a authn.Account) error {
	before := s.jar.bind(r)
	fresh, err := s.secret()
	if err != nil {
		return err
	}
	f.Account, f.AccountName = &a, name
	f.Epoch, f.PasswordGen, f.PasswordAt, f.Factors = a.Epoch, a.PasswordGen, s.now(), nil
	if err := s.cfg.Flows.Identify(r.Context(), f, before, fresh); err != nil {
		return fmt.Errorf("identify flow: %w", err)
	}
	s.jar.set(w, bindCookie, fresh+"."+before[0], time.Time{})
	bind := []string{fresh}
	s.cfg.Audit.Event(r.Context(), audit.LoginAccepted, slog.String("account", a.ID), slog.String("company", a.Company),
		slog.String("client", f.Request.ClientID), slog.String("request_id", Reference(r.Context())))
	if err := s.useDevice(w, r, f, bind); err != nil {
		return err
	}
	if err := s.proved(w, r, f.ID, bind); err != nil {
		return err
	}
	return see(w, r, "/flow/"+f.ID)
}

// useDevice lets a remembered device stand for the second factor; only after the right password, and only for the
// account that its cookie is named after (journeys J8).
func (s *Site) useDevice(w http.ResponseWriter, r *http.Request, f *flow.Flow, bind []string) error {
	short := deviceCookie + f.Account.Tag
	cookie := s.jar.get(r, short)
	if cookie == "" || f.Account.Factor != authn.FactorOn {
		return nil
	}
	t, err := s.cfg.Devices.Use(r.Context(), *f.Account, cookie)
	if t.Copied {
		s.cfg.Audit.Event(r.Context(), audit.DeviceCopied, slog.String("account", f.Account.ID), slog.String("company", f.Account.Company),
			slog.String("request_id", Reference(r.Context())))
		s.tell(r, *f.Account, f.ID, notify.Message{Kind: notify.DeviceCopied})
	}
	if errors.Is(err, authn.ErrGone) {
		s.jar.clear(w, short)
		return nil
	}
	if err != nil {
		return fmt.Errorf("use device: %w", err)
	}
	if t.Cookie != "" {
		s.jar.set(w, short, t.Cookie, t.End)
	}
	if err := s.cfg.Flows.Mark(r.Context(), f.ID, bind, flow.Update{Device: &t.Pass}); err != nil {
		return fmt.Errorf("mark device: %w", err)
	}
	return nil
}

// clip cuts s to at most n bytes of whole characters.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
