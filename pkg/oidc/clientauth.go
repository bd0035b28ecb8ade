// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// credentials are what a request shows of its client.
type credentials struct {
	// method is the one method the request uses; id and secret as sent by it.
	method, id, secret string
	// assertion is the signed JWT of client_secret_jwt and private_key_jwt.
	assertion *foreign
}

// authenticate says which client sent the request (RFC 6749 §2.3, §3.2.1). Exactly one method must be used, and it
// must be the registered one. Whatever is wrong, the answer is the same.
func (p *Provider) authenticate(r *http.Request, form url.Values) (*client.Client, *fault) {
	ctx := r.Context()
	shown, problem := shown(r, form)
	if problem != "" {
		return nil, p.rejectClient(ctx, nil, problem)
	}
	c, err := p.cfg.Clients.Client(ctx, shown.id)
	switch {
	case errors.Is(err, authn.ErrNotFound):
		c, err = nil, nil
	case err != nil:
		return nil, unavailable(err)
	}
	problem, proof := p.check(c, shown)
	if problem == "" && shown.assertion != nil {
		problem, err = p.checkAssertion(ctx, c, shown.assertion, r.URL.Path)
		proof = p.signedSecret(c, shown.assertion)
	}
	switch {
	case err != nil:
		return nil, unavailable(err)
	case problem != "":
		return nil, p.rejectClient(ctx, c, problem)
	}
	if proof != nil {
		p.useSecret(r, c, *proof)
	}
	return c, nil
}

// shown collects the methods that are present and refuses more than one.
func shown(r *http.Request, form url.Values) (credentials, string) {
	headers := r.Header.Values("Authorization")
	id, secret := form.Get("client_id"), form.Get("client_secret")
	switch {
	case form.Has("client_assertion") || form.Has("client_assertion_type"):
		if len(headers) > 0 || secret != "" {
			return credentials{}, "two methods"
		}
		return shownAssertion(form)
	case len(headers) > 1:
		return credentials{}, "two authorization headers"
	case len(headers) == 1 && secret != "":
		return credentials{}, "two methods"
	case len(headers) == 1:
		c, ok := basic(headers[0])
		if !ok {
			return credentials{}, "unreadable authorization header"
		}
		if id != "" && id != c.id {
			return credentials{}, "client_id differs from the header"
		}
		return c, ""
	case id == "":
		return credentials{}, "no client"
	case secret != "":
		return credentials{method: client.AuthPost, id: id, secret: secret}, ""
	default:
		return credentials{method: client.AuthNone, id: id}, ""
	}
}

// basic reads RFC 7617 with the encoding of RFC 6749 §2.3.1: both halves are form-url-encoded.
func basic(header string) (credentials, bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") || len(rest) > 4096 {
		return credentials{}, false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(rest, " "))
	if err != nil {
		return credentials{}, false
	}
	user, password, ok := strings.Cut(string(raw), ":")
	if !ok {
		return credentials{}, false
	}
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if err1 != nil || err2 != nil || id == "" || bad(id) || bad(secret) {
		return credentials{}, false
	}
	return credentials{method: client.AuthBasic, id: id, secret: secret}, true
}

// check compares what was shown with what is registered; the empty answer is yes. The digest is worked out in every
// case, so that an unknown client takes as long as a known one. proof is the secret that was shown, if one was.
func (p *Provider) check(c *client.Client, shown credentials) (problem string, proof *client.Secret) {
	digest := []byte(p.cfg.Digest(shown.secret))
	if c == nil {
		return "unknown client", nil
	}
	match, now := 0, p.now()
	for i, have := range c.Secrets {
		if !have.Ended(now) && subtle.ConstantTimeCompare(digest, []byte(have.Digest)) == 1 {
			match, proof = 1, &c.Secrets[i]
		}
	}
	method := c.AuthMethod
	if method == "" {
		method = client.AuthBasic
	}
	switch {
	case c.Disabled:
		return "client is disabled", nil
	case shown.method != method:
		return "method " + shown.method + " is not the registered one", nil
	case method == client.AuthNone, shown.assertion != nil:
		return "", nil
	case shown.secret == "" || match != 1:
		return "wrong secret", nil
	}
	return "", proof
}

func (p *Provider) rejectClient(ctx context.Context, c *client.Client, problem string) *fault {
	attrs := []slog.Attr{slog.String("reason", problem)}
	if c != nil {
		attrs = append(attrs, slog.String("client", c.ID))
	}
	p.cfg.Audit.Event(ctx, audit.ClientRejected, attrs...)
	return newFault(codeInvalidClient, problem)
}
