// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/lychgate/lychgate/pkg/authn"
)

// The error codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, OIDC Core §3.1.2.6.
const (
	codeInvalidRequest     = "invalid_request"
	codeInvalidClient      = "invalid_client"
	codeInvalidGrant       = "invalid_grant"
	codeInvalidScope       = "invalid_scope"
	codeInvalidToken       = "invalid_token"
	codeInsufficientScope  = "insufficient_scope"
	codeUnauthorizedClient = "unauthorized_client"
	codeUnsupportedGrant   = "unsupported_grant_type"
	codeUnsupportedType    = "unsupported_response_type"
	codeUnsupportedToken   = "unsupported_token_type"
	codeStatement          = "invalid_software_statement"
	codeUnapproved         = "unapproved_software_statement"
	codeClientMetadata     = "invalid_client_metadata"
	codeServerError        = "server_error"
	codeUnavailable        = "temporarily_unavailable"

	// RFC 9101 §7.
	codeNoRequest         = "request_not_supported"
	codeNoRequestURI      = "request_uri_not_supported"
	codeInvalidObject     = "invalid_request_object"
	codeInvalidRequestURI = "invalid_request_uri"
)

// fault is a protocol error. code and the fixed text of reason are all that leaves; detail and err are for the log.
type fault struct {
	code, reason, detail string
	err                  error
}

func (f *fault) text() string { return describe(f.reason) }

// Error implements error.
func (f *fault) Error() string {
	if f.err != nil {
		return fmt.Sprintf("%s: %s: %v", f.code, f.detail, f.err)
	}
	return f.code + ": " + f.detail
}

// Unwrap implements the convention of package errors.
func (f *fault) Unwrap() error { return f.err }

func newFault(code, detail string) *fault { return &fault{code: code, reason: code, detail: detail} }

func wrapFault(code string, err error) *fault {
	return &fault{code: code, reason: code, detail: "refused", err: err}
}

func unavailable(err error) *fault {
	if err == nil {
		err = authn.ErrUnavailable
	}
	return wrapFault(codeUnavailable, err)
}

