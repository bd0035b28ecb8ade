// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// envelope is how a signed token is encrypted to a client (RFC 7516); the zero value is not at all.
type envelope struct {
	alg, enc string
	key      jose.JSONWebKey
}

// errNoEncryptionKey is a client whose key set has no key that its tokens could be encrypted to.
var errNoEncryptionKey = errors.New("the client has no key for its encryption algorithm")

// envelopeFor finds the client's key for alg; an empty alg needs none. It is called before anything is spent, so that
// a key that cannot be had costs nobody a code. The error is errKeySource or errNoEncryptionKey.
func (p *Provider) envelopeFor(ctx context.Context, c *client.Client, alg, enc string) (envelope, error) {
	if alg == "" {
		return envelope{}, nil
	}
	raw := []byte(c.Keys)
	if len(raw) == 0 {
		var err error
		if raw, err = p.cfg.Sources.Get(ctx, c.KeysURI); err != nil {
			return envelope{}, fmt.Errorf("%w: %w", errKeySource, err)
		}
	}
	set, err := keys.PublicSet(raw)
	if err != nil {
		return envelope{}, fmt.Errorf("%w: %w", errNoEncryptionKey, err)
	}
	for _, k := range set {
		if (k.Use == "" || k.Use == "enc") && (k.Algorithm == "" || k.Algorithm == alg) && encrypts(k.Key, alg) {
			return envelope{alg, enc, k}, nil
		}
	}
	return envelope{}, errNoEncryptionKey
}

// encrypts says whether a key is of the kind that alg encrypts to (RFC 7518 §4.3, §4.6).
func encrypts(key any, alg string) bool {
	switch key.(type) {
	case *rsa.PublicKey:
		return alg == "RSA-OAEP-256"
	case *ecdsa.PublicKey:
		return alg == "ECDH-ES"
	default:
		return false
	}
}

// put encrypts content. Nothing is compressed: a length would tell of what is inside.
func (e envelope) put(content []byte, opts *jose.EncrypterOptions) (string, error) {
	enc, err := jose.NewEncrypter(jose.ContentEncryption(e.enc), jose.Recipient{
		Algorithm: jose.KeyAlgorithm(e.alg), Key: e.key.Key, KeyID: e.key.KeyID,
	}, opts)
	if err != nil {
		return "", fmt.Errorf("encrypt token: %w", err)
	}
	out, err := enc.Encrypt(content)
	if err != nil {
		return "", fmt.Errorf("encrypt token: %w", err)
	}
	return out.CompactSerialize()
}

// seal signs claims with alg and puts them into the envelope; an empty alg does not sign.
func (p *Provider) seal(alg string, typ keys.Typ, claims []byte, e envelope) (string, error) {
	if alg == "" {
		return e.put(claims, (&jose.EncrypterOptions{}).WithType("JWT"))
	}
	token, err := p.cfg.Keys.Sign(alg, typ, claims)
	if err != nil || e.alg == "" {
		return token, err
	}
	// RFC 7519 §5.2: cty says that a JWT is inside.
	return e.put([]byte(token), (&jose.EncrypterOptions{}).WithType("JWT").WithContentType("JWT"))
}
