// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"strings"

	"golang.org/x/text/secure/precis"
)

// maxName bounds a name in bytes, before and after it is made canonical: some characters grow in lower case.
const maxName = 256

var errName = errors.New("not a sign-in name: 1 to 256 bytes of letters, digits and signs, no spaces")

// Canonical returns the form in which a sign-in name is compared and stored: UsernameCaseMapped (RFC 8265 §3.3),
// so that A.Example@example.com and a.example@example.com are one account. Spaces around it are left out: phones
// add one after a suggested word. Names that look alike in two scripts stay two names.
func Canonical(name string) (string, error) {
	if len(name) > maxName {
		return "", errName
	}
	name = strings.TrimSpace(name)
	if name == "" { // precis would take it
		return "", errName
	}
	canonical, err := precis.UsernameCaseMapped.String(name)
	if err != nil || canonical == "" || len(canonical) > maxName {
		return "", errName
	}
	// A canonical name must be its own canonical name, or it could never be found again.
	again, err := precis.UsernameCaseMapped.String(canonical)
	if err != nil || again != canonical {
		return "", errName
	}
	return canonical, nil
}
