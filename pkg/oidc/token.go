// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
)

// tokenAnswer is the body of RFC 6749 §5.1 and OIDC Core §3.1.3.3.
type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
}

// ServeToken is the token endpoint (RFC 6749 §3.2). Every request is one call of the grant store at most.
func (p *Provider) ServeToken(w http.ResponseWriter, r *http.Request) error {
	form, f := readForm(w, r)
	if f != nil {
		return p.writeFormFault(w, r, f)
	}
	unit, f := p.tokenWork(r, form)
	if f != nil {
		return p.writeFault(w, r, f)
	}
	ctx := withWork(r.Context(), unit)
	var err error
	if unit.envelope, err = p.envelopeFor(ctx, unit.client, unit.client.IDTokenKeyAlg, unit.client.IDTokenEnc); err == nil {
		err = p.engine.token(ctx, unit)
	}
	if err == nil && unit.err != nil {
		err = unit.err
	}
	if err != nil {
		p.undo(ctx, unit)
		return p.writeFault(w, r, p.tokenFault(ctx, unit, err))
	}
	p.use(unit.client)
	if unit.issued.Lead > 0 {
		p.event(ctx, audit.GrantLead, unit, slog.Int64("lead", unit.issued.Lead))
	}
	a := tokenAnswer{
		AccessToken: unit.access, TokenType: "Bearer", ExpiresIn: max(1, int64(unit.issued.AccessLife/time.Second)),
		Scope: strings.Join(unit.granted(), " "), IDToken: unit.idToken,
	}
	if unit.grantType != client.GrantCredentials {
		a.RefreshToken = unit.issued.Refresh
	}
	if err := writeJSON(w, http.StatusOK, a); err != nil {
		// Tokens that were never sent never live.
		p.undo(ctx, unit)
	}
	return nil
}

// tokenWork checks everything that can be checked without the store.
func (p *Provider) tokenWork(r *http.Request, form url.Values) (*work, *fault) {
	kind := form.Get("grant_type")
	switch kind {
	case "":
		return nil, invalidRequest(reasonMissing, "grant_type")
	case client.GrantCode, client.GrantRefresh, client.GrantCredentials:
	default:
		return nil, newFault(codeUnsupportedGrant, "grant_type")
	}
	c, f := p.authenticate(r, form)
	if f != nil {
		return nil, f
	}
	if !c.HasGrant(kind) || (kind == client.GrantCredentials && c.Public()) {
		return nil, newFault(codeUnauthorizedClient, "grant type "+kind)
	}
	unit := &work{client: c, grantType: kind, form: form}
	switch kind {
	case client.GrantCode:
		f = checkCode(form)
	case client.GrantRefresh:
		f = checkRefresh(unit)
	default:
		f = checkCredentials(unit)
	}
	return unit, f
}

// checkCode refuses a verifier that cannot be right before the code is touched (RFC 7636 §4.1).
func checkCode(form url.Values) *fault {
	if form.Get("code") == "" {
		return invalidRequest(reasonMissing, "code")
	}
	v := form.Get("code_verifier")
	if v != "" && (len(v) < 43 || len(v) > 128 || !unreserved(v, "-._~")) {
		return newFault(codeInvalidGrant, "code_verifier")
	}
	return nil
}

// checkRefresh takes the scopes the access token shall be narrowed to (RFC 6749 §6).
func checkRefresh(unit *work) *fault {
	if unit.form.Get("refresh_token") == "" {
		return invalidRequest(reasonMissing, "refresh_token")
	}
	if s := unit.form.Get("scope"); s != "" {
		if unit.scopes = words(s); len(unit.scopes) == 0 {
			return newFault(codeInvalidScope, "scope")
		}
	}
	return nil
}

