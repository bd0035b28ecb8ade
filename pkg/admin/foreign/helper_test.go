// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign_test

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin/foreign"
)

// file reads a file of testdata, which holds invented people of .example domains. Their passwords are all "a quiet
// morning by the canal"; the hashes were made by python3: hashlib.pbkdf2_hmac, bcrypt.hashpw, argon2.low_level
// (argon2-cffi) and passlib.
func file(tb testing.TB, name string) io.ReadSeeker {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return strings.NewReader(string(b))
}

func open(tb testing.TB, product string, f foreign.Files, o foreign.Options) foreign.Export {
	tb.Helper()
	x, err := foreign.Open(product, f, o)
	if err != nil {
		tb.Fatalf("Open() = %v", err)
	}
	return x
}

func people(tb testing.TB, x foreign.Export) []foreign.Person {
	tb.Helper()
	var all []foreign.Person
	if err := x.People(func(p foreign.Person) error { all = append(all, p); return nil }); err != nil {
		tb.Fatalf("People() = %v", err)
	}
	return all
}

func apps(tb testing.TB, x foreign.Export) []foreign.App {
	tb.Helper()
	all, err := x.Apps()
	if err != nil {
		tb.Fatalf("Apps() = %v", err)
	}
	return all
}

// notes are in one text each.
func notes(list []foreign.Note) []string {
	var out []string
	for _, n := range list {
		out = append(out, n.Field+": "+n.Reason)
	}
	return out
}

// contains fails unless each want is in one of the texts, in order, and nothing else is there.
func contains(t *testing.T, what string, got, want []string) {
	t.Helper()
	ok := len(got) == len(want)
	for i := 0; ok && i < len(got); i++ {
		ok = strings.Contains(got[i], want[i])
	}
	if !ok {
		t.Errorf("%s: %s", what, cmp.Diff(want, got))
	}
}

func matches(t *testing.T, what, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(got) {
		t.Errorf("%s = %.60q, want %s", what, got, pattern)
	}
}
