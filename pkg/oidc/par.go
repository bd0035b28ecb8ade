// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// pushedPrefix is in front of the id of a pushed request (RFC 9126 §2.2).
const pushedPrefix = "urn:ietf:params:oauth:request_uri:"

// pushedAnswer is the body of RFC 9126 §2.2.
type pushedAnswer struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int64  `json:"expires_in"`
}

// ServePAR takes an authorization request from the client itself (RFC 9126 §2): what is wrong with it is said here, to
// the client, and what the browser carries afterwards can be neither read nor changed.
func (p *Provider) ServePAR(w http.ResponseWriter, r *http.Request) error {
	form, f := readForm(w, r)
	if f != nil {
		return p.writeFormFault(w, r, f)
	}
	c, f := p.authenticate(r, form)
	if f != nil {
		return p.writeFault(w, r, f)
	}
	req, f := p.pushable(r.Context(), c, form)
	if f != nil {
		return p.writeFault(w, r, f)
	}
	life := p.cfg.Lifetimes.Pushed
	id, err := p.cfg.Pushed.Push(r.Context(), req, life)
	if err != nil {
		return p.writeFault(w, r, unavailable(err))
	}
	return writeJSON(w, http.StatusCreated, pushedAnswer{pushedPrefix + id, int64(life / time.Second)})
}

// pushable checks a pushed request as one that came with the browser. What authenticated the client is no part of it.
func (p *Provider) pushable(ctx context.Context, c *client.Client, form url.Values) (*flow.Request, *fault) {
	if form.Has("request_uri") {
		return nil, invalidRequest(reasonPushedURI, "request_uri")
	}
	for _, name := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		form.Del(name)
	}
	form.Set("client_id", c.ID)
	q, f := p.signedRequest(ctx, c, readParams(form))
	if f != nil {
		return nil, f
	}
	if err := destination(c, q); err != nil {
		return nil, wrapFault(codeInvalidRequest, err)
	}
	return p.accept(ctx, c, q)
}

// opened returns what c pushed under the request_uri in q. Of all that stands beside it nothing but the client counts
// (RFC 9126 §4, RFC 9101 §5).
func (p *Provider) opened(ctx context.Context, c *client.Client, q params) (*flow.Request, error) {
	id, _ := strings.CutPrefix(q.get("request_uri"), pushedPrefix)
	req, err := p.cfg.Pushed.Pushed(ctx, id)
	switch {
	case isStore(err):
		return nil, err
	case err != nil:
		p.reportLost(ctx, err, slog.String("client", c.ID))
		err = wrapFault(codeInvalidRequestURI, err)
	case req.ClientID != c.ID:
		err = newFault(codeInvalidRequestURI, "request_uri of another client")
	}
	if f, ok := errors.AsType[*fault](err); ok {
		if destination(c, q) != nil {
			return nil, pageFault(c, f)
		}
		return nil, refuse(q.base(c), f)
	}
	if _, err := p.stillGood(ctx, req); err != nil {
		if errors.Is(err, authn.ErrGone) {
			return nil, page(c.ID, "request_uri", "the client has changed since")
		}
		return nil, err
	}
	return req, nil
}

// spend ends a pushed request, before anything is issued for it: of two tabs that show one request, one is answered.
func (p *Provider) spend(ctx context.Context, q *flow.Request) error {
	if q.Pushed == "" {
		return nil
	}
	return p.cfg.Pushed.Spend(ctx, q.Pushed)
}
