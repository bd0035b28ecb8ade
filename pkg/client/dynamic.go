// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Dynamic is what is kept of a client that registered itself (RFC 7591).
type Dynamic struct {
	// Token is the digest of the registration access token (RFC 7592 §3).
	Token string `json:"token"`
	// Issued is the time of the registration in Unix seconds.
	Issued int64 `json:"issued"`
}

// SelfRegistered is a client as it is told of itself. Secret is empty where none was made, or none can be shown again;
// Token is its registration access token.
type SelfRegistered struct {
	*Client
	Secret, Token string
}

// The refusals of a self-registration that name no field.
var (
	// ErrToken: the initial or registration access token is missing, unknown, expired or used up.
	ErrToken = errors.New("no token in force")
	// ErrFull: as many clients have registered themselves as may.
	ErrFull = errors.New("no more clients can register themselves")
)

// Rules bound what may be registered dynamically. An empty list of hosts allows any.
type Rules struct {
	// RedirectHosts are host names; one that begins with a dot stands for every name under it.
	RedirectHosts []string
	// GrantTypes and Scopes are the most that a client gets.
	GrantTypes, Scopes []string
	// PKCE refuses the exception that confidential clients otherwise get, since many libraries do not send it.
	PKCE bool
}

// Registrar keeps clients that register themselves. Every method may answer authn.ErrUnavailable.
type Registrar interface {
	// AddInitial keeps an initial access token (RFC 7591 §1.2), good for a number of registrations and a time.
	AddInitial(ctx context.Context, token string, uses int, life time.Duration) error
	// Register adds c and takes one use of the token, both or neither; an empty token needs none. authn.ErrNotFound
	// for a token that is unknown, expired or used up.
	Register(ctx context.Context, token string, c *Client) error
	// Used keeps the days (since 1970, UTC) on which clients that registered themselves were last used.
	Used(ctx context.Context, days map[string]int64) error
	// LastUsed returns what Used has kept, and forgets clients that are gone.
	LastUsed(ctx context.Context) (map[string]int64, error)
}

// UnusedLife is how long a client that registered itself stays without being used.
const UnusedLife = 30 * 24 * time.Hour

// unsupported are the names of OIDC Registration §2, RFC 7591 §2 and their kin that cannot be honoured here. They are
// refused: a promise that is not kept must not be made. Names that nobody here knows are ignored (RFC 7591 §2).
func unsupported() []string {
	return []string{
		"software_statement", "request_object_encryption_alg", "request_object_encryption_enc",
		"introspection_encrypted_response_alg", "introspection_encrypted_response_enc",
		"authorization_signed_response_alg", "authorization_encrypted_response_alg", "authorization_encrypted_response_enc",
		"tls_client_certificate_bound_access_tokens", "tls_client_auth_subject_dn", "tls_client_auth_san_dns",
		"tls_client_auth_san_uri", "tls_client_auth_san_ip", "tls_client_auth_san_email", "dpop_bound_access_tokens",
		"backchannel_token_delivery_mode", "backchannel_client_notification_endpoint",
		"backchannel_authentication_request_signing_alg", "backchannel_user_code_parameter", "authorization_details_types",
	}
}

// ParseDynamic reads what a client says of itself (RFC 7591 §3.1). Names of our own are refused: they are policy, and
// policy is not the client's to choose.
func ParseDynamic(raw []byte) (Registration, error) {
	if len(raw) > maxObject || !shallow(raw) {
		return Registration{}, ErrSize
	}
	names, err := members(raw)
	if err != nil {
		return Registration{}, err
	}
	known := knownNames()
	var keep []string
	for _, n := range names {
		base, _, tagged := strings.Cut(n, "#")
		switch {
		case strings.HasPrefix(n, "lychgate_"), slices.Contains(unsupported(), n), tagged && known[base]:
			err = errors.Join(err, &FieldError{
				Field: clip(n), Code: "invalid_client_metadata", Problem: "cannot be honoured here: remove it",
			})
		case known[n]:
			keep = append(keep, n)
		}
	}
	if err != nil {
		return Registration{}, err
	}
	return parseKnown(raw, keep)
}

// shallow says whether JSON has the depth and the number of parts that an honest description has. It is looked at before
// anything is decoded, so that a bomb costs nothing.
func shallow(raw []byte) bool {
	const deepest, most = 8, 2000
	depth, parts, text := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case c == ',':
			parts++
		}
		if depth > deepest || parts > most {
			return false
		}
	}
	return true
}

// parseKnown reads the given members alone.
func parseKnown(raw []byte, names []string) (Registration, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return Registration{}, fmt.Errorf("client metadata is not JSON: %w", err)
	}
	for n := range all {
		if !slices.Contains(names, n) {
			delete(all, n)
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return Registration{}, fmt.Errorf("client metadata: %w", err)
	}
	return parseOne(b)
}

// Check says in what a client goes beyond the rules.
func (r Rules) Check(c *Client) error {
	k := &checker{c: c}
	uris := c.RedirectURIs
	if len(r.RedirectHosts) == 0 || len(uris) > maxURIs {
		uris = nil // any host will do, or Validate refuses so many
	}
	for i, uri := range uris {
		u, err := url.Parse(uri)
		if err != nil || !r.host(u.Hostname()) {
			k.add("redirect_uris", "entry %d is on a host that may not be registered here", i+1)
		}
	}
	for _, g := range c.GrantTypes {
		if !slices.Contains(r.GrantTypes, g) {
			k.add("grant_types", "may hold %s only", strings.Join(r.GrantTypes, ", "))
			break
		}
	}
	for _, s := range c.Scopes() {
		if !slices.Contains(r.Scopes, s) {
			k.add("scope", "may hold %s only", strings.Join(r.Scopes, " "))
			break
		}
	}
	return errors.Join(k.errs...)
}

func (r Rules) host(name string) bool {
	return slices.ContainsFunc(r.RedirectHosts, func(h string) bool {
		return name == h || (strings.HasPrefix(h, ".") && strings.HasSuffix(name, h) && len(name) > len(h))
	})
}

// KeepPolicy takes over what others have decided of the client as it was before, and what it cannot say of itself: every
// field of our own.
func (c *Client) KeepPolicy(before *Client) {
	c.Company, c.Companies, c.Roles, c.SecondFactor = before.Company, before.Companies, before.Roles, before.SecondFactor
	c.AccessTokenFormat, c.Evidence, c.PKCE = before.AccessTokenFormat, before.Evidence, before.PKCE
	c.Audience, c.Introspect, c.Disabled, c.Dynamic = before.Audience, before.Introspect, before.Disabled, before.Dynamic
	c.StrictAudience, c.Consent = before.StrictAudience, before.Consent
	c.AccessTokenLife, c.IDTokenLife = before.AccessTokenLife, before.IDTokenLife
	c.RefreshTokenIdle, c.RefreshTokenLife = before.RefreshTokenIdle, before.RefreshTokenLife
	if c.Public() {
		c.PKCE = PKCERequired
	}
}

// Metadata returns the metadata of c as the client may see them (RFC 7591 §3.2.1): all names of the field, none of ours.
func (c *Client) Metadata() (map[string]any, error) {
	b, err := json.Marshal((*alias)(c))
	if err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	out := map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	for name := range out {
		if strings.HasPrefix(name, "lychgate_") {
			delete(out, name)
		}
	}
	return out, nil
}
