// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/keys"
)

const (
	// maxJWT bounds every JWT that is read, before any of it is decoded.
	maxJWT = 8 << 10
	// hintLife is how long an expired ID token is still taken as a hint (decisions.md).
	hintLife = 30 * 24 * time.Hour
	// skew is what clocks may differ by.
	skew = 10 * time.Second
)

// jwtAlgs is the only list of algorithms there is: no none, nothing symmetric (RFC 8725 §3.1).
func jwtAlgs() []jose.SignatureAlgorithm {
	var out []jose.SignatureAlgorithm
	for _, a := range keys.Algs() {
		out = append(out, jose.SignatureAlgorithm(a))
	}
	return out
}

// ours verifies a compact JWS that this issuer signed as typ, and decodes its claims into v. The key comes from our
// ring by kid and must be for the header's algorithm; jku, jwk and x5u are never looked at (RFC 8725 §3.10).
func (p *Provider) ours(token string, typ keys.Typ, use keys.Use, v any) bool {
	// The library would skip white space inside: the same token in another spelling must not pass.
	if len(token) > maxJWT || strings.Count(token, ".") != 2 || !unreserved(token, "-_.") {
		return false
	}
	jws, err := jose.ParseSignedCompact(token, jwtAlgs())
	if err != nil || len(jws.Signatures) != 1 {
		return false
	}
	h := jws.Signatures[0].Protected
	if t, _ := h.ExtraHeaders[jose.HeaderType].(string); t != string(typ) || h.JSONWebKey != nil {
		return false
	}
	key, ok := p.cfg.Keys.Verify(h.KeyID, h.Algorithm, use)
	if !ok {
		return false
	}
	payload, err := jws.Verify(key)
	if err != nil {
		return false
	}
	return json.Unmarshal(payload, v) == nil
}

// hint is what an id_token_hint says.
type hint struct{ subject, client, sid string }

// readHint accepts an ID token of ours that is in force or ended at most 30 days ago.
func (p *Provider) readHint(token string) (hint, bool) {
	var c struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		SID      string `json:"sid"`
		Expires  int64  `json:"exp"`
		Issued   int64  `json:"iat"`
	}
	if !p.ours(token, keys.TypID, keys.ForHint, &c) {
		return hint{}, false
	}
	now := p.now()
	if c.Issuer != p.cfg.Issuer || c.Subject == "" || c.Audience == "" ||
		now.After(time.Unix(c.Expires, 0).Add(hintLife)) || time.Unix(c.Issued, 0).After(now.Add(skew)) {
		return hint{}, false
	}
	return hint{c.Subject, c.Audience, c.SID}, true
}
