// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// Code returns what an authenticator app shows for secret at the given time. The demo uses it for people who have
// no phone at hand; nothing that checks a code does.
func Code(secret []byte, at time.Time) (string, error) {
	key := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
	code, err := hotp.GenerateCodeCustom(key, uint64(at.Unix()/period), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // a time after 1970
	if err != nil {
		return "", fmt.Errorf("make code: %w", err)
	}
	return code, nil
}
