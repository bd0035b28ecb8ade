// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Scope is a scope beside those of OpenID Connect: what it is called, and which claims it opens.
type Scope struct {
	// Name is a scope-token (RFC 6749 §3.3), at most 128 characters.
	Name string `json:"name"`
	// Text says what an app gets by it, by language ("en", "nl"): it goes on from "It will be able to", at most 200
	// characters. People and admins read the same words.
	Text map[string]string `json:"text,omitempty"`
	// Claims are what it opens, by their names in ID tokens and userinfo. At most 50.
	Claims map[string]Mapping `json:"claims,omitempty"`
	// IDToken puts the claims into ID tokens too, as they are at the sign-in.
	IDToken bool `json:"id_token,omitempty"`
}

// Mapping says where the value of a claim comes from: From or Value, one of them.
type Mapping struct {
	// From is roles, groups, company, username, claims.<name> or attributes.<name>. A person who has none has no claim.
	From string `json:"from,omitempty"`
	// Prefix takes the roles or groups that begin so alone, and takes it off them.
	Prefix string `json:"prefix,omitempty"`
	// Value is the same for everybody: any JSON of at most 1024 bytes.
	Value json.RawMessage `json:"value,omitempty"`
}

// Role is a role that people can have, with what it means, for those who give it.
type Role struct {
	Name string `json:"name"`
	// Text is at most 200 characters.
	Text string `json:"text,omitempty"`
}

// The sources of a Mapping.
const (
	fromRoles      = "roles"
	fromGroups     = "groups"
	fromCompany    = "company"
	fromUsername   = "username"
	fromClaims     = "claims."
	fromAttributes = "attributes."
)

// BuiltIn are the scopes that there are without being declared; one that is declared by the same name takes its place.
func BuiltIn() []Scope {
	return []Scope{
		{Name: fromRoles, Claims: map[string]Mapping{fromRoles: {From: fromRoles}}, IDToken: true},
		{Name: fromGroups, Claims: map[string]Mapping{fromGroups: {From: fromGroups}}, IDToken: true},
	}
}

// Person is whom claims are about.
type Person struct {
	Username, Company  string
	Roles, Groups      []string
	Claims, Attributes map[string]any
}

// LogValue keeps the person out of the logs.
func (Person) LogValue() slog.Value { return slog.StringValue("[redacted] person") }

// PersonOf is the person of an account that was read with its profile.
func PersonOf(a authn.Account) Person {
	return Person{
		Username: a.Name, Company: a.Company, Roles: a.Roles, Groups: a.Groups, Claims: a.Claims, Attributes: a.Attributes,
	}
}

// Of returns the claims that the scope opens for a person.
func (s Scope) Of(p Person) map[string]any {
	out := map[string]any{}
	for name, m := range s.Claims {
		if v := m.of(p); v != nil {
			out[name] = v
		}
	}
	return out
}

// of returns the value for a person; nil for none.
func (m Mapping) of(p Person) any {
	switch {
	case len(m.Value) > 0:
		return m.Value
	case m.From == fromRoles:
		return m.taken(p.Roles)
	case m.From == fromGroups:
		return m.taken(p.Groups)
	case m.From == fromCompany:
		return given(p.Company)
	case m.From == fromUsername:
		return given(p.Username)
	case strings.HasPrefix(m.From, fromClaims):
		return p.Claims[strings.TrimPrefix(m.From, fromClaims)]
	case strings.HasPrefix(m.From, fromAttributes):
		return p.Attributes[strings.TrimPrefix(m.From, fromAttributes)]
	default:
		return nil
	}
}

