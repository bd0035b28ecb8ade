// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
)

// TagSize is the number of bytes that a tag takes in a handle; the low 7 bits of the last are zero.
const TagSize = 9

// tagLen is 65 bits of base32.
const tagLen = 13

var errBadTag = errors.New("a tag has 13 characters of a-z and 2-7")

const tagAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// Index hides names behind keyed hashes.
type Index struct{ key []byte }

// NewIndex takes the index key, at least 32 bytes.
func NewIndex(key []byte) (Index, error) {
	if len(key) < KeySize {
		return Index{}, fmt.Errorf("the index key needs at least %d bytes", KeySize)
	}
	return Index{key: append([]byte(nil), key...)}, nil
}

// LogValue keeps the key out of the logs.
func (x Index) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps the key out of texts.
func (x Index) String() string { return "[redacted]" }

// GoString keeps the key out of %#v.
func (x Index) GoString() string { return "[redacted]" }

// Hash returns 22 characters of base64url that stand for parts under label. Different labels and different
// divisions into parts give unrelated hashes.
func (x Index) Hash(label string, parts ...string) string {
	sum := x.sum(label, parts)
	return Encode(sum[:16])
}

// HashTag is Hash in the form of a tag.
func (x Index) HashTag(label string, parts ...string) string {
	sum := x.sum(label, parts)
	return tagText(sum[:TagSize])
}

// Tag returns the tag of an account: the first 13 characters of lower-case base32 of HMAC-SHA-256(key, id).
func (x Index) Tag(id string) string {
	m := hmac.New(sha256.New, x.key)
	m.Write([]byte(id))
	return tagText(m.Sum(nil)[:TagSize])
}

// sum starts with a zero byte, which no account id does, so that no hash is the tag of an account.
func (x Index) sum(label string, parts []string) [sha256.Size]byte {
	m := hmac.New(sha256.New, x.key)
	b := append([]byte{0}, label...)
	for _, p := range parts {
		b = binary.AppendUvarint(append(b, 0), uint64(len(p)))
		b = append(b, p...)
	}
	m.Write(b)
	return [sha256.Size]byte(m.Sum(nil))
}

// tagText writes the first 65 bits of 9 bytes in base32.
func tagText(b []byte) string {
	var out [tagLen]byte
	hi := binary.BigEndian.Uint64(b[:8])
	for i := range out[:tagLen-1] {
		out[i] = tagAlphabet[hi>>(59-5*i)&31]
	}
	// 60 bits are written; the last character takes 4 of the first 8 bytes and one of the ninth.
	out[tagLen-1] = tagAlphabet[hi&15<<1|uint64(b[8]>>7)]
	return string(out[:])
}

// TagText writes the tag that PackTag packed, or any 9 bytes as a tag.
func TagText(b []byte) (string, error) {
	if len(b) != TagSize {
		return "", ErrForged
	}
	return tagText(b), nil
}

// PackTag packs a tag into 9 bytes; the low 7 bits of the last are zero.
func PackTag(tag string) ([]byte, error) {
	if len(tag) != tagLen {
		return nil, errBadTag
	}
	var hi, last uint64
	for i := range tagLen {
		v := strings.IndexByte(tagAlphabet, tag[i])
		if v < 0 {
			return nil, errBadTag
		}
		last = uint64(v)
		if i < tagLen-1 {
			hi = hi<<5 | last
		}
	}
	hi = hi<<4 | last>>1
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, 64), hi), byte(last&1)<<7), nil
}

// Digest is how a client or device secret is kept: hex of HMAC-SHA-256 with the pepper.
func Digest(pepper []byte, secret string) string {
	m := hmac.New(sha256.New, pepper)
	m.Write([]byte(secret))
	return hex.EncodeToString(m.Sum(nil))
}

// Pairwise is the subject that the clients of a sector see of an account (OIDC Core §8.1): base64url of HMAC-SHA-256 of
// sector, a zero byte and the account's id. The key never changes, so neither does the subject.
func Pairwise(key []byte, sector, accountID string) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(sector))
	m.Write([]byte{0})
	m.Write([]byte(accountID))
	return Encode(m.Sum(nil))
}

// DigestEqual says in constant time whether digest is that of secret. An empty secret or digest is never equal.
func DigestEqual(pepper []byte, secret, digest string) bool {
	if secret == "" || digest == "" {
		return false
	}
	return hmac.Equal([]byte(Digest(pepper, secret)), []byte(digest))
}

// Fingerprint names a key without revealing it: 16 hex digits.
func Fingerprint(key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write([]byte("\x00lychgate fingerprint"))
	return hex.EncodeToString(m.Sum(nil)[:8])
}
