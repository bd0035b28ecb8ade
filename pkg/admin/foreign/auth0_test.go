// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin/foreign"
)

func TestAuth0Export(t *testing.T) {
	all := people(t, open(t, foreign.Auth0, foreign.Files{Main: file(t, "auth0-users.ndjson"), Passwords: file(t, "auth0-passwords.ndjson")}, foreign.Options{}))
	for i, tt := range []struct {
		name, sub, hash string
		disabled, had   bool
		notes           []string
	}{
		{"anna@legal.example", `^auth0\|[0-9a-f]{24}$`, `^\$2b\$10\$.{53}$`, false, true, []string{"multifactor: the second factor is not in the export", "app_metadata"}},
		{"ben@legal.example", `^auth0\|[0-9a-f]{24}$`, `^\$2a\$10\$.{53}$`, true, false, nil},
		{"cora", `^auth0\|[0-9a-f]{24}$`, "^$", false, false, []string{"password: no hash in the export"}},
		{"dirk@legal.example", `^google-oauth2\|103547991597142817347$`, "^$", false, false, []string{`user_id: sign-in by "google-oauth2"`}},
	} {
		p := all[i]
		if p.Where != fmt.Sprintf("line %d", i+1) || p.Username != tt.name || p.Disabled != tt.disabled || p.HadFactor != tt.had || p.Problem != nil {
			t.Errorf("%+v, want %+v", p, tt)
		}
		matches(t, tt.name+"'s sub", p.Subject, tt.sub)
		matches(t, tt.name+"'s hash", p.PasswordHash, tt.hash)
		contains(t, tt.name, notes(p.Notes), tt.notes)
	}
	want := map[string]any{
		"email": "anna@legal.example", "email_verified": true, "name": "Anna Example", "given_name": "Anna", "family_name": "Example",
		"nickname": "anna", "picture": "https://s.example/anna.png",
	}
	if diff := cmp.Diff(want, all[0].Claims); diff != "" {
		t.Errorf("anna's claims (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]any{"preferred_username": "cora", "phone_number": "+31201234567", "phone_number_verified": true}, all[2].Claims); diff != "" {
		t.Errorf("cora's claims (-want +got):\n%s", diff)
	}
}

// TestAuth0Bulk: a list in the form of a bulk import, which holds hashes and authenticator apps.
func TestAuth0Bulk(t *testing.T) {
	x := open(t, foreign.Auth0, foreign.Files{Main: file(t, "auth0-bulk.json")}, foreign.Options{})
	all := people(t, x)
	for i, tt := range []struct {
		name, sub, hash string
		totp            int
		notes           []string
	}{
		{"anna@legal.example", `^auth0\|[0-9a-f]{24}$`, `^\$2b\$`, 20, []string{"mfa_factors[0]: a factor of a kind"}},
		{"ben@legal.example", `^$`, `^\$pbkdf2-sha512\$i=100000\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{86}$`, 0, []string{"mfa_factors[0]: authenticator app: a key of less than 20"}},
		{"cora@legal.example", `^$`, `^$`, 0, []string{"custom_password_hash: a kind of hash that is not taken"}},
	} {
		p := all[i]
		if p.Where != fmt.Sprintf("users[%d]", i) || p.Username != tt.name || len(p.TOTPSecret) != tt.totp || p.Problem != nil {
			t.Errorf("%+v, want %+v", p, tt)
		}
		matches(t, tt.name+"'s sub", p.Subject, tt.sub)
		matches(t, tt.name+"'s hash", p.PasswordHash, tt.hash)
		contains(t, tt.name, notes(p.Notes), tt.notes)
	}
	if _, err := x.Apps(); !errors.Is(err, foreign.ErrFormat) {
		t.Errorf("Apps() = %v, want ErrFormat", err)
	}
}

func TestAuth0Hostile(t *testing.T) {
	for name, tt := range map[string]struct {
		users string
		want  error
	}{
		"nothing": {"", foreign.ErrFormat}, "blank": {"\n \n", foreign.ErrFormat}, "csv": {"Id,Email\n1,a@b.example\n", foreign.ErrFormat},
		"long line": {`{"email":"` + strings.Repeat("a", 2<<20) + `"}`, foreign.ErrSize}, "long list": {`[{"email":"` + strings.Repeat("a", 3<<20) + `"}]`, foreign.ErrSize},
		"cut list": {`[{"email":"a@b.example"},`, foreign.ErrFormat},
	} {
		x := open(t, foreign.Auth0, foreign.Files{Main: strings.NewReader(tt.users)}, foreign.Options{})
		if err := x.People(func(foreign.Person) error { return nil }); !errors.Is(err, tt.want) {
			t.Errorf("%s: People() = %v, want %v", name, err, tt.want)
		}
	}
	all := people(t, open(t, foreign.Auth0, foreign.Files{Main: strings.NewReader("{\"email\":1}\n{\n{}\n\n{\"email\":\"a@b.example\"}{}\n")}, foreign.Options{}))
	for i, want := range []string{"line 1 email: has to be a text", "line 2 not one JSON object", "line 3 email: is missing", "line 5 not one JSON object"} {
		if got := fmt.Sprintf("%s %v", all[i].Where, all[i].Problem); !strings.HasPrefix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for name, passwords := range map[string]string{
		"no id": `{"passwordHash":"x"}`, "twice": "{\"_id\":{\"$oid\":\"a\"}}\n{\"_id\":{\"$oid\":\"a\"}}", "no JSON": "x", "type": `{"_id":1}`,
		"long id": `{"alt_id":"` + strings.Repeat("a", 300) + `"}`,
	} {
		if _, err := foreign.Open(foreign.Auth0, foreign.Files{Main: strings.NewReader(""), Passwords: strings.NewReader(passwords)}, foreign.Options{}); err == nil {
			t.Errorf("a passwords file with %s is taken", name)
		}
	}
}

// many is a file of n users that is never in memory.
type many struct {
	n, at int64
	line  string
}

func (m *many) Read(p []byte) (int, error) {
	if m.at >= m.n*int64(len(m.line)) {
		return 0, io.EOF
	}
	n := copy(p, m.line[m.at%int64(len(m.line)):])
	m.at += int64(n)
	return n, nil
}

func (m *many) Seek(int64, int) (int64, error) { m.at = 0; return 0, nil }

// TestAuth0Many: a million people pass, one more does not.
func TestAuth0Many(t *testing.T) {
	got := 0
	x := open(t, foreign.Auth0, foreign.Files{Main: &many{n: 1_000_001, line: "{}\n"}}, foreign.Options{})
	err := x.People(func(foreign.Person) error { got++; return nil })
	if !errors.Is(err, foreign.ErrSize) || got != 1_000_000 {
		t.Errorf("%d read, %v, want 1000000 and then ErrSize", got, err)
	}
}

func FuzzAuth0(f *testing.F) {
	f.Add(`{"user_id":"auth0|a","email":"a@b.example","mfa_factors":[{"totp":{"secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}}]}`, `{"_id":{"$oid":"a"},"passwordHash":"$2b$10$x"}`)
	f.Add(`[{"email":"a@b.example","custom_password_hash":{"algorithm":"pbkdf2","hash":{"value":"$pbkdf2-sha1$i=1,l=2$a$b"}}}]`, "")
	f.Fuzz(func(t *testing.T, users, passwords string) {
		files := foreign.Files{Main: strings.NewReader(users)}
		if passwords != "" {
			files.Passwords = strings.NewReader(passwords)
		}
		if x, err := foreign.Open(foreign.Auth0, files, foreign.Options{}); err == nil {
			bounded(t, x)
		}
	})
}
