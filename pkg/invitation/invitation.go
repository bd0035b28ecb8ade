// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package invitation is how a person comes to an account: a company's admin names an address, and the person chooses a
// password by a mailed link that is good for a week and works once.
package invitation

import (
	"context"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Life is how long the link of an invitation is good (decisions.md, Lifetimes); Kept is how long an invitation that was
// not taken can still be sent again.
const (
	Life = 7 * 24 * time.Hour
	Kept = 30 * 24 * time.Hour
)

// Most is how many invitations of a company wait at once.
const Most = 10_000

// Invitation is one person who was asked and has no account yet.
type Invitation struct {
	// ID is 22 characters that follow from company and address, so that nobody is invited twice.
	ID      string `json:"id"`
	Company string `json:"company"`
	// Email will be the sign-in name. Person is the name, as far as it is known; Lang "en" or "nl", or empty.
	Email  string `json:"email"`
	Person string `json:"name,omitempty"`
	Lang   string `json:"language,omitempty"`
	// What the account will be.
	Groups []string        `json:"groups,omitempty"`
	Roles  []string        `json:"roles,omitempty"`
	Admin  authn.AdminRole `json:"admin,omitempty"`
	// By is who invited: an account's id.
	By string `json:"by,omitempty"`
	// Sent is when the last mail went out, Ends when its link ends. Serial counts the mails: links of older ones are dead.
	Sent   time.Time `json:"sent"`
	Ends   time.Time `json:"ends"`
	Serial int       `json:"serial"`
}

// LogValue keeps the address out of the logs.
func (i Invitation) LogValue() slog.Value { return slog.StringValue("[redacted] invitation " + i.ID) }

// Page is a page of invitations, those sent last first.
type Page struct {
	Invitations []Invitation
	// Next is for the next page; empty: there is none.
	Next string
	// Total is how many wait.
	Total int
}

// Store keeps invitations. Every method may answer authn.ErrUnavailable or authn.ErrLost.
type Store interface {
	// ID is that of the invitation of a canonical sign-in name by a company.
	ID(company, name string) string
	// Add keeps a new one. authn.ErrExists if the person is invited already, authn.ErrTooMany over Most.
	Add(ctx context.Context, i Invitation) error
	// Get returns one. authn.ErrNotFound.
	Get(ctx context.Context, company, id string) (Invitation, error)
	// List returns a page, in two round trips. It forgets those that ended longer than Kept ago.
	List(ctx context.Context, company, after string, limit int) (Page, error)
	// Replace keeps after in the place of before: authn.ErrMoved if that is not what is kept any more.
	Replace(ctx context.Context, before, after Invitation) error
	// Take removes the invitation that was read: of any number at once one succeeds, the others are told authn.ErrGone.
	Take(ctx context.Context, i Invitation) error
}
