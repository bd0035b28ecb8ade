// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// autheliaClient is what is read of identity_providers.oidc.clients, in the names since 4.38.
type autheliaClient struct {
	ID         string   `yaml:"client_id"`
	Name       string   `yaml:"client_name"`
	Secret     string   `yaml:"client_secret"`
	Sector     string   `yaml:"sector_identifier_uri"`
	Public     bool     `yaml:"public"`
	Redirects  []string `yaml:"redirect_uris"`
	Requests   []string `yaml:"request_uris"`
	Audience   []string `yaml:"audience"`
	Scopes     []string `yaml:"scopes"`
	Grants     []string `yaml:"grant_types"`
	Responses  []string `yaml:"response_types"`
	Policy     string   `yaml:"authorization_policy"`
	Consent    string   `yaml:"consent_mode"`
	Pushed     bool     `yaml:"require_pushed_authorization_requests"`
	PKCE       bool     `yaml:"require_pkce"`
	Challenge  string   `yaml:"pkce_challenge_method"`
	AuthMethod string   `yaml:"token_endpoint_auth_method"`
	IDTokenAlg string   `yaml:"id_token_signed_response_alg"`
	Userinfo   string   `yaml:"userinfo_signed_response_alg"`
	KeysURI    string   `yaml:"jwks_uri"`
	Keys       []any    `yaml:"jwks"`
	Lifespan   string   `yaml:"lifespan"`
	Claims     string   `yaml:"claims_policy"`
}

// LogValue keeps the secret out of the logs.
func (autheliaClient) LogValue() slog.Value { return slog.StringValue("[redacted] client") }

// Apps implements Export.
func (a *authelia) Apps() ([]App, error) {
	list := a.main.Providers.OIDC.Clients
	if len(list) > maxApps {
		return nil, fmt.Errorf("identity_providers.oidc.clients: %w", ErrSize)
	}
	apps := make([]App, 0, len(list))
	for i := range list {
		apps = append(apps, autheliaApp(fmt.Sprintf("identity_providers.oidc.clients[%d]", i), &list[i]))
	}
	return apps, nil
}

func autheliaApp(where string, node *yaml.Node) App {
	a := App{Where: where}
	var k autheliaClient
	if err := node.Decode(&k); err != nil {
		a.Problem = yamlProblem(err)
		return a
	}
	if k.ID == "" {
		a.Problem = errors.New("client_id: is missing; names from before version 4.38 are not read")
		return a
	}
	c := &client.Client{
		ID: k.ID, Name: k.Name, SectorURI: k.Sector, RequestURIs: k.Requests, Audience: k.Audience, RequirePushed: k.Pushed,
		KeysURI: k.KeysURI, Scope: "openid",
	}
	a.Registration.Client = c
	a.Own = k.Consent == "implicit"
	if k.Sector != "" {
		c.SubjectType = client.SubjectPairwise
		a.note("sector_identifier_uri", "the client is told a sub of its sector, which is another one than before")
	}
	k.grants(&a, c)
	k.proof(&a, c)
	k.redirects(&a, c)
	k.rest(&a, c)
	return a
}

func (k autheliaClient) grants(a *App, c *client.Client) {
	grants := k.Grants
	if len(grants) == 0 {
		grants = []string{client.GrantCode}
	}
	for i, g := range grants {
		switch g {
		case client.GrantCode, client.GrantRefresh, client.GrantCredentials:
			c.GrantTypes = append(c.GrantTypes, g)
		default:
			a.note(fmt.Sprintf("grant_types[%d]", i), "%q is not taken over: use the code with PKCE", Show(g))
		}
	}
	for i, r := range k.Responses {
		if r != client.TypeCode {
			a.note(fmt.Sprintf("response_types[%d]", i), "%q is not taken over: use code", Show(r))
		}
	}
	if len(c.GrantTypes) == 0 {
		a.Problem = errors.New("grant_types: none of them can be taken over; change the app to authorization_code")
	}
	for i, s := range k.Scopes {
		switch s {
		case "openid":
		case "profile", "email", "address", "phone":
			c.Scope += " " + s
		case "offline_access":
			if c.HasGrant(client.GrantRefresh) {
				c.Scope += " " + s
			}
		default:
			a.note(fmt.Sprintf("scopes[%d]", i), "the scope %q is not taken over", Show(s))
		}
	}
	if !c.Redirects() {
		c.Scope = ""
	}
}

// proof takes how the client proves who it is. Of a secret Authelia has the hash alone.
func (k autheliaClient) proof(a *App, c *client.Client) {
	if k.Public {
		c.AuthMethod = client.AuthNone
		return
	}
	c.AuthMethod = k.AuthMethod
	if !k.PKCE && k.Challenge == "" {
		c.PKCE = client.PKCEOptional
	}
	switch k.AuthMethod {
	case "":
		c.AuthMethod = client.AuthBasic
	case client.AuthKeyJWT:
		if len(k.Keys) > 0 {
			set, err := json.Marshal(map[string]any{"keys": k.Keys})
			if err != nil {
				a.Problem = errors.New("jwks: cannot be read")
				return
			}
			a.note("jwks", "keys are taken as they stand there; those in PEM are not")
			c.Keys = set
		}
		return
	case client.AuthBasic, client.AuthPost, client.AuthSecretJWT:
	default:
		a.Problem = fmt.Errorf("token_endpoint_auth_method: %s is not offered here", Show(k.AuthMethod))
		return
	}
	if plain, ok := strings.CutPrefix(k.Secret, "$plaintext$"); ok {
		a.secret(plain)
		return
	}
	a.note("client_secret", "is there as a hash alone: a new one is made")
}

func (k autheliaClient) redirects(a *App, c *client.Client) {
	if !c.Redirects() {
		return
	}
	for i, uri := range k.Redirects {
		switch {
		case strings.Contains(uri, "*"):
			a.note(fmt.Sprintf("redirect_uris[%d]", i), "%q has a wildcard: register every address in full (RFC 9700 §2.1)", Show(uri))
		case !slices.Contains(c.RedirectURIs, uri):
			c.RedirectURIs = append(c.RedirectURIs, uri)
		}
	}
	if len(c.RedirectURIs) == 0 && a.Problem == nil {
		a.Problem = errors.New("redirect_uris: none is left that could be registered in full")
	}
}

func (k autheliaClient) rest(a *App, c *client.Client) {
	switch k.Policy {
	case "", "two_factor":
		c.SecondFactor = flow.FactorRequired
	case "one_factor":
	case "deny":
		c.Disabled = true
		a.note("authorization_policy", "deny: the client is registered, and disabled")
	default:
		c.SecondFactor = flow.FactorRequired
		a.note("authorization_policy", "%q is a policy of its own: the second factor is required; set lychgate_roles for who may sign in", Show(k.Policy))
	}
	if k.IDTokenAlg != "" && k.IDTokenAlg != "RS256" {
		a.note("id_token_signed_response_alg", "%q is not taken over: RS256 it is", Show(k.IDTokenAlg))
	}
	switch k.Userinfo {
	case "", "none":
	case "RS256":
		c.UserinfoAlg = k.Userinfo
	default:
		a.note("userinfo_signed_response_alg", "%q is not taken over: plain JSON it is", Show(k.Userinfo))
	}
	if k.Lifespan != "" {
		a.note("lifespan", "is not taken over")
	}
	if k.Claims != "" {
		a.note("claims_policy", "is not taken over")
	}
}
