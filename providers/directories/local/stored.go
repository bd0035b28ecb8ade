// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"bytes"
	"crypto/subtle"
	"strings"

	"golang.org/x/crypto/argon2"
)

// stored is a password record of any kind that is taken: argon2id, which is ours, and those that other providers made.
type stored interface {
	// costs are what a hash takes: memory in KiB, passes, threads.
	costs() (memoryKiB, passes uint32, threads uint8)
	// fits says whether the record is one of secret. It does the same work whatever secret is.
	fits(secret []byte) bool
	// current says whether the record is what this hasher would make today.
	current(cfg HashConfig) bool
}

// CheckRecord says whether phc can be imported as a password record: argon2id and PBKDF2 in PHC form, or bcrypt.
func CheckRecord(phc string) error {
	_, err := parseStored(phc)
	return err
}

// parseStored reads a record of any kind, strictly. The error never quotes what it read.
func parseStored(phc string) (stored, error) {
	switch {
	case len(phc) > maxRecord:
		return nil, errRecord
	case strings.HasPrefix(phc, "$2"):
		return parseBcrypt(phc)
	case strings.HasPrefix(phc, "$pbkdf2-"):
		return parsePBKDF2(phc)
	}
	r, err := parse(phc)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (r record) costs() (memoryKiB, passes uint32, threads uint8) {
	return r.memory, r.passes, r.threads
}

func (r record) derive(secret []byte) []byte {
	return argon2.IDKey(secret, r.salt, r.passes, r.memory, r.threads, uint32(len(r.tag))) //nolint:gosec // at most maxTag
}

func (r record) fits(secret []byte) bool {
	return subtle.ConstantTimeCompare(r.derive(secret), r.tag) == 1
}

func (r record) current(cfg HashConfig) bool {
	return r.memory == cfg.MemoryKiB && r.passes == cfg.Passes && r.threads == cfg.Threads &&
		len(r.salt) >= saltSize && len(r.tag) >= tagSize
}

// ambiguous says whether a hash that is no argon2 may take secret for another one: bcrypt reads 72 bytes and ends at a
// NUL, HMAC fills a short key with NULs. Such a password is wrong, and never becomes the new record.
func ambiguous(secret []byte, limit int) bool {
	return len(secret) > limit || bytes.IndexByte(secret, 0) >= 0
}
