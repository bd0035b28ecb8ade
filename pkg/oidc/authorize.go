// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Authorize validates an authorization request (RFC 6749 §4.1.1, OIDC Core §3.1.2.1). A *flow.Refusal without a
// Redirect must be shown as a page: the client or its address is not known to be right. Other errors wrap
// authn.ErrUnavailable.
func (p *Provider) Authorize(ctx context.Context, in url.Values) (*flow.Request, error) {
	q := readParams(in)
	c, err := p.requester(ctx, q)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(q.get("request_uri"), pushedPrefix) {
		return p.opened(ctx, c, q)
	}
	inside, f := p.browserRequest(ctx, c, q)
	err = destination(c, inside)
	switch {
	case f != nil && err != nil:
		return nil, pageFault(c, f)
	case f != nil:
		return nil, refuse(inside.base(c), f)
	case err != nil:
		return nil, err
	}
	req, f := p.accept(ctx, c, inside)
	if f != nil {
		return nil, refuse(*req, f)
	}
	return req, nil
}

// browserRequest is signedRequest for what came with the browser.
func (p *Provider) browserRequest(ctx context.Context, c *client.Client, q params) (params, *fault) {
	if c.RequirePushed {
		return q, invalidRequest(reasonUnpushed, "not pushed")
	}
	return p.signedRequest(ctx, c, q)
}

// accept checks the parameters of c's request, whose address is right. The request comes back with a fault too: it says
// how to answer.
func (p *Provider) accept(ctx context.Context, c *client.Client, q params) (*flow.Request, *fault) {
	req := q.base(c)
	if f := p.fill(c, q, &req); f != nil {
		return &req, f
	}
	if err := p.engine.validate(ctx, c, req.Params); err != nil {
		var f *fault
		if !errors.As(err, &f) {
			f = wrapFault(codeInvalidRequest, err)
		}
		return &req, f
	}
	return &req, nil
}

// requester finds the client. Until it and destination agree there is no redirect, for any error (RFC 6749 §4.1.2.1;
// CVE-2026-41479 in another server sent errors first).
func (p *Provider) requester(ctx context.Context, q params) (*client.Client, error) {
	id := q.get("client_id")
	if id == "" {
		return nil, page("", "client_id", "missing, repeated or unreadable")
	}
	c, err := p.cfg.Clients.Client(ctx, id)
	switch {
	case errors.Is(err, authn.ErrNotFound):
		return nil, page("", "client_id", "unknown client "+id)
	case err != nil:
		return nil, err
	case c.Disabled:
		return nil, page(c.ID, "client_id", "client is disabled")
	}
	return c, nil
}

// destination checks where the answer would go; a nil error is yes.
func destination(c *client.Client, q params) error {
	uri := q.get("redirect_uri")
	if uri == "" {
		return page(c.ID, "redirect_uri", "missing, repeated or unreadable")
	}
	if !c.Redirects() || !c.MatchRedirect(uri) {
		return page(c.ID, "redirect_uri", "not registered: "+uri)
	}
	return nil
}

// fill checks the parameters one by one and writes them into req.
func (p *Provider) fill(c *client.Client, q params, req *flow.Request) *fault {
	if q.has("registration") {
		// OIDC Core §7.2.1.
		return newFault("registration_not_supported", "registration")
	}
	if q.first != "" {
		return invalidRequest(q.spoilt[q.first], q.first)
	}
	if f := checkType(c, q); f != nil {
		return f
	}
	if f := checkChallenge(c, q); f != nil {
		return f
	}
	var f *fault
	if req.Scopes, f = readScopes(c, q); f != nil {
		return f
	}
	if req.Prompt, f = readPrompt(q); f != nil {
		return f
	}
	if req.MaxAge, f = readMaxAge(c, q); f != nil {
		return f
	}
	if hint := q.get("id_token_hint"); hint != "" {
		h, ok := p.readHint(hint)
		if !ok || h.client != c.ID {
			return invalidRequest(reasonHint, "id_token_hint")
		}
		req.HintSubject = h.subject
	}
	if f := fillClaims(c, q, req); f != nil {
		return f
	}
	req.LoginHint = q.get("login_hint")
	req.Params = q.replay(req.Scopes)
	return nil
}

// page is a refusal that is never redirected.
func page(clientID, parameter, detail string) *flow.Refusal {
	return &flow.Refusal{
		Code: codeInvalidRequest, Parameter: parameter, Client: clientID, Detail: detail,
		Description: describe(codeInvalidRequest),
	}
}

// pageFault is a refusal of a request that says, where it can be read, no address to answer to.
func pageFault(c *client.Client, f *fault) *flow.Refusal {
	return &flow.Refusal{Code: f.code, Parameter: f.detail, Client: c.ID, Detail: f.Error(), Description: f.text()}
}

// reasonParam carries the finer reason from the refusal to Refuse. It picks a fixed text and is never shown; a client
// cannot set it, since only parameters with a limit are kept.
const reasonParam = "lychgate_reason"

// refuse is a refusal by redirect.
func refuse(req flow.Request, f *fault) *flow.Refusal {
	req.Params = url.Values{reasonParam: {f.reason}}
	return &flow.Refusal{
		Code: f.code, Parameter: f.detail, Description: f.text(), Detail: f.Error(), Client: req.ClientID, Redirect: &req,
	}
}
