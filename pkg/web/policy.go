// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
)

// applyPolicy asks client and company what they want of f; the stricter wins. A client that is gone or disabled
// ends the flow. A company that is missing is a lost record: never a milder policy.
func (s *Site) applyPolicy(ctx context.Context, f *flow.Flow) error {
	f.Policy = flow.Policy{Allowed: true, PasswordLife: s.cfg.SessionEnd, Remember: s.rememberLife()}
	var c *client.Client
	if f.Request.Purpose.AtClient() {
		var err error
		if c, err = s.clientInForce(ctx, f.Request.ClientID); err != nil {
			return err
		}
		f.Policy.Consent, f.Policy.ConsentEach = c.Consents() != client.ConsentNever, c.Consents() == client.ConsentAsk
		f.Policy.Factor = c.SecondFactor
		f.Policy.AskOffline = c.Dynamic != nil
	}
	if f.Account == nil {
		return nil
	}
	if err := s.companyPolicy(ctx, f); err != nil {
		return err
	}
	f.Policy.Methods = s.methods(f)
	if c == nil {
		s.ownPolicy(f)
		return nil
	}
	f.Subject = s.cfg.Engine.Subject(c, f.Account.ID)
	f.Policy.Allowed = (len(c.Companies) == 0 || slices.Contains(c.Companies, f.Account.Company)) &&
		(len(c.Roles) == 0 || slices.ContainsFunc(f.Account.Roles, func(role string) bool {
			return slices.Contains(c.Roles, role)
		}))
	return nil
}

// clientInForce returns the client of a flow, if it is still there.
func (s *Site) clientInForce(ctx context.Context, id string) (*client.Client, error) {
	c, err := s.cfg.Clients.Client(ctx, id)
	if errors.Is(err, authn.ErrNotFound) || (err == nil && c.Disabled) {
		return nil, fmt.Errorf("client of the flow is gone: %w", authn.ErrGone)
	}
	return c, err
}

// companyPolicy adds what the company of the account wants.
func (s *Site) companyPolicy(ctx context.Context, f *flow.Flow) error {
	var co company.Company
	if f.Account.Company != "" {
		var err error
		co, err = s.cfg.Companies.Company(ctx, f.Account.Company)
		if errors.Is(err, authn.ErrNotFound) {
			return fmt.Errorf("company %s: %w", f.Account.Company, authn.ErrLost)
		}
		if err != nil {
			return err
		}
	}
	co.Apply(&f.Policy, *f.Account, s.now())
	return nil
}

// ownPolicy is that of the account's own pages: whoever has a factor shows it, whatever the company asks for, and a
// change wants it shown lately. Where a code is wanted each time, a device never stands for it, but what was shown on the
// way to a page counts when the page is reached.
func (s *Site) ownPolicy(f *flow.Flow) {
	switch f.Policy.Factor {
	case flow.FactorOff:
		f.Policy.Factor = flow.FactorOptional
	case flow.FactorAlways:
		f.Policy.Factor, f.Policy.Fresh = flow.FactorRequired, s.cfg.SessionEnd
	default:
	}
	// Who is no admin is not asked for more than at the account page, and then told that there is nothing here.
	if f.Request.Purpose.ForAdmins() && f.Account.Admin != authn.AdminNone {
		s.consolePolicy(f)
		return
	}
	if f.Request.Purpose != flow.PurposeView {
		f.Policy.Fresh = authn.FreshProof
	}
}

// methods are the second factors that the account can be asked for; only where the request makes a difference between
// them. Before its authenticators were read it may be any.
func (s *Site) methods(f *flow.Flow) []string {
	if len(f.Request.EvidenceAge) == 0 {
		return nil
	}
	var out []string
	for _, e := range s.enrollers() {
		if len(f.Account.Authenticators) == 0 || len(f.Account.OfKind(e.Kind())) > 0 {
			out = append(out, e.Methods()...)
		}
	}
	return out
}
