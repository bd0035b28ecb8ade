// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// snapshot is a ring made ready to use; nothing in it changes.
type snapshot struct {
	ring   []Key
	active map[string]*activeKey
	verify map[string]Key
	jwks   []byte
}

type activeKey struct {
	key     Key
	signers map[Typ]jose.Signer
}

func newSnapshot(ring []Key, now time.Time) (*snapshot, error) {
	s := &snapshot{ring: ring, active: map[string]*activeKey{}, verify: map[string]Key{}}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range ring {
		if _, twice := s.verify[k.ID]; twice {
			return nil, fmt.Errorf("key ring: kid %s twice", k.ID)
		}
		s.verify[k.ID] = k
		if k.State != Retired || !now.After(k.Retire) {
			set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.Signer.Public(), KeyID: k.ID, Use: "sig", Algorithm: k.Alg})
		}
		if k.State != Active {
			continue
		}
		a, err := newActive(k)
		if err != nil {
			return nil, err
		}
		s.active[k.Alg] = a
	}
	var err error
	if s.jwks, err = json.Marshal(set); err != nil {
		return nil, fmt.Errorf("key ring: %w", err)
	}
	return s, nil
}

func newActive(k Key) (*activeKey, error) {
	a := &activeKey{key: k, signers: map[Typ]jose.Signer{}}
	for _, typ := range typs() {
		opts := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", k.ID)
		j, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(k.Alg), Key: joseKey(k.Signer)}, opts)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		a.signers[typ] = j
	}
	return a, nil
}

// joseKey hands go-jose its own kinds of keys as they are, and anything else (a key service, a faster library) as
// an opaque signer.
func joseKey(s crypto.Signer) any {
	switch s.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey:
		return s
	default:
		return cryptosigner.Opaque(s)
	}
}
