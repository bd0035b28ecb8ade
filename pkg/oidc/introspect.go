// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/http"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

// introspection is the body of RFC 7662 §2.2, with acr and auth_time of RFC 9470 §6.2.
type introspection struct {
	Active    bool       `json:"active"`
	Scope     string     `json:"scope,omitempty"`
	ClientID  string     `json:"client_id,omitempty"`
	Subject   string     `json:"sub,omitempty"`
	Audience  []string   `json:"aud,omitempty"`
	Issuer    string     `json:"iss,omitempty"`
	Expires   int64      `json:"exp,omitempty"`
	Issued    int64      `json:"iat,omitempty"`
	TokenType string     `json:"token_type,omitempty"`
	AuthTime  int64      `json:"auth_time,omitempty"`
	ACR       string     `json:"acr,omitempty"`
	AMR       []string   `json:"amr,omitempty"`
	Evidence  []evidence `json:"lg_evidence,omitempty"`
}

// ServeIntrospect tells a client with a secret about its own tokens, and about those of the clients it may introspect.
// Every other token is active: false, so that the endpoint tells nobody what it holds (RFC 7662 §2.2, §4).
func (p *Provider) ServeIntrospect(w http.ResponseWriter, r *http.Request) error {
	form, f := readForm(w, r)
	if f != nil {
		return p.writeFormFault(w, r, f)
	}
	c, f := p.authenticate(r, form)
	if f == nil && c.Public() {
		// RFC 7662 §2.1: to be protected against scanning, it needs a client that proves who it is.
		f = newFault(codeInvalidClient, "public client")
	}
	if f != nil {
		return p.writeFault(w, r, f)
	}
	token := form.Get("token")
	if token == "" {
		return p.writeFault(w, r, invalidRequest(reasonMissing, "token"))
	}
	live, err := p.lookup(r.Context(), token)
	switch {
	case isStore(err):
		return p.writeFault(w, r, unavailable(err))
	case isDead(err):
		return p.writeIntrospection(w, r, c, introspection{})
	case err != nil:
		return err
	case !mayIntrospect(c, live):
		return p.writeIntrospection(w, r, c, introspection{})
	}
	return p.writeIntrospection(w, r, c, p.describeLive(live))
}

// introspectionJWT is the media type of RFC 9701 §4.
const introspectionJWT = "application/token-introspection+jwt"

// signedIntrospection are the claims of RFC 9701 §5.
type signedIntrospection struct {
	Issuer   string        `json:"iss"`
	Audience string        `json:"aud"`
	Issued   int64         `json:"iat"`
	Token    introspection `json:"token_introspection"`
}

// writeIntrospection answers in JSON, or as a JWT to a client that asks for one.
func (p *Provider) writeIntrospection(w http.ResponseWriter, r *http.Request, c *client.Client, v introspection) error {
	if r.Header.Get("Accept") != introspectionJWT {
		return writeJSON(w, http.StatusOK, v)
	}
	alg := c.IntrospectionAlg
	if alg == "" {
		alg = "RS256" // RFC 9701 §6
	}
	token, err := p.sign(alg, keys.TypIntrospection, signedIntrospection{p.cfg.Issuer, c.ID, p.now().Unix(), v})
	if err != nil {
		return p.writeFault(w, r, wrapFault(codeServerError, err))
	}
	return writeToken(w, introspectionJWT, token)
}

func (p *Provider) describeLive(live grant.Live) introspection {
	g := live.Grant
	out := introspection{
		Active: true, Scope: strings.Join(live.Scopes, " "), ClientID: g.ClientID, Subject: subject(g), Audience: g.Audience,
		Issuer: p.cfg.Issuer, Expires: unix(live.Expires), Issued: unix(live.Issued), AuthTime: unix(g.AuthTime),
		ACR: g.ACR, AMR: g.AMR, Evidence: evidenceOf(g),
	}
	if live.Kind == grant.KindAccess {
		out.TokenType = "Bearer"
	}
	return out
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
