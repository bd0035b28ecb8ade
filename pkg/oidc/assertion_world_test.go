// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
)

const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// pair is a key of a client.
type pair struct {
	alg, kid string
	private  any
	public   crypto.PublicKey
}

var madePairs = sync.OnceValue(func() map[string]pair {
	out := map[string]pair{}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	out["RS256"], out["PS256"] = pair{"RS256", "k-RS256", r, r.Public()}, pair{"PS256", "k-PS256", r, r.Public()}
	for a, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		out[a] = pair{a, "k-" + a, k, k.Public()}
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	out["EdDSA"] = pair{"EdDSA", "k-EdDSA", private, public}
	return out
})

// newPair makes another ES256 key.
func newPair(t *testing.T, kid string) pair {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return pair{"ES256", kid, k, k.Public()}
}

// keySetOf is the JSON Web Key Set of pairs.
func keySetOf(t *testing.T, pairs ...pair) json.RawMessage {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for _, p := range pairs {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: p.public, KeyID: p.kid, Use: "sig", Algorithm: p.alg})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign makes a JWS of claims; headers replace those that are usual, nil removes.
func (p pair) sign(t *testing.T, claims any, headers ...any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	opts := &jose.SignerOptions{ExtraHeaders: map[jose.HeaderKey]any{"kid": p.kid}}
	for i := 0; i+1 < len(headers); i += 2 {
		name, _ := headers[i].(string)
		if headers[i+1] == nil {
			delete(opts.ExtraHeaders, jose.HeaderKey(name))
			continue
		}
		opts.ExtraHeaders[jose.HeaderKey(name)] = headers[i+1]
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.alg), Key: p.private}, opts)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var jtis atomic.Int64

// claims are those of a good assertion of id, changed by pairs of name and value; nil removes.
func (w *world) claims(id string, changes ...any) map[string]any {
	now := w.e.Now()
	c := map[string]any{
		"iss": id, "sub": id, "aud": issuer, "jti": fmt.Sprint("id-", jtis.Add(1)), "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
	}
	for i := 0; i+1 < len(changes); i += 2 {
		name, _ := changes[i].(string)
		if changes[i+1] == nil {
			delete(c, name)
			continue
		}
		c[name] = changes[i+1]
	}
	return c
}

// assert sends pairs with a client assertion to a path.
func (w *world) assert(h handler, path, assertion string, pairs ...string) reply {
	w.Helper()
	f := form(append([]string{"client_assertion_type", assertionType, "client_assertion", assertion}, pairs...)...)
	return w.send(h, newPost(path, strings.NewReader(f.Encode())))
}

// machineToken asks for a token for the client itself.
func (w *world) machineToken(assertion string, pairs ...string) reply {
	w.Helper()
	return w.assert(w.p.ServeToken, "/token", assertion, append([]string{"grant_type", "client_credentials"}, pairs...)...)
}

func keyJWT(t *testing.T, pairs ...pair) func(*client.Client) {
	t.Helper()
	return func(c *client.Client) {
		c.AuthMethod, c.Secrets, c.Keys = "private_key_jwt", nil, keySetOf(t, pairs...)
	}
}

func secretJWT(c *client.Client) {
	c.AuthMethod, c.Secrets = "client_secret_jwt", []client.Secret{{Plain: secret}}
}

func hs256(key string) pair { return pair{alg: "HS256", private: []byte(key)} }