// checkCredentials: a client acts for itself, so nothing about a person can be asked for (RFC 6749 §4.4).
func checkCredentials(unit *work) *fault {
	allowed := slices.DeleteFunc(unit.client.Scopes(), func(s string) bool { return s == scopeOpenID || s == scopeOffline })
	unit.scopes = words(unit.form.Get("scope"))
	if len(unit.scopes) == 0 {
		unit.scopes = allowed
	}
	for _, s := range unit.scopes {
		if !slices.Contains(allowed, s) {
			return newFault(codeInvalidScope, "scope")
		}
	}
	if unit.scopes == nil {
		unit.scopes = []string{}
	}
	return nil
}

// errScope and errWithdrawn come from the check between reading a grant and handing anything out.
var (
	errScope     = errors.New("scope is more than was granted")
	errWithdrawn = errors.New("client may not have a granted scope any more")
)

// checkGrant compares the refreshed grant with what is asked for now and with what the client may have now.
func (w *work) checkGrant(g grant.Grant) error {
	registered := w.client.Scopes()
	for _, s := range g.Scopes {
		if !slices.Contains(registered, s) {
			return errWithdrawn
		}
	}
	for _, s := range w.scopes {
		if !slices.Contains(g.Scopes, s) {
			return errScope
		}
	}
	return nil
}

// tokenFault says what a failed token request answers. What the store said counts before what the engine made of it.
func (p *Provider) tokenFault(ctx context.Context, unit *work, err error) *fault {
	if unit.err != nil {
		err = unit.err
	}
	p.reportLost(ctx, err, slog.String("client", unit.client.ID))
	var f *fault
	switch {
	case errors.Is(err, errScope):
		return wrapFault(codeInvalidScope, err)
	case errors.Is(err, grant.ErrReplay):
		p.event(ctx, audit.GrantReuse, unit)
		return wrapFault(codeInvalidGrant, err)
	case errors.Is(err, grant.ErrUnknown), errors.Is(err, grant.ErrOtherClient), errors.Is(err, grant.ErrRedirect),
		errors.Is(err, grant.ErrVerifier), errors.Is(err, grant.ErrKey), errors.Is(err, authn.ErrMoved),
		errors.Is(err, errWithdrawn), errors.Is(err, authn.ErrLost):
		return wrapFault(codeInvalidGrant, err)
	case errors.Is(err, authn.ErrUnavailable), errors.Is(err, authn.ErrBusy), errors.Is(err, errKeySource):
		return unavailable(err)
	case errors.As(err, &f):
		return f
	default:
		return wrapFault(codeServerError, err)
	}
}

// undo ends what was issued and not sent: after a code the whole grant, after a refresh only the new access token, so
// that the client's retry repairs it (storage.md section 5).
func (p *Provider) undo(ctx context.Context, unit *work) {
	if !unit.done {
		return
	}
	unit.done = false
	ctx = context.WithoutCancel(ctx)
	if err := p.cfg.Grants.Drop(ctx, unit.issued, unit.grantType != client.GrantRefresh); err != nil {
		p.cfg.Log.LogAttrs(ctx, slog.LevelError, "tokens not dropped", slog.String("error", err.Error()))
	}
}

func (p *Provider) event(ctx context.Context, name string, unit *work, more ...slog.Attr) {
	attrs := append([]slog.Attr{slog.String("client", unit.client.ID), slog.String("grant_type", unit.grantType)}, more...)
	if id := unit.issued.Grant.AccountID; id != "" {
		attrs = append(attrs, slog.String("account", id))
	}
	p.cfg.Audit.Event(ctx, name, attrs...)
}

// access is the life of an access token of c, and whether the store keeps a record of it.
func (p *Provider) access(c *client.Client, scopes []string) grant.Access {
	life := c.Lifetimes(p.cfg.Lifetimes.Lifetimes)
	a := grant.Access{Life: life.Access, Stored: true, Scopes: scopes, RefreshIdle: life.RefreshIdle}
	if c.JWTAccess() {
		a.Life, a.Stored = life.AccessJWT, false
	}
	return a
}
