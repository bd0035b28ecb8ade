// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
	"time"
)

// handlePurpose separates the keys of handles from those of records.
const handlePurpose = "handle"

// HandleLen returns the length of a handle with the given prefix and payload size.
func HandleLen(prefix string, payload int) int {
	return len(prefix) + base64.RawURLEncoding.EncodedLen(Overhead+payload)
}

// SealHandle makes a handle for the outside: prefix and sealed payload in base64url. The prefix and the epoch of
// the store are bound to it, so a handle of another kind, or from before a restore, does not open.
func (r *Ring) SealHandle(now time.Time, prefix string, epoch uint64, payload []byte) (string, error) {
	b, err := r.Seal(now, handlePurpose, payload, handleData(prefix, epoch))
	if err != nil {
		return "", err
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// OpenHandle returns the payload of a handle, which must be of exactly size bytes: ErrForged or ErrUnknownKey for
// anything else. There is one way only to write a handle: newline, padding, other alphabets and trailing bits are
// refused.
func (r *Ring) OpenHandle(prefix string, epoch uint64, handle string, size int) ([]byte, error) {
	text, ok := strings.CutPrefix(handle, prefix)
	if !ok {
		return nil, ErrForged
	}
	b, err := Decode(text, Overhead+size)
	if err != nil {
		return nil, err
	}
	return r.Open(handlePurpose, b, handleData(prefix, epoch))
}

// Decode reads exactly size bytes of unpadded base64url and refuses every other spelling of them: ErrForged.
func Decode(text string, size int) ([]byte, error) {
	if len(text) != base64.RawURLEncoding.EncodedLen(size) {
		return nil, ErrForged
	}
	// The standard decoder skips newlines.
	if strings.ContainsAny(text, "\r\n") {
		return nil, ErrForged
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != size {
		return nil, ErrForged
	}
	return b, nil
}

// Encode writes unpadded base64url.
func Encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func handleData(prefix string, epoch uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte(prefix), epoch)
}
