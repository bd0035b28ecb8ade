// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/token/jwt"

	"github.com/lychgate/lychgate/pkg/grant"
)

// strategy makes and reads tokens for fosite. Handles come from the grant store, which also checks them; signatures
// from our ring.
type strategy struct{ p *Provider }

// Signatures of handles are never a key of anything here, so that one word does for all.
const noSignature = "handle"

// AuthorizeCodeSignature implements oauth2.AuthorizeCodeStrategy.
func (s *strategy) AuthorizeCodeSignature(context.Context, string) string { return noSignature }

// AccessTokenSignature implements oauth2.AccessTokenStrategy.
func (s *strategy) AccessTokenSignature(context.Context, string) string { return noSignature }

// RefreshTokenSignature implements oauth2.RefreshTokenStrategy.
func (s *strategy) RefreshTokenSignature(context.Context, string) string { return noSignature }

// issuedLater stands for what an authorization response carries: the real things are issued once, after fosite has
// agreed to all of them.
const issuedLater = "issued-later"

// GenerateAuthorizeCode returns a placeholder.
func (s *strategy) GenerateAuthorizeCode(context.Context, fosite.Requester) (string, string, error) {
	return issuedLater, noSignature, nil
}

// ValidateAuthorizeCode agrees with the script.
func (s *strategy) ValidateAuthorizeCode(ctx context.Context, _ fosite.Requester, _ string) error {
	return acted(ctx)
}

// GenerateAccessToken returns the token of the unit of work, or a placeholder at the authorization endpoint.
func (s *strategy) GenerateAccessToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	w := workOf(ctx)
	if w.answering {
		w.agreed = append(w.agreed, typeToken)
		return issuedLater, noSignature, nil
	}
	if w.err != nil || !w.done {
		return "", "", errStore
	}
	w.access = w.issued.Access
	if w.client.JWTAccess() {
		var err error
		if w.access, err = s.p.signAccess(w); err != nil {
			return "", "", err
		}
	}
	return w.access, noSignature, nil
}

// credentials asks the store for the access token of a client that acts for itself (RFC 6749 §4.4).
func (s *strategy) credentials(ctx context.Context, w *work) error {
	w.asked = true
	g := grant.Grant{
		ClientID: w.client.ID, Scopes: w.scopes, Audience: w.client.Recipients(), RequestedAt: s.p.now(),
	}
	w.issued, w.err = s.p.cfg.Grants.IssueClient(ctx, g, s.p.access(w.client, w.scopes))
	w.done = w.err == nil
	if w.done && w.issued.Grant.ClientID == "" {
		w.issued.Grant = g
	}
	_, _, err := s.GenerateAccessToken(ctx, nil)
	return err
}

// ValidateAccessToken is never asked.
func (s *strategy) ValidateAccessToken(context.Context, fosite.Requester, string) error {
	return fosite.ErrInactiveToken
}

// GenerateRefreshToken returns the handle that the script derived.
func (s *strategy) GenerateRefreshToken(ctx context.Context, _ fosite.Requester) (string, string, error) {
	if err := acted(ctx); err != nil {
		return "", "", err
	}
	return workOf(ctx).issued.Refresh, noSignature, nil
}

// ValidateRefreshToken agrees with the script.
func (s *strategy) ValidateRefreshToken(ctx context.Context, _ fosite.Requester, _ string) error {
	return acted(ctx)
}

// GenerateIDToken implements openid.OpenIDConnectTokenStrategy with claims from the grant alone.
func (s *strategy) GenerateIDToken(ctx context.Context, _ time.Duration, _ fosite.Requester) (string, error) {
	w := workOf(ctx)
	if w.answering {
		w.agreed = append(w.agreed, typeIDToken)
		return issuedLater, nil
	}
	if err := acted(ctx); err != nil {
		return "", err
	}
	var err error
	w.idToken, err = s.p.signID(w, bound{access: w.access})
	return w.idToken, err
}

// session implements openid.Session without reflection and without claims that anybody would read: tokens are made
// from the unit of work.
type session struct {
	claims  jwt.IDTokenClaims
	headers jwt.Headers
	expires [4]expiry
	n       int
}

type expiry struct {
	key fosite.TokenType
	at  time.Time
}

// gateSession is the session of an answer. fosite compares the three times with each other, and auth_time with a
// clock of its own; counted from a fixed day, the comparisons are the same and no clock is asked.
func gateSession(w *work) *session {
	base := time.Unix(1<<30, 0).UTC()
	s := &session{}
	s.claims.Subject = w.subject
	s.claims.RequestedAt = base
	s.claims.AuthTime = base.Add(w.authTime.Sub(w.requested))
	return s
}

// tokenSession is the session of a redeemed grant.
func tokenSession(w *work) *session {
	s := &session{}
	s.claims.Subject = w.issued.Grant.Subject
	return s
}

// IDTokenClaims implements openid.Session.
func (s *session) IDTokenClaims() *jwt.IDTokenClaims { return &s.claims }

// IDTokenHeaders implements openid.Session.
func (s *session) IDTokenHeaders() *jwt.Headers { return &s.headers }

// SetExpiresAt implements fosite.Session. Expiry is the store's; this is only given back.
func (s *session) SetExpiresAt(key fosite.TokenType, at time.Time) {
	for i := range s.n {
		if s.expires[i].key == key {
			s.expires[i].at = at
			return
		}
	}
	if s.n < len(s.expires) {
		s.expires[s.n] = expiry{key, at}
		s.n++
	}
}

// GetExpiresAt implements fosite.Session.
func (s *session) GetExpiresAt(key fosite.TokenType) time.Time {
	for i := range s.n {
		if s.expires[i].key == key {
			return s.expires[i].at
		}
	}
	return time.Time{}
}

// GetUsername implements fosite.Session.
func (s *session) GetUsername() string { return "" }

// GetSubject implements fosite.Session.
func (s *session) GetSubject() string { return s.claims.Subject }

// Clone implements fosite.Session.
func (s *session) Clone() fosite.Session {
	c := *s
	return &c
}
