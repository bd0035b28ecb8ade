// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the algorithm of RFC 6238, as apps have it
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
)

// algorithm is a hash that an app may use instead of the one of the QR code.
type algorithm string

const (
	algorithmSHA1   algorithm = "SHA-1"
	algorithmSHA256 algorithm = "SHA-256"
	algorithmSHA512 algorithm = "SHA-512"
)

func algorithms() []algorithm { return []algorithm{algorithmSHA1, algorithmSHA256, algorithmSHA512} }

func (a algorithm) hash() func() hash.Hash {
	switch a {
	case algorithmSHA256:
		return sha256.New
	case algorithmSHA512:
		return sha512.New
	default:
		return sha1.New
	}
}

// keyed is the function of RFC 4226 §5.3 with one key.
func (a algorithm) keyed(secret []byte) hash.Hash { return hmac.New(a.hash(), secret) }

// truncated is the number that a code is the last digits of. The library makes codes of a fixed number of digits only;
// the doctor has the number of those that were typed. No code that signs anybody in is checked with it.
func truncated(keyed hash.Hash, step uint64) uint32 {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], step)
	keyed.Reset()
	keyed.Write(counter[:])
	var room [sha512.Size]byte
	sum := keyed.Sum(room[:0])
	at := sum[len(sum)-1] & 0x0f
	return binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
}
