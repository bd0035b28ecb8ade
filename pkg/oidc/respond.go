// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/flow"
)

// Refuse writes an authorization error response (RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6, RFC 9207). q must be a
// request, or the Redirect of a refusal, that Authorize made. A code that is not known becomes server_error.
func (p *Provider) Refuse(w http.ResponseWriter, r *http.Request, q *flow.Request, code string) error {
	if !authorizeError(code) {
		code = codeServerError
	}
	if err := p.spend(r.Context(), q); err != nil {
		// The client is told all the same: nothing is given away by an error.
		p.cfg.Log.LogAttrs(r.Context(), slog.LevelInfo, "pushed request not ended", slog.String("error", err.Error()))
	}
	text := describe(code)
	if finer := describeRequest(q.Params.Get(reasonParam)); finer != "" {
		text = finer
	}
	return p.respond(w, r, q, [][2]string{{"error", code}, {"error_description", text}})
}

// authorizeError says whether code may stand in an authorization response.
func authorizeError(code string) bool {
	switch code {
	case codeInvalidRequest, codeInvalidScope, codeUnauthorizedClient, codeUnsupportedType, codeUnavailable,
		"access_denied", "login_required", "interaction_required", "consent_required", "account_selection_required",
		codeNoRequest, codeNoRequestURI, codeInvalidObject, codeInvalidRequestURI, "registration_not_supported",
		"unmet_authentication_requirements":
		return true
	default:
		return false
	}
}

// respond sends fields, state and iss to the client, by the response mode of the request. state is left out when the
// request had none, and iss is always there: a client that was told to expect it refuses an answer without.
func (p *Provider) respond(w http.ResponseWriter, r *http.Request, q *flow.Request, fields [][2]string) error {
	if q.State != "" {
		fields = append(fields, [2]string{"state", q.State})
	}
	fields = append(fields, [2]string{"iss", p.cfg.Issuer})
	noStore(w.Header())
	if q.ResponseMode == modeFormPost {
		return p.cfg.FormPost(w, r, q.RedirectURI, fields, q.UILocales)
	}
	uri := extend(q.RedirectURI, fields)
	if q.ResponseMode == modeFragment {
		uri = q.RedirectURI + "#" + extend("?", fields)[1:]
	}
	w.Header().Set("Location", uri)
	// 303, never 307: the form with the password must not be sent on (RFC 9700 §4.12).
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// extend adds fields to the query of uri, which stays as registered, byte for byte (RFC 6749 §3.1.2).
func extend(uri string, fields [][2]string) string {
	var b strings.Builder
	b.WriteString(uri)
	sep := "?"
	if strings.Contains(uri, "?") {
		sep = "&"
		if strings.HasSuffix(uri, "?") || strings.HasSuffix(uri, "&") {
			sep = ""
		}
	}
	for _, f := range fields {
		b.WriteString(sep)
		b.WriteString(f[0])
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(f[1]))
		sep = "&"
	}
	return b.String()
}
