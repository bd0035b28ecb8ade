// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// recoveryDigest is how a recovery code is kept: 75 random bits under the pepper need no slow hash.
func (s *Store) recoveryDigest(tag, code string) string {
	return seal.Digest(s.cfg.Pepper, "recovery\x00"+tag+"\x00"+code)
}

// recoveryDigests are those of new codes, as the scripts take them.
func (s *Store) recoveryDigests(tag string, codes []string) []any {
	out := make([]any, 0, len(codes))
	for _, c := range codes {
		out = append(out, s.recoveryDigest(tag, c))
	}
	return out
}

// Recover implements authn.GuessStore.
func (s credentials) Recover(ctx context.Context, a authn.Attempt, c authn.Charge, code string) (authn.Evidence, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("spend recovery code: %w", err)
	}
	r, err := s.run(context.WithoutCancel(ctx), "factor_recover", s.factorKeys(ref), s.bindHashes(a.Bind), c.Gen, laneOf(a),
		c.Attempt, s.recoveryDigest(ref.tag, code))
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("spend recovery code: %w", err)
	}
	return authn.Evidence{Method: "recovery", At: millis(r.num(2)), Left: int(r.num(1))}, nil
}
