// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package client is an application registered to use Lychgate (RFC 6749), described by RFC 7591 metadata.
package client

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/flow"
)

// Client is a registered application. Its JSON names are those of RFC 7591, OIDC Registration, and, with the
// prefix lychgate_, our own; they are the same wherever a client is described.
type Client struct {
	ID   string `json:"client_id"`
	Name string `json:"client_name,omitempty"`
	URI  string `json:"client_uri,omitempty"`
	// LogoURI, PolicyURI and TosURI are shown on the consent page.
	LogoURI   string   `json:"logo_uri,omitempty"`
	PolicyURI string   `json:"policy_uri,omitempty"`
	TosURI    string   `json:"tos_uri,omitempty"`
	Contacts  []string `json:"contacts,omitempty"`
	// RedirectURIs are compared character by character (RFC 9700 §2.1); only native clients have any port on a
	// loopback address (RFC 8252 §7.3).
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// ApplicationType is web (default) or native.
	ApplicationType string `json:"application_type,omitempty"`
	// GrantTypes: authorization_code (default), refresh_token, client_credentials, and implicit, which has to be asked
	// for. ResponseTypes: code (default), and with implicit id_token, "id_token token", "code id_token", "code token",
	// "code id_token token" (OAuth 2.0 Multiple Response Types §5).
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	// AuthMethod is client_secret_basic (default), client_secret_post, client_secret_jwt, private_key_jwt or none.
	// AuthAlg is the one algorithm of its assertions; empty: any that fits (OIDC Core §9).
	AuthMethod string `json:"token_endpoint_auth_method,omitempty"`
	AuthAlg    string `json:"token_endpoint_auth_signing_alg,omitempty"`
	// Keys are the client's public keys (RFC 7517 §5) by value; KeysURI is where they can be read. Never both.
	Keys    json.RawMessage `json:"jwks,omitempty"`
	KeysURI string          `json:"jwks_uri,omitempty"`
	// Scope is the space-separated list of scopes the client may ask for.
	Scope string `json:"scope,omitempty"`
	// IDTokenAlg is RS256 (default), PS256, ES256, ES384 or EdDSA. With IDTokenKeyAlg (RSA-OAEP-256 or ECDH-ES) the
	// signed token is encrypted to a key of the client, its content with IDTokenEnc (default A128CBC-HS256).
	IDTokenAlg    string `json:"id_token_signed_response_alg,omitempty"`
	IDTokenKeyAlg string `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEnc    string `json:"id_token_encrypted_response_enc,omitempty"`
	// UserinfoAlg makes userinfo a signed JWT, UserinfoKeyAlg an encrypted one (OIDC Core §5.3.2); empty: plain JSON.
	UserinfoAlg    string `json:"userinfo_signed_response_alg,omitempty"`
	UserinfoKeyAlg string `json:"userinfo_encrypted_response_alg,omitempty"`
	UserinfoEnc    string `json:"userinfo_encrypted_response_enc,omitempty"`
	// IntrospectionAlg signs what the client is told of tokens (RFC 9701 §6); empty: RS256 where a JWT is asked for.
	IntrospectionAlg string `json:"introspection_signed_response_alg,omitempty"`
	// RequestAlg is the one algorithm of its request objects; empty: any that fits. RequestURIs are where they may be
	// fetched from, compared character by character (OIDC Core §6.2). RequireSigned and RequirePushed refuse requests
	// that come in another way (RFC 9101 §10.5, RFC 9126 §6).
	RequestAlg    string   `json:"request_object_signing_alg,omitempty"`
	RequestURIs   []string `json:"request_uris,omitempty"`
	RequireSigned bool     `json:"require_signed_request_object,omitempty"`
	RequirePushed bool     `json:"require_pushed_authorization_requests,omitempty"`
	// SubjectType is public (default) or pairwise: the client sees a sub of its sector alone (OIDC Core §8.1).
	// SectorURI lists the redirect_uris of the sector.
	SubjectType string `json:"subject_type,omitempty"`
	SectorURI   string `json:"sector_identifier_uri,omitempty"`
	// InitiateLoginURI is where a sign-in can be begun for the client (OIDC Core §4).
	InitiateLoginURI string `json:"initiate_login_uri,omitempty"`
	// RequireAuthTime is kept; every ID token has auth_time.
	RequireAuthTime bool `json:"require_auth_time,omitempty"`
	// BackchannelURI and FrontchannelURI are told when a session ends (Back-Channel Logout §2.2, Front-Channel Logout
	// §2); with the flag beside it the client is given the claim sid.
	BackchannelURI      string `json:"backchannel_logout_uri,omitempty"`
	BackchannelSession  bool   `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelURI     string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelSession bool   `json:"frontchannel_logout_session_required,omitempty"`
	// SoftwareID and SoftwareVersion name the program (RFC 7591 §2); kept for those who look after it.
	SoftwareID      string `json:"software_id,omitempty"`
	SoftwareVersion string `json:"software_version,omitempty"`
	// DefaultMaxAge is in seconds (OIDC Registration §2).
	DefaultMaxAge    *int64   `json:"default_max_age,omitempty"`
	DefaultACRValues []string `json:"default_acr_values,omitempty"`

	// Company is the id of the company whose own app this is: no consent is asked. Empty: third party.
	Company string `json:"lychgate_company,omitempty"`
	// Companies and Roles restrict who may sign in; empty: any active account.
	Companies []string `json:"lychgate_companies,omitempty"`
	Roles     []string `json:"lychgate_roles,omitempty"`
	// Consent is ask (each time), remember or never; empty: never for a company's own app, else remember.
	Consent string `json:"lychgate_consent,omitempty"`
	// SecondFactor is off, optional, required or always; the stricter of client and company wins. Empty: optional.
	SecondFactor flow.FactorMode `json:"lychgate_second_factor,omitempty"`
	// AccessTokenFormat is opaque (default) or at+jwt (RFC 9068).
	AccessTokenFormat string `json:"lychgate_access_token_format,omitempty"`
	// AccessTokenLife, IDTokenLife and RefreshTokenLife (from the sign-in) and RefreshTokenIdle (from the last use) are in
	// seconds; 0: as long as the provider's. They count for what is issued after they were set.
	AccessTokenLife  int64 `json:"lychgate_access_token_lifetime,omitempty"`
	IDTokenLife      int64 `json:"lychgate_id_token_lifetime,omitempty"`
	RefreshTokenIdle int64 `json:"lychgate_refresh_token_idle,omitempty"`
	RefreshTokenLife int64 `json:"lychgate_refresh_token_lifetime,omitempty"`
	// Evidence is on (default) or off: whether ID tokens have the claim lg_evidence.
	Evidence string `json:"lychgate_evidence,omitempty"`
	// PKCE is required (default) or, for confidential clients only, optional.
	PKCE string `json:"lychgate_pkce,omitempty"`
	// Audience is put into access tokens; empty: the client id.
	Audience []string `json:"lychgate_audience,omitempty"`
	// Introspect lists the ids of clients whose tokens this client may introspect besides its own; "*" is all.
	Introspect []string `json:"lychgate_introspect,omitempty"`
	// StrictAudience takes client assertions for the issuer alone, written as one string (FAPI 2.0 §5.3.2.1).
	StrictAudience bool `json:"lychgate_strict_audience,omitempty"`
	// Disabled refuses the client everywhere within 1 s.
	Disabled bool `json:"lychgate_disabled,omitempty"`

	// Secrets are those in force, the newest first, at most two. Never printed.
	Secrets []Secret `json:"-"`
	// Dynamic is set for a client that registered itself.
	Dynamic *Dynamic `json:"-"`
}

