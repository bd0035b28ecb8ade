// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Algs are the algorithms a ring has keys for, the default first.
func Algs() []string { return []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"} }

const recordVersion = 1

// record is the ring as the store keeps it, sealed. Unknown fields of a later version are skipped.
type record struct {
	V    int      `json:"v"`
	Keys []stored `json:"keys"`
}

type stored struct {
	ID    string `json:"kid"`
	Alg   string `json:"alg"`
	State State  `json:"state"`
	// Times are Unix seconds; 0 is none.
	Made      int64  `json:"made"`
	Activated int64  `json:"activated,omitempty"`
	Retire    int64  `json:"retire,omitempty"`
	PKCS8     []byte `json:"pkcs8"`
}

func encode(ring []Key) ([]byte, error) {
	r := record{V: recordVersion}
	for _, k := range ring {
		der, err := x509.MarshalPKCS8PrivateKey(k.Signer)
		if err != nil {
			return nil, fmt.Errorf("encode key %s: %w", k.ID, err)
		}
		r.Keys = append(r.Keys, stored{k.ID, k.Alg, k.State, seconds(k.Made), seconds(k.Activated), seconds(k.Retire), der})
	}
	return json.Marshal(r)
}

// decode refuses a ring with a key that it cannot use: half a ring would sign, and not verify.
func decode(b []byte) ([]Key, error) {
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("decode key ring: %w", err)
	}
	if r.V != recordVersion || len(r.Keys) == 0 {
		return nil, errors.New("decode key ring: unknown version, or no keys")
	}
	ring := make([]Key, 0, len(r.Keys))
	for _, s := range r.Keys {
		priv, err := x509.ParsePKCS8PrivateKey(s.PKCS8)
		if err != nil {
			return nil, fmt.Errorf("decode key %s: %w", s.ID, err)
		}
		signer, ok := priv.(crypto.Signer)
		if !ok || !fits(signer, s.Alg) {
			return nil, fmt.Errorf("decode key %s: not a key for %s", s.ID, s.Alg)
		}
		if s.State != Next && s.State != Active && s.State != Retired {
			return nil, fmt.Errorf("decode key %s: unknown state", s.ID)
		}
		ring = append(ring, Key{
			ID: s.ID, Alg: s.Alg, State: s.State, Signer: signer,
			Made: when(s.Made), Activated: when(s.Activated), Retire: when(s.Retire),
		})
	}
	return ring, nil
}

func seconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

func when(s int64) time.Time {
	if s == 0 {
		return time.Time{}
	}
	return time.Unix(s, 0).UTC()
}

// fits says whether a key may sign with alg.
func fits(s crypto.Signer, alg string) bool {
	switch k := s.Public().(type) {
	case *rsa.PublicKey:
		return (alg == "RS256" || alg == "PS256") && k.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return (alg == "ES256" && k.Curve == elliptic.P256()) || (alg == "ES384" && k.Curve == elliptic.P384())
	case ed25519.PublicKey:
		return alg == "EdDSA"
	default:
		return false
	}
}

// generate makes a new key; its id is the thumbprint of RFC 7638, which no other key has.
func generate(alg string, now time.Time) (Key, error) {
	var signer crypto.Signer
	var err error
	switch alg {
	case "RS256", "PS256":
		signer, err = rsa.GenerateKey(rand.Reader, 2048)
	case "ES256":
		signer, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "ES384":
		signer, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "EdDSA":
		_, signer, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = errors.New("unknown algorithm")
	}
	if err != nil {
		return Key{}, fmt.Errorf("make a key for %s: %w", alg, err)
	}
	sum, err := (&jose.JSONWebKey{Key: signer.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return Key{}, fmt.Errorf("make a key for %s: %w", alg, err)
	}
	id := base64.RawURLEncoding.EncodeToString(sum)
	return Key{ID: id, Alg: alg, State: Next, Made: now, Signer: signer}, nil
}
