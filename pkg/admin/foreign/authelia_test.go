// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

func TestAutheliaPeople(t *testing.T) {
	all := people(t, open(t, foreign.Authelia, foreign.Files{
		Main: file(t, "authelia-users.yml"), TOTP: file(t, "authelia-totp.yml"), Subjects: file(t, "authelia-identifiers.yml"),
	}, foreign.Options{}))
	for i, tt := range []struct {
		name, sub, hash string
		disabled, had   bool
		totp            int
		notes           []string
	}{
		{"anna", `^[0-9a-f-]{36}$`, `^\$argon2id\$v=19\$m=65536,t=3,p=4\$`, false, true, 32, nil},
		{"ben", `^$`, `^\$2b\$12\$`, true, true, 0, []string{"totp_configurations: authenticator app: not SHA-1"}},
		{"cora", `^$`, `^\$pbkdf2-sha512\$i=310000\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]{86}$`, false, false, 0, []string{"phone_extension"}},
		{"dirk", `^$`, `^$`, false, false, 0, []string{"password: a kind of hash that is not taken"}},
		{"eva", `^$`, `^$`, false, false, 0, []string{"password: a kind of hash that is not taken"}},
	} {
		p := all[i]
		if p.Where != "users."+tt.name || p.Username != tt.name || p.Disabled != tt.disabled || p.HadFactor != tt.had || len(p.TOTPSecret) != tt.totp || p.Problem != nil {
			t.Errorf("%+v, want %+v", p, tt)
		}
		matches(t, tt.name+"'s sub", p.Subject, tt.sub)
		matches(t, tt.name+"'s hash", p.PasswordHash, tt.hash)
		contains(t, tt.name, notes(p.Notes), tt.notes)
	}
	// The file holds the text of the Base32 in base64, not the key itself.
	if got := string(all[0].TOTPSecret); got != "12345678901234567890123456789012" {
		t.Errorf("anna's key = %q", got)
	}
	want := map[string]any{
		"email": "anna@legal.example", "name": "Anna Example", "given_name": "Anna", "family_name": "Example", "locale": "nl",
		"preferred_username": "anna", "address": map[string]any{"locality": "Utrecht", "country": "NL"},
	}
	if diff := cmp.Diff(want, all[0].Claims); diff != "" || cmp.Diff([]string{"admins", "cases"}, all[0].Roles) != "" {
		t.Errorf("anna's roles %v, claims (-want +got):\n%s", all[0].Roles, diff)
	}
}

func TestAutheliaClients(t *testing.T) {
	x := open(t, foreign.Authelia, foreign.Files{Main: file(t, "authelia-configuration.yml")}, foreign.Options{})
	if got := people(t, x); len(got) != 0 {
		t.Errorf("%d people in a configuration, want none", len(got))
	}
	all := apps(t, x)
	want := []*client.Client{
		{
			ID: "cases", Name: "Cases", AuthMethod: client.AuthPost, GrantTypes: []string{"authorization_code", "refresh_token"},
			RedirectURIs: []string{"https://cases.legal.example/oauth2/callback"}, Scope: "openid profile email offline_access", SecondFactor: flow.FactorRequired,
		},
		{
			ID: "portal", Name: "Portal", AuthMethod: client.AuthNone, GrantTypes: []string{"authorization_code"},
			RedirectURIs: []string{"https://portal.legal.example/"}, Scope: "openid profile",
		},
		{
			ID: "plain", AuthMethod: client.AuthBasic, GrantTypes: []string{"authorization_code"}, PKCE: client.PKCEOptional,
			RedirectURIs: []string{"https://plain.legal.example/cb"}, Scope: "openid", SecondFactor: flow.FactorRequired,
		},
	}
	for i, w := range want {
		if diff := cmp.Diff(w, all[i].Registration.Client); diff != "" || all[i].Problem != nil {
			t.Errorf("clients[%d] %v (-want +got):\n%s", i, all[i].Problem, diff)
		}
		c := *w
		if client.Defaults(&c); client.Validate(&c) != nil {
			t.Errorf("%s cannot be registered: %v", c.ID, client.Validate(&c))
		}
	}
	contains(t, "cases", notes(all[0].Notes), []string{`scopes[1]: the scope "groups"`, "client_secret: is there as a hash alone"})
	contains(t, "portal", notes(all[1].Notes), nil)
	contains(t, "plain", notes(all[2].Notes), []string{`authorization_policy: "cases_only"`, "lifespan"})
	if !all[0].Own || all[1].Own || all[0].Registration.Secret != "" || all[2].Registration.Secret != "Zb4QkR7mW2xL9pT6vN1cD8sF3hJ5gK0a" {
		t.Error("own apps and secrets are not those of the file")
	}
	if p := all[3].Problem; p == nil || !strings.HasPrefix(p.Error(), "redirect_uris: none is left") {
		t.Errorf("old: %v", p)
	}
}

