// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/flow"
)

// FieldError is one problem of a client's metadata.
type FieldError struct {
	// Field is the JSON name. Code is the error of RFC 7591 §3.2.2.
	Field, Code string
	// Problem says what is wrong and what to do. It names values only by their place in a list.
	Problem string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

// The most entries that the lists of a client may have.
const (
	maxURIs  = 50
	maxNames = 100
)

type checker struct {
	c    *Client
	errs []error
}

func (k *checker) add(field, problem string, args ...any) {
	code := "invalid_client_metadata"
	if field == "redirect_uris" {
		code = "invalid_redirect_uri"
	}
	k.errs = append(k.errs, &FieldError{Field: field, Code: code, Problem: fmt.Sprintf(problem, args...)})
}

// Validate reports every problem of c at once: each joined error is a *FieldError with the field's name and a remedy.
// It changes nothing; call Defaults first.
func Validate(c *Client) error {
	k := &checker{c: c}
	k.names()
	k.grants()
	k.auth()
	k.redirects()
	k.tokens()
	k.addresses()
	k.subject()
	k.own()
	return errors.Join(k.errs...)
}

func (k *checker) names() {
	c := k.c
	if c.ID == "" || len(c.ID) > 255 || !visible(c.ID) {
		k.add("client_id", "must be 1 to 255 visible ASCII characters without a space")
	}
	if len(c.Name) > 200 || !text(c.Name) {
		k.add("client_name", "must be at most 200 bytes of text without control characters")
	}
	for field, uri := range map[string]string{
		"client_uri": c.URI, "logo_uri": c.LogoURI, "policy_uri": c.PolicyURI, "tos_uri": c.TosURI,
	} {
		if uri == "" {
			continue
		}
		if u, err := url.Parse(uri); err != nil || !webScheme(u) || u.Host == "" || u.User != nil || len(uri) > maxURI {
			k.add(field, "must be an https address (http is for a loopback host alone)")
		}
	}
	for field, v := range map[string]string{"software_id": c.SoftwareID, "software_version": c.SoftwareVersion} {
		if len(v) > 255 || !text(v) {
			k.add(field, "must be at most 255 bytes of text without control characters")
		}
	}
	if len(c.Contacts) > 10 {
		k.add("contacts", "has %d entries; 10 are the most", len(c.Contacts))
	}
	for i, s := range c.Contacts {
		if s == "" || len(s) > 320 || !text(s) {
			k.add("contacts", "entry %d must be 1 to 320 bytes of text", i+1)
		}
	}
}

// webScheme: people follow these addresses from our pages, so they are https, but for an app under development.
func webScheme(u *url.URL) bool {
	return u.Scheme == "https" || (u.Scheme == "http" && loopback(u.Hostname()))
}

func (k *checker) grants() {
	c := k.c
	k.oneOf("application_type", c.ApplicationType, TypeWeb, TypeNative)
	k.list("grant_types", c.GrantTypes)
	for _, g := range c.GrantTypes {
		if !slices.Contains(GrantTypes(), g) {
			k.add("grant_types", "may hold %s only: others are not offered", strings.Join(GrantTypes(), ", "))
			break
		}
	}
	if c.HasGrant(GrantRefresh) && !c.HasGrant(GrantCode) {
		k.add("grant_types", "refresh_token needs authorization_code")
	}
	k.responseTypes()
}

// responseTypes holds them against the grant types (OIDC Registration §2).
func (k *checker) responseTypes() {
	c := k.c
	code, implicit := false, false
	k.listOf("response_types", c.ResponseTypes, ResponseTypes()...)
	for _, r := range c.ResponseTypes {
		code = code || strings.HasPrefix(r, TypeCode)
		implicit = implicit || r != TypeCode
	}
	if c.HasGrant(GrantCode) != code {
		k.add("response_types", "code and the grant type authorization_code go together: give both or neither")
	}
	if c.HasGrant(GrantImplicit) != implicit {
		k.add("response_types", "id_token and token need the grant type implicit, and it needs one of them: give both or neither")
	}
	if !implicit || c.ApplicationType == TypeNative {
		return
	}
	for i, uri := range c.RedirectURIs {
		if !strings.HasPrefix(uri, "https:") {
			k.add("redirect_uris", "entry %d must be https: tokens are sent there through the browser", i+1)
		}
	}
}

func (k *checker) auth() {
	c := k.c
	k.oneOf("token_endpoint_auth_method", c.AuthMethod, AuthMethods()...)
	k.assertions()
	k.oneOf("lychgate_pkce", c.PKCE, PKCERequired, PKCEOptional)
	if !c.Public() {
		return
	}
	if c.PKCE == PKCEOptional {
		k.add("lychgate_pkce", "must be required for a client without a secret")
	}
	if c.HasGrant(GrantCredentials) {
		k.add("grant_types", "client_credentials needs a client with a secret: set token_endpoint_auth_method")
	}
	if len(c.Secrets) > 0 {
		k.add("token_endpoint_auth_method", "is none, but the client has a secret: remove one of them")
	}
	if len(c.Introspect) > 0 {
		k.add("lychgate_introspect", "needs a client with a secret")
	}
}

func (k *checker) redirects() {
	c := k.c
	if c.Redirects() && len(c.RedirectURIs) == 0 {
		k.add("redirect_uris", "is empty: authorization_code and implicit need at least one")
	}
	if !c.Redirects() && len(c.RedirectURIs) > 0 {
		k.add("redirect_uris", "is never used without the grant type authorization_code: remove it or add the grant")
	}
	k.uris("redirect_uris", c.RedirectURIs)
	k.uris("post_logout_redirect_uris", c.PostLogoutRedirectURIs)
}

func (k *checker) uris(field string, list []string) {
	if len(list) > maxURIs {
		k.add(field, "has %d entries; 50 are the most", len(list))
		return
	}
	for i, uri := range list {
		if problem := k.c.redirectProblem(uri); problem != "" {
			k.add(field, "entry %d %s", i+1, problem)
		}
		if slices.Contains(list[:i], uri) {
			k.add(field, "entry %d stands there twice", i+1)
		}
	}
}

func (k *checker) tokens() {
	c := k.c
	k.encryption()
	k.oneOf("lychgate_access_token_format", c.AccessTokenFormat, FormatOpaque, FormatJWT)
	k.oneOf("lychgate_evidence", c.Evidence, EvidenceOn, EvidenceOff)
	scopes := strings.Split(c.Scope, " ")
	if c.Scope == "" {
		scopes = nil
	}
	k.list("scope", scopes)
	for i, s := range scopes {
		if !scopeToken(s) {
			k.add("scope", "entry %d is not a scope: separate scopes by one space and use visible ASCII without \" and \\", i+1)
		}
	}
	if slices.Contains(scopes, "offline_access") && !c.HasGrant(GrantRefresh) {
		k.add("scope", "holds offline_access: add the grant type refresh_token or remove it")
	}
	if c.DefaultMaxAge != nil && (*c.DefaultMaxAge < 0 || *c.DefaultMaxAge > MaxAgeLimit) {
		k.add("default_max_age", "must be 0 to %d seconds", MaxAgeLimit)
	}
	k.list("default_acr_values", c.DefaultACRValues)
}

// MaxAgeLimit is the largest max_age in seconds, far beyond any session, that can be counted with safely.
const MaxAgeLimit = 1<<31 - 1

func (k *checker) own() {
	c := k.c
	modes := []flow.FactorMode{"", flow.FactorOff, flow.FactorOptional, flow.FactorRequired, flow.FactorAlways}
	if !slices.Contains(modes, c.SecondFactor) {
		k.add("lychgate_second_factor", "must be off, optional, required or always")
	}
	k.oneOf("lychgate_consent", c.Consents(), ConsentAsk, ConsentRemember, ConsentNever)
	if c.Dynamic != nil && c.Consent == ConsentNever {
		k.add("lychgate_consent", "must be ask or remember for a client that registered itself")
	}
	if len(c.Company) > 255 || !visible(c.Company) {
		k.add("lychgate_company", "must be the id of a company")
	}
	k.list("lychgate_companies", c.Companies)
	k.list("lychgate_roles", c.Roles)
	k.list("lychgate_audience", c.Audience)
	k.list("lychgate_introspect", c.Introspect)
}

// listOf is list with a set of values to choose from.
func (k *checker) listOf(field string, values []string, allowed ...string) {
	for i, v := range values {
		if !slices.Contains(allowed, v) {
			k.add(field, "entry %d must be one of: %s", i+1, strings.Join(allowed, ", "))
			return // one is enough to say, however long the list
		}
		if slices.Contains(values[:i], v) {
			k.add(field, "entry %d stands there twice", i+1)
		}
	}
}

func (k *checker) oneOf(field, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		k.add(field, "must be %s", strings.Join(allowed, ", "))
	}
}

// list checks a list of short names: bounded, none empty, none twice.
func (k *checker) list(field string, values []string) {
	if len(values) > maxNames {
		k.add(field, "has %d entries; %d are the most", len(values), maxNames)
		return
	}
	for i, v := range values {
		if v == "" || len(v) > 255 || !visible(v) {
			k.add(field, "entry %d must be 1 to 255 visible ASCII characters", i+1)
		}
		if slices.Contains(values[:i], v) {
			k.add(field, "entry %d stands there twice", i+1)
		}
	}
}

// visible says whether s is ASCII without spaces and control characters.
func visible(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// text says whether s is UTF-8 without control characters, line separators and signs that turn the writing direction:
// a name stands on the consent page.
func text(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r < ' ' || (r >= 0x7f && r < 0xa0) || r == 0xfffd || r == 0x2028 || r == 0x2029 ||
			(r >= 0x202a && r <= 0x202e) || (r >= 0x2066 && r <= 0x2069)
	})
}

// scopeToken is the grammar of RFC 6749 §3.3.
func scopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}
