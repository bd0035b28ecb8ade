// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/session"
)

const (
	consolePage = "/admin"
	// tryDenied is what a try that was refused comes back with.
	tryDenied = "denied"
	// consoleFresh is how long what an admin has shown opens the pages of the console.
	consoleFresh = 15 * time.Minute
)

// consolePolicy is that of the console. An admin always has a factor, whatever the company asks for, and nothing is put
// off; password and factor themselves were shown lately, and for a change just now (ASVS 7.5.1): a remembered device
// does not count.
func (s *Site) consolePolicy(f *flow.Flow) {
	f.Policy.Factor, f.Policy.Fresh = flow.FactorRequired, consoleFresh
	if f.Request.Purpose == flow.PurposeConsoleAct {
		f.Policy.Fresh = authn.FreshProof
	}
	f.Policy.SkipsLeft, f.Policy.SkipUntil, f.Skipped = 0, time.Time{}, false
}

// Console is Own for the pages of admins: may says whether an account is one, and may change where q comes back to for it.
// Whoever is signed in and is none is told so before anything is asked.
func (s *Site) Console(w http.ResponseWriter, r *http.Request, q *flow.Request, may func(authn.Account) error) (session.View, bool, error) {
	return s.ownIf(w, r, q, may)
}

// Lines is Form, with line breaks in the fields that are named.
func (s *Site) Lines(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, error) {
	return form(w, r, names...)
}

// Logo is where a page finds the logo of a client; empty if there is none to show now.
func (s *Site) Logo(ctx context.Context, c *client.Client) string { return s.logoURL(ctx, c) }

// Try begins a sign-in at a client for an admin who wants to see its answer, by the rules that hold for everybody there.
// It comes back to q.Return with the id of the flow as its parameter flow, or with the parameter error.
func (s *Site) Try(w http.ResponseWriter, r *http.Request, q flow.Request) error {
	q.Purpose = flow.PurposeTry
	f := s.newFlow(&q)
	if err := s.adopt(r, f); err != nil {
		return err
	}
	if err := s.applyPolicy(r.Context(), f); err != nil {
		return err
	}
	step, reason, _ := flow.Next(f, s.now())
	if step == flow.StepRefused {
		return s.inform(w, r, &q, string(reason))
	}
	if step == flow.StepLogin {
		f.Account, f.PasswordAt, f.Factors, f.Session, f.Consented = nil, time.Time{}, nil, "", nil
		f.Skipped = false
	}
	return s.lead(w, r, f)
}

// Tried returns the flow of a try that has passed every rule, with the proof of it. authn.ErrGone for any other flow, and
// for one of another browser.
func (s *Site) Tried(r *http.Request, id string) (*flow.Flow, flow.Pass, error) {
	f, err := s.load(r, id)
	if err != nil {
		return nil, flow.Pass{}, err
	}
	step, _, pass := flow.Next(f, s.now())
	if f.Request.Purpose != flow.PurposeTry || step != flow.StepDone {
		return nil, flow.Pass{}, fmt.Errorf("flow %s is no try that is done: %w", step, authn.ErrGone)
	}
	return f, pass, nil
}
