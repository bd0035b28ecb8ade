// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// activeKey is a key with the headers of what it signs, encoded once. The compact form is put together here, since a
// library encodes the same header anew for every token.
type activeKey struct {
	key     Key
	headers map[Typ]string
}

// header is that of RFC 7515 §4.1.
type header struct {
	Alg string `json:"alg"`
	KID string `json:"kid"`
	Typ Typ    `json:"typ"`
}

func newActive(k Key) (*activeKey, error) {
	a := &activeKey{key: k, headers: map[Typ]string{}}
	for _, typ := range typs() {
		b, err := json.Marshal(header{k.Alg, k.ID, typ})
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", k.ID, err)
		}
		a.headers[typ] = base64.RawURLEncoding.EncodeToString(b) + "."
	}
	return a, nil
}

// sign returns payload as a compact JWS (RFC 7515 §7.1).
func (a *activeKey) sign(typ Typ, payload []byte) (string, error) {
	head, ok := a.headers[typ]
	if !ok {
		return "", fmt.Errorf("sign %s: unknown type", typ)
	}
	b := make([]byte, 0, len(head)+base64.RawURLEncoding.EncodedLen(len(payload))+longestSignature)
	b = append(b, head...)
	b = base64.RawURLEncoding.AppendEncode(b, payload)
	sig, err := a.signature(b)
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", a.key.Alg, err)
	}
	return string(base64.RawURLEncoding.AppendEncode(append(b, '.'), sig)), nil
}

// longestSignature is that of RSA with 2048 bits, encoded, with its dot.
const longestSignature = 343

// signature signs input by the algorithm of the key (RFC 7518 §3.3 to §3.5; RFC 8037 §3.1). The key may be anywhere: a
// crypto.Signer is all that is asked of it.
func (a *activeKey) signature(input []byte) ([]byte, error) {
	var opts crypto.SignerOpts = crypto.SHA256
	switch a.key.Alg {
	case "EdDSA":
		return a.key.Signer.Sign(rand.Reader, input, crypto.Hash(0))
	case "ES384":
		sum := sha512.Sum384(input)
		sig, err := a.key.Signer.Sign(rand.Reader, sum[:], crypto.SHA384)
		if err != nil {
			return nil, err
		}
		return fixed(sig, 48)
	case "PS256":
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	}
	sum := sha256.Sum256(input)
	sig, err := a.key.Signer.Sign(rand.Reader, sum[:], opts)
	if err != nil || a.key.Alg != "ES256" {
		return sig, err
	}
	return fixed(sig, 32)
}

var errSignature = errors.New("the key made a signature of no known form")

// fixed turns an ECDSA signature from ASN.1 into the two numbers of size bytes of RFC 7518 §3.4.
func fixed(der []byte, size int) ([]byte, error) {
	var r, s big.Int
	var inner cryptobyte.String
	in := cryptobyte.String(der)
	if !in.ReadASN1(&inner, asn1.SEQUENCE) || !in.Empty() || !inner.ReadASN1Integer(&r) || !inner.ReadASN1Integer(&s) ||
		!inner.Empty() || r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 8*size || s.BitLen() > 8*size {
		return nil, errSignature
	}
	out := make([]byte, 2*size)
	r.FillBytes(out[:size])
	s.FillBytes(out[size:])
	return out, nil
}
