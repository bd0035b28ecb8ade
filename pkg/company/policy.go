// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package company

import (
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Concerns says whether the company's mode is for the person of an account.
func (c Company) Concerns(a authn.Account) bool {
	named := func(list []string) bool {
		return slices.ContainsFunc(list, func(name string) bool { return slices.Contains(c.FactorGroups, name) })
	}
	return len(c.FactorGroups) == 0 || named(a.Groups) || named(a.Roles)
}

// Apply adds to p, which holds what the client asks for, what the company wants of an account: the strictest wins. An
// account without a company has the zero Company.
func (c Company) Apply(p *flow.Policy, a authn.Account, now time.Time) {
	mode := c.SecondFactor
	if !c.Concerns(a) {
		mode = flow.FactorOptional
	}
	// What the client asks for has no date: skips are for the company's own wish alone.
	byClient := flow.Strictest(p.Factor).Wanted()
	p.Factor = flow.Strictest(p.Factor, mode)
	if c.RememberDays != nil {
		p.Remember = min(p.Remember, time.Duration(*c.RememberDays)*day)
	}
	if mode.Wanted() && !byClient {
		p.SkipsLeft, p.SkipUntil = c.skips(a, now)
	}
	p.Closed = a.Factor != authn.FactorOn && !now.Before(c.SetupCloses(a))
}

// skips returns how often the person may still put a set-up off, and until when. Before the date nobody is locked out:
// who has used up the skips sets an app up, or waits for no one.
func (c Company) skips(a authn.Account, now time.Time) (int, time.Time) {
	if !c.From.IsZero() && !now.Before(c.From) {
		return 0, time.Time{}
	}
	return max(0, c.Skips-a.Skips), c.From
}

// SetupCloses is when a first set-up by password alone ends: so many days after the latest of the policy's date and the
// making of the account (decisions.md, Policy defaults). A stolen password alone must not win an account that is not
// set up yet.
func (c Company) SetupCloses(a authn.Account) time.Time {
	days := defaultSetupDays
	if c.SetupDays != nil {
		days = *c.SetupDays
	}
	begins := a.Created
	if c.From.After(begins) {
		begins = c.From
	}
	return begins.Add(time.Duration(days) * day)
}
