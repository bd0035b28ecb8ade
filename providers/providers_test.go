// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package providers

import "testing"

func TestFactors(t *testing.T) {
	for _, names := range [][]string{nil, {"totp"}, {"totp", "passkey", "recovery"}} {
		got, err := Factors(Config{}, names...)
		if err != nil || len(got) == 0 || got[0].Kind() != "totp" {
			t.Errorf("Factors(%q) = %d factors, %v", names, len(got), err)
		}
	}
	for _, names := range [][]string{{"TOTP"}, {"sms"}, {"totp", "totp"}, {""}} {
		if got, err := Factors(Config{}, names...); err == nil {
			t.Errorf("Factors(%q) = %d factors, want an error", names, len(got))
		}
	}
	seen := map[string]bool{}
	for _, typ := range Types() {
		if typ.Name == "" || seen[typ.Name] || typ.New(Config{}).Kind() != typ.Name {
			t.Errorf("type %q has no name, that of another, or one of its own making", typ.Name)
		}
		seen[typ.Name] = true
	}
}
