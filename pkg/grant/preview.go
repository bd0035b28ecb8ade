// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"log/slog"
	"time"
)

// Preview is what a client would have received for a sign-in: the tokens taken apart, none of which is in force any
// more. All texts are JSON.
type Preview struct {
	// IDHeader and IDClaims are those of the ID token; empty without the scope openid. Encrypted says that the client
	// would get it encrypted to its own key.
	IDHeader, IDClaims string
	Encrypted          bool
	// AccessClaims are those of an access token that is a JWT, empty for an opaque one; AccessLife is how long it would
	// have lived.
	AccessClaims string
	AccessLife   time.Duration
	Scopes       []string
	// Userinfo and Introspection are what the endpoints answer for the access token.
	Userinfo, Introspection string
}

// LogValue keeps the person out of the logs.
func (p Preview) LogValue() slog.Value { return slog.StringValue("[redacted] preview") }
