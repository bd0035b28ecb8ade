// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// snapshot is a ring made ready to use; nothing in it changes.
type snapshot struct {
	ring   []Key
	active map[string]*activeKey
	verify map[string]Key
	jwks   []byte
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
