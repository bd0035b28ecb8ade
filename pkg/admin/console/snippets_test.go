// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/client"
)

const issuer = "https://login.example.com"

func described(change ...func(*client.Client)) *client.Client {
	c := &client.Client{
		ID: "example-cases", Name: "Example Cases", RedirectURIs: []string{"https://cases.example.com/auth/callback"},
		PostLogoutRedirectURIs: []string{"https://cases.example.com/"}, Scope: "openid profile email",
	}
	for _, f := range change {
		f(c)
	}
	client.Defaults(c)
	return c
}

func snippets(c *client.Client, secret string) map[string]string {
	out := map[string]string{}
	for _, s := range console.Snippets(c, issuer, secret, strings.Repeat("r", 43)) {
		out[s.ID] = s.Text
	}
	return out
}

// TestSnippetsSayTheClientsOwnValues: what each library needs, and nothing that does not fit the client.
func TestSnippetsSayTheClientsOwnValues(t *testing.T) {
	public := func(c *client.Client) { c.AuthMethod = client.AuthNone }
	native := func(c *client.Client) { c.ApplicationType, c.AuthMethod = client.TypeNative, client.AuthNone }
	service := func(c *client.Client) {
		c.GrantTypes, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scope = []string{client.GrantCredentials}, nil, nil, "cases.read"
	}
	post := func(c *client.Client) { c.AuthMethod, c.IDTokenAlg = client.AuthPost, "ES256" }
	keyed := func(c *client.Client) { c.AuthMethod, c.KeysURI = client.AuthKeyJWT, "https://cases.example.com/jwks" }
	rooted := func(c *client.Client) {
		c.RedirectURIs = []string{"https://cases.example.com/callback"}
		c.PostLogoutRedirectURIs = append(c.PostLogoutRedirectURIs, "https://cases.example.com/bye")
	}
	loose := func(c *client.Client) { c.PKCE = client.PKCEOptional }
	tests := []struct {
		name   string
		c      *client.Client
		ids    []string
		wanted map[string][]string
	}{
		{"web", described(), []string{"env", "mod-auth-openidc", "oauth2-proxy", "spring", "openid-client", "authlib", "aspnet"}, map[string][]string{
			"env":              {"OIDC_CLIENT_SECRET=s3cret", `OIDC_SCOPES="openid profile email"`},
			"mod-auth-openidc": {"OIDCClientSecret s3cret", "OIDCPKCEMethod S256", "OIDCRedirectURI https://cases.example.com/auth/callback", "OIDCRemoteUserClaim email"},
			"oauth2-proxy":     {`proxy_prefix = "/auth"`, `redirect_url = "https://cases.example.com/auth/callback"`, `code_challenge_method = "S256"`},
			"spring":           {"client_secret_basic", "withPkce", `baseUri("/auth/callback")`},
			"openid-client":    {`client.ClientSecretBasic("s3cret")`, "code_challenge_method: 'S256'"},
			"authlib":          {`"code_challenge_method": "S256"`, `client_secret="s3cret"`, `@app.get("/auth/callback")`},
			"aspnet":           {"Change this client to client_secret_post", "/signout-callback-oidc", `options.CallbackPath = "/auth/callback"`, `options.Scope.Add("profile")`},
		}},
		{"post", described(post), nil, map[string][]string{
			"mod-auth-openidc": {"OIDCProviderTokenEndpointAuth client_secret_post", "OIDCIDTokenSignedResponseAlg ES256"},
			"openid-client":    {"client.ClientSecretPost"}, "authlib": {`"token_endpoint_auth_method": "client_secret_post"`},
		}},
		{"keyed", described(keyed), []string{"env", "mod-auth-openidc", "openid-client"}, map[string][]string{
			"openid-client": {"client.PrivateKeyJwt(privateKey)"}, "mod-auth-openidc": {"OIDCPrivateKeyFiles"},
		}},
		{"rooted", described(rooted), nil, map[string][]string{
			"oauth2-proxy": {"# oauth2-proxy takes the answer at /oauth2/callback"}, "aspnet": {`options.SignedOutCallbackPath = "/bye";`},
		}},
		{"loose", described(loose), nil, map[string][]string{"spring": {"issuer-uri"}}},
		{"public", described(public), []string{"env", "oidc-client-ts", "openid-client"}, map[string][]string{
			"oidc-client-ts": {`client_id: "example-cases"`}, "openid-client": {"client.None()"},
		}},
		{"native", described(native), []string{"env", "openid-client"}, nil},
		{"service", described(service), []string{"env", "curl"}, map[string][]string{"curl": {"grant_type=client_credentials", "scope=cases.read", "-u example-cases:s3cret"}}},
	}
	for _, tt := range tests {
		var ids []string
		for _, s := range console.Snippets(tt.c, issuer, "s3cret", strings.Repeat("r", 43)) {
			ids = append(ids, s.ID)
		}
		if tt.ids != nil && !slices.Equal(ids, tt.ids) {
			t.Errorf("%s: snippets %v, want %v", tt.name, ids, tt.ids)
		}
		says(t, tt.c, tt.wanted)
	}
	if strings.Contains(snippets(described(loose), "")["spring"], "withPkce") {
		t.Error("the settings for Spring ask for what is not needed")
	}
}

