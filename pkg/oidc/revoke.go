// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// ServeRevoke ends a token (RFC 7009). 200 means that it is dead on every node, or was never one; a store that cannot
// say so answers 503, never 200.
func (p *Provider) ServeRevoke(w http.ResponseWriter, r *http.Request) error {
	form, f := readForm(w, r)
	if f != nil {
		return p.writeFormFault(w, r, f)
	}
	c, f := p.authenticate(r, form)
	if f != nil {
		return p.writeFault(w, r, f)
	}
	token := form.Get("token")
	if token == "" {
		return p.writeFault(w, r, invalidRequest(reasonMissing, "token"))
	}
	handle, jwt, f := p.revocable(token, c.ID)
	if f != nil {
		return p.writeFault(w, r, f)
	}
	if handle != "" {
		err := p.cfg.Grants.Revoke(r.Context(), handle, c.ID, jwt)
		switch {
		case errors.Is(err, grant.ErrOtherClient):
			return p.writeFault(w, r, wrapFault(codeUnauthorizedClient, err))
		case isStore(err):
			return p.writeFault(w, r, unavailable(err))
		case err != nil && !isDead(err):
			return err
		}
		p.cfg.Audit.Event(r.Context(), audit.GrantRevoked, slog.String("client", c.ID))
	}
	noStore(w.Header())
	w.WriteHeader(http.StatusOK)
	return nil
}

// revocable returns the handle to end, and whether it is the jti of an at+jwt; the empty handle is nothing of ours.
func (p *Provider) revocable(token, clientID string) (string, bool, *fault) {
	if !strings.Contains(token, ".") {
		return token, false, nil
	}
	var c accessClaims
	if !p.ours(token, keys.TypAccess, keys.ForHint, &c) || c.Issuer != p.cfg.Issuer {
		return "", false, nil
	}
	if c.ClientID != clientID {
		return "", false, wrapFault(codeUnauthorizedClient, grant.ErrOtherClient)
	}
	if c.AuthTime == 0 {
		// RFC 7009 §2.2.1: client credentials as a JWT leave no record that could be ended.
		return "", false, newFault(codeUnsupportedToken, "client credentials as a JWT")
	}
	return c.ID, true, nil
}
