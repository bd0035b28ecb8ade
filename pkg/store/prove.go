// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
)

// asking is where the challenge of a kind is sealed.
func asking(ref flowRef, kind string) string { return field(ref.key, "q:"+kind) }

// Ask implements authn.KeyStore.
func (s credentials) Ask(ctx context.Context, a authn.Attempt, challenge []byte) (authn.Asked, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Asked{}, fmt.Errorf("ask: %w", err)
	}
	sealed, err := s.seal("challenge", asking(ref, a.Kind), challenge)
	if err != nil {
		return authn.Asked{}, fmt.Errorf("ask: %w", err)
	}
	q, err := s.asked(ctx, a, ref, sealed)
	if err != nil {
		return authn.Asked{}, fmt.Errorf("ask: %w", err)
	}
	return q, nil
}

// Asked implements authn.KeyStore.
func (s credentials) Asked(ctx context.Context, a authn.Attempt) (authn.Asked, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Asked{}, fmt.Errorf("read challenge: %w", err)
	}
	q, err := s.asked(ctx, a, ref, "")
	if err != nil {
		return authn.Asked{}, fmt.Errorf("read challenge: %w", err)
	}
	return q, nil
}

// asked stores a challenge, or reads the one there is.
func (s credentials) asked(ctx context.Context, a authn.Attempt, ref flowRef, sealed string) (authn.Asked, error) {
	r, err := s.run(ctx, "factor_ask", s.factorKeys(ref), s.bindHashes(a.Bind), a.Kind, sealed)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return authn.Asked{}, err
	}
	q := authn.Asked{Now: millis(r.num(1))}
	if q.Gen, err = number(r.text(2)); err != nil {
		return authn.Asked{}, err
	}
	if q.Challenge, err = s.open("challenge", asking(ref, a.Kind), r.text(3)); err != nil {
		return authn.Asked{}, err
	}
	for i := 4; i+1 < len(r); i += 2 {
		secret, err := s.openCredential(ref.tag, r.text(i), r.text(i+1))
		if err != nil {
			return authn.Asked{}, err
		}
		q.Credentials = append(q.Credentials, authn.Credential{ID: r.text(i), Secret: secret})
	}
	q.Sealed = r.text(3)
	return q, nil
}

// Prove implements authn.KeyStore.
func (s credentials) Prove(ctx context.Context, a authn.Attempt, n authn.Answer) (authn.Evidence, error) {
	ref, err := s.place(a)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("prove: %w", err)
	}
	sealed, err := s.sealCredential(ref.tag, n.Credential, n.Secret)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("prove: %w", err)
	}
	r, err := s.run(context.WithoutCancel(ctx), "factor_prove", s.factorKeys(ref), s.bindHashes(a.Bind), n.Asked.Gen, a.Kind,
		n.Asked.Sealed, n.Credential, sealed, n.Method)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("prove: %w", err)
	}
	return authn.Evidence{Method: n.Method, At: millis(r.num(1))}, nil
}