// says looks that the settings of a client hold these parts, and no secret where it has none.
func says(t *testing.T, c *client.Client, wanted map[string][]string) {
	t.Helper()
	got := snippets(c, "s3cret")
	for id, parts := range wanted {
		for _, part := range parts {
			if !strings.Contains(got[id], part) {
				t.Errorf("%s says not %q:\n%s", id, part, got[id])
			}
		}
	}
	for id, text := range got {
		if strings.Contains(text, "s3cret") && !c.KeepsSecret() {
			t.Errorf("%s has a secret of a client without one", id)
		}
	}
}

// TestSnippetsHoldThePlaceholder: without a secret of just now, each says where it goes.
func TestSnippetsHoldThePlaceholder(t *testing.T) {
	for id, text := range snippets(described(), "") {
		if !strings.Contains(text, "paste-the-secret-here") {
			t.Errorf("%s says not where the secret goes:\n%s", id, text)
		}
	}
}

// TestSnippetsAreNotBrokenOut: whatever a client is called, its values stay the values of the text they stand in.
func TestSnippetsAreNotBrokenOut(t *testing.T) {
	const evil = `a"'$(touch${IFS}x);\b` + "`id`"
	c := described(func(c *client.Client) { c.ID = evil })
	got := snippets(c, "s3cret")
	out, err := exec.CommandContext(t.Context(), "sh", "-c", got["env"]+"\nprintf %s \"$OIDC_CLIENT_ID\"").Output()
	if err != nil || string(out) != evil {
		t.Errorf("the shell reads %q, %v, want %q", out, err, evil)
	}
	var v struct {
		Spring struct {
			Security struct {
				OAuth2 struct {
					Client struct {
						Registration map[string]map[string]string `yaml:"registration"`
						Provider     map[string]map[string]string `yaml:"provider"`
					} `yaml:"client"`
				} `yaml:"oauth2"`
			} `yaml:"security"`
		} `yaml:"spring"`
	}
	if err := yaml.Unmarshal([]byte(got["spring"]), &v); err != nil {
		t.Fatalf("%v:\n%s", err, got["spring"])
	}
	reg := v.Spring.Security.OAuth2.Client.Registration["lychgate"]
	if reg["client-id"] != evil || reg["scope"] != "openid,profile,email" || v.Spring.Security.OAuth2.Client.Provider["lychgate"]["issuer-uri"] != issuer {
		t.Errorf("Spring reads %v", v)
	}
	if want := `OIDCClientID "a\"'$(touch${IFS}x);\\b` + "`id`" + `"`; !strings.Contains(got["mod-auth-openidc"], want) {
		t.Errorf("Apache reads\n%s", got["mod-auth-openidc"])
	}
	node := exec.CommandContext(t.Context(), "node", "--check", "--input-type=module", "-")
	node.Stdin = strings.NewReader(got["openid-client"])
	if out, err := node.CombinedOutput(); err != nil {
		t.Errorf("Node reads not\n%s\n%s", got["openid-client"], out)
	}
}
