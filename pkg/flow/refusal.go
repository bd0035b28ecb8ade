// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

// Refusal is an authorization request that is not valid.
type Refusal struct { //nolint:errname // a word of the glossary of OAuth errors, not a Go failure
	// Code is the OAuth error, e.g. invalid_request; Parameter the name of the parameter at fault, if one is.
	// Detail is for the log, never for a page: it may hold what was sent.
	Code, Parameter, Description, Detail string
	// Client is the id of the client if it is registered.
	Client string
	// Redirect is the request to answer by redirect; nil: client or redirect_uri are not valid, show a page and
	// never redirect (RFC 6749 §4.1.2.1).
	Redirect *Request
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + " (" + r.Parameter + "): " + r.Detail }

// Logout is a validated RP-initiated logout request (OpenID Connect RP-Initiated Logout 1.0 §2).
type Logout struct {
	// ClientID is empty if neither a hint nor client_id named a client.
	ClientID string
	// RedirectURI is registered for the client and may be used; empty: show a page.
	RedirectURI, State string
	// HintSubject and HintSID are from a verified id_token_hint; without one the person is asked first. HintSubject is
	// the account as that client sees it.
	HintSubject, HintSID string
	// UILocales as sent.
	UILocales []string
}
