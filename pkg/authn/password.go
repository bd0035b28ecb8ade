// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import "errors"

// Why a password may not be chosen. A page says each in its own words.
var (
	// ErrPasswordShort and ErrPasswordLong are of its length.
	ErrPasswordShort = errors.New("password too short")
	ErrPasswordLong  = errors.New("password too long")
	// ErrPasswordCommon is one of those that are tried first.
	ErrPasswordCommon = errors.New("password too common")
	// ErrPasswordContext is mostly made of names that go with the account.
	ErrPasswordContext = errors.New("password made of names")
)

// PasswordProblem names for a page why a password may not be chosen: short, long, common or context; empty for any other
// error.
func PasswordProblem(err error) string {
	switch {
	case errors.Is(err, ErrPasswordShort):
		return "short"
	case errors.Is(err, ErrPasswordLong):
		return "long"
	case errors.Is(err, ErrPasswordCommon):
		return "common"
	case errors.Is(err, ErrPasswordContext):
		return "context"
	default:
		return ""
	}
}
