// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package keys is the ring of signing keys: made, published before use, rotated, retired.
package keys

import (
	"context"
	"crypto"
	"log/slog"
	"time"
)

// State of a signing key.
type State string

// A key is published as Next for 24 h, signs while Active, and stays in the JWKS as Retired until the last token
// it signed has ended.
const (
	Next    State = "next"
	Active  State = "active"
	Retired State = "retired"
)

// Key is one signing key. There is one Active and at most one Next for each algorithm.
type Key struct {
	// ID is the kid: different for every key, never used again.
	ID string
	// Alg is one of Algs.
	Alg                     string
	State                   State
	Made, Activated, Retire time.Time
	Signer                  crypto.Signer
}

// LogValue keeps the private key out of the logs.
func (k Key) LogValue() slog.Value { return slog.StringValue(k.ID) }

// Store keeps the ring as one sealed record. Every method may answer authn.ErrUnavailable.
type Store interface {
	// LoadKeys returns the record and its version; version 0 and nil: none was ever made. authn.ErrLost if the
	// store was used before and the record is missing: it is never made anew.
	LoadKeys(ctx context.Context) (record []byte, version int64, err error)
	// SaveKeys replaces the record of the given version; authn.ErrConflict if another node was first.
	SaveKeys(ctx context.Context, record []byte, version int64) error
}
