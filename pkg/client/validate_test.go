// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

// goodKeys is the public half of a key that was thrown away.
const goodKeys = `{"keys":[{"kty":"EC","crv":"P-256","kid":"a","use":"sig",` +
	`"x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`

func good() *client.Client {
	c := &client.Client{ID: "app", RedirectURIs: []string{"https://app.example.com/cb"}}
	client.Defaults(c)
	return c
}

// fields lists the fields that err complains about, in order, without repetition.
func fields(err error) []string {
	var out []string
	var walk func(error)
	walk = func(err error) {
		if many, ok := err.(interface{ Unwrap() []error }); ok {
			for _, e := range many.Unwrap() {
				walk(e)
			}
			return
		}
		var f *client.FieldError
		if errors.As(err, &f) && (len(out) == 0 || out[len(out)-1] != f.Field) {
			out = append(out, f.Field)
		}
	}
	walk(err)
	return out
}

// TestEveryNameIsAccepted: what is offered can be registered, all of it in one client.
func TestEveryNameIsAccepted(t *testing.T) {
	c := good()
	c.GrantTypes = client.GrantTypes()
	c.ResponseTypes = client.ResponseTypes()
	c.AuthMethod, c.AuthAlg, c.Keys = "private_key_jwt", "PS256", json.RawMessage(goodKeys)
	c.IDTokenAlg, c.IDTokenKeyAlg = "ES384", "ECDH-ES"
	c.UserinfoAlg, c.UserinfoKeyAlg, c.UserinfoEnc = "EdDSA", "RSA-OAEP-256", "A256GCM"
	c.IntrospectionAlg, c.RequestAlg, c.RequestURIs = "ES256", "RS256", []string{"https://app.example.com/r#hash"}
	c.SubjectType, c.SectorURI = "pairwise", "https://app.example.com/sector"
	c.InitiateLoginURI, c.LogoURI = "https://app.example.com/login", "https://app.example.com/logo.png"
	c.BackchannelURI, c.FrontchannelURI = "https://logout.example.com/b", "https://app.example.com/f"
	client.Defaults(c)
	if err := client.Validate(c); err != nil || c.IDTokenEnc != "A128CBC-HS256" || c.Sector() != "app.example.com" {
		t.Errorf("Validate(everything) = %v, enc %q, sector %q", err, c.IDTokenEnc, c.Sector())
	}
}

func TestDefaults(t *testing.T) {
	want := &client.Client{
		ID: "app", RedirectURIs: []string{"https://app.example.com/cb"}, ApplicationType: "web",
		GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, AuthMethod: "client_secret_basic",
		Scope: "openid profile email address phone", IDTokenAlg: "RS256", AccessTokenFormat: "opaque", PKCE: "required",
		Evidence: "on", SubjectType: "public",
	}
	if diff := cmp.Diff(want, good()); diff != "" {
		t.Errorf("Defaults() differs (-want +got):\n%s", diff)
	}
	if err := client.Validate(good()); err != nil {
		t.Errorf("Validate(defaults) = %v, want nil", err)
	}
}

func TestCA01RefusedRedirects(t *testing.T) {
	for uri, remedy := range map[string]string{
		"":                                                     "is empty",
		"https://*.example.com/cb":                             "wildcard",
		"https://app.example.com/*":                            "wildcard",
		"http://app.example.com/cb":                            "use https",
		"http://192.168.0.1/cb":                                "use https",
		"http://localhost.evil.com/cb":                         "use https",
		"https://app.example.com/cb#x":                         "fragment",
		"https://app.example.com/cb#":                          "fragment",
		"https://u@app.example.com/cb":                         "user information",
		"https://u:p@app.example.com/":                         "user information",
		"https:///cb":                                          "no host",
		"https:app.example.com":                                "no host",
		"/cb":                                                  "not an absolute",
		"app.example.com/cb":                                   "not an absolute",
		"javascript:alert(1)":                                  "only native",
		"com.example.app:/cb":                                  "only native",
		"https://app.example.com/c b":                          "percent-encoded",
		"https://app.example.com/\\":                           "percent-encoded",
		"https://\u0430pp.example.com":                         "percent-encoded",
		"https://app.example.com\n":                            "percent-encoded",
		"HTTPS://app.example.com/cb":                           "lower case",
		"https://App.example.com/cb":                           "lower case",
		"https://app.example.com:/cb":                          "port",
		"https://app.example.com:99999":                        "port",
		"https://app.example.com/?code=1":                      "belongs to the response",
		"https://app.example.com/?iss=1":                       "belongs to the response",
		"https://app.example.com/?%zz":                         "query",
		"https://app.example.com/" + strings.Repeat("a", 2000): "2000",
	} {
		c := good()
		c.RedirectURIs = []string{"https://ok.example.com/", uri}
		err := client.Validate(c)
		if err == nil || !strings.Contains(err.Error(), "redirect_uris entry 2 ") || !strings.Contains(err.Error(), remedy) {
			t.Errorf("Validate(%q) = %v, want redirect_uris entry 2 … %s", uri, err, remedy)
		}
	}
}

