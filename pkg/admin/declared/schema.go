// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Schema is the JSON Schema (draft 2020-12) of declarative files, for editors: names, kinds and fixed values. What goes
// beyond, such as addresses, is checked by a plan.
func Schema() ([]byte, error) {
	list := func(entry map[string]any, required ...string) map[string]any {
		entry["required"] = required
		return map[string]any{"type": []string{"array", "null"}, "items": entry}
	}
	b, err := json.MarshalIndent(map[string]any{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Lychgate declarative file", "type": "object",
		"additionalProperties": false,
		"properties": map[string]any{
			ListCompanies: list(schemaOf(reflect.TypeFor[company.Company]()), "id"),
			ListRoles:     list(schemaOf(reflect.TypeFor[client.Role]()), "name"),
			ListScopes:    list(schemaOf(reflect.TypeFor[client.Scope]()), "name"),
			ListClients:   list(schemaOf(reflect.TypeFor[clientEntry]()), "client_id"),
		},
	}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return append(b, '\n'), nil
}

// values are the fixed ones of fields that have such.
func values(field string) []string {
	return map[string][]string{
		"application_type": {client.TypeWeb, client.TypeNative}, "token_endpoint_auth_method": client.AuthMethods(),
		"lychgate_access_token_format": {client.FormatOpaque, client.FormatJWT}, "lychgate_pkce": {client.PKCERequired, client.PKCEOptional},
		"lychgate_evidence": {client.EvidenceOn, client.EvidenceOff}, "subject_type": {client.SubjectPublic, client.SubjectPairwise},
		"lychgate_consent": {client.ConsentAsk, client.ConsentRemember, client.ConsentNever},
		"second_factor":    modes(), "lychgate_second_factor": modes(),
	}[field]
}

func modes() []string {
	var out []string
	for _, m := range []flow.FactorMode{flow.FactorOff, flow.FactorOptional, flow.FactorRequired, flow.FactorAlways} {
		out = append(out, string(m))
	}
	return out
}

func schemaOf(t reflect.Type) map[string]any {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return map[string]any{"type": "string", "description": "a day, 2026-12-31, or a time as of RFC 3339"}
	case t == reflect.TypeFor[json.RawMessage]():
		return map[string]any{}
	}
	switch t.Kind() {
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return map[string]any{"type": "integer"}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": schemaOf(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": schemaOf(t.Elem())}
	case reflect.Pointer:
		return schemaOf(t.Elem())
	default:
		properties := map[string]any{}
		addFields(t, properties)
		return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	}
}

func addFields(t reflect.Type, properties map[string]any) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			addFields(f.Type, properties)
		case name != "" && name != "-":
			s := schemaOf(f.Type)
			if fixed := values(name); fixed != nil {
				s["enum"] = fixed
			}
			properties[name] = s
		}
	}
}
