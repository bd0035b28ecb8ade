// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// recordVersion is the first byte of every sealed record.
const recordVersion = 1

// maxRecord bounds what is decoded as JSON.
const maxRecord = 256 << 10

// seal seals a record for one place. place is the full key name, with the field where the key is a hash, so that a
// payload opens nowhere else.
func (s *Store) seal(purpose, place string, plain []byte) (string, error) {
	b, err := s.cfg.Ring.Seal(s.cfg.Now(), purpose, plain, []byte(place))
	if err != nil {
		return "", fmt.Errorf("seal %s: %w", purpose, err)
	}
	return string(b), nil
}

// open opens what seal sealed for the same place. Whatever does not open is a lost record.
func (s *Store) open(purpose, place, sealed string) ([]byte, error) {
	b, err := s.cfg.Ring.Open(purpose, []byte(sealed), []byte(place))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w: %w", purpose, authn.ErrLost, err)
	}
	return b, nil
}

// field is the place of a sealed field of a hash.
func field(key, name string) string { return key + "#" + name }

// sealJSON seals v as JSON behind a version byte.
func (s *Store) sealJSON(purpose, place string, v any) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode %s: %w", purpose, err)
	}
	return s.seal(purpose, place, append([]byte{recordVersion}, b...))
}

// openJSON opens what sealJSON sealed.
func (s *Store) openJSON(purpose, place, sealed string, v any) error {
	b, err := s.open(purpose, place, sealed)
	if err != nil {
		return err
	}
	return decodeJSON(purpose, b, v)
}

func decodeJSON(purpose string, b []byte, v any) error {
	if len(b) == 0 || b[0] != recordVersion || len(b) > maxRecord {
		return fmt.Errorf("decode %s: %w", purpose, authn.ErrLost)
	}
	if err := json.Unmarshal(b[1:], v); err != nil {
		return fmt.Errorf("decode %s: %w", purpose, authn.ErrLost)
	}
	return nil
}

// random returns n random bytes.
func (s *Store) random(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.cfg.Rand, b); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	return b, nil
}

// randomText returns n random characters of alphabet, whose length must divide 256.
func (s *Store) randomText(n int, alphabet string) (string, error) {
	b, err := s.random(n)
	if err != nil {
		return "", err
	}
	for i, v := range b {
		b[i] = alphabet[int(v)%len(alphabet)]
	}
	return string(b), nil
}

// lowerBase32 is the alphabet of ids and tickets.
const lowerBase32 = "abcdefghijklmnopqrstuvwxyz234567"

// tagOf reads the tag at the start of a handle's payload.
func tagOf(payload []byte) (string, error) {
	tag, err := seal.TagText(payload[:seal.TagSize])
	if err != nil {
		return "", fmt.Errorf("read tag: %w", err)
	}
	return tag, nil
}