func TestAcceptedRedirects(t *testing.T) {
	for uri, kinds := range map[string]string{
		"https://app.example.com":           "web native",
		"https://app.example.com:8443/cb?a": "web native",
		"http://127.0.0.1:8080/cb":          "web native",
		"http://[::1]/cb":                   "web native",
		"http://localhost:3000/cb":          "web native",
		"com.example.app:/cb":               "native",
	} {
		for _, kind := range []string{"web", "native"} {
			c := good()
			c.ApplicationType, c.RedirectURIs, c.PostLogoutRedirectURIs = kind, []string{uri}, []string{uri}
			if err, want := client.Validate(c), strings.Contains(kinds, kind); (err == nil) != want {
				t.Errorf("%s: Validate(%q) = %v, want accepted %v", kind, uri, err, want)
			}
		}
	}
	c := good()
	c.ApplicationType, c.RedirectURIs = "native", []string{"myapp:/cb"}
	if got := fields(client.Validate(c)); !cmp.Equal(got, []string{"redirect_uris"}) {
		t.Errorf("Validate(private scheme without a dot) complains about %v", got)
	}
}

func TestValidateNamesEveryProblem(t *testing.T) {
	age := int64(-1)
	many := make([]string, 51)
	for i := range many {
		many[i] = fmt.Sprintf("https://app.example.com/%d", i)
	}
	for name, tt := range map[string]struct {
		change func(*client.Client)
		want   []string
	}{
		"id":          {func(c *client.Client) { c.ID = "a b" }, []string{"client_id"}},
		"name":        {func(c *client.Client) { c.Name = "a\u202eb" }, []string{"client_name"}},
		"http policy": {func(c *client.Client) { c.PolicyURI = "http://a.example" }, []string{"policy_uri"}},
		"type":        {func(c *client.Client) { c.ApplicationType = "spa" }, []string{"application_type"}},
		"implicit":    {func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "implicit") }, []string{"response_types"}},
		"password":    {func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "password") }, []string{"grant_types"}},
		"bare token": {func(c *client.Client) {
			c.GrantTypes, c.ResponseTypes = append(c.GrantTypes, "implicit"), []string{"code", "token"}
		}, []string{"response_types"}},
		"implicit over http": {func(c *client.Client) {
			c.GrantTypes, c.ResponseTypes = append(c.GrantTypes, "implicit"), []string{"code id_token"}
			c.RedirectURIs = []string{"http://127.0.0.1:8080/cb"}
		}, []string{"redirect_uris"}},
		"case":     {func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "REFRESH_TOKEN") }, []string{"grant_types"}},
		"id_token": {func(c *client.Client) { c.ResponseTypes = []string{"code", "id_token"} }, []string{"response_types"}},
		"refresh alone": {func(c *client.Client) {
			c.GrantTypes, c.ResponseTypes, c.RedirectURIs = []string{"refresh_token"}, nil, nil
		}, []string{"grant_types"}},
		"private_key":  {func(c *client.Client) { c.AuthMethod = "private_key_jwt" }, []string{"jwks"}},
		"private half": {func(c *client.Client) { c.Keys = json.RawMessage(`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`) }, []string{"jwks"}},
		"key twice": {func(c *client.Client) {
			c.Keys, c.KeysURI = json.RawMessage(goodKeys), "https://app.example.com/jwks"
		}, []string{"jwks_uri"}},
		"http keys":         {func(c *client.Client) { c.KeysURI = "http://127.0.0.1/jwks" }, []string{"jwks_uri"}},
		"alg of a secret":   {func(c *client.Client) { c.AuthAlg = "RS256" }, []string{"token_endpoint_auth_signing_alg"}},
		"unsigned request":  {func(c *client.Client) { c.RequestAlg = "none" }, []string{"request_object_signing_alg", "jwks"}},
		"http request":      {func(c *client.Client) { c.RequestURIs = []string{"http://app.example.com/r"} }, []string{"request_uris"}},
		"no key to encrypt": {func(c *client.Client) { c.IDTokenKeyAlg, c.IDTokenEnc = "RSA-OAEP-256", "A128GCM" }, []string{"jwks"}},
		"weak encryption": {func(c *client.Client) {
			c.Keys, c.UserinfoKeyAlg, c.UserinfoEnc = json.RawMessage(goodKeys), "RSA1_5", "A128GCM"
		}, []string{"userinfo_encrypted_response_alg"}},
		"enc alone":      {func(c *client.Client) { c.IDTokenEnc = "A128GCM" }, []string{"id_token_encrypted_response_enc"}},
		"http login":     {func(c *client.Client) { c.InitiateLoginURI = "http://app.example.com/login" }, []string{"initiate_login_uri"}},
		"http logout":    {func(c *client.Client) { c.BackchannelURI = "http://app.example.com/out" }, []string{"backchannel_logout_uri"}},
		"foreign logout": {func(c *client.Client) { c.FrontchannelURI = "https://other.example.com/out" }, []string{"frontchannel_logout_uri"}},
		"subject":        {func(c *client.Client) { c.SubjectType = "ephemeral" }, []string{"subject_type"}},
		"two sectors": {func(c *client.Client) {
			c.SubjectType, c.RedirectURIs = "pairwise", append(c.RedirectURIs, "https://b.example.com/cb")
		}, []string{"sector_identifier_uri"}},
		"public pkce": {func(c *client.Client) { c.AuthMethod, c.PKCE = "none", "optional" }, []string{"lychgate_pkce"}},
		"public machine": {func(c *client.Client) {
			c.AuthMethod, c.GrantTypes = "none", append(c.GrantTypes, "client_credentials")
		}, []string{"grant_types"}},
		"public secret": {func(c *client.Client) { c.AuthMethod, c.Secrets = "none", []client.Secret{{Digest: "ab"}} }, []string{"token_endpoint_auth_method"}},
		"no redirect":   {func(c *client.Client) { c.RedirectURIs = nil }, []string{"redirect_uris"}},
		"twice":         {func(c *client.Client) { c.RedirectURIs = append(c.RedirectURIs, c.RedirectURIs[0]) }, []string{"redirect_uris"}},
		"51 addresses":  {func(c *client.Client) { c.RedirectURIs = many }, []string{"redirect_uris"}},
		"alg none":      {func(c *client.Client) { c.IDTokenAlg = "none" }, []string{"id_token_signed_response_alg"}},
		"alg HS256":     {func(c *client.Client) { c.IDTokenAlg = "HS256" }, []string{"id_token_signed_response_alg"}},
		"format":        {func(c *client.Client) { c.AccessTokenFormat = "jwt" }, []string{"lychgate_access_token_format"}},
		"evidence":      {func(c *client.Client) { c.Evidence = "ON" }, []string{"lychgate_evidence"}},
		"scope":         {func(c *client.Client) { c.Scope = "openid  \"" }, []string{"scope"}},
		"offline":       {func(c *client.Client) { c.Scope = "openid offline_access" }, []string{"scope"}},
		"max age":       {func(c *client.Client) { c.DefaultMaxAge = &age }, []string{"default_max_age"}},
		"factor":        {func(c *client.Client) { c.SecondFactor = "maybe" }, []string{"lychgate_second_factor"}},
		"several": {
			func(c *client.Client) { c.ID, c.PKCE, c.RedirectURIs = "", "no", []string{"*"} },
			[]string{"client_id", "lychgate_pkce", "redirect_uris"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := good()
			tt.change(c)
			if diff := cmp.Diff(tt.want, fields(client.Validate(c))); diff != "" {
				t.Errorf("Validate() complains about other fields (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNeedsPKCE(t *testing.T) {
	for _, tt := range []struct {
		method, pkce string
		want         bool
	}{
		{"client_secret_basic", "", true},
		{"client_secret_basic", "required", true},
		{"client_secret_basic", "optional", false},
		{"none", "optional", true},
	} {
		c := &client.Client{AuthMethod: tt.method, PKCE: tt.pkce}
		if got := c.NeedsPKCE(); got != tt.want {
			t.Errorf("NeedsPKCE(%s, %s) = %v, want %v", tt.method, tt.pkce, got, tt.want)
		}
	}
}

func TestStartURL(t *testing.T) {
	for want, c := range map[string]*client.Client{
		"": {}, "https://a.example/": {URI: "https://a.example/"},
		"https://a.example/login?iss=https%3A%2F%2Fid.example.com":     {URI: "https://a.example/", InitiateLoginURI: "https://a.example/login"},
		"https://a.example/login?iss=https%3A%2F%2Fid.example.com&x=1": {InitiateLoginURI: "https://a.example/login?x=1"},
	} {
		if got := c.StartURL("https://id.example.com"); got != want {
			t.Errorf("StartURL() = %q, want %q", got, want)
		}
	}
}
