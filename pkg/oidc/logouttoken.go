// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/keys"
)

// logoutTokenLife bounds a logout token (decisions.md); Back-Channel Logout 1.0 §2.4 advises two minutes at most.
const logoutTokenLife = 2 * time.Minute

// logoutEvent is the one member of events (Back-Channel Logout 1.0 §2.4).
const logoutEvent = "http://schemas.openid.net/event/backchannel-logout"

// logoutClaims are the claims of a logout token. A nonce is prohibited (§2.4).
type logoutClaims struct {
	Issuer   string                         `json:"iss"`
	Subject  string                         `json:"sub"`
	Audience string                         `json:"aud"`
	Issued   int64                          `json:"iat"`
	Expires  int64                          `json:"exp"`
	ID       string                         `json:"jti"`
	Events   map[string]map[string]struct{} `json:"events"`
	// SID is for clients whose ID tokens have one.
	SID string `json:"sid,omitempty"`
}

// sessionTold is the session to record with an answer: that of a client with an address that is told of its end.
func sessionTold(c *client.Client, f *flow.Flow) string {
	if c.BackchannelURI == "" && c.FrontchannelURI == "" {
		return ""
	}
	return f.Session
}

// LogoutToken makes the logout token that tells a client of the end of an account's session, and returns the address
// that it is for (Back-Channel Logout 1.0 §2.4). It is signed, and encrypted, as the client's ID tokens are. sub is the
// person as the client sees it; sid stands in it if it stands in the client's ID tokens. authn.ErrNotFound for a client
// that is gone, disabled or has no such address.
func (p *Provider) LogoutToken(ctx context.Context, clientID, accountID, sid string) (uri, token string, err error) {
	c, err := p.known(ctx, clientID)
	if err != nil {
		return "", "", err
	}
	if c == nil || c.BackchannelURI == "" {
		return "", "", fmt.Errorf("client to tell: %w", authn.ErrNotFound)
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return "", "", fmt.Errorf("read randomness: %w", err)
	}
	now := p.now()
	claims := logoutClaims{
		Issuer: p.cfg.Issuer, Subject: p.Subject(c, accountID), Audience: c.ID, Issued: now.Unix(),
		Expires: now.Add(logoutTokenLife).Unix(), ID: base64.RawURLEncoding.EncodeToString(id),
		Events: map[string]map[string]struct{}{logoutEvent: {}},
	}
	if c.WantsSID() {
		claims.SID = sid
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return "", "", fmt.Errorf("encode claims: %w", err)
	}
	envelope, err := p.envelopeFor(ctx, c, c.IDTokenKeyAlg, c.IDTokenEnc)
	if err != nil {
		return "", "", fmt.Errorf("logout token: %w", err)
	}
	token, err = p.seal(c.Alg(), keys.TypLogout, b, envelope)
	return c.BackchannelURI, token, err
}
