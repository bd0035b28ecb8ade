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

// Logout validates an RP-initiated logout request (RP-Initiated Logout 1.0 §2, §3). What is not valid is left out: a
// hint that is not ours is no hint, an address that is not registered character by character is no address. The only
// errors are those of the store.
func (p *Provider) Logout(ctx context.Context, in url.Values) (flow.Logout, error) {
	q := readLogout(in)
	out := flow.Logout{UILocales: locales(q["ui_locales"])}
	id := q["client_id"]
	if token := q["id_token_hint"]; token != "" {
		h, ok := p.readHint(token)
		if !ok || (id != "" && id != h.client) {
			// A hint that was tampered with, or does not fit its client, spoils the request: whoever sent it must not
			// choose where the person goes.
			return out, nil
		}
		out.HintSubject, out.HintSID, id = h.subject, h.sid, h.client
	}
	c, err := p.known(ctx, id)
	if err != nil {
		return flow.Logout{}, err
	}
	if c == nil {
		return flow.Logout{UILocales: out.UILocales}, nil
	}
	out.ClientID = c.ID
	if uri := q["post_logout_redirect_uri"]; c.MatchPostLogout(uri) {
		out.RedirectURI, out.State = uri, q["state"]
	} else if strings.Join(in["post_logout_redirect_uri"], "") != "" {
		// A request that would lead elsewhere is not the app's own: the person is asked, as without a hint (§4).
		out.HintSubject, out.HintSID = "", ""
	}
	return out, nil
}

// known returns the client, or nil if there is none of that id or it is disabled.
func (p *Provider) known(ctx context.Context, id string) (*client.Client, error) {
	if id == "" {
		return nil, nil
	}
	c, err := p.cfg.Clients.Client(ctx, id)
	if errors.Is(err, authn.ErrNotFound) || (err == nil && c.Disabled) {
		return nil, nil
	}
	return c, err
}

// readLogout keeps the parameters that stand there once, readable and not too long.
func readLogout(in url.Values) map[string]string {
	out := map[string]string{}
	for name, size := range map[string]int{
		"id_token_hint": maxJWT, "client_id": 256, "post_logout_redirect_uri": 2048, "state": 4096, "ui_locales": 256,
	} {
		v := in[name]
		if len(v) == 1 && len(v[0]) <= size && !bad(v[0]) {
			out[name] = v[0]
		}
		if len(v) > 1 && name == "id_token_hint" {
			// Two hints are a spoilt one, not none.
			out[name] = "repeated"
		}
	}
	return out
}
