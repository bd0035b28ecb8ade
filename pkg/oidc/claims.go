// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"math"
	"slices"
)

// claimsOf lists the standard claims of a scope (OIDC Core §5.4).
func claimsOf(scope string) []string {
	switch scope {
	case "profile":
		return []string{
			"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile", "picture",
			"website", "gender", "birthdate", "zoneinfo", "locale", "updated_at",
		}
	case "email":
		return []string{"email", "email_verified"}
	case "address":
		return []string{"address"}
	case "phone":
		return []string{"phone_number", "phone_number_verified"}
	default:
		return nil
	}
}

// knownScopes are the scopes with a meaning here, for discovery.
func knownScopes() []string {
	return []string{scopeOpenID, "profile", "email", "address", "phone", scopeOffline}
}

// scopeClaims picks the claims that the scopes allow, as far as the account has them with the right type: an empty
// string or a text where a number belongs breaks relying parties (OIDC Core §5.3.2).
func scopeClaims(have map[string]any, scopes []string) map[string]any {
	out := map[string]any{}
	for _, s := range scopes {
		addClaims(out, have, claimsOf(s))
	}
	return out
}

// addClaims adds those of the named claims that the profile has in their proper type.
func addClaims(out, have map[string]any, names []string) {
	for _, name := range names {
		if v, ok := typed(name, have[name]); ok {
			out[name] = v
		}
	}
}

// typed returns the claim with the type of OIDC Core §5.1.
func typed(name string, v any) (any, bool) {
	switch name {
	case "email_verified", "phone_number_verified":
		b, ok := v.(bool)
		return b, ok
	case "updated_at":
		return number(v)
	case "address":
		return address(v)
	default:
		s, ok := v.(string)
		return s, ok && s != ""
	}
}

func number(v any) (any, bool) {
	switch n := v.(type) {
	case float64:
		return int64(n), n == math.Trunc(n) && n >= 0 && n < 1<<53
	case int64:
		return n, n >= 0
	case int:
		return n, n >= 0
	case json.Number:
		i, err := n.Int64()
		return i, err == nil && i >= 0
	default:
		return nil, false
	}
}

// address keeps the members of OIDC Core §5.1.1.
func address(v any) (any, bool) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	members := []string{"formatted", "street_address", "locality", "region", "postal_code", "country"}
	out := map[string]any{}
	for name, value := range m {
		if s, ok := value.(string); ok && s != "" && slices.Contains(members, name) {
			out[name] = s
		}
	}
	return out, len(out) > 0
}
