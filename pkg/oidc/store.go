// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/url"
	"time"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/openid"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
)

// store is what fosite takes for its storage. The first read of a request asks the grant store, once; all that
// follows is answered from the unit of work, and what fosite wants to write is written already.
type store struct{ p *Provider }

// GetClient implements fosite.ClientManager. The client was found and its address matched at the edge.
func (s *store) GetClient(ctx context.Context, id string) (fosite.Client, error) {
	w := workOf(ctx)
	ar, ok := ctx.Value(fosite.AuthorizeRequestContextKey).(fosite.AuthorizeRequester)
	if w.client == nil || w.client.ID != id || !ok {
		return nil, fosite.ErrNotFound
	}
	uri := ar.GetRequestForm().Get("redirect_uri")
	if !w.client.MatchRedirect(uri) {
		return nil, fosite.ErrNotFound
	}
	return view{w.client, uri}, nil
}

// ClientAssertionJWTValid implements fosite.ClientManager: assertions are not offered here.
func (s *store) ClientAssertionJWTValid(context.Context, string) error { return fosite.ErrJTIKnown }

// SetClientAssertionJWT implements fosite.ClientManager.
func (s *store) SetClientAssertionJWT(context.Context, string, time.Time) error {
	return fosite.ErrJTIKnown
}

// errStore stands for what the grant store said; the answer is made from work.err.
var errStore = errors.New("the grant store refused")

// outcome translates what the store said into what fosite expects to hear.
func (w *work) outcome(used error) error {
	switch {
	case w.err == nil:
		return nil
	case errors.Is(w.err, grant.ErrReplay):
		return used
	case isStore(w.err), !isDead(w.err) && !errors.Is(w.err, grant.ErrRedirect) && !errors.Is(w.err, grant.ErrVerifier):
		return errStore
	default:
		return fosite.ErrNotFound
	}
}

// requester is the grant as fosite reads it.
func (w *work) requester() *fosite.Request {
	g := w.issued.Grant
	return &fosite.Request{
		ID: "grant", Client: view{w.client, g.RedirectURI}, RequestedAt: g.RequestedAt,
		RequestedScope: g.Scopes, GrantedScope: g.Scopes, Session: tokenSession(w),
		Form: url.Values{"redirect_uri": {g.RedirectURI}},
	}
}

// GetAuthorizeCodeSession redeems the code on its first call (RFC 6749 §4.1.3): one script decides client, address,
// verifier, account and single use, so that of any number of parallel requests one wins.
func (s *store) GetAuthorizeCodeSession(ctx context.Context, _ string, _ fosite.Session) (fosite.Requester, error) {
	w := workOf(ctx)
	if !w.asked {
		w.asked = true
		form := w.form
		w.issued, w.err = s.p.cfg.Grants.Redeem(ctx, form.Get("code"), w.client.ID, form.Get("redirect_uri"),
			challengeOf(form.Get("code_verifier")), s.p.access(w.client, nil))
		w.done = w.err == nil
	}
	if err := w.outcome(fosite.ErrInvalidatedAuthorizeCode); err != nil {
		return &fosite.Request{ID: "grant", Client: view{w.client, ""}, Session: &session{}}, err
	}
	return w.requester(), nil
}

