// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// Overhead is what sealing adds: key id 1, hour 3, nonce 12, tag 16.
const Overhead = header + 12 + 16

const (
	header = 4
	// maxCached bounds the derived keys kept: a few purposes, and the hours that stored records are from.
	maxCached = 512
)

// Ring seals with its first key and opens with any. It is safe for concurrent use.
type Ring struct {
	active byte
	keys   map[byte]Key
	cache  sync.Map // derived → cipher.AEAD
	cached atomic.Int64
}

// derived names one derived key.
type derived struct {
	purpose string
	id      byte
	hour    uint32
}

// NewRing makes a ring; the first key is the active one. Ids must differ.
func NewRing(keys ...Key) (*Ring, error) {
	if len(keys) == 0 {
		return nil, errors.New("a ring needs at least one key")
	}
	r := &Ring{active: keys[0].ID, keys: make(map[byte]Key, len(keys))}
	for _, k := range keys {
		if k.ID == 0 {
			return nil, errors.New("the id of a key is a number from 1 to 255")
		}
		if _, ok := r.keys[k.ID]; ok {
			return nil, fmt.Errorf("key %d is in the ring twice", k.ID)
		}
		r.keys[k.ID] = k
	}
	return r, nil
}

// String keeps the keys out of texts.
func (r *Ring) String() string { return "[redacted]" }

// GoString keeps the keys out of %#v.
func (r *Ring) GoString() string { return "[redacted]" }

// LogValue keeps the keys out of the logs.
func (r *Ring) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Seal encrypts plain for one purpose and binds it to ad, which Open must be given again. now chooses the hour.
func (r *Ring) Seal(now time.Time, purpose string, plain, ad []byte) ([]byte, error) {
	hour := uint32(now.Unix()/3600) & 0xffffff //nolint:gosec // three bytes last until the year 3883
	d := derived{purpose: purpose, id: r.active, hour: hour}
	a, kept := r.kept(d)
	if !kept {
		var err error
		if a, err = r.derive(d); err != nil {
			return nil, err
		}
		r.keep(d, a)
	}
	out := append(make([]byte, 0, Overhead+len(plain)), r.active)
	out = append(out, hourBytes(hour)...)
	return a.Seal(out, nil, plain, ad), nil //nolint:gosec // the AEAD makes its own random nonce and takes none
}

// Open decrypts what Seal made for the same purpose and ad: ErrUnknownKey or ErrForged otherwise.
func (r *Ring) Open(purpose string, sealed, ad []byte) ([]byte, error) {
	if len(sealed) < Overhead {
		return nil, ErrForged
	}
	if _, ok := r.keys[sealed[0]]; !ok {
		return nil, ErrUnknownKey
	}
	d := derived{purpose, sealed[0], uint32(sealed[1])<<16 | uint32(sealed[2])<<8 | uint32(sealed[3])}
	a, kept := r.kept(d)
	if !kept {
		var err error
		if a, err = r.derive(d); err != nil {
			return nil, err
		}
	}
	plain, err := a.Open(nil, nil, sealed[header:], ad)
	if err != nil {
		return nil, ErrForged
	}
	if !kept {
		// Only after it opened: forged hours must not fill the cache.
		r.keep(d, a)
	}
	return plain, nil
}

// kept is a derived key that is in the cache.
func (r *Ring) kept(d derived) (cipher.AEAD, bool) {
	v, ok := r.cache.Load(d)
	if !ok {
		return nil, false
	}
	a, ok := v.(cipher.AEAD)
	return a, ok
}

func (r *Ring) derive(d derived) (cipher.AEAD, error) {
	k := r.keys[d.id]
	info := d.purpose + "\x00" + string(hourBytes(d.hour))
	sub, err := hkdf.Key(sha256.New, k.secret[:], nil, info, KeySize)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	b, err := aes.NewCipher(sub)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	a, err := cipher.NewGCMWithRandomNonce(b)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return a, nil
}

// hourBytes is an hour in three bytes, which last until the year 3883.
func hourBytes(hour uint32) []byte { return binary.BigEndian.AppendUint32(nil, hour)[1:] }

// keep remembers a derived key. A full cache is emptied: the hours in use come back at once.
func (r *Ring) keep(d derived, a cipher.AEAD) {
	if _, there := r.cache.LoadOrStore(d, a); there {
		return
	}
	if r.cached.Add(1) > maxCached {
		r.cache.Clear()
		r.cached.Store(0)
	}
}
