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
	// PolicyURI and TosURI are shown on the consent page.
	PolicyURI string   `json:"policy_uri,omitempty"`
	TosURI    string   `json:"tos_uri,omitempty"`
	Contacts  []string `json:"contacts,omitempty"`
	// RedirectURIs are compared character by character (RFC 9700 §2.1); only native clients have any port on a
	// loopback address (RFC 8252 §7.3).
	RedirectURIs           []string `json:"redirect_uris,omitempty"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`
	// ApplicationType is web (default) or native.
	ApplicationType string `json:"application_type,omitempty"`
	// GrantTypes: authorization_code (default), refresh_token, client_credentials. ResponseTypes: code.
	GrantTypes    []string `json:"grant_types,omitempty"`
	ResponseTypes []string `json:"response_types,omitempty"`
	// AuthMethod is client_secret_basic (default), client_secret_post or none.
	AuthMethod string `json:"token_endpoint_auth_method,omitempty"`
	// Scope is the space-separated list of scopes the client may ask for.
	Scope string `json:"scope,omitempty"`
	// IDTokenAlg is RS256 (default), ES256 or EdDSA.
	IDTokenAlg string `json:"id_token_signed_response_alg,omitempty"`
	// DefaultMaxAge is in seconds (OIDC Registration §2).
	DefaultMaxAge    *int64   `json:"default_max_age,omitempty"`
	DefaultACRValues []string `json:"default_acr_values,omitempty"`

	// Company is the id of the company whose own app this is: no consent is asked. Empty: third party.
	Company string `json:"lychgate_company,omitempty"`
	// Companies and Roles restrict who may sign in; empty: any active account.
	Companies []string `json:"lychgate_companies,omitempty"`
	Roles     []string `json:"lychgate_roles,omitempty"`
	// SecondFactor is off, optional, required or always; the stricter of client and company wins. Empty: optional.
	SecondFactor flow.FactorMode `json:"lychgate_second_factor,omitempty"`
	// AccessTokenFormat is opaque (default) or at+jwt (RFC 9068).
	AccessTokenFormat string `json:"lychgate_access_token_format,omitempty"`
	// Evidence is on (default) or off: whether ID tokens have the claim lg_evidence.
	Evidence string `json:"lychgate_evidence,omitempty"`
	// PKCE is required (default) or, for confidential clients only, optional.
	PKCE string `json:"lychgate_pkce,omitempty"`
	// Audience is put into access tokens; empty: the client id.
	Audience []string `json:"lychgate_audience,omitempty"`
	// Introspect lists the ids of clients whose tokens this client may introspect besides its own; "*" is all.
	Introspect []string `json:"lychgate_introspect,omitempty"`
	// Disabled refuses the client everywhere within 1 s.
	Disabled bool `json:"lychgate_disabled,omitempty"`

	// Secrets are the digests of the secrets in force: hex of HMAC-SHA-256 with the pepper. Never printed.
	Secrets []string `json:"-"`
}

// Public says whether the client has no secret.
func (c *Client) Public() bool { return c.AuthMethod == "none" }

// LogValue keeps digests out of the logs.
func (c *Client) LogValue() slog.Value { return slog.StringValue(c.ID) }

// stored is a client as it is kept: with its digests.
type stored struct {
	*alias
	Secrets []string `json:"secrets,omitempty"`
}

type alias Client

// Marshal encodes the client for the store, digests included. Its output must be sealed.
func (c *Client) Marshal() ([]byte, error) { return json.Marshal(stored{(*alias)(c), c.Secrets}) }

// Unmarshal decodes what Marshal wrote.
func Unmarshal(b []byte) (*Client, error) {
	s := stored{alias: &alias{}}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, err
	}
	c := (*Client)(s.alias)
	c.Secrets = s.Secrets
	return c, nil
}

// Registry keeps clients. Client and Clients read an in-process snapshot that is at most 1 s old and return shared
// values: never change them. Every method may answer authn.ErrUnavailable.
type Registry interface {
	// Client answers authn.ErrNotFound for an unknown id.
	Client(ctx context.Context, id string) (*Client, error)
	Clients(ctx context.Context) ([]*Client, error)
	// PutClient adds or replaces; RemoveClient removes. In force on every node within 1 s.
	PutClient(ctx context.Context, c *Client) error
	RemoveClient(ctx context.Context, id string) error
}
