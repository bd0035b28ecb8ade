// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package web is the sign-in: the dispatcher, its steps, cookies, middleware and the one renderer of errors.
package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Engine is the protocol behind the sign-in. It never sees a cookie.
type Engine interface {
	// Authorize validates the parameters of an authorization request; errors are *flow.Refusal, or wrap
	// authn.ErrUnavailable.
	Authorize(ctx context.Context, params url.Values) (*flow.Request, error)
	// Answer issues the code for a flow that passed every rule and writes the authorization response. Errors wrap
	// authn.ErrMoved, authn.ErrGone or authn.ErrUnavailable; nothing was written then.
	Answer(w http.ResponseWriter, r *http.Request, f *flow.Flow, p flow.Pass) error
	// Refuse writes an authorization error response with the given OAuth error code, e.g. login_required.
	Refuse(w http.ResponseWriter, r *http.Request, q *flow.Request, code string) error
	// Subject is the account of the given id as the client sees it: the claim sub (OIDC Core §8).
	Subject(c *client.Client, accountID string) string
	// Logout validates an RP-initiated logout request; it never fails for bad input: what is not valid is left out.
	Logout(ctx context.Context, params url.Values) (flow.Logout, error)
}
