// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
)

// keycloakClient is what is read of a ClientRepresentation.
type keycloakClient struct {
	ClientID      string                     `json:"clientId"`
	Name          string                     `json:"name"`
	RootURL       string                     `json:"rootUrl"`
	BaseURL       string                     `json:"baseUrl"`
	Enabled       *bool                      `json:"enabled"`
	Protocol      string                     `json:"protocol"`
	Secret        string                     `json:"secret"`
	AuthType      string                     `json:"clientAuthenticatorType"`
	RedirectURIs  []string                   `json:"redirectUris"`
	Public        bool                       `json:"publicClient"`
	BearerOnly    bool                       `json:"bearerOnly"`
	Consent       bool                       `json:"consentRequired"`
	Standard      *bool                      `json:"standardFlowEnabled"`
	Implicit      bool                       `json:"implicitFlowEnabled"`
	Direct        bool                       `json:"directAccessGrantsEnabled"`
	Service       bool                       `json:"serviceAccountsEnabled"`
	Frontchannel  bool                       `json:"frontchannelLogout"`
	Attributes    map[string]json.RawMessage `json:"attributes"`
	Mappers       []json.RawMessage          `json:"protocolMappers"`
	Scopes        []string                   `json:"defaultClientScopes"`
	OptionalScope []string                   `json:"optionalClientScopes"`
}

// LogValue keeps the secret out of the logs.
func (c keycloakClient) LogValue() slog.Value { return slog.StringValue("[redacted] client") }

// keycloakApp reads one client.
func keycloakApp(where string, part json.RawMessage) App {
	a := App{Where: where}
	var k keycloakClient
	if err := json.Unmarshal(part, &k); err != nil {
		a.Problem = typeProblem(err)
		return a
	}
	c := &client.Client{ID: k.ClientID, Name: k.Name}
	if strings.Contains(c.Name, "${") {
		c.Name = k.ClientID
	}
	a.Registration.Client = c
	if a.LeftOut = k.leftOut(); a.LeftOut != "" {
		return a
	}
	a.Own = !k.Consent
	c.Disabled = k.Enabled != nil && !*k.Enabled
	k.grants(&a, c)
	k.proof(&a, c)
	k.addresses(&a, c)
	k.scopes(&a, c)
	k.rest(&a)
	if c.HasGrant(client.GrantCode) && len(c.RedirectURIs) == 0 && a.Problem == nil {
		a.Problem = errors.New("redirectUris: none is left that could be registered in full; write them out in the export")
	}
	return a
}

func (k keycloakClient) leftOut() string {
	switch k.ClientID {
	case "account", "account-console", "admin-cli", "broker", "realm-management", "security-admin-console":
		return "a client of Keycloak itself"
	}
	switch {
	case k.Protocol != "" && k.Protocol != "openid-connect":
		return "not a client of OpenID Connect: " + Show(k.Protocol)
	case k.BearerOnly:
		return "takes tokens alone and signs nobody in"
	case k.Standard != nil && !*k.Standard && !k.Service && !k.Implicit:
		return "has neither the standard flow nor a service account"
	}
	return ""
}

// attribute is one of attributes; Keycloak writes texts, other programs booleans.
func (k keycloakClient) attribute(name string) string {
	list, err := texts(k.Attributes[name])
	if err != nil {
		return string(k.Attributes[name])
	}
	return strings.Join(list[:min(1, len(list))], "")
}

func (k keycloakClient) grants(a *App, c *client.Client) {
	if k.Standard == nil || *k.Standard {
		c.GrantTypes = append(c.GrantTypes, client.GrantCode)
		if k.attribute("use.refresh.tokens") != "false" {
			c.GrantTypes = append(c.GrantTypes, client.GrantRefresh)
		}
	}
	if k.Service && !k.Public {
		c.GrantTypes = append(c.GrantTypes, client.GrantCredentials)
	}
	if k.Implicit {
		a.note("implicitFlowEnabled", "the implicit flow is not taken over: use the code with PKCE (RFC 9700 §2.1.2)")
	}
	if k.Direct {
		a.note("directAccessGrantsEnabled", "an app cannot ask for passwords here (RFC 9700 §2.4)")
	}
	if len(c.GrantTypes) == 0 {
		a.Problem = errors.New("implicitFlowEnabled: is its only flow; change the app to the standard flow")
	}
}

// proof takes how the client proves who it is.
func (k keycloakClient) proof(a *App, c *client.Client) {
	method := k.attribute("pkce.code.challenge.method")
	if k.Public {
		c.AuthMethod = client.AuthNone
		if method != "S256" {
			a.note("attributes.pkce.code.challenge.method", "PKCE with S256 is required here of a client without a secret; check that the app has it")
		}
		return
	}
	if method != "S256" {
		c.PKCE = client.PKCEOptional
	}
	switch k.AuthType {
	case "", "client-secret":
		c.AuthMethod = client.AuthBasic
		a.note("clientAuthenticatorType", "the secret is taken in the header alone (client_secret_basic); Keycloak took it in the form too")
	case "client-secret-jwt":
		c.AuthMethod = client.AuthSecretJWT
	case "client-jwt":
		c.AuthMethod = client.AuthKeyJWT
		if k.attribute("use.jwks.url") == "true" {
			c.KeysURI = k.attribute("jwks.url")
		} else if set := k.attribute("jwks.string"); json.Valid([]byte(set)) {
			c.Keys = json.RawMessage(set)
		}
		return
	default:
		a.Problem = fmt.Errorf("clientAuthenticatorType: %s is not offered here", Show(k.AuthType))
		return
	}
	a.secret(k.Secret)
}

