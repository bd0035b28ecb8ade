// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lychgate/lychgate/pkg/client"
)

// typeOf is the type that a schema is made of.
func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// component puts a schema into the document under a name, and returns what leads there.
func component(r huma.Registry, name string, s *huma.Schema) *huma.Schema {
	s.PrecomputeMessages()
	r.Map()[name] = s
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// clientView is a client as it is read: its metadata, nothing of its secrets.
type clientView struct{ *client.Client }

// MarshalJSON implements json.Marshaler.
func (v clientView) MarshalJSON() ([]byte, error) { return json.Marshal(v.Client) }

// Schema implements huma.SchemaProvider.
func (clientView) Schema(r huma.Registry) *huma.Schema {
	s := clientSchema()
	s.Required = []string{"client_id"}
	return component(r, "Client", s)
}

// createdView is a client with its secret, shown once.
type createdView struct {
	clientView
	Secret string
}

// MarshalJSON implements json.Marshaler.
func (v createdView) MarshalJSON() ([]byte, error) {
	b, err := v.clientView.MarshalJSON()
	if err != nil || v.Secret == "" {
		return b, err
	}
	out := map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("encode client: %w", err)
	}
	// RFC 7591 §3.2.1: 0 says that it does not end.
	out["client_secret"], out["client_secret_expires_at"] = v.Secret, 0
	return json.Marshal(out)
}

// Schema implements huma.SchemaProvider.
func (createdView) Schema(r huma.Registry) *huma.Schema {
	s := clientSchema()
	s.Required = []string{"client_id"}
	s.Properties["client_secret"] = &huma.Schema{Type: huma.TypeString, Description: "Shown this once."}
	s.Properties["client_secret_expires_at"] = &huma.Schema{Type: huma.TypeInteger, Description: "Always 0: it does not end by itself."}
	return component(r, "NewClient", s)
}

// clientBody is a whole description. What counts is read from the body itself, by the rules for clients.
type clientBody struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*clientBody) UnmarshalJSON([]byte) error { return nil }

// Schema implements huma.SchemaProvider.
func (clientBody) Schema(r huma.Registry) *huma.Schema {
	s := clientSchema()
	s.Properties["client_id"].Pattern = `^[!-\-0-~][!-.0-~]*$`
	s.Properties["client_secret"] = &huma.Schema{
		Type: huma.TypeString, WriteOnly: true, Description: "A secret to take over from another provider, when the client is registered; else one is made.",
	}
	s.Examples = []any{map[string]any{
		"client_name": "Tide", "redirect_uris": []string{"https://tide.example.com/callback"},
		"grant_types": []string{"authorization_code", "refresh_token"}, "response_types": []string{"code"},
	}}
	return component(r, "ClientDescription", s)
}

// clientPatch is a merge patch of a description.
type clientPatch struct{}

// UnmarshalJSON implements json.Unmarshaler.
func (*clientPatch) UnmarshalJSON([]byte) error { return nil }

// Schema implements huma.SchemaProvider.
func (clientPatch) Schema(r huma.Registry) *huma.Schema {
	s := clientSchema()
	delete(s.Properties, "client_id")
	for _, p := range s.Properties {
		p.Nullable = true
		if len(p.Enum) > 0 {
			p.Enum = append(p.Enum, nil)
		}
	}
	return component(r, "ClientPatch", s)
}

// clientSchema is made of the fields of a client, so that a new one is in the document by itself.
func clientSchema() *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for f := range typeOf[client.Client]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		p := fieldSchema(f.Type)
		for _, v := range choices()[name] {
			if p.Items != nil {
				p.Items.Enum = append(p.Items.Enum, v)
			} else {
				p.Enum = append(p.Enum, v)
			}
		}
		p.Description = words()[name]
		s.Properties[name] = p
	}
	return s
}

func fieldSchema(t reflect.Type) *huma.Schema {
	if t == typeOf[json.RawMessage]() {
		return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
	}
	switch t.Kind() {
	case reflect.Bool:
		return &huma.Schema{Type: huma.TypeBoolean}
	case reflect.Slice:
		return &huma.Schema{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}}
	case reflect.Pointer, reflect.Int64:
		return &huma.Schema{Type: huma.TypeInteger}
	default:
		return &huma.Schema{Type: huma.TypeString}
	}
}

// choices are the values of fields that know a few alone.
func choices() map[string][]string {
	signing := []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}
	return map[string][]string{
		"application_type":             {client.TypeWeb, client.TypeNative},
		"grant_types":                  client.GrantTypes(),
		"response_types":               client.ResponseTypes(),
		"token_endpoint_auth_method":   client.AuthMethods(),
		"id_token_signed_response_alg": signing,
		"subject_type":                 {client.SubjectPublic, client.SubjectPairwise},
		"lychgate_second_factor":       {"off", "optional", "required", "always"},
		"lychgate_access_token_format": {client.FormatOpaque, client.FormatJWT},
		"lychgate_evidence":            {client.EvidenceOn, client.EvidenceOff},
		"lychgate_pkce":                {client.PKCERequired, client.PKCEOptional},
		"lychgate_consent":             {client.ConsentAsk, client.ConsentRemember, client.ConsentNever},
	}
}

// words are the meanings of our own fields; those of RFC 7591 and OpenID Connect are theirs.
func words() map[string]string {
	return map[string]string{ //nolint:gosec // names of fields and what they mean
		"client_id":                       "Made by the server where it is left out.",
		"scope":                           "Separated by one space.",
		"lychgate_company":                "The company whose own app this is: no consent is asked, and its API tokens see that company alone.",
		"lychgate_companies":              "Whose people may sign in; empty: everybody's.",
		"lychgate_roles":                  "Who may sign in; empty: every role.",
		"lychgate_second_factor":          "The stricter of client and company counts.",
		"lychgate_access_token_format":    "opaque, or at+jwt (RFC 9068).",
		"lychgate_access_token_lifetime":  "In seconds, at least 60; absent, and at most: the provider's.",
		"lychgate_id_token_lifetime":      "In seconds, at least 60; absent, and at most: the provider's.",
		"lychgate_refresh_token_idle":     "In seconds from the last use, at least 60; absent, and at most: the provider's.",
		"lychgate_refresh_token_lifetime": "In seconds from the sign-in, at least 60; absent, and at most: the provider's.",
		"lychgate_evidence":               "Whether ID tokens have the claim lg_evidence.",
		"lychgate_pkce":                   "optional for clients with a secret alone.",
		"lychgate_audience":               "The aud of access tokens; empty: the client_id.",
		"lychgate_introspect":             "Clients whose tokens this one may introspect; * is all.",
		"lychgate_strict_audience":        "Take client assertions for the issuer alone.",
		"lychgate_consent":                "How people are asked; absent: never for a company's own app, else remember.",
		"lychgate_disabled":               "Refuse the client everywhere, within a second.",
	}
}
