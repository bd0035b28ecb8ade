// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// Sources reads what clients have registered the address of. pkg/outgoing is one.
type Sources interface {
	// Get returns a document that is at most minutes old, or the last one while its source is away.
	Get(ctx context.Context, url string) ([]byte, error)
	// Refetch is Get for a document that seems out of date: fetched anew, at most once a minute.
	Refetch(ctx context.Context, url string) ([]byte, error)
	// Fetch returns the document as it is now.
	Fetch(ctx context.Context, url string) ([]byte, error)
}

// noSources is for a provider that fetches nothing.
type noSources struct{}

var errNoSources = errors.New("nothing is fetched here")

// Get implements Sources.
func (noSources) Get(context.Context, string) ([]byte, error) { return nil, errNoSources }

// Refetch implements Sources.
func (noSources) Refetch(context.Context, string) ([]byte, error) { return nil, errNoSources }

// Fetch implements Sources.
func (noSources) Fetch(context.Context, string) ([]byte, error) { return nil, errNoSources }

// errKeySource is a key set that cannot be had now; the client may try again.
var errKeySource = errors.New("the keys of the client cannot be had")

// signedBy says whether one of c's keys made the signature of f. A kid that the keys of jwks_uri do not hold has them
// fetched anew, at most once a minute, so that a client can change its keys without telling us (OIDC Core §10.1.1). The
// error is errKeySource.
func (p *Provider) signedBy(ctx context.Context, c *client.Client, f *foreign) (bool, error) {
	if len(c.Keys) > 0 || c.KeysURI == "" {
		return f.verifiedByOne(p.parsed.set(c.Keys)), nil
	}
	raw, err := p.cfg.Sources.Get(ctx, c.KeysURI)
	if err != nil {
		return false, fmt.Errorf("%w: %w", errKeySource, err)
	}
	set := p.parsed.set(raw)
	if f.verifiedByOne(set) {
		return true, nil
	}
	if f.kid != "" && holds(set, f.kid) {
		// The key is known and did not sign this: asking again would change nothing but the load.
		return false, nil
	}
	if raw, err = p.cfg.Sources.Refetch(ctx, c.KeysURI); err != nil {
		return false, fmt.Errorf("%w: %w", errKeySource, err)
	}
	return f.verifiedByOne(p.parsed.set(raw)), nil
}

func holds(set []jose.JSONWebKey, kid string) bool {
	for _, k := range set {
		if k.KeyID == kid {
			return true
		}
	}
	return false
}

// verifiedByOne tries every key that may be meant (RFC 7515 §4.1.4, RFC 7517 §4): its kid is the header's where the
// header names one, and use, alg, kind and curve are those of the algorithm.
func (f *foreign) verifiedByOne(set []jose.JSONWebKey) bool {
	for _, k := range set {
		if f.kid != "" && k.KeyID != f.kid {
			continue
		}
		if (k.Use == "" || k.Use == "sig") && (k.Algorithm == "" || k.Algorithm == f.alg) && fits(k.Key, f.alg) && f.verifiedBy(k.Key) {
			return true
		}
	}
	return false
}

// fits says whether a key is of the kind that alg signs with (RFC 7518 §3.1).
func fits(key any, alg string) bool {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return alg == "RS256" || alg == "PS256"
	case *ecdsa.PublicKey:
		return (alg == "ES256" && k.Curve == elliptic.P256()) || (alg == "ES384" && k.Curve == elliptic.P384())
	case ed25519.PublicKey:
		return alg == "EdDSA"
	default:
		return false
	}
}

// keySets remembers how key sets read, since a client sends the same one thousands of times. It is bounded, and starts
// over when it is full.
type keySets struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte][]jose.JSONWebKey
}

const maxKeySets = 512

// set reads a key set; one that is not good is empty.
func (s *keySets) set(raw []byte) []jose.JSONWebKey {
	if len(raw) == 0 {
		return nil
	}
	sum := sha256.Sum256(raw)
	s.mu.Lock()
	out, ok := s.all[sum]
	s.mu.Unlock()
	if ok {
		return out
	}
	out, err := signingKeys(raw)
	if err != nil {
		out = nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil || len(s.all) >= maxKeySets {
		s.all = map[[sha256.Size]byte][]jose.JSONWebKey{}
	}
	s.all[sum] = out
	return out
}

// signingKeys are the keys of a set that signatures may be checked with. The whole set is looked at first: one private
// key in it spoils it.
func signingKeys(raw []byte) ([]jose.JSONWebKey, error) {
	if err := keys.CheckPublicSet(raw); err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, err
	}
	// The library does not read key_ops (RFC 7517 §4.3).
	set.Keys = slices.DeleteFunc(set.Keys, func(k json.RawMessage) bool {
		var key struct {
			Ops []string `json:"key_ops"`
		}
		return json.Unmarshal(k, &key) != nil || (key.Ops != nil && !slices.Contains(key.Ops, "verify"))
	})
	kept, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	return keys.PublicSet(kept)
}