// secret takes a secret that cannot be guessed; else a new one is made.
func (a *App) secret(secret string) {
	switch {
	case secret == "" || strings.Trim(secret, "*") == "":
		a.note("secret", "is not in the export: a new one is made")
	case len(secret) < 32 || len(secret) > 256 || Show(secret) != secret || strings.ContainsAny(secret, " "):
		a.note("secret", "is not 32 to 256 printable characters: a new one is made")
	default:
		a.Registration.Secret = secret
	}
}

func (k keycloakClient) addresses(a *App, c *client.Client) {
	if c.Redirects() {
		c.RedirectURIs = k.full(a, "redirectUris", k.RedirectURIs)
	}
	switch after := k.attribute("post.logout.redirect.uris"); after {
	case "", "-":
	default:
		for _, uri := range k.full(a, "attributes.post.logout.redirect.uris", strings.Split(after, "##")) {
			if uri == "+" {
				c.PostLogoutRedirectURIs = append(c.PostLogoutRedirectURIs, c.RedirectURIs...)
				continue
			}
			c.PostLogoutRedirectURIs = append(c.PostLogoutRedirectURIs, uri)
		}
		slices.Sort(c.PostLogoutRedirectURIs)
		c.PostLogoutRedirectURIs = slices.Compact(c.PostLogoutRedirectURIs)
	}
	if strings.HasPrefix(k.BaseURL, "https://") {
		c.URI = k.BaseURL
	}
	if uri := k.attribute("backchannel.logout.url"); uri != "" {
		c.BackchannelURI, c.BackchannelSession = uri, k.attribute("backchannel.logout.session.required") == "true"
	}
	if uri := k.attribute("frontchannel.logout.url"); uri != "" && k.Frontchannel {
		c.FrontchannelURI, c.FrontchannelSession = uri, k.attribute("frontchannel.logout.session.required") == "true"
	}
}

// full returns the addresses that stand there in full, each once.
func (k keycloakClient) full(a *App, field string, list []string) []string {
	var out []string
	for i, uri := range list {
		where := fmt.Sprintf("%s[%d]", field, i)
		if strings.HasPrefix(uri, "/") {
			uri = strings.TrimRight(k.RootURL, "/") + uri
		}
		switch {
		case strings.Contains(uri, "*"):
			a.note(where, "%q has a wildcard: register every address in full (RFC 9700 §2.1)", Show(uri))
		case strings.Contains(uri, "${"):
			a.note(where, "%q has a variable of Keycloak", Show(uri))
		case strings.HasPrefix(uri, "/"):
			a.note(where, "%q has no rootUrl before it", Show(uri))
		case !slices.Contains(out, uri):
			out = append(out, uri)
		}
	}
	return out
}

// scopes takes those that are the same everywhere.
func (k keycloakClient) scopes(a *App, c *client.Client) {
	if !c.Redirects() || k.Scopes == nil && k.OptionalScope == nil {
		return
	}
	want := []string{"openid"}
	for _, name := range append(slices.Clone(k.Scopes), k.OptionalScope...) {
		switch name {
		case "profile", "email", "address", "phone":
			want = append(want, name)
		case "offline_access":
			if c.HasGrant(client.GrantRefresh) {
				want = append(want, name)
			}
		case "web-origins", "acr", "basic", "roles", "microprofile-jwt", "organization", "role_list", "service_account":
		default:
			a.note("clientScopes", "the scope %q is not taken over", Show(name))
		}
	}
	slices.Sort(want[1:])
	c.Scope = strings.Join(slices.Compact(want), " ")
}

// rest says what of the client has no counterpart.
func (k keycloakClient) rest(a *App) {
	for _, name := range []string{
		"access.token.lifespan", "client.session.idle.timeout", "client.session.max.lifespan", "acr.loa.map",
		"oauth2.device.authorization.grant.enabled", "oidc.ciba.grant.enabled", "tls.client.certificate.bound.access.tokens",
		"id.token.signed.response.alg", "user.info.response.signature.alg", "access.token.signed.response.alg",
	} {
		switch value := k.attribute(name); value {
		case "", "false", "{}":
		default:
			a.note("attributes."+name, "is not taken over")
		}
	}
	if len(k.Mappers) > 0 {
		a.note("protocolMappers", "%d mappers are not taken over: claims are those of the scopes", len(k.Mappers))
	}
}

// sorted returns the names of m in order, so that a report is the same each time.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
