// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
)

// Caller is who comes with an access token.
type Caller struct {
	// ClientID and Company are those of the client that the token was given to. SelfRegistered: nobody looked at it.
	ClientID, Company string
	SelfRegistered    bool
	Scopes            []string
	// AccountID is empty for client credentials; AccountCompany and Role are those of the account now.
	AccountID, AccountCompany string
	Role                      authn.AdminRole
	// ACR and AuthTime say how, and when, the person signed in.
	ACR      string
	AuthTime time.Time
}

// ErrToken is an access token that is not in force.
var ErrToken = errors.New("access token not in force")

// Verifier looks access tokens up: ErrToken, or authn.ErrUnavailable.
type Verifier interface {
	Verify(ctx context.Context, token string) (Caller, error)
}

// bearer takes the token from the header alone (RFC 6750 §2.1): in a body or an address it would be logged.
func bearer(r *http.Request) (string, *problemError) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		// RFC 6750 §3.1: who sends nothing is told the scheme and nothing more.
		return "", challenge(problem(http.StatusUnauthorized, codeToken, "Send an access token of this server: Authorization: Bearer …"), "")
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	token = strings.TrimLeft(token, " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", refused()
	}
	return token, nil
}

func refused() *problemError {
	return challenge(problem(http.StatusUnauthorized, codeToken, "The access token is not valid or has expired."),
		`, error="invalid_token", error_description="The access token is not valid or has expired."`)
}

// challenge adds the header of RFC 6750 §3; more is made of fixed texts.
func challenge(p *problemError, more string) *problemError {
	p.header.Set("WWW-Authenticate", `Bearer realm="lychgate"`+more)
	return p
}

// lacks is a token without the scope (RFC 6750 §3.1).
func lacks(scope string) *problemError {
	return challenge(problem(http.StatusForbidden, codeScope, "The access token does not have the scope "+scope+"."),
		`, error="insufficient_scope", error_description="The access token does not have the scope.", scope="`+scope+`"`)
}

func forbidden(detail string) *problemError {
	return problem(http.StatusForbidden, codeForbidden, detail)
}

// actor says who acts, and within what. A client of a company stays within it whoever signs in there; a person acts as
// far as the own admin role goes.
func (c Caller) actor() (admin.Actor, *problemError) {
	if c.SelfRegistered {
		return admin.Actor{}, forbidden("A client that registered itself cannot use this API.")
	}
	if c.AccountID == "" {
		return admin.Actor{Kind: admin.ActorClient, ID: c.ClientID, Company: c.Company}, nil
	}
	by := admin.Actor{Kind: admin.ActorAccount, ID: c.AccountID, Company: c.Company, Through: c.ClientID}
	switch c.Role {
	case authn.AdminIT:
		return by, nil
	case authn.AdminCompany:
		if c.AccountCompany == "" || (c.Company != "" && c.Company != c.AccountCompany) {
			return admin.Actor{}, forbidden("This app belongs to another company than the account.")
		}
		by.Company = c.AccountCompany
		return by, nil
	default:
		return admin.Actor{}, forbidden("The account has no admin role.")
	}
}

// isFresh wants a person to have shown password and second factor in the last five minutes, for what a stolen browser
// must not do (RFC 9470). A program has nothing to show.
func (c call) isFresh(now time.Time) error {
	if c.by.Kind != admin.ActorAccount || (c.caller.ACR == authn.ACRFactor && now.Sub(c.caller.AuthTime) <= authn.FreshProof) {
		return nil
	}
	p := problem(http.StatusUnauthorized, codeStepUp, "Sign in again with password and second factor: this wants both from the last five minutes.")
	return challenge(p, `, error="insufficient_user_authentication", error_description="A fresh sign-in is needed.", acr_values="`+
		authn.ACRFactor+`", max_age="`+strconv.Itoa(int(authn.FreshProof/time.Second))+`"`)
}

// admit says who asks for an operation, or why not.
func (a *API) admit(r *http.Request, scope string) (call, *problemError) {
	token, p := bearer(r)
	if p != nil {
		return call{}, p
	}
	caller, err := a.cfg.Tokens.Verify(r.Context(), token)
	if errors.Is(err, ErrToken) {
		return call{}, refused()
	}
	if err != nil {
		return call{}, a.explain(r.Context(), err)
	}
	if scope == "" || !slices.Contains(caller.Scopes, scope) {
		return call{}, lacks(scope)
	}
	by, p := caller.actor()
	if p != nil {
		return call{}, p
	}
	return call{by: by, caller: caller, clerk: a.cfg.Clerk(by)}, nil
}
