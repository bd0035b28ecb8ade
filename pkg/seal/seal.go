// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package seal keeps what is stored or shown outside from being read, moved or forged.
//
// Records and handles are sealed with AES-256-GCM under keys derived for one purpose and one hour from a ring of
// keys: 2³² random nonces under a single key would be used up in days at full load. Names are hidden behind keyed
// hashes (Index), client and device secrets behind keyed digests (Digest). Nothing in here does I/O.
package seal

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
)

// KeySize is the length of every key in bytes.
const KeySize = 32

// The reasons for which something does not open. None of them says more than that it must be refused.
var (
	// ErrUnknownKey is a record sealed under a key that is not in the ring.
	ErrUnknownKey = errors.New("sealed under an unknown key")
	// ErrForged is a record or handle that is damaged, cut short, moved to another place, or was never ours.
	ErrForged = errors.New("does not open")
)

// Key is one key of the ring. Its id stands in front of everything sealed under it.
type Key struct {
	// ID is 1 to 255.
	ID     byte
	secret [KeySize]byte
}

// ParseKey reads a key in the form that Text writes: "7:" and 32 bytes in standard base64.
func ParseKey(s string) (Key, error) {
	id, secret, ok := strings.Cut(s, ":")
	if !ok {
		return Key{}, errors.New("a key has the form id:base64")
	}
	n, err := strconv.ParseUint(id, 10, 8)
	if err != nil || n == 0 {
		return Key{}, errors.New("the id of a key is a number from 1 to 255")
	}
	b, err := base64.StdEncoding.Strict().DecodeString(secret)
	if err != nil || len(b) != KeySize {
		return Key{}, fmt.Errorf("key %d: want %d bytes of base64", n, KeySize)
	}
	k := Key{ID: byte(n)}
	copy(k.secret[:], b)
	return k, nil
}

// NewKey makes a key of id 1 from r; nil is crypto/rand.
func NewKey(r io.Reader) (Key, error) {
	if r == nil {
		r = rand.Reader
	}
	k := Key{ID: 1}
	if _, err := io.ReadFull(r, k.secret[:]); err != nil {
		return Key{}, fmt.Errorf("make key: %w", err)
	}
	return k, nil
}

// Text is the form for the configuration. It is the secret itself: never log it.
func (k Key) Text() string {
	return strconv.Itoa(int(k.ID)) + ":" + base64.StdEncoding.EncodeToString(k.secret[:])
}

// String keeps the secret out of texts.
func (k Key) String() string { return "[redacted]" }

// GoString keeps the secret out of %#v.
func (k Key) GoString() string { return "[redacted]" }

// LogValue keeps the secret out of the logs.
func (k Key) LogValue() slog.Value { return slog.StringValue("[redacted]") }
