// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// idClaims are the claims of an ID token (OIDC Core §2). Claims about the person are at userinfo.
type idClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Expires  int64    `json:"exp"`
	Issued   int64    `json:"iat"`
	AuthTime int64    `json:"auth_time"`
	Nonce    string   `json:"nonce,omitempty"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	// The hashes bind what goes through the browser together (OIDC Core §3.3.2.11; s_hash: FAPI 1.0 part 2 §5.1).
	AccessHash string `json:"at_hash,omitempty"`
	CodeHash   string `json:"c_hash,omitempty"`
	StateHash  string `json:"s_hash,omitempty"`
	// SID is for clients that asked for it with a logout address.
	SID string `json:"sid,omitempty"`
	// Evidence is for clients with that setting.
	Evidence []evidence `json:"lg_evidence,omitempty"`
}

// accessClaims are the claims of an at+jwt (RFC 9068 §2.2).
type accessClaims struct {
	Issuer   string     `json:"iss"`
	Subject  string     `json:"sub"`
	Audience []string   `json:"aud"`
	ClientID string     `json:"client_id"`
	Expires  int64      `json:"exp"`
	Issued   int64      `json:"iat"`
	ID       string     `json:"jti"`
	Scope    string     `json:"scope,omitempty"`
	AuthTime int64      `json:"auth_time,omitempty"`
	ACR      string     `json:"acr,omitempty"`
	AMR      []string   `json:"amr,omitempty"`
	Evidence []evidence `json:"lg_evidence,omitempty"`
}

// bound are the values whose hashes an ID token carries; empty ones are left out.
type bound struct{ access, code, state string }

// signID makes the ID token of a unit of work (OIDC Core §2).
func (p *Provider) signID(unit *work, with bound) (string, error) {
	g, now := unit.issued.Grant, p.now()
	alg := unit.client.Alg()
	c := idClaims{
		Issuer: p.cfg.Issuer, Subject: g.Subject, Audience: g.ClientID,
		Expires: now.Add(unit.client.Lifetimes(p.cfg.Lifetimes.Lifetimes).IDToken).Unix(), Issued: now.Unix(), AuthTime: g.AuthTime.Unix(),
		Nonce: g.Nonce, ACR: g.ACR, AMR: g.AMR, AccessHash: leftHash(alg, with.access),
		CodeHash: leftHash(alg, with.code), StateHash: leftHash(alg, with.state),
	}
	if unit.client.ShowsEvidence() {
		c.Evidence = evidenceOf(g)
	}
	if unit.client.WantsSID() {
		c.SID = g.SID
	}
	b, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	if g.IDClaims != "" {
		// Two JSON objects become one; none of the standard claims is a member of the other.
		b = append(append(b[:len(b)-1], ','), g.IDClaims[1:]...)
	}
	return p.seal(alg, keys.TypID, b, unit.envelope)
}

// signAccess makes the at+jwt for unit. Its jti is the handle by which the store knows the grant.
func (p *Provider) signAccess(unit *work) (string, error) {
	g, now := unit.issued.Grant, p.now()
	c := accessClaims{
		Issuer: p.cfg.Issuer, Subject: subject(g), Audience: g.Audience, ClientID: g.ClientID,
		Expires: now.Add(unit.issued.AccessLife).Unix(), Issued: now.Unix(), ID: unit.issued.Access,
		Scope: strings.Join(unit.granted(), " "), ACR: g.ACR, AMR: g.AMR, Evidence: evidenceOf(g),
	}
	if !g.AuthTime.IsZero() {
		c.AuthTime = g.AuthTime.Unix()
	}
	return p.sign(unit.client.Alg(), keys.TypAccess, c)
}

// subject is the sub of an access token: the person's, or the client's where it acts for itself (RFC 9068 §2.2).
func subject(g grant.Grant) string {
	if g.Subject == "" {
		return g.ClientID
	}
	return g.Subject
}

func (p *Provider) sign(alg string, typ keys.Typ, claims any) (string, error) {
	b, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	return p.cfg.Keys.Sign(alg, typ, b)
}

// leftHash is the left half of the hash that belongs to alg (OIDC Core §3.1.3.6); SHA-512 for EdDSA with Ed25519
// (RFC 8032 §5.1). Nothing has no hash.
func leftHash(alg, value string) string {
	if value == "" {
		return ""
	}
	switch alg {
	case "EdDSA":
		sum := sha512.Sum512([]byte(value))
		return base64.RawURLEncoding.EncodeToString(sum[:32])
	case "ES384":
		sum := sha512.Sum384([]byte(value))
		return base64.RawURLEncoding.EncodeToString(sum[:24])
	default:
		sum := sha256.Sum256([]byte(value))
		return base64.RawURLEncoding.EncodeToString(sum[:16])
	}
}