func (f *fault) status() int {
	switch f.code {
	case codeInvalidClient, codeInvalidToken:
		return http.StatusUnauthorized
	case codeInsufficientScope:
		return http.StatusForbidden
	case codeUnavailable:
		return http.StatusServiceUnavailable
	case codeServerError:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// describe returns the fixed text of an error code, or of one of our finer reasons. Fixed and ASCII, so that nothing
// that was sent comes back (RFC 6749 §5.2 names the allowed characters).
func describe(reason string) string {
	if t := describeRequest(reason); t != "" {
		return t
	}
	switch reason {
	case codeInvalidClient:
		return "Client authentication failed."
	case codeInvalidGrant:
		return "The code or token is not valid, has expired, was used before, or belongs to another client."
	case codeInvalidToken:
		return "The access token is not valid or has expired."
	case codeInsufficientScope:
		return "The access token does not have the scope openid."
	case codeUnauthorizedClient:
		return "The client is not allowed to do this."
	case codeUnsupportedGrant:
		return "The grant type is not supported."
	case codeUnsupportedToken:
		return "This kind of token cannot be revoked; it ends within minutes."
	case codeUnavailable:
		return "The service is not available at the moment. Try again."
	case "login_required":
		return "The person must sign in."
	case "interaction_required":
		return "The person must do something."
	case "consent_required":
		return "The person must give consent."
	case "account_selection_required":
		return "The person must choose an account."
	case "access_denied":
		return "Access was denied."
	case "unmet_authentication_requirements":
		return "The requested authentication class cannot be reached."
	default:
		return "The server could not complete the request."
	}
}

// describeRequest holds the texts of requests that are not valid.
func describeRequest(reason string) string {
	switch reason {
	case codeInvalidRequest:
		return "The request is not valid."
	case codeInvalidScope:
		return "The scope is missing, unknown, or more than was granted."
	case codeUnsupportedType:
		return "The response type is not supported, or not registered for this client."
	case "registration_not_supported":
		return "The parameter registration is not supported."
	case reasonDuplicate:
		return "A parameter is given more than once."
	case reasonCharacters:
		return "A parameter has characters that are not allowed."
	case reasonLength:
		return "A parameter is too long."
	case reasonTypeMissing:
		return "The parameter response_type is missing."
	case reasonMode:
		return "The response mode is unknown, or would put tokens into the query."
	case reasonNonce:
		return "The parameter nonce is missing: this response type needs it."
	case reasonChallengeMissing:
		return "The parameter code_challenge is missing: this client must use PKCE."
	case reasonChallenge:
		return "PKCE needs code_challenge_method S256 and a code_challenge of 43 characters."
	case reasonPrompt:
		return "The parameter prompt has an unknown value, or none with another one."
	case reasonMaxAge:
		return "The parameter max_age must be a whole number of seconds."
	case reasonHint:
		return "The parameter id_token_hint is not valid for this client."
	case reasonClaims:
		return "The parameter claims must be a JSON object as in OpenID Connect Core 5.5, of at most 16 KiB."
	case reasonMethod:
		return "Use POST."
	case reasonForm:
		return "Send application/x-www-form-urlencoded in UTF-8."
	case reasonMissing:
		return "A required parameter is missing."
	default:
		return describeObject(reason)
	}
}

// describeObject holds the texts of signed and pushed requests that are not valid.
func describeObject(reason string) string {
	switch reason {
	case codeNoRequest:
		return "The parameter request is not supported for a client without registered keys."
	case codeNoRequestURI:
		return "The parameter request_uri is not supported for a client without registered keys and request_uris."
	case codeInvalidObject:
		return "The request object is not signed by the client for this server, has expired, or is not well formed."
	case codeInvalidRequestURI:
		return "The parameter request_uri is not registered, has expired, or leads to no request object."
	case reasonUnsigned:
		return "The request object is missing: this client must sign its requests."
	case reasonUnpushed:
		return "This client must push its authorization requests."
	case reasonPushedURI:
		return "A pushed request cannot hold request_uri."
	case reasonTwoRequests:
		return "Send one of the parameters request and request_uri."
	default:
		return describeRegistration(reason)
	}
}

// describeRegistration holds the texts of registrations that cannot be read.
func describeRegistration(reason string) string {
	switch reason {
	case codeStatement:
		return "The software statement is not one that its issuer has signed, or it has expired."
	case codeUnapproved:
		return "The issuer of the software statement is not trusted here."
	case reasonJSON:
		return "Send application/json in UTF-8, not compressed, of at most 64 KiB."
	default:
		return ""
	}
}

// The finer reasons for invalid_request.
const (
	reasonDuplicate        = "duplicate"
	reasonCharacters       = "characters"
	reasonLength           = "length"
	reasonTypeMissing      = "response_type_missing"
	reasonMode             = "response_mode"
	reasonChallengeMissing = "challenge_missing"
	reasonChallenge        = "challenge"
	reasonPrompt           = "prompt"
	reasonMaxAge           = "max_age"
	reasonNonce            = "nonce"
	reasonHint             = "hint"
	reasonClaims           = "claims"
	reasonMethod           = "method"
	reasonForm             = "form"
	reasonJSON             = "json"
	reasonMissing          = "missing"
	reasonUnsigned         = "unsigned"
	reasonTwoRequests      = "two_requests"
	reasonUnpushed         = "unpushed"
	reasonPushedURI        = "pushed_uri"
)

func invalidRequest(reason, detail string) *fault {
	return &fault{code: codeInvalidRequest, reason: reason, detail: detail}
}

// oauthError is the body of RFC 6749 §5.2.
type oauthError struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// noStore keeps what passes here out of caches and out of Referer headers.
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	noStore(w.Header())
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(b)
	return err
}

// writeFault answers a request of a client. A broken connection is nobody's error here.
func (p *Provider) writeFault(w http.ResponseWriter, r *http.Request, f *fault) error {
	level := slog.LevelInfo
	if f.code == codeServerError || f.code == codeUnavailable {
		level = slog.LevelError
	}
	p.cfg.Log.LogAttrs(r.Context(), level, "protocol request refused",
		slog.String("path", r.URL.Path), slog.String("error", f.code), slog.String("reason", f.Error()))
	switch f.code {
	case codeInvalidClient:
		// RFC 6749 §5.2, RFC 9110 §15.5.2: a 401 names the scheme.
		w.Header().Set("WWW-Authenticate", `Basic realm="lychgate", charset="UTF-8"`)
	case codeUnavailable:
		w.Header().Set("Retry-After", "2")
	}
	_ = writeJSON(w, f.status(), oauthError{f.code, f.text()})
	return nil
}