// challengeOf is the S256 challenge of a verifier (RFC 7636 §4.2), empty for none.
func challengeOf(verifier string) string {
	if verifier == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// GetRefreshTokenSession makes the next generation on its first call (RFC 6749 §6).
func (s *store) GetRefreshTokenSession(ctx context.Context, _ string, _ fosite.Session) (fosite.Requester, error) {
	w := workOf(ctx)
	if !w.asked {
		w.asked = true
		w.issued, w.err = s.p.cfg.Grants.Refresh(ctx, w.form.Get("refresh_token"), w.client.ID,
			s.p.access(w.client, w.scopes), w.checkGrant)
		w.done = w.err == nil
	}
	if err := w.outcome(fosite.ErrInactiveToken); err != nil {
		return &fosite.Request{ID: "grant", Client: view{w.client, ""}, Session: &session{}}, err
	}
	return w.requester(), nil
}

// CreateAuthorizeCodeSession marks the unit of work; the endpoint issues the code once fosite has agreed.
func (s *store) CreateAuthorizeCodeSession(ctx context.Context, _ string, _ fosite.Requester) error {
	w := workOf(ctx)
	w.agreed = append(w.agreed, client.TypeCode)
	return nil
}

// InvalidateAuthorizeCodeSession was done by the script; it only asserts that.
func (s *store) InvalidateAuthorizeCodeSession(ctx context.Context, _ string) error {
	return acted(ctx)
}

// CreateAccessTokenSession was done by the script, or is done once all of an answer is agreed to.
func (s *store) CreateAccessTokenSession(ctx context.Context, _ string, _ fosite.Requester) error {
	if workOf(ctx).answering {
		return nil
	}
	return acted(ctx)
}

// CreateRefreshTokenSession was done by the script.
func (s *store) CreateRefreshTokenSession(ctx context.Context, _, _ string, _ fosite.Requester) error {
	return acted(ctx)
}

// RotateRefreshToken was done by the script.
func (s *store) RotateRefreshToken(ctx context.Context, _, _ string) error { return acted(ctx) }

// acted refuses a write that the grant store has not done: fosite must never believe in one that is not there.
func acted(ctx context.Context) error {
	if !workOf(ctx).done {
		return errStore
	}
	return nil
}

// GetAccessTokenSession is never asked: tokens are looked up at our own endpoints.
func (s *store) GetAccessTokenSession(context.Context, string, fosite.Session) (fosite.Requester, error) {
	return nil, fosite.ErrNotFound
}

// DeleteAccessTokenSession does nothing: what fosite wants to delete after a reuse, the script has ended.
func (s *store) DeleteAccessTokenSession(context.Context, string) error { return nil }

// DeleteRefreshTokenSession does nothing, for the same reason.
func (s *store) DeleteRefreshTokenSession(context.Context, string) error { return nil }

// RevokeRefreshToken does nothing, for the same reason.
func (s *store) RevokeRefreshToken(context.Context, string) error { return nil }

// RevokeAccessToken does nothing, for the same reason.
func (s *store) RevokeAccessToken(context.Context, string) error { return nil }

// CreatePKCERequestSession does nothing: the challenge is issued with the code.
func (s *store) CreatePKCERequestSession(context.Context, string, fosite.Requester) error { return nil }

// GetPKCERequestSession returns the challenge that the script compared; fosite compares it once more. There is no
// record that a wrong verifier could delete first (ory/fosite#883).
func (s *store) GetPKCERequestSession(ctx context.Context, _ string, _ fosite.Session) (fosite.Requester, error) {
	w := workOf(ctx)
	challenge := challengeOf(w.form.Get("code_verifier"))
	if !w.done || challenge == "" {
		return nil, fosite.ErrNotFound
	}
	r := w.requester()
	r.Form = url.Values{"code_challenge": {challenge}, "code_challenge_method": {"S256"}}
	return r, nil
}

// DeletePKCERequestSession does nothing.
func (s *store) DeletePKCERequestSession(context.Context, string) error { return nil }

// CreateOpenIDConnectSession does nothing: it is part of the grant.
func (s *store) CreateOpenIDConnectSession(context.Context, string, fosite.Requester) error {
	return nil
}

// GetOpenIDConnectSession answers from the unit of work.
func (s *store) GetOpenIDConnectSession(ctx context.Context, _ string, _ fosite.Requester) (fosite.Requester, error) {
	w := workOf(ctx)
	if !w.done || !w.wantsIDToken() {
		return nil, openid.ErrNoSessionFound
	}
	return w.requester(), nil
}

// DeleteOpenIDConnectSession does nothing.
func (s *store) DeleteOpenIDConnectSession(context.Context, string) error { return nil }
