// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import "time"

// Code returns what an authenticator app shows for secret at the given time. The demo uses it for people who have
// no phone at hand; nothing that checks a code does.
func Code(secret []byte, at time.Time) (string, error) {
	return codeOf(secret, uint64(stepAt(at))) //nolint:gosec // a time after 1970
}
