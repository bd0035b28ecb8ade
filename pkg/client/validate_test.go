// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

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

func TestDefaults(t *testing.T) {
	want := &client.Client{
		ID: "app", RedirectURIs: []string{"https://app.example.com/cb"}, ApplicationType: "web",
		GrantTypes: []string{"authorization_code"}, ResponseTypes: []string{"code"}, AuthMethod: "client_secret_basic",
		Scope: "openid profile email address phone", IDTokenAlg: "RS256", AccessTokenFormat: "opaque", PKCE: "required",
		Evidence: "on",
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
		"implicit":    {func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "implicit") }, []string{"grant_types"}},
		"case":        {func(c *client.Client) { c.GrantTypes = append(c.GrantTypes, "REFRESH_TOKEN") }, []string{"grant_types"}},
		"id_token":    {func(c *client.Client) { c.ResponseTypes = []string{"code", "id_token"} }, []string{"response_types"}},
		"refresh alone": {func(c *client.Client) {
			c.GrantTypes, c.ResponseTypes, c.RedirectURIs = []string{"refresh_token"}, nil, nil
		}, []string{"grant_types"}},
		"private_key": {func(c *client.Client) { c.AuthMethod = "private_key_jwt" }, []string{"token_endpoint_auth_method"}},
		"public pkce": {func(c *client.Client) { c.AuthMethod, c.PKCE = "none", "optional" }, []string{"lychgate_pkce"}},
		"public machine": {func(c *client.Client) {
			c.AuthMethod, c.GrantTypes = "none", append(c.GrantTypes, "client_credentials")
		}, []string{"grant_types"}},
		"public secret": {func(c *client.Client) { c.AuthMethod, c.Secrets = "none", []string{"ab"} }, []string{"token_endpoint_auth_method"}},
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
