// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// Bounds of a bcrypt record (decisions.md, Passwords).
const (
	minBcryptCost = 4
	maxBcryptCost = 13
	// bcryptLimit is where bcrypt stops reading a password.
	bcryptLimit = 72
	bcryptSize  = 60
	// bcryptMemory is what one hash takes, in KiB.
	bcryptMemory = 4
)

var errBcrypt = errors.New("not a record of bcrypt within the bounds: $2a$, $2b$ or $2y$, a cost of 04 to 13, and 53 characters")

// bcryptRecord is a parsed record of bcrypt. Versions a, b and y are one for passwords of up to 72 bytes without a NUL.
type bcryptRecord struct {
	text string
	cost uint8
}

func parseBcrypt(text string) (stored, error) {
	if len(text) != bcryptSize || text[6] != '$' {
		return nil, errBcrypt
	}
	switch text[:4] {
	case "$2a$", "$2b$", "$2y$":
	default:
		return nil, errBcrypt
	}
	cost, err := strconv.ParseUint(text[4:6], 10, 8)
	if err != nil || cost < minBcryptCost || cost > maxBcryptCost {
		return nil, errBcrypt
	}
	if strings.ContainsFunc(text[7:], func(r rune) bool {
		return (r < '.' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) {
		return nil, errBcrypt
	}
	return bcryptRecord{text: text, cost: uint8(cost)}, nil
}

func (r bcryptRecord) costs() (memoryKiB, passes uint32, threads uint8) {
	return bcryptMemory, 1 << r.cost, 1
}

func (r bcryptRecord) fits(secret []byte) bool {
	refused := ambiguous(secret, bcryptLimit)
	if len(secret) > bcryptLimit {
		secret = secret[:bcryptLimit]
	}
	return bcrypt.CompareHashAndPassword([]byte(r.text), secret) == nil && !refused
}

func (bcryptRecord) current(HashConfig) bool { return false }
