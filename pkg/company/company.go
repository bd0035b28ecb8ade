// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package company is an organisation whose people sign in.
package company

import (
	"context"
	"time"

	"github.com/lychgate/lychgate/pkg/flow"
)

// Company is an organisation whose people sign in.
type Company struct {
	// ID is lower-case letters, digits and dashes, at most 64.
	ID string `json:"id"`
	// Name is shown to people, and is the issuer name in authenticator apps. At most 64 characters, no colon.
	Name string `json:"name"`
	// HelpEmail and HelpPhone stand at the foot of every page; empty ones are left out.
	HelpEmail string `json:"help_email,omitempty"`
	HelpPhone string `json:"help_phone,omitempty"`
	// AdminEmails are told of what admins do to accounts; empty: HelpEmail is. At most 20.
	AdminEmails []string `json:"admin_emails,omitempty"`
	// Domains are mail domains that the company has shown to be its own: no other company's admin can invite people of
	// them. In lower case, xn-- for others than ASCII. At most 50.
	Domains []string `json:"domains,omitempty"`
	// Groups are those that its people can be in; apps are told of them by the claim groups. At most 200.
	Groups []Group `json:"groups,omitempty"`
	// SecondFactor is off, optional, required or always; empty: optional.
	SecondFactor flow.FactorMode `json:"second_factor,omitempty"`
	Policy
}

// Group is some of a company's people.
type Group struct {
	// ID is lower-case letters, digits and dashes, at most 64: what apps see.
	ID string `json:"id"`
	// Name is shown to people; empty: the id.
	Name string `json:"name,omitempty"`
}

// Title is the name of a group as people see it.
func (g Group) Title() string {
	if g.Name == "" {
		return g.ID
	}
	return g.Name
}

// Policy is what a company says of the second factor beside the mode (decisions.md, Policy defaults).
type Policy struct {
	// FactorGroups are the groups and roles whose people the mode is for; the others are asked if they have set one up.
	// Empty: all.
	FactorGroups []string `json:"second_factor_groups,omitempty"`
	// From is when a mode of required or always begins; until then set-up is offered and can be put off. Zero: it is in
	// force.
	From time.Time `json:"second_factor_from,omitzero"`
	// Skips is how often a person may put the set-up off: before From, or, without it, in all. 0 to 20.
	Skips int `json:"second_factor_skips,omitempty"`
	// RememberDays shortens how long a device is remembered; nil: the server's setting; 0: never. 0 to 365.
	RememberDays *int `json:"remember_days,omitempty"`
	// SetupDays is how many days a first set-up by password alone stays open; nil: 14. 0 to 365.
	SetupDays *int `json:"setup_days,omitempty"`
	// ResetAdmins is how many admins a reset of a person's factor takes: 0 and 1: one; 2: two different ones.
	ResetAdmins int `json:"reset_admins,omitempty"`
	// ResetWait is how long after it was asked for a reset may be done, in whole hours; meanwhile the person is told.
	// 0 to 168.
	ResetWait int `json:"reset_wait_hours,omitempty"`
}

// Admins are the addresses of those who are told what admins do.
func (c Company) Admins() []string {
	if len(c.AdminEmails) > 0 {
		return c.AdminEmails
	}
	if c.HelpEmail != "" {
		return []string{c.HelpEmail}
	}
	return nil
}

// defaultSetupDays is how many days a first set-up by password alone stays open.
const defaultSetupDays = 14

const day = 24 * time.Hour

// Registry keeps companies. Get reads an in-process snapshot that is at most 1 s old.
type Registry interface {
	// Company answers authn.ErrNotFound for an unknown id.
	Company(ctx context.Context, id string) (Company, error)
	Companies(ctx context.Context) ([]Company, error)
	// PutCompany adds or replaces; in force on every node within 1 s.
	PutCompany(ctx context.Context, c Company) error
}
