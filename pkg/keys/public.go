// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// maxPublic bounds the keys of another party that are looked at.
const maxPublic = 20

// PublicSet reads the public keys of another party (RFC 7517 §5): 1 to 20 keys, none of them private or symmetric,
// RSA of 2048 to 8192 bits. Keys of a kind that is not known here are left out, as RFC 7517 §5 says.
func PublicSet(raw []byte) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, errors.New("must be a JSON Web Key Set: an object with the list keys")
	}
	if len(set.Keys) == 0 || len(set.Keys) > maxPublic {
		return nil, fmt.Errorf("must hold 1 to %d keys", maxPublic)
	}
	var out []jose.JSONWebKey
	for i, k := range set.Keys {
		var kind struct {
			Type string `json:"kty"`
		}
		if err := json.Unmarshal(k, &kind); err != nil || kind.Type == "" {
			return nil, fmt.Errorf("entry %d is not a JSON Web Key", i+1)
		}
		if kind.Type != "RSA" && kind.Type != "EC" && kind.Type != "OKP" && kind.Type != "oct" {
			continue
		}
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(k); err != nil {
			if errors.Is(err, jose.ErrUnsupportedKeyType) || kind.Type == "OKP" {
				continue
			}
			return nil, fmt.Errorf("entry %d cannot be read as a key", i+1)
		}
		if problem := publicProblem(key); problem != "" {
			return nil, fmt.Errorf("entry %d %s", i+1, problem)
		}
		out = append(out, key)
	}
	return out, nil
}

// CheckPublicSet says what is wrong with the key set of another party.
func CheckPublicSet(raw []byte) error {
	_, err := PublicSet(raw)
	return err
}

// publicProblem says why a key must not be used; empty if nothing is wrong with it.
func publicProblem(key jose.JSONWebKey) string {
	if !key.Valid() {
		return "is not a valid key"
	}
	if !key.IsPublic() {
		return "is private or symmetric: send public keys alone, and take this one out of use"
	}
	if k, ok := key.Key.(*rsa.PublicKey); ok && (k.N.BitLen() < 2048 || k.N.BitLen() > 8192) {
		return "is an RSA key of another size than 2048 to 8192 bits"
	}
	return ""
}
