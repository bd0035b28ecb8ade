// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strconv"

	"github.com/lychgate/lychgate/pkg/authn"
)

// signing implements keys.Store.
type signing struct{ *Store }

// LoadKeys implements keys.Store.
func (s signing) LoadKeys(ctx context.Context) ([]byte, int64, error) {
	key := s.key.signing()
	out, err := s.do(ctx, hmget(key, "v", "r"), cmd{"hget", s.key.identity(), "keys"})
	if err != nil {
		return nil, 0, fmt.Errorf("load signing keys: %w", err)
	}
	r := list(out[0])
	if r.text(0) == "" && r.text(1) == "" {
		if value(out[1]) == "" {
			return nil, 0, nil
		}
		// In a Cluster the two were read at different moments. The keys are written before it is noted that they
		// were, so only keys that are missing after the note was seen are lost.
		if out, err = s.do(ctx, hmget(key, "v", "r"), cmd{"hget", s.key.identity(), "keys"}); err != nil {
			return nil, 0, fmt.Errorf("load signing keys: %w", err)
		}
		if r = list(out[0]); r.text(0) == "" {
			return nil, 0, fmt.Errorf("signing keys: %w", authn.ErrLost)
		}
	}
	v, err := number(r.text(0))
	if err != nil {
		return nil, 0, fmt.Errorf("load signing keys: %w", err)
	}
	b, err := s.open("signing keys", field(key, "r"), r.text(1))
	if err != nil {
		return nil, 0, fmt.Errorf("load signing keys: %w", err)
	}
	if value(out[1]) == "" {
		// A node died between writing the keys and noting that it did.
		if err := s.noteKeys(ctx); err != nil {
			return nil, 0, fmt.Errorf("load signing keys: %w", err)
		}
	}
	return b, v, nil
}

// SaveKeys implements keys.Store.
func (s signing) SaveKeys(ctx context.Context, record []byte, version int64) error {
	key := s.key.signing()
	if version == 0 {
		have, _, err := s.LoadKeys(ctx)
		if err != nil {
			return err
		}
		if have != nil {
			return fmt.Errorf("save signing keys: %w", authn.ErrConflict)
		}
	}
	sealed, err := s.seal("signing keys", field(key, "r"), record)
	if err != nil {
		return fmt.Errorf("save signing keys: %w", err)
	}
	r, err := s.run(ctx, "keys_save", []string{key}, strconv.FormatInt(version, 10), sealed)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("save signing keys: %w", err)
	}
	if version > 0 {
		return nil
	}
	return s.noteKeys(context.WithoutCancel(ctx))
}

// noteKeys notes in the store's identity, which is another slot, that keys were made.
func (s signing) noteKeys(ctx context.Context) error {
	r, err := s.run(ctx, "keys_made", []string{s.key.identity()})
	if err == nil && r.code() != done {
		err = fmt.Errorf("store identity: %w", authn.ErrLost)
	}
	if err != nil {
		return fmt.Errorf("note signing keys: %w", err)
	}
	return nil
}
