// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// ServeUserinfo answers with the claims of the token's scopes (OIDC Core §5.3), by GET and by POST.
func (p *Provider) ServeUserinfo(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodPost {
		w.Header().Set("Allow", "GET, POST")
		_ = writeJSON(w, http.StatusMethodNotAllowed, oauthError{codeInvalidRequest, describe(codeInvalidRequest)})
		return nil
	}
	token, f := bearer(w, r)
	if f != nil {
		return p.writeBearerFault(w, r, f)
	}
	if token == "" {
		// RFC 6750 §3.1: a request without a token is told the scheme and nothing more.
		noStore(w.Header())
		w.Header().Set("WWW-Authenticate", `Bearer realm="lychgate"`)
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	live, err := p.lookup(r.Context(), token)
	switch {
	case isStore(err):
		return p.writeBearerFault(w, r, unavailable(err))
	case isDead(err):
		return p.writeBearerFault(w, r, wrapFault(codeInvalidToken, err))
	case err != nil:
		return err
	case live.Kind != grant.KindAccess || live.Grant.AccountID == "":
		return p.writeBearerFault(w, r, newFault(codeInvalidToken, "not an access token of a person"))
	case !slices.Contains(live.Scopes, scopeOpenID):
		return p.writeBearerFault(w, r, newFault(codeInsufficientScope, "no openid"))
	}
	claims, err := p.userinfoClaims(r.Context(), live)
	if err != nil {
		return p.writeBearerFault(w, r, unavailable(err))
	}
	return p.writeUserinfo(w, r, live.Grant.ClientID, claims)
}

// userinfoClaims are what an access token of a person shows (OIDC Core §5.4, §5.5).
func (p *Provider) userinfoClaims(ctx context.Context, live grant.Live) (map[string]any, error) {
	claims := scopeClaims(live.Profile.Claims, live.Scopes)
	addClaims(claims, live.Profile.Claims, live.Grant.UserClaims)
	if err := p.addDeclared(ctx, claims, live.Scopes, declaredClaims{person: client.PersonOf(live.Account)}); err != nil {
		return nil, err
	}
	claims["sub"], claims["lg_evidence"] = live.Grant.Subject, evidenceOf(live.Grant)
	return claims, nil
}

// writeUserinfo sends claims as the client registered for: plain, signed, encrypted, or both (OIDC Core §5.3.2).
func (p *Provider) writeUserinfo(w http.ResponseWriter, r *http.Request, clientID string, claims map[string]any) error {
	c, err := p.cfg.Clients.Client(r.Context(), clientID)
	if err != nil {
		return err
	}
	if c.UserinfoAlg == "" && c.UserinfoKeyAlg == "" {
		_ = writeJSON(w, http.StatusOK, claims)
		return nil
	}
	e, err := p.envelopeFor(r.Context(), c, c.UserinfoKeyAlg, c.UserinfoEnc)
	if errors.Is(err, errKeySource) {
		return p.writeBearerFault(w, r, unavailable(err))
	}
	if err != nil {
		return p.writeFault(w, r, wrapFault(codeServerError, err))
	}
	claims["iss"], claims["aud"] = p.cfg.Issuer, c.ID
	b, err := json.Marshal(claims)
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	token, err := p.seal(c.UserinfoAlg, keys.TypUserinfo, b, e)
	if err != nil {
		return p.writeFault(w, r, wrapFault(codeServerError, err))
	}
	return writeToken(w, "application/jwt", token)
}

// writeToken sends a JWT as a document of its own.
func writeToken(w http.ResponseWriter, kind, token string) error {
	noStore(w.Header())
	w.Header().Set("Content-Type", kind)
	_, err := io.WriteString(w, token)
	return err
}

// writeBearerFault answers in the manner of RFC 6750 §3. All values are fixed texts without quotes.
func (p *Provider) writeBearerFault(w http.ResponseWriter, r *http.Request, f *fault) error {
	switch f.code {
	case codeInvalidToken, codeInvalidRequest:
		w.Header().Set("WWW-Authenticate", `Bearer realm="lychgate", error="`+f.code+`", error_description="`+f.text()+`"`)
	case codeInsufficientScope:
		w.Header().Set("WWW-Authenticate",
			`Bearer realm="lychgate", error="`+f.code+`", error_description="`+f.text()+`", scope="openid"`)
	}
	return p.writeFormFault(w, r, f)
}
