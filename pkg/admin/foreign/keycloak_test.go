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
)

func realm(t *testing.T) foreign.Export {
	t.Helper()
	return open(t, foreign.Keycloak, foreign.Files{Main: file(t, "keycloak-realm.json")}, foreign.Options{})
}

func TestKeycloakPeople(t *testing.T) {
	x := realm(t)
	all := people(t, x)
	if again := people(t, x); cmp.Diff(len(all), len(again)) != "" || len(all) != 7 {
		t.Fatalf("%d people, then %d, want 7", len(all), len(again))
	}
	anna := all[0]
	matches(t, "hash", anna.PasswordHash, `^\$pbkdf2-sha256\$i=27500\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{86}$`)
	matches(t, "sub", anna.Subject, `^[0-9a-f-]{36}$`)
	anna.PasswordHash, anna.Subject = "", ""
	want := foreign.Person{
		Where: "users[0]", Username: "anna", TOTPSecret: []byte("kJ3nQ8vR2mXz7LpW4sTb"), HadFactor: true,
		Claims: map[string]any{
			"email": "anna@legal.example", "email_verified": true, "given_name": "Anna", "family_name": "Example",
			"name": "Anna Example", "preferred_username": "anna", "locale": "nl", "phone_number": "+31201234567", "phone_number_verified": true,
			"address": map[string]any{"street_address": "Canal 1", "locality": "Utrecht"},
		},
		Attributes: map[string]any{"department": "cases"},
		Roles:      []string{"advisor", "staff/cases"},
		Notes: []foreign.Note{
			{Field: "clientRoles.cases", Reason: "roles of one client are not taken over"},
		},
	}
	if diff := cmp.Diff(want, anna); diff != "" {
		t.Errorf("anna (-want +got):\n%s", diff)
	}
	for i, tt := range []struct {
		name, hash, leftOut string
		disabled            bool
		totp                int
		notes               []string
	}{
		{"anna", "", "", false, 20, []string{"clientRoles.cases"}},
		{"ben", `^\$argon2id\$v=19\$m=7168,t=5,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`, "", true, 0, nil},
		{"cora", `^\$pbkdf2-sha512\$i=210000\$`, "", false, 0, []string{"credentials[1]: authenticator app: not SHA-1, 6 digits", "requiredActions[0]"}},
		{"dirk", `^\$pbkdf2-sha1\$i=20000\$`, "", false, 0, []string{"credentials[1]: authenticator app: a key of less than 20", "credentials[2]: webauthn"}},
		{"eva", "^$", "", false, 0, []string{"federationLink"}},
		{"fred", `^\$pbkdf2-sha1\$i=1300000\$`, "", false, 20, []string{"credentials[2]: authenticator app: not SHA-1", "federatedIdentities[0]"}},
		{"service-account-batch", "^$", "the service account", false, 0, nil},
	} {
		p := all[i]
		if p.Username != tt.name || p.Disabled != tt.disabled || len(p.TOTPSecret) != tt.totp || !strings.HasPrefix(p.LeftOut, tt.leftOut) || p.Problem != nil {
			t.Errorf("users[%d] = %q, disabled %v, TOTP of %d bytes, left out %q, %v; want %+v", i, p.Username, p.Disabled, len(p.TOTPSecret), p.LeftOut, p.Problem, tt)
		}
		matches(t, tt.name+"'s hash", p.PasswordHash, tt.hash)
		contains(t, tt.name, notes(p.Notes), tt.notes)
	}
	byMail := open(t, foreign.Keycloak, foreign.Files{Main: file(t, "keycloak-realm.json")}, foreign.Options{SignInName: foreign.ByEmail})
	if got := people(t, byMail); got[0].Username != "anna@legal.example" {
		t.Errorf("by e-mail the name is %q", got[0].Username)
	}
}

