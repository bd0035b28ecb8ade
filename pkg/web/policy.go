// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

// applyPolicy asks client and company what they want of f; the stricter wins. A client that is gone or disabled
// ends the flow. A company that is missing is a lost record: never a milder policy.
func (s *Site) applyPolicy(ctx context.Context, f *flow.Flow) error {
	c, err := s.cfg.Clients.Client(ctx, f.Request.ClientID)
	if errors.Is(err, authn.ErrNotFound) || (err == nil && c.Disabled) {
		return fmt.Errorf("client of the flow is gone: %w", authn.ErrGone)
	}
	if err != nil {
		return err
	}
	f.Policy = flow.Policy{Consent: c.Company == "", Allowed: true, Factor: c.SecondFactor, PasswordLife: s.cfg.SessionEnd}
	if f.Account == nil {
		return nil
	}
	companyMode := flow.FactorMode("")
	if f.Account.Company != "" {
		co, err := s.cfg.Companies.Company(ctx, f.Account.Company)
		if errors.Is(err, authn.ErrNotFound) {
			return fmt.Errorf("company %s: %w", f.Account.Company, authn.ErrLost)
		}
		if err != nil {
			return err
		}
		companyMode = co.SecondFactor
	}
	f.Policy.Factor, f.Policy.Methods = flow.Strictest(c.SecondFactor, companyMode), s.methods(f)
	f.Policy.Allowed = (len(c.Companies) == 0 || slices.Contains(c.Companies, f.Account.Company)) &&
		(len(c.Roles) == 0 || slices.ContainsFunc(f.Account.Roles, func(role string) bool {
			return slices.Contains(c.Roles, role)
		}))
	return nil
}

// methods are the second factors that can be asked for; only where the request makes a difference between them.
func (s *Site) methods(f *flow.Flow) []string {
	if len(f.Request.EvidenceAge) == 0 {
		return nil
	}
	out := make([]string, 0, len(s.cfg.Factors))
	for _, p := range s.cfg.Factors {
		out = append(out, p.Method())
	}
	return out
}
