// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // as HMAC in PBKDF2 it is not broken, and the record is made new at once
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// maxIterations bounds a PBKDF2 record (decisions.md, Passwords).
const maxIterations = 1_000_000

var errPBKDF2 = errors.New("not a record of PBKDF2 within the bounds: $pbkdf2-sha1$, $pbkdf2-sha256$ or $pbkdf2-sha512$, " +
	"i=1 to i=1000000, a salt of 8 to 64 bytes, a hash of 16 to 64 bytes")

// pbkdf2Record is a parsed record of PBKDF2 (RFC 8018 §5.2).
type pbkdf2Record struct {
	digest     string
	iterations uint32
	salt, tag  []byte
}

// String returns the PHC form, canonical: one record has one form.
func (r pbkdf2Record) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$pbkdf2-%s$i=%d$%s$%s", r.digest, r.iterations, enc.EncodeToString(r.salt), enc.EncodeToString(r.tag))
}

func parsePBKDF2(phc string) (stored, error) {
	parts := strings.Split(phc, "$")
	if len(parts) != 5 {
		return nil, errPBKDF2
	}
	r := pbkdf2Record{digest: strings.TrimPrefix(parts[1], "pbkdf2-")}
	var ok [4]bool
	ok[0] = newHash(r.digest) != nil
	r.iterations, ok[1] = cost(parts[2], "i=", maxIterations)
	r.salt, ok[2] = bytesOf(parts[3], minSalt)
	r.tag, ok[3] = bytesOf(parts[4], minTag)
	// The last test refuses a second spelling of the same record.
	if ok != [4]bool{true, true, true, true} || r.String() != phc {
		return nil, errPBKDF2
	}
	return r, nil
}

// newHash returns the hash function of a record; nil if it is none that is taken.
func newHash(digest string) func() hash.Hash {
	switch digest {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

func (r pbkdf2Record) costs() (memoryKiB, passes uint32, threads uint8) { return 1, r.iterations, 1 }

// fits compares the first block alone. Each further one costs as many iterations again and says nothing more: whoever
// guesses compares the first one too.
func (r pbkdf2Record) fits(secret []byte) bool {
	h := newHash(r.digest)
	tag := r.tag[:min(len(r.tag), h().Size())]
	got, err := pbkdf2.Key(h, string(secret), r.salt, int(r.iterations), len(tag))
	return err == nil && subtle.ConstantTimeCompare(got, tag) == 1 && !ambiguous(secret, maxPassword)
}

func (pbkdf2Record) current(HashConfig) bool { return false }