func TestKeycloakClients(t *testing.T) {
	all := apps(t, realm(t))
	if len(all) != 7 {
		t.Fatalf("%d clients, want 7", len(all))
	}
	secret := "Zb4QkR7mW2xL9pT6vN1cD8sF3hJ5gK0a"
	want := &client.Client{
		ID: "cases", Name: "Cases", URI: "https://cases.legal.example/", AuthMethod: client.AuthBasic,
		GrantTypes:             []string{client.GrantCode, client.GrantRefresh, client.GrantCredentials},
		RedirectURIs:           []string{"https://cases.legal.example/oauth2/callback", "https://cases.legal.example/silent"},
		PostLogoutRedirectURIs: []string{"https://cases.legal.example/bye"},
		BackchannelURI:         "https://cases.legal.example/backchannel", BackchannelSession: true,
		Scope: "openid address email offline_access phone profile",
	}
	if diff := cmp.Diff(want, all[1].Registration.Client); diff != "" || all[1].Registration.Secret != secret || !all[1].Own {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	for i, tt := range []struct {
		id, leftOut, problem string
		notes                []string
	}{
		{"account", "a client of Keycloak itself", "", nil},
		{"cases", "", "", []string{
			"directAccessGrantsEnabled", "clientAuthenticatorType", "attributes.post.logout.redirect.uris[1]", `clientScopes: the scope "cases-api"`,
			"attributes.access.token.lifespan", "protocolMappers: 1 mappers",
		}},
		{"spa", "", "", []string{"pkce.code.challenge.method", "redirectUris[0]"}},
		{"wild", "", "redirectUris: none is left", []string{"pkce.code.challenge.method", `redirectUris[0]: "*" has a wildcard`}},
		{"batch", "", "", []string{"clientAuthenticatorType", "secret: is not in the export"}},
		{"https://saml.legal.example", "not a client of OpenID Connect: saml", "", nil},
		{"legal-realm", "a client of Keycloak itself", "", nil},
	} {
		a := all[i]
		problem := ""
		if a.Problem != nil {
			problem = a.Problem.Error()
		}
		if a.Registration.Client.ID != tt.id || a.LeftOut != tt.leftOut || !strings.HasPrefix(problem, tt.problem) || (problem == "") != (tt.problem == "") {
			t.Errorf("clients[%d] = %q, left out %q, %v, want %+v", i, a.Registration.Client.ID, a.LeftOut, a.Problem, tt)
		}
		if tt.leftOut == "" {
			contains(t, tt.id, notes(a.Notes), tt.notes)
		}
	}
	spa, batch := all[2].Registration.Client, all[4].Registration.Client
	if spa.AuthMethod != client.AuthNone || len(spa.RedirectURIs) != 1 || spa.PostLogoutRedirectURIs[0] != "https://portal.legal.example/" || all[2].Own || spa.HasGrant(client.GrantRefresh) {
		t.Errorf("spa = %+v", spa)
	}
	if !batch.Disabled || len(batch.GrantTypes) != 1 || batch.GrantTypes[0] != client.GrantCredentials || all[4].Registration.Secret != "" {
		t.Errorf("batch = %+v", batch)
	}
	for _, a := range []foreign.App{all[1], all[2], all[4]} {
		c := *a.Registration.Client
		if client.Defaults(&c); client.Validate(&c) != nil {
			t.Errorf("%s cannot be registered: %v", c.ID, client.Validate(&c))
		}
	}
}

// TestKeycloakHostile: whatever stands in the file, it is a problem with its path, or the file's, and never a panic.
func TestKeycloakHostile(t *testing.T) {
	for name, tt := range map[string]struct {
		file string
		want error
	}{
		"nothing": {"", foreign.ErrFormat}, "not JSON": {"users:", foreign.ErrFormat}, "a list": {"[{}]", foreign.ErrFormat}, "a text": {`"users"`, foreign.ErrFormat},
		"cut": {`{"users":[{"username":"a"`, foreign.ErrFormat}, "users is no list": {`{"users":{}}`, foreign.ErrFormat}, "another file": {`{"a":1}`, foreign.ErrFormat},
		"twice": {`{"users":[],"users":[]}`, foreign.ErrFormat}, "deep": {`{"a":` + strings.Repeat("[", 10_000), foreign.ErrSize},
		"long name": {`{"` + strings.Repeat("a", 2<<20) + `":1}`, foreign.ErrSize}, "long value": {`{"a":"` + strings.Repeat("a", 2<<20) + `"}`, foreign.ErrSize},
		"big user": {`{"users":[{"username":"` + strings.Repeat("a", 3<<20) + `"}]}`, foreign.ErrSize},
	} {
		x := open(t, foreign.Keycloak, foreign.Files{Main: strings.NewReader(tt.file)}, foreign.Options{})
		if err := x.People(func(foreign.Person) error { return nil }); !errors.Is(err, tt.want) {
			t.Errorf("%s: People() = %v, want %v", name, err, tt.want)
		}
	}
	text := `{"realm":"x","users":[{"username":17},{"email":"a@b.example"},{},null,"x",{"username":"a","credentials":[{"type":"password"},{"type":"otp"},
	{"type":"password","secretData":"{","credentialData":"}"},{"type":"password","value":"plain"},
	{"type":"password","secretData":"{\"value\":\"AAAA\",\"salt\":\"!\"}","credentialData":"{\"algorithm\":\"pbkdf2\"}"},
	{"type":"password","secretData":"{}","credentialData":"{\"algorithm\":\"md5\"}"},
	{"type":"password","secretData":"{}","credentialData":"{\"algorithm\":\"argon2\",\"additionalParameters\":{\"type\":[\"d\"],\"version\":[\"1.3\"]}}"},
	{"type":"password","secretData":"{}","credentialData":"{\"algorithm\":\"argon2\",\"additionalParameters\":{\"type\":[\"id\"],\"version\":[\"1.3\"],\"memory\":[\"-1\"]}}"}]}]}`
	all := people(t, open(t, foreign.Keycloak, foreign.Files{Main: strings.NewReader(text)}, foreign.Options{}))
	for i, want := range []string{"username: has to be a text", "", "username: is missing", "username: is missing", "not one JSON object", ""} {
		got := ""
		if all[i].Problem != nil {
			got = all[i].Problem.Error()
		}
		if !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("users[%d]: problem %q, want %q", i, got, want)
		}
	}
	if all[5].PasswordHash != "" || all[5].TOTPSecret != nil || len(all[5].Notes) != 8 || all[1].Username != "a@b.example" {
		t.Errorf("users[5] = %+v", all[5])
	}
	for _, p := range all {
		if s := fmt.Sprint(p.LogValue(), p.Notes); strings.Contains(s, "AAAA") || strings.Contains(s, "plain\"") {
			t.Errorf("a secret is in the notes: %s", s)
		}
	}
}

