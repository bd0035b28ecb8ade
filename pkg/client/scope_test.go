// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

func TestScopeOf(t *testing.T) {
	p := client.Person{
		Username: "anna@acme.example", Company: "acme", Roles: []string{"cases-write", "cases-", "billing"}, Groups: nil,
		Claims: map[string]any{"locale": "nl"}, Attributes: map[string]any{"department": "Family law", "floors": []any{"1", "2"}},
	}
	s := client.Scope{Name: "cases", Claims: map[string]client.Mapping{
		"roles": {From: "roles"}, "case_roles": {From: "roles", Prefix: "cases-"}, "groups": {From: "groups"}, "org": {From: "company"},
		"preferred_username": {From: "username"}, "lang": {From: "claims.locale"}, "dept": {From: "attributes.department"},
		"floors": {From: "attributes.floors"}, "none": {From: "attributes.none"}, "missing": {From: "claims.nickname"},
		"tier": {Value: json.RawMessage(`{"level":2}`)},
	}}
	want := map[string]any{
		"roles": []string{"cases-write", "cases-", "billing"}, "case_roles": []string{"write"}, "groups": []string{}, "org": "acme",
		"preferred_username": "anna@acme.example", "lang": "nl", "dept": "Family law", "floors": []any{"1", "2"},
		"tier": json.RawMessage(`{"level":2}`),
	}
	if d := cmp.Diff(want, s.Of(p)); d != "" {
		t.Errorf("Of() (-want +got):\n%s", d)
	}
	if got := s.Of(client.Person{})["org"]; got != nil {
		t.Errorf("somebody without a company has org %v", got)
	}
}

func TestValidateScope(t *testing.T) {
	one := func(name string, m client.Mapping) client.Scope {
		return client.Scope{Name: "cases", Claims: map[string]client.Mapping{name: m}}
	}
	for what, c := range map[string]struct {
		s     client.Scope
		field string
	}{
		"fine":              {client.Scope{Name: "cases.read", Text: map[string]string{"en": "read cases", "nl": "zaken lezen"}}, ""},
		"standard":          {client.Scope{Name: "profile"}, "name"},
		"of the API":        {client.Scope{Name: "clients:write"}, "name"},
		"no name":           {client.Scope{}, "name"},
		"blank":             {client.Scope{Name: "a b"}, "name"},
		"language":          {client.Scope{Name: "x", Text: map[string]string{"xx": "words"}}, "text.xx"},
		"direction":         {client.Scope{Name: "x", Text: map[string]string{"en": "a\u202eb"}}, "text.en"},
		"sub":               {one("sub", client.Mapping{From: "username"}), "claims.sub"},
		"acr":               {one("acr", client.Mapping{Value: json.RawMessage(`"mfa"`)}), "claims.acr"},
		"nothing":           {one("x", client.Mapping{}), "claims.x"},
		"both":              {one("x", client.Mapping{From: "roles", Value: json.RawMessage(`1`)}), "claims.x"},
		"unknown source":    {one("x", client.Mapping{From: "password"}), "claims.x"},
		"claims of no name": {one("x", client.Mapping{From: "claims."}), "claims.x"},
		"prefix of a text":  {one("x", client.Mapping{From: "company", Prefix: "a"}), "claims.x"},
		"no JSON":           {one("x", client.Mapping{Value: json.RawMessage(`{`)}), "claims.x"},
		"deep":              {one("x", client.Mapping{Value: json.RawMessage(strings.Repeat("[", 20) + strings.Repeat("]", 20))}), "claims.x"},
		"dots":              {client.Scope{Name: ".."}, "name"},
		"a long prefix":     {one("x", client.Mapping{From: "roles", Prefix: strings.Repeat("a", 65)}), "claims.x"},
		"a torn prefix":     {one("x", client.Mapping{From: "roles", Prefix: "a\nb"}), "claims.x"},
		"large":             {one("x", client.Mapping{Value: json.RawMessage(`"` + strings.Repeat("a", 1100) + `"`)}), "claims.x"},
	} {
		err := client.ValidateScope(c.s, []string{"clients:write"})
		var f *client.FieldError
		if (err == nil) != (c.field == "") || err != nil && (!errors.As(err, &f) || f.Field != c.field) {
			t.Errorf("%s: ValidateScope() = %v, want a problem of %q", what, err, c.field)
		}
	}
}