func given(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// taken are the entries with the prefix, without it. Somebody without any has an empty list: apps can tell it from a
// scope that they were not given.
func (m Mapping) taken(list []string) any {
	out := []string{}
	for _, x := range list {
		if rest, ok := strings.CutPrefix(x, m.Prefix); ok && rest != "" {
			out = append(out, rest)
		}
	}
	return out
}

// Words is the text in a language, or in English where there is none in that; empty: there is none.
func (s Scope) Words(lang string) string { return cmp.Or(s.Text[lang], s.Text["en"]) }

// ScopeWords are the texts of those of the scopes that have one, in a language, or in English where it has none in that.
func ScopeWords(ctx context.Context, of Registry, scopes []string, lang string) (map[string]string, error) {
	out := map[string]string{}
	for _, name := range scopes {
		s, known, err := of.Scope(ctx, name)
		if err != nil {
			return nil, err
		}
		if words := s.Words(lang); known && words != "" {
			out[name] = words
		}
	}
	return out, nil
}

// reserved are claims that say what a token is: no scope can give them another value.
func reserved() []string {
	return []string{
		"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash",
		"sid", "events", "cnf", "client_id", "scope", "lg_evidence", "_claim_names", "_claim_sources", "sub_jwk",
	}
}

// standard are the scopes whose meaning OpenID Connect fixes.
func standard() []string {
	return []string{"openid", "profile", "email", "address", "phone", "offline_access"}
}

// dots says whether a name is a step in a path: it would have no address of its own.
func dots(name string) bool { return name == "." || name == ".." }

// ValidateScope reports every problem of a scope at once, as Validate does: at name, text.<language> and claims.<name>. api
// are the scopes of the REST API.
func ValidateScope(s Scope, api []string) error {
	var errs []error
	add := func(field, problem string, args ...any) {
		errs = append(errs, &FieldError{Field: field, Code: "invalid_client_metadata", Problem: fmt.Sprintf(problem, args...)})
	}
	if !scopeToken(s.Name) || len(s.Name) > 128 || dots(s.Name) {
		add("name", "must be 1 to 128 visible ASCII characters without \" and \\, and more than one or two dots")
	}
	if slices.Contains(standard(), s.Name) || slices.Contains(api, s.Name) {
		add("name", "%q has a meaning already: choose another", clip(s.Name))
	}
	for _, lang := range slices.Sorted(maps.Keys(s.Text)) {
		if lang != "en" && lang != "nl" {
			add("text."+clip(lang), "is no language that there is: en or nl")
		}
		if words := s.Text[lang]; words == "" || len(words) > 200 || !text(words) {
			add("text."+clip(lang), "must be 1 to 200 bytes of text without control characters")
		}
	}
	if len(s.Claims) > 50 {
		add("claims", "has %d entries; 50 are the most", len(s.Claims))
		return errors.Join(errs...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Claims)) {
		field := "claims." + name
		if name == "" || len(name) > 128 || !visible(name) {
			field = "claims." + clip(name)
			add(field, "must have a name of 1 to 128 visible ASCII characters")
		}
		if slices.Contains(reserved(), name) {
			add(field, "says what a token is, and cannot be mapped")
		}
		if problem := s.Claims[name].problem(); problem != "" {
			add(field, "%s", problem)
		}
	}
	return errors.Join(errs...)
}

func (m Mapping) problem() string {
	if (m.From == "") == (len(m.Value) == 0) {
		return "give from or value, one of them"
	}
	if len(m.Value) > 1024 || (len(m.Value) > 0 && !json.Valid(m.Value)) || (len(m.Value) > 0 && !shallow(m.Value)) {
		return "value must be JSON of at most 1024 bytes"
	}
	if m.Prefix != "" && m.From != fromRoles && m.From != fromGroups {
		return "prefix goes with from: roles or from: groups alone"
	}
	if len(m.Prefix) > 64 || !text(m.Prefix) {
		return "prefix must be at most 64 bytes of text, as roles and groups are"
	}
	rest, named := strings.CutPrefix(m.From, fromClaims)
	if !named {
		rest, named = strings.CutPrefix(m.From, fromAttributes)
	}
	switch {
	case len(m.Value) > 0, named && rest != "" && len(rest) <= 64 && visible(rest):
		return ""
	case slices.Contains([]string{fromRoles, fromGroups, fromCompany, fromUsername}, m.From):
		return ""
	default:
		return "from must be roles, groups, company, username, claims.<name> or attributes.<name>"
	}
}

// ValidateRole reports what is wrong with a role.
func ValidateRole(r Role) error {
	if r.Name == "" || len(r.Name) > 64 || strings.TrimSpace(r.Name) != r.Name || !text(r.Name) || dots(r.Name) {
		return &FieldError{Field: "name", Code: "invalid_client_metadata", Problem: "must be 1 to 64 bytes of text, and more than one or two dots"}
	}
	if len(r.Text) > 200 || !text(r.Text) {
		return &FieldError{Field: "text", Code: "invalid_client_metadata", Problem: "must be at most 200 bytes of text"}
	}
	return nil
}
