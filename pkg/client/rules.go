// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"slices"
	"strings"
)

// The values that the metadata of a client may hold (RFC 7591 §2).
const (
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
	AuthNone  = "none"

	GrantCode        = "authorization_code"
	GrantRefresh     = "refresh_token"
	GrantCredentials = "client_credentials"

	TypeWeb    = "web"
	TypeNative = "native"

	FormatOpaque = "opaque"
	FormatJWT    = "at+jwt"

	PKCERequired = "required"
	PKCEOptional = "optional"

	EvidenceOn  = "on"
	EvidenceOff = "off"
)

// Defaults fills in what the metadata leaves open (RFC 7591 §2, OIDC Registration §2). Slices that were set stay as
// they are. Call it before Validate.
func Defaults(c *Client) {
	set(&c.ApplicationType, TypeWeb)
	set(&c.AuthMethod, AuthBasic)
	set(&c.IDTokenAlg, "RS256")
	set(&c.AccessTokenFormat, FormatOpaque)
	set(&c.PKCE, PKCERequired)
	set(&c.Evidence, EvidenceOn)
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{GrantCode}
	}
	if len(c.ResponseTypes) == 0 && c.HasGrant(GrantCode) {
		c.ResponseTypes = []string{"code"}
	}
	if c.Scope == "" && c.HasGrant(GrantCode) {
		c.Scope = "openid profile email address phone"
		if c.HasGrant(GrantRefresh) {
			c.Scope += " offline_access"
		}
	}
}

func set(field *string, value string) {
	if *field == "" {
		*field = value
	}
}

// HasGrant says whether the client may use the grant type, spelt exactly so.
func (c *Client) HasGrant(grant string) bool {
	if len(c.GrantTypes) == 0 {
		return grant == GrantCode
	}
	return slices.Contains(c.GrantTypes, grant)
}

// Scopes are the scopes the client may ask for, spelt exactly so.
func (c *Client) Scopes() []string { return strings.Fields(c.Scope) }

// NeedsPKCE says whether an authorization request without a code challenge is refused (RFC 9700 §2.1.1). Public
// clients always need one, whatever their record says.
func (c *Client) NeedsPKCE() bool { return c.Public() || c.PKCE != PKCEOptional }

// OwnApp says whether the client is an application of a company: no consent is asked.
func (c *Client) OwnApp() bool { return c.Company != "" }

// Alg is the algorithm of the client's ID tokens; RS256 unless the client registered another (OIDC Registration §2).
func (c *Client) Alg() string {
	if c.IDTokenAlg == "" {
		return "RS256"
	}
	return c.IDTokenAlg
}

// JWTAccess says whether the client's access tokens are JWTs (RFC 9068).
func (c *Client) JWTAccess() bool { return c.AccessTokenFormat == FormatJWT }

// ShowsEvidence says whether the client's ID tokens tell when and how each factor was shown. A record that was made
// before there was a choice says nothing: on.
func (c *Client) ShowsEvidence() bool { return c.Evidence != EvidenceOff }

// Recipients are the audiences of the client's access tokens: the client itself unless it names others.
func (c *Client) Recipients() []string {
	if len(c.Audience) == 0 {
		return []string{c.ID}
	}
	return slices.Clone(c.Audience)
}

// MayIntrospect says whether c may see the tokens of the client of the given id (RFC 7662 §4).
func (c *Client) MayIntrospect(id string) bool {
	return id == c.ID || slices.Contains(c.Introspect, id) || slices.Contains(c.Introspect, "*")
}