func FuzzKeycloak(f *testing.F) {
	f.Add(`{"realm":"x","users":[{"id":"1","username":"a","credentials":[{"type":"otp","secretData":"{\"value\":\"kJ3nQ8vR2mXz7LpW4sTb\"}","credentialData":"{\"subType\":\"totp\",\"digits\":6,\"period\":30,\"algorithm\":\"HmacSHA1\"}"}]}]}`)
	f.Add(`{"clients":[{"clientId":"a","redirectUris":["/x","*"],"attributes":{"post.logout.redirect.uris":"+##-"}}]}`)
	f.Add(`{"users":[null,1,[],{}],"clients":[null]}`)
	f.Fuzz(func(t *testing.T, text string) {
		bounded(t, open(t, foreign.Keycloak, foreign.Files{Main: strings.NewReader(text)}, foreign.Options{}))
	})
}

// bounded reads everything of an export and holds what comes out to its bounds.
func bounded(t *testing.T, x foreign.Export) {
	t.Helper()
	err := x.People(func(p foreign.Person) error {
		if p.TOTPSecret != nil && (len(p.TOTPSecret) < 20 || len(p.TOTPSecret) > 64) || len(p.Roles) > 100 {
			t.Errorf("%s: key of %d bytes, %d roles", p.Where, len(p.TOTPSecret), len(p.Roles))
		}
		if p.Username == "" && p.Problem == nil && p.LeftOut == "" {
			t.Errorf("%s: no name and no problem", p.Where)
		}
		shown(t, p.Notes)
		return nil
	})
	all, appErr := x.Apps()
	for _, a := range all {
		if a.Registration.Client == nil && a.Problem == nil {
			t.Errorf("%s: no client and no problem", a.Where)
		}
		shown(t, a.Notes)
	}
	for _, err := range []error{err, appErr} {
		if err != nil && foreign.Show(err.Error()) != err.Error() && len(err.Error()) < 200 {
			t.Errorf("an error for no terminal: %q", err)
		}
	}
}

func shown(t *testing.T, list []foreign.Note) {
	t.Helper()
	for _, n := range list {
		if s := n.Field + n.Reason; len(s) < 200 && foreign.Show(s) != s {
			t.Errorf("a note for no terminal: %q", s)
		}
	}
}
