// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
)

// errNoPass is an answer that was asked for without the gate: a fault in our own code, never a code for a client.
var errNoPass = errors.New("answer without a pass of the gate")

// Answer issues the code for a flow that passed every rule and writes the authorization response (RFC 6749 §4.1.2,
// RFC 9207). The code is recorded once, in one step with the end of the flow. Errors that wrap authn.ErrMoved,
// authn.ErrGone or authn.ErrUnavailable mean that nothing was written.
func (p *Provider) Answer(w http.ResponseWriter, r *http.Request, f *flow.Flow, pass flow.Pass) error {
	ctx := r.Context()
	if !pass.For(f) || f.Account == nil {
		return errNoPass
	}
	c, err := p.stillGood(ctx, &f.Request)
	if err != nil {
		return err
	}
	scopes, err := grantedScopes(c, f)
	if err != nil {
		return err
	}
	unit := &work{
		client: c, answering: true, subject: p.Subject(c, f.Account.ID), authTime: f.PasswordAt, requested: f.Created,
	}
	if err := p.engine.finish(withWork(ctx, unit), unit, f.Request.Params, scopes); err != nil {
		return fmt.Errorf("replay authorization request: %w", err)
	}
	if unit.envelope, err = p.envelopeFor(ctx, c, c.IDTokenKeyAlg, c.IDTokenEnc); err != nil {
		// Nothing is lost: the page can be loaded again when the client's keys can be had.
		return fmt.Errorf("answer: %w: %w", authn.ErrUnavailable, err)
	}
	n, err := p.newCode(ctx, c, f, scopes)
	if err != nil {
		return err
	}
	if err := p.spend(ctx, &f.Request); err != nil {
		return err
	}
	fields, err := p.issue(ctx, unit, f, n)
	if err != nil {
		return err
	}
	p.use(c)
	p.useClient(c)
	state, err := sessionState(f)
	if err != nil {
		return err
	}
	if state != "" {
		fields = append(fields, [2]string{"session_state", state})
	}
	return p.respond(w, r, &f.Request, fields)
}

// stillGood reads the client again: between the request and the answer it may have been changed or disabled.
func (p *Provider) stillGood(ctx context.Context, q *flow.Request) (*client.Client, error) {
	c, err := p.cfg.Clients.Client(ctx, q.ClientID)
	if errors.Is(err, authn.ErrNotFound) {
		return nil, fmt.Errorf("client was removed: %w", authn.ErrGone)
	}
	if err != nil {
		return nil, err
	}
	if c.Disabled || !c.HasResponseType(q.ResponseType) || !c.MatchRedirect(q.RedirectURI) {
		return nil, fmt.Errorf("client was changed: %w", authn.ErrGone)
	}
	return c, nil
}

// grantedScopes leaves out what the client may not have any more, and offline_access without a word of the person: a
// refresh token outlives the session (OIDC Core §11). The company's own app has the company's word.
func grantedScopes(c *client.Client, f *flow.Flow) ([]string, error) {
	registered := c.Scopes()
	var out []string
	for _, s := range f.Request.Scopes {
		if !slices.Contains(registered, s) {
			continue
		}
		if s == scopeOffline {
			allowed := c.OwnApp() || f.Allowed || slices.Contains(f.Consented, scopeOffline)
			if !allowed || !c.HasGrant(client.GrantRefresh) {
				continue
			}
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no scope is left: %w", authn.ErrGone)
	}
	return out, nil
}

// newCode writes down what the person proved, truthfully: the context class and methods follow from the evidence, and
// auth_time is the time of the password (decisions.md).
func (p *Provider) newCode(ctx context.Context, c *client.Client, f *flow.Flow, scopes []string) (grant.NewCode, error) {
	offline := slices.Contains(scopes, scopeOffline)
	proved := f.Proved()
	g := grant.Grant{
		ClientID: c.ID, AccountID: f.Account.ID, Subject: p.Subject(c, f.Account.ID), SID: f.SID(),
		Scopes: scopes, Audience: c.Recipients(),
		AuthTime: f.PasswordAt, RequestedAt: f.Created,
		ACR: f.ACR(), AMR: authn.AMR(proved), Evidence: proved,
		Nonce: f.Request.Params.Get("nonce"), RedirectURI: f.Request.RedirectURI,
	}
	g.UserClaims = stillRegistered(c, f.Request.UserClaims)
	var err error
	if g.IDClaims, err = p.idTokenClaims(ctx, c, f, scopes); err != nil {
		return grant.NewCode{}, err
	}
	if offline {
		g.Ends = p.now().Add(c.Lifetimes(p.cfg.Lifetimes.Lifetimes).RefreshEnd)
	}
	return grant.NewCode{
		Session: sessionTold(c, f),
		Grant:   g, Account: *f.Account, Challenge: f.Request.Params.Get("code_challenge"),
		Offline: offline, Rotate: true, Flow: f.ID, NoCode: !yields(f.Request.ResponseType, client.TypeCode),
	}, nil
}
