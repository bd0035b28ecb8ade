// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// secretSize is 160 bits, the size of the hash (RFC 4226 §4 R6).
	secretSize = 20
	digits     = 6
	// period is one step in seconds (RFC 6238 §5.2).
	period = 30
	// maxTyped bounds what is read of a form field.
	maxTyped = 64
)

// steps are the accepted ones next to the present one, the likeliest first. One step back for codes that arrive
// late, one ahead for phones that are fast (RFC 6238 §5.2).
func steps() []int64 { return []int64{0, -1, 1} }

// normalise returns the six digits of what a person typed. Apps show codes as 123 456 or 123-456, phones paste spaces
// of many kinds, and keyboards of East Asia type full-width digits.
func normalise(typed string) (string, bool) {
	code, ok := onlyDigits(typed)
	return code, ok && len(code) == digits
}

// onlyDigits returns the digits of what a person typed, however many; false if there is anything else in it.
func onlyDigits(typed string) (string, bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	var b strings.Builder
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), r == '\u2212':
			// A gap between the halves of a code: spaces, dashes, minus, and marks of no width.
		case r >= '０' && r <= '９':
			b.WriteRune(r - '０' + '0')
		default:
			return "", false
		}
	}
	return b.String(), true
}

// match returns the authenticators and steps that code fits, best first. It compares with every step of every
// authenticator whatever it finds, so that its time tells nothing.
func match(c authn.Charge, code string) ([]authn.Match, error) {
	var found []authn.Match
	usable := 0
	for _, offset := range steps() {
		step := stepAt(c.Now) + offset
		for _, cred := range c.Credentials {
			if len(cred.Secret) < secretSize {
				continue
			}
			usable++
			fits, err := equal(cred.Secret, step, code)
			if err != nil {
				return nil, err
			}
			if fits {
				found = append(found, authn.Match{Credential: cred.ID, Step: step})
			}
		}
	}
	if usable == 0 {
		return nil, errShort
	}
	return found, nil
}

// matchOne returns the step of one secret that code fits.
func matchOne(secret []byte, now time.Time, code string) (int64, bool, error) {
	found, err := match(authn.Charge{Now: now, Credentials: []authn.Credential{{Secret: secret}}}, code)
	if err != nil || len(found) == 0 {
		return 0, false, err
	}
	return found[0].Step, true, nil
}

func stepAt(now time.Time) int64 { return now.Unix() / period }

// equal compares code with the one of step, in a time that does not depend on either.
func equal(secret []byte, step int64, code string) (bool, error) {
	if step < 0 {
		return false, nil
	}
	want, err := codeOf(secret, uint64(step))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1, nil
}

// codeOf returns the code of a step. The library's error may quote the secret, so it goes no further.
func codeOf(secret []byte, step uint64) (string, error) {
	code, err := hotp.GenerateCodeCustom(encode(secret), step,
		hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", fmt.Errorf("make code: %w", authn.ErrLost)
	}
	return code, nil
}

// encode writes a secret in Base32 without padding, as apps read it.
func encode(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}

// decode reads a key as an app does.
func decode(key string) ([]byte, error) {
	return base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
}
