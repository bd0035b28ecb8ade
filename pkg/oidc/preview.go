// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
)

// verifierParam holds the code verifier of a try in its own request: nobody else redeems its code.
const verifierParam = "code_verifier"

// Preview answers a flow that passed every rule as Answer does, redeems the code here and now, and returns what the
// client would have received. Nothing of it leaves: neither code nor tokens are in what it returns, and the grant has
// ended when it answers. Errors as those of Answer.
func (p *Provider) Preview(ctx context.Context, f *flow.Flow, pass flow.Pass) (grant.Preview, error) {
	if !pass.For(f) || f.Account == nil || f.Request.Purpose != flow.PurposeTry {
		return grant.Preview{}, errNoPass
	}
	c, err := p.stillGood(ctx, &f.Request)
	if err != nil {
		return grant.Preview{}, err
	}
	scopes, err := grantedScopes(c, f)
	if err != nil {
		return grant.Preview{}, err
	}
	unit := &work{
		client: c, answering: true, subject: p.Subject(c, f.Account.ID), authTime: f.PasswordAt, requested: f.Created,
	}
	if err := p.engine.finish(withWork(ctx, unit), unit, f.Request.Params, scopes); err != nil {
		return grant.Preview{}, fmt.Errorf("replay authorization request: %w", err)
	}
	n, err := p.newCode(ctx, c, f, scopes)
	if err != nil {
		return grant.Preview{}, err
	}
	// The client gets nothing, so it is not told of the end of the session either.
	n.Session = ""
	front, err := p.cfg.Grants.Issue(ctx, n, nil)
	if err != nil {
		return grant.Preview{}, fmt.Errorf("issue answer: %w", err)
	}
	return p.redeemed(ctx, c, f, front.Code)
}

// redeemed redeems the code as the token endpoint does, but for the client's proof of who it is, takes the tokens apart
// and ends them.
func (p *Provider) redeemed(ctx context.Context, c *client.Client, f *flow.Flow, code string) (grant.Preview, error) {
	unit := &work{client: c, grantType: client.GrantCode, form: url.Values{
		"code": {code}, "redirect_uri": {f.Request.RedirectURI}, "code_verifier": {f.Request.Params.Get(verifierParam)},
	}}
	err := p.engine.token(withWork(ctx, unit), unit)
	if unit.err != nil {
		err = unit.err
	}
	defer p.undo(ctx, unit)
	if err != nil {
		return grant.Preview{}, fmt.Errorf("redeem: %w", err)
	}
	live, err := p.lookup(ctx, unit.access)
	if err != nil {
		return grant.Preview{}, fmt.Errorf("look tokens up: %w", err)
	}
	out := grant.Preview{Encrypted: c.IDTokenKeyAlg != "", AccessLife: unit.issued.AccessLife, Scopes: unit.granted()}
	if out.Introspection, err = indented(p.describeLive(live)); err != nil {
		return grant.Preview{}, err
	}
	if slices.Contains(live.Scopes, scopeOpenID) {
		claims, err := p.userinfoClaims(ctx, live)
		if err != nil {
			return grant.Preview{}, err
		}
		if out.Userinfo, err = indented(claims); err != nil {
			return grant.Preview{}, err
		}
		if out.IDHeader, out.IDClaims, err = opened(unit.idToken); err != nil {
			return grant.Preview{}, err
		}
	}
	if c.JWTAccess() {
		_, out.AccessClaims, err = opened(unit.access)
	}
	return out, err
}

// NewTry returns the request of a sign-in at c whose answer an admin looks at; back is the path of ours that it comes
// back to. How the client's own requests have to arrive (pushed, signed) makes no difference to their answer.
// authn.ErrConflict for a client that nobody signs in to with a code.
func (p *Provider) NewTry(ctx context.Context, c *client.Client, back string) (flow.Request, error) {
	if !c.HasResponseType(client.TypeCode) || len(c.RedirectURIs) == 0 || c.Disabled {
		return flow.Request{}, fmt.Errorf("try client %s: %w", c.ID, authn.ErrConflict)
	}
	random := make([]byte, 64)
	if _, err := rand.Read(random); err != nil {
		return flow.Request{}, fmt.Errorf("random bytes: %w", err)
	}
	verifier, nonce := base64.RawURLEncoding.EncodeToString(random[:32]), base64.RawURLEncoding.EncodeToString(random[32:])
	challenge := sha256.Sum256([]byte(verifier))
	params := url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURIs[0]}, "response_type": {client.TypeCode}, "scope": {c.Scope}, "nonce": {nonce},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	if err := p.engine.validate(ctx, c, params); err != nil {
		return flow.Request{}, fmt.Errorf("try client %s: %w", c.ID, err)
	}
	params.Set(verifierParam, verifier)
	return flow.Request{
		Purpose: flow.PurposeTry, Return: back, Params: params, ClientID: c.ID, RedirectURI: c.RedirectURIs[0],
		ResponseType: client.TypeCode, ResponseMode: modeQuery, Scopes: c.Scopes(), ACRValues: c.DefaultACRValues, MaxAge: c.DefaultMaxAge,
	}, nil
}

// opened takes a signed token apart, which is ours and was made just now.
func opened(token string) (header, claims string, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", "", errNoPass
	}
	if header, err = decoded(parts[0]); err != nil {
		return "", "", err
	}
	claims, err = decoded(parts[1])
	return header, claims, err
}

func decoded(part string) (string, error) {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return "", fmt.Errorf("take token apart: %w", err)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return "", fmt.Errorf("take token apart: %w", err)
	}
	return out.String(), nil
}

func indented(v any) (string, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode answer: %w", err)
	}
	return string(b), nil
}
