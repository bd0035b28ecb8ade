// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/url"
	"slices"
	"strings"
)

// The values that the metadata of a client may hold (RFC 7591 §2).
const (
	AuthBasic     = "client_secret_basic"
	AuthPost      = "client_secret_post"
	AuthSecretJWT = "client_secret_jwt"
	AuthKeyJWT    = "private_key_jwt"
	AuthNone      = "none"

	GrantCode        = "authorization_code"
	GrantRefresh     = "refresh_token"
	GrantCredentials = "client_credentials"
	GrantImplicit    = "implicit"

	TypeWeb    = "web"
	TypeNative = "native"

	FormatOpaque = "opaque"
	FormatJWT    = "at+jwt"

	PKCERequired = "required"
	PKCEOptional = "optional"

	ConsentAsk      = "ask"
	ConsentRemember = "remember"
	ConsentNever    = "never"

	SubjectPublic   = "public"
	SubjectPairwise = "pairwise"

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
	set(&c.SubjectType, SubjectPublic)
	if c.IDTokenKeyAlg != "" {
		set(&c.IDTokenEnc, defaultEnc)
	}
	if c.UserinfoKeyAlg != "" {
		set(&c.UserinfoEnc, defaultEnc)
	}
	if len(c.GrantTypes) == 0 {
		c.GrantTypes = []string{GrantCode}
	}
	if len(c.ResponseTypes) == 0 && c.HasGrant(GrantCode) {
		c.ResponseTypes = []string{TypeCode}
	}
	if c.Scope == "" && c.Redirects() {
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

// Redirects says whether people are sent to the client with an answer.
func (c *Client) Redirects() bool { return c.HasGrant(GrantCode) || c.HasGrant(GrantImplicit) }

// Origins are the web origins of the client's redirect_uris (RFC 6454 §4): its pages run there.
func (c *Client) Origins() []string {
	var out []string
	for _, uri := range c.RedirectURIs {
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
			continue
		}
		if origin := u.Scheme + "://" + u.Host; !slices.Contains(out, origin) {
			out = append(out, origin)
		}
	}
	return out
}

// StartURL is where a sign-in at the client can be begun: its initiate_login_uri with the issuer (OIDC Core §4), else its
// own page; empty if neither is known.
func (c *Client) StartURL(issuer string) string {
	u, err := url.Parse(c.InitiateLoginURI)
	if c.InitiateLoginURI == "" || err != nil {
		return c.URI
	}
	q := u.Query()
	q.Set("iss", issuer)
	u.RawQuery = q.Encode()
	return u.String()
}

// HasResponseType says whether the client may ask for the response type, in its registered spelling.
func (c *Client) HasResponseType(t string) bool {
	if len(c.ResponseTypes) == 0 {
		return t == TypeCode && c.HasGrant(GrantCode)
	}
	return slices.Contains(c.ResponseTypes, t)
}

// Pairwise says whether the client sees a sub of its sector alone (OIDC Core §8.1).
func (c *Client) Pairwise() bool { return c.SubjectType == SubjectPairwise }

// Sector is what the clients that see the same pairwise sub have in common: the host of sector_identifier_uri, else of
// the redirect_uris (OIDC Core §8.1).
func (c *Client) Sector() string {
	uri := c.SectorURI
	if uri == "" && len(c.RedirectURIs) > 0 {
		uri = c.RedirectURIs[0]
	}
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return u.Host
}

// WantsSID says whether the client asked for the claim sid.
func (c *Client) WantsSID() bool {
	return (c.BackchannelURI != "" && c.BackchannelSession) || (c.FrontchannelURI != "" && c.FrontchannelSession)
}

// Scopes are the scopes the client may ask for, spelt exactly so.
func (c *Client) Scopes() []string { return strings.Fields(c.Scope) }

// NeedsPKCE says whether an authorization request without a code challenge is refused (RFC 9700 §2.1.1). Public
// clients always need one, whatever their record says.
func (c *Client) NeedsPKCE() bool { return c.Public() || c.PKCE != PKCEOptional }

// Consents says how the client's people are asked for their word (lychgate_consent).
func (c *Client) Consents() string {
	switch {
	case c.Consent != "":
		return c.Consent
	case c.Company != "":
		return ConsentNever
	default:
		return ConsentRemember
	}
}

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

// The response types in their registered spelling (OAuth 2.0 Multiple Response Types §5).
const (
	TypeCode             = "code"
	TypeIDToken          = "id_token"
	TypeIDTokenToken     = "id_token token"
	TypeCodeIDToken      = "code id_token"
	TypeCodeToken        = "code token"
	TypeCodeIDTokenToken = "code id_token token"
)

// ResponseTypes are all that can be registered. A bare token is not among them: nothing would say who it is for
// (RFC 9700 §2.1.2).
func ResponseTypes() []string {
	return []string{TypeCode, TypeIDToken, TypeIDTokenToken, TypeCodeIDToken, TypeCodeToken, TypeCodeIDTokenToken}
}

// KeyAlgs and ContentEncs are how tokens can be encrypted to a client.
func KeyAlgs() []string { return []string{"RSA-OAEP-256", "ECDH-ES"} }

// ContentEncs are the content encryptions, the default first (OIDC Registration §2).
func ContentEncs() []string { return []string{defaultEnc, "A128GCM", "A256GCM"} }

const defaultEnc = "A128CBC-HS256"
