// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import "errors"

// Why a password may not be chosen. Compare with errors.Is.
var (
	// ErrPasswordShort and ErrPasswordLong are about its length.
	ErrPasswordShort = errors.New("password too short")
	ErrPasswordLong  = errors.New("password too long")
	// ErrPasswordCommon is one of those that are tried first.
	ErrPasswordCommon = errors.New("password too common")
	// ErrPasswordContext is mostly made of names that go with the account.
	ErrPasswordContext = errors.New("password made of names of the account")
)
