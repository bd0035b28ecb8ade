// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// accessJWT reads an at+jwt of ours that is in force. Its type keeps ID tokens and logout tokens out (RFC 9068 §4).
func (p *Provider) accessJWT(token string) (accessClaims, bool) {
	var c accessClaims
	if !p.ours(token, keys.TypAccess, keys.ForToken, &c) {
		return c, false
	}
	now := p.now()
	ok := c.Issuer == p.cfg.Issuer && c.ClientID != "" && c.ID != "" && now.Before(time.Unix(c.Expires, 0)) &&
		!time.Unix(c.Issued, 0).After(now.Add(skew))
	return c, ok
}

// lookup finds a token that is in force, in one round trip; a forged one costs none. grant.ErrUnknown is every other
// token, of a disabled client too.
func (p *Provider) lookup(ctx context.Context, token string) (grant.Live, error) {
	live, err := p.lookupKind(ctx, token)
	if err != nil {
		p.reportLost(ctx, err)
		return grant.Live{}, err
	}
	c, err := p.known(ctx, live.Grant.ClientID)
	if err != nil {
		return grant.Live{}, err
	}
	if c == nil {
		return grant.Live{}, grant.ErrUnknown
	}
	return live, nil
}

func (p *Provider) lookupKind(ctx context.Context, token string) (grant.Live, error) {
	if !strings.Contains(token, ".") {
		live, err := p.cfg.Grants.Lookup(ctx, token)
		if err == nil && live.Kind == grant.KindAccess && live.Expires.IsZero() {
			// The jti of an at+jwt is no token by itself.
			return grant.Live{}, grant.ErrUnknown
		}
		return live, err
	}
	c, ok := p.accessJWT(token)
	if !ok {
		return grant.Live{}, grant.ErrUnknown
	}
	live := grant.Live{Kind: grant.KindAccess}
	if c.AuthTime == 0 {
		// Client credentials leave nothing in the store: the signature and five minutes are all there is.
		live.Grant = grant.Grant{ClientID: c.ClientID, Audience: c.Audience}
	} else {
		var err error
		if live, err = p.cfg.Grants.Lookup(ctx, c.ID); err != nil {
			return grant.Live{}, err
		}
		if live.Kind != grant.KindAccess || live.Grant.ClientID != c.ClientID || live.Grant.Subject != c.Subject ||
			!slices.Equal(live.Grant.Audience, c.Audience) {
			return grant.Live{}, grant.ErrUnknown
		}
	}
	// The store keeps nothing of this one token: what it may do, and until when, is what was signed.
	live.Scopes = words(c.Scope)
	live.Expires, live.Issued = time.Unix(c.Expires, 0).UTC(), time.Unix(c.Issued, 0).UTC()
	return live, nil
}

// bearer takes the access token from the header, or from the form body of a POST (RFC 6750 §2.1, §2.2); never from the
// URL, where it would be logged. The empty token says that none was sent.
func bearer(w http.ResponseWriter, r *http.Request) (string, *fault) {
	headers := r.Header.Values("Authorization")
	if len(headers) > 1 || strings.Contains(r.URL.RawQuery, "access_token=") {
		return "", invalidRequest(reasonDuplicate, "two tokens, or one in the URL")
	}
	token := ""
	if len(headers) == 1 {
		scheme, rest, _ := strings.Cut(headers[0], " ")
		if strings.EqualFold(scheme, "Bearer") {
			token = strings.TrimLeft(rest, " ")
		}
		if token == "" {
			return "", newFault(codeInvalidToken, "not a bearer token")
		}
	}
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") == "" {
		return token, nil
	}
	form, f := readForm(w, r)
	if f != nil {
		return "", f
	}
	if form.Has("access_token") {
		if token != "" {
			return "", invalidRequest(reasonDuplicate, "two tokens")
		}
		token = form.Get("access_token")
	}
	return token, nil
}

// isStore says whether err means that the store cannot answer now.
func isStore(err error) bool {
	return errors.Is(err, authn.ErrUnavailable) || errors.Is(err, authn.ErrBusy)
}

// isDead says whether err means that the token is not in force.
func isDead(err error) bool {
	return errors.Is(err, grant.ErrUnknown) || errors.Is(err, grant.ErrOtherClient) || errors.Is(err, grant.ErrReplay) ||
		errors.Is(err, authn.ErrMoved) || errors.Is(err, authn.ErrNotFound) || errors.Is(err, authn.ErrGone) ||
		errors.Is(err, authn.ErrLost)
}

// reportLost writes a security event for a record that is lost or broken: it is refused, never read as something else.
func (p *Provider) reportLost(ctx context.Context, err error, attrs ...slog.Attr) {
	if errors.Is(err, authn.ErrLost) {
		p.cfg.Audit.Event(ctx, audit.RecordLost, append(attrs, slog.String("record", "grant"), slog.String("error", err.Error()))...)
	}
}

// mayIntrospect: refresh tokens are only for the client that holds them.
func mayIntrospect(c *client.Client, live grant.Live) bool {
	if live.Kind == grant.KindRefresh {
		return live.Grant.ClientID == c.ID
	}
	return c.MayIntrospect(live.Grant.ClientID)
}
