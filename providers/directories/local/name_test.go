// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"strings"
	"testing"
)

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"a.example@example.com": "a.example@example.com", "A.Example@EXAMPLE.com": "a.example@example.com",
		"  a@example.com \n": "a@example.com", "ａ@example.com": "a@example.com", "Zoe\u0308": "zo\u00eb", "ÉTÉ": "été",
		"x+y@example.com": "x+y@example.com", "аdmin": "аdmin", strings.Repeat("a", 256): strings.Repeat("a", 256),
		"": "", "   ": "", "a b": "", "a\tb": "", "a\x00b": "", "\xff": "", "a\u202eb": "", "a\u200bb": "", "\ufeffa": "",
		strings.Repeat("a", 257): "", strings.Repeat("a", 10_000): "", strings.Repeat("Ⱥ", 100): "",
	} {
		got, err := Canonical(name)
		if (err == nil) != (want != "") || got != want {
			t.Errorf("Canonical(%.40q) = %.40q, %v, want %.40q", name, got, err, want)
		}
	}
	if got, err := Canonical(nobody); err == nil {
		t.Errorf("Canonical(nobody) = %q: an account could have the name that stands for none", got)
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add("A.Example@example.com")
	f.Add("İstanbul")
	f.Add("ﬁ")
	f.Fuzz(func(t *testing.T, name string) {
		got, err := Canonical(name)
		if err != nil {
			return
		}
		if got == "" || len(got) > maxName || strings.ContainsAny(got, " \t\r\n\x00") {
			t.Errorf("Canonical(%q) = %q", name, got)
		}
		if again, err := Canonical(got); err != nil || again != got {
			t.Errorf("Canonical(%q) = %q, of which it is %q, %v", name, got, again, err)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	context := []string{"j.smithson@example.com", "Example Legal Aid"}
	for password, want := range map[string]error{
		"a quiet morning by the canal": nil, "7h3 r1v3r b3nd": nil, "ééééèèèèêêêêxyz": nil, strings.Repeat("ab c", 64): errCommon,
		"Tr0ub4dor&3xyz": nil, "жёлтая дверь": nil, "wrong horse, no battery": nil,
		"": errShort, "short": errShort, "elevenchars": errShort, "\u6f22\u5b57\u6f22\u5b57": errShort,
		strings.Repeat("x1y2z3w4v5", 26): errLong, strings.Repeat("a", 100_000): errLong,
		"password1234": errCommon, "Password2026!": errCommon, "!!welcome2026!!": errCommon, "aaaaaaaaaaaa": errCommon,
		"abcabcabcabc": errCommon, "123456789012": errCommon, "abcdefghijkl": errCommon, "987654321098": errCommon,
		"qwertyuiop[]": errCommon, "qwertyuiopas": errCommon, "correcthorsebatterystaple": errCommon, "q1w2e3r4t5y6": errCommon,
		"smithson2026!": errContext, "Lychgate2026": errContext, "legal-example1": errContext, "j.smithson@example.com": errContext,
		"smithson crosses a river": nil,
	} {
		if got := CheckPassword(password, context...); got != want { //nolint:errorlint // the very one is meant
			t.Errorf("CheckPassword(%.40q) = %v, want %v", password, got, want)
		}
	}
	if err := CheckPassword("smithson2026!"); err != nil {
		t.Errorf("CheckPassword without context = %v", err)
	}
}

func FuzzCheckPassword(f *testing.F) {
	f.Add("a quiet morning by the canal", "name@example.com")
	f.Add("e\u0308", "")
	f.Fuzz(func(t *testing.T, password, context string) {
		if CheckPassword(password, context) != nil {
			return
		}
		secret, ok := prepare(password)
		if !ok || len(secret) < minPassword || len(secret) > maxPassword {
			t.Errorf("%q was taken with %d bytes", password, len(secret))
		}
	})
}
