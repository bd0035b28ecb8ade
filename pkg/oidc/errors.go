// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"errors"

	"github.com/ory/fosite"
)

// fromFosite keeps the error code and throws the texts away: they reflect what was sent. The hint goes to the log.
func fromFosite(err error) *fault {
	var e *fosite.RFC6749Error
	if !errors.As(err, &e) {
		return wrapFault(codeServerError, err)
	}
	code := e.ErrorField
	switch code {
	case codeInvalidRequest, codeInvalidClient, codeInvalidGrant, codeInvalidScope, codeUnauthorizedClient,
		codeUnsupportedGrant, codeUnsupportedType, "login_required", "consent_required", "interaction_required",
		"access_denied":
	case "unsupported_response_mode", "invalid_state":
		code = codeInvalidRequest
	case "token_inactive", "token_expired", "not_found":
		code = codeInvalidGrant
	default:
		code = codeServerError
	}
	return &fault{code: code, reason: code, detail: e.HintField + " " + e.DebugField, err: err}
}