// Public says whether the client has no secret.
func (c *Client) Public() bool { return c.AuthMethod == "none" }

// KeepsSecret says whether the client proves itself by a secret that this server made.
func (c *Client) KeepsSecret() bool { return c.AuthMethod != AuthNone && c.AuthMethod != AuthKeyJWT }

// LogValue keeps digests out of the logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.ID) }

// stored is a client as it is kept: with its digests.
type stored struct {
	*alias
	Secrets []Secret `json:"secrets,omitempty"`
	Dynamic *Dynamic `json:"dynamic,omitempty"`
}

type alias Client

// Marshal encodes the client for the store, digests included. Its output must be sealed.
func (c *Client) Marshal() ([]byte, error) {
	return json.Marshal(stored{(*alias)(c), c.Secrets, c.Dynamic})
}

// Unmarshal decodes what Marshal wrote.
func Unmarshal(b []byte) (*Client, error) {
	s := stored{alias: &alias{}}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	c := (*Client)(s.alias)
	c.Secrets, c.Dynamic = s.Secrets, s.Dynamic
	return c, nil
}

// Registry keeps clients. Client and Clients read an in-process snapshot that is at most 1 s old and return shared
// values: never change them. Every method may answer authn.ErrUnavailable.
type Registry interface {
	// Client answers authn.ErrNotFound for an unknown id.
	Client(ctx context.Context, id string) (*Client, error)
	Clients(ctx context.Context) ([]*Client, error)
	// Origin says whether pages of the origin belong to a client that is not disabled: it is that of one of its
	// redirect_uris.
	Origin(ctx context.Context, origin string) (bool, error)
	// PutClient adds or replaces; RemoveClient removes. In force on every node within 1 s.
	PutClient(ctx context.Context, c *Client) error
	// ReplaceClient is PutClient for a client that is there: authn.ErrNotFound if it was removed, also just now.
	ReplaceClient(ctx context.Context, c *Client) error
	RemoveClient(ctx context.Context, id string) error
	// Scope returns a scope that is declared or built in, Scopes all of these by name. Both read the snapshot too.
	Scope(ctx context.Context, name string) (s Scope, known bool, err error)
	Scopes(ctx context.Context) ([]Scope, error)
}