func TestAutheliaHostile(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
		"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\nusers: {x: {groups: [*f,*f,*f,*f,*f,*f,*f,*f,*f]}}\n"
	for name, tt := range map[string]struct {
		file string
		want error
	}{
		"not YAML": {"users: [", foreign.ErrFormat}, "a list": {"- a", foreign.ErrFormat}, "users twice": {"users: {}\nusers: {}", foreign.ErrFormat},
		"a name twice": {"users:\n  a: {}\n  a: {}\n", foreign.ErrFormat}, "large": {"# " + strings.Repeat("a", 17<<20), foreign.ErrSize},
		"deep": {"users: " + strings.Repeat("[", 20_000), foreign.ErrFormat}, "users is a text": {"users: hunter2", foreign.ErrFormat},
	} {
		_, err := foreign.Open(foreign.Authelia, foreign.Files{Main: strings.NewReader(tt.file)}, foreign.Options{})
		if !errors.Is(err, tt.want) || strings.Contains(fmt.Sprint(err), "hunter2") {
			t.Errorf("%s: Open() = %v, want %v", name, err, tt.want)
		}
	}
	for name, text := range map[string]string{
		"nothing": "", "another file": "a: 1\n",
	} {
		x := open(t, foreign.Authelia, foreign.Files{Main: strings.NewReader(text)}, foreign.Options{})
		if err := x.People(func(foreign.Person) error { return nil }); !errors.Is(err, foreign.ErrFormat) {
			t.Errorf("%s: People() = %v, want ErrFormat", name, err)
		}
	}
	text := bomb + "  # a user whose password is no text\n"
	all := people(t, open(t, foreign.Authelia, foreign.Files{Main: strings.NewReader(text)}, foreign.Options{}))
	if len(all) != 1 || all[0].Problem == nil {
		t.Errorf("an alias bomb = %+v", all)
	}
	all = people(t, open(t, foreign.Authelia, foreign.Files{Main: strings.NewReader("users:\n  a:\n    password: {hunter2: x}\n  b: 7\n  12: {}\n  \"\": {}\n")}, foreign.Options{}))
	for _, p := range all {
		if s := fmt.Sprint(p.Problem); strings.Contains(s, "hunter2") {
			t.Errorf("%s: the problem quotes the hash: %s", p.Where, s)
		}
	}
	if len(all) != 4 || all[2].Problem == nil || !strings.Contains(all[2].Problem.Error(), "line 3: a value that is not of its type") {
		t.Errorf("people = %+v", all)
	}
}

func TestOpen(t *testing.T) {
	some := strings.NewReader("{}")
	for name, tt := range map[string]struct {
		product string
		files   foreign.Files
		options foreign.Options
	}{
		"product": {"okta", foreign.Files{Main: some}, foreign.Options{}}, "name": {foreign.Keycloak, foreign.Files{Main: some}, foreign.Options{SignInName: "phone"}},
		"passwords": {foreign.Keycloak, foreign.Files{Main: some, Passwords: some}, foreign.Options{}},
		"totp":      {foreign.Auth0, foreign.Files{Main: some, TOTP: some}, foreign.Options{}}, "subjects": {foreign.Keycloak, foreign.Files{Main: some, Subjects: some}, foreign.Options{}},
	} {
		if _, err := foreign.Open(tt.product, tt.files, tt.options); err == nil {
			t.Errorf("Open with a bad %s = nil, want an error", name)
		}
	}
}

func FuzzAuthelia(f *testing.F) {
	f.Add("users:\n  a: {password: '$2b$10$x', groups: [b]}\n", "totp_configurations: [{username: a, algorithm: SHA1, digits: 6, period: 30, secret: R0VaREdOQlZHWTNUUU9KUUdFWkRHTkJWR1kzVFFPSlE=}]")
	f.Add("identity_providers: {oidc: {clients: [{client_id: a, redirect_uris: ['https://a.example/*']}]}}", "")
	f.Add("users: {a: &x {password: *x}}", "")
	f.Fuzz(func(t *testing.T, main, totp string) {
		files := foreign.Files{Main: strings.NewReader(main)}
		if totp != "" {
			files.TOTP = strings.NewReader(totp)
		}
		if x, err := foreign.Open(foreign.Authelia, files, foreign.Options{}); err == nil {
			bounded(t, x)
		}
	})
}
