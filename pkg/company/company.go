// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package company is an organisation whose people sign in.
package company

import (
	"context"

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
	// SecondFactor is off, optional or required; empty: optional.
	SecondFactor flow.FactorMode `json:"second_factor,omitempty"`
}

// Registry keeps companies. Get reads an in-process snapshot that is at most 1 s old.
type Registry interface {
	// Company answers authn.ErrNotFound for an unknown id.
	Company(ctx context.Context, id string) (Company, error)
	Companies(ctx context.Context) ([]Company, error)
	// PutCompany adds or replaces; in force on every node within 1 s.
	PutCompany(ctx context.Context, c Company) error
}
