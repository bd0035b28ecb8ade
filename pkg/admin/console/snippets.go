// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
)

// Snippet is a text that an app's people paste into its settings. ID names it on the page; texts and names are those of
// the libraries, the same in every language.
type Snippet struct{ ID, Name, Text string }

// placeholder stands where the secret goes, but on the page that follows the making of one.
const placeholder = "paste-the-secret-here"

// setting is what snippets are filled with.
type setting struct {
	*client.Client
	issuer, secret, callback string
	// random is text for what a library encrypts its own cookies with. It is made for each page and kept nowhere.
	random string
}

// Snippets returns what to paste for c, as far as it fits the client's kind: what it says is what pkg/idptest/interop
// signs in with. secret may be empty.
func Snippets(c *client.Client, issuer, secret, random string) []Snippet {
	s := setting{Client: c, issuer: issuer, secret: secret, random: random}
	if s.secret == "" {
		s.secret = placeholder
	}
	if len(c.RedirectURIs) > 0 {
		s.callback = c.RedirectURIs[0]
	}
	out := []Snippet{{"env", "", s.environment()}}
	switch {
	case !c.HasGrant(client.GrantCode):
		if c.HasGrant(client.GrantCredentials) {
			out = append(out, Snippet{"curl", "curl", s.curl()})
		}
		return out
	case c.ApplicationType == client.TypeNative:
		return append(out, Snippet{"openid-client", "openid-client (Node.js)", s.openidClient()})
	case c.Public():
		return append(out, Snippet{"oidc-client-ts", "oidc-client-ts", s.browserClient()},
			Snippet{"openid-client", "openid-client (Node.js)", s.openidClient()})
	}
	node := Snippet{"openid-client", "openid-client (Node.js)", s.openidClient()}
	out = append(out, Snippet{"mod-auth-openidc", "Apache, mod_auth_openidc", s.apache()})
	if s.method() == client.AuthSecretJWT || s.method() == client.AuthKeyJWT {
		// The others need code of their own to sign what they send.
		return append(out, node)
	}
	return append(out,
		Snippet{"oauth2-proxy", "oauth2-proxy", s.proxy()},
		Snippet{"spring", "Spring Security (application.yaml)", s.spring()}, node,
		Snippet{"authlib", "Authlib (Python)", s.authlib()},
		Snippet{"aspnet", "ASP.NET Core", s.aspnet()})
}

// lines puts a text together; empty lines that were not meant are left out by the callers.
func lines(all ...string) string { return strings.Join(all, "\n") }

// callbackPath is the path of the callback address.
func (s setting) callbackPath() string {
	u, err := url.Parse(s.callback)
	if err != nil || u.Path == "" {
		return "/"
	}
	return u.Path
}

// insecure says that the issuer is one for development, which libraries refuse unless told otherwise.
func (s setting) insecure() bool { return strings.HasPrefix(s.issuer, "http://") }

// hasSecret says whether there is a secret to paste.
func (s setting) hasSecret() bool { return s.KeepsSecret() }

// logout is where people come back to after the sign-out; empty: nowhere in particular.
func (s setting) logout() string {
	if len(s.PostLogoutRedirectURIs) == 0 {
		return ""
	}
	return s.PostLogoutRedirectURIs[0]
}

func (s setting) environment() string {
	out := []string{"OIDC_ISSUER=" + shell(s.issuer), "OIDC_CLIENT_ID=" + shell(s.ID)}
	if s.hasSecret() {
		out = append(out, "OIDC_CLIENT_SECRET="+shell(s.secret))
	}
	if s.callback != "" {
		out = append(out, "OIDC_REDIRECT_URI="+shell(s.callback))
	}
	if s.Scope != "" {
		out = append(out, "OIDC_SCOPES="+shell(s.Scope))
	}
	return lines(out...)
}

// apache is the configuration of mod_auth_openidc that protects a whole site.
func (s setting) apache() string {
	out := []string{
		"OIDCProviderMetadataURL " + apacheWord(s.issuer+"/.well-known/openid-configuration"),
		"OIDCClientID " + apacheWord(s.ID),
	}
	switch s.AuthMethod {
	case client.AuthKeyJWT:
		out = append(out, "OIDCProviderTokenEndpointAuth private_key_jwt",
			"# The key whose public half is registered here.", "OIDCPrivateKeyFiles /etc/apache2/client-key.pem")
	case client.AuthBasic, "":
		out = append(out, "OIDCClientSecret "+apacheWord(s.secret))
	default:
		out = append(out, "OIDCProviderTokenEndpointAuth "+s.AuthMethod, "OIDCClientSecret "+apacheWord(s.secret))
	}
	out = append(out,
		"OIDCRedirectURI "+apacheWord(s.callback),
		"# Keeps the module's own cookies. It was made for this page; any other long random text will do.",
		"OIDCCryptoPassphrase "+apacheWord(s.random),
		"OIDCScope "+apacheQuoted(s.Scope),
		"OIDCPKCEMethod S256")
	if s.Alg() != "RS256" {
		out = append(out, "OIDCIDTokenSignedResponseAlg "+s.Alg())
	}
	if slices.Contains(s.Scopes(), "email") {
		out = append(out, "OIDCRemoteUserClaim email")
	}
	if to := s.logout(); to != "" {
		out = append(out, "OIDCDefaultLoggedOutURL "+apacheWord(to))
	}
	return lines(append(out, "", "<Location />", "    AuthType openid-connect", "    Require valid-user", "</Location>")...)
}

// proxy is the configuration file of oauth2-proxy, whose callback is always named so under its prefix.
func (s setting) proxy() string {
	prefix, ok := strings.CutSuffix(s.callbackPath(), "/callback")
	out := []string{
		`provider = "oidc"`, "oidc_issuer_url = " + quoted(s.issuer), "client_id = " + quoted(s.ID),
		"client_secret = " + quoted(s.secret), "redirect_url = " + quoted(s.callback),
	}
	switch {
	case !ok || prefix == "":
		out = append(out, "# oauth2-proxy takes the answer at /oauth2/callback: register that address for this client.")
	case prefix != "/oauth2":
		out = append(out, "proxy_prefix = "+quoted(prefix))
	}
	return lines(append(out,
		"scope = "+quoted(s.Scope), `code_challenge_method = "S256"`, `email_domains = ["*"]`,
		"# Keeps the proxy's own cookies. It was made for this page; 32 other random characters will do.",
		"cookie_secret = "+quoted(s.random[:min(32, len(s.random))]),
		"# Where your application listens.", `upstreams = ["http://127.0.0.1:3000/"]`)...)
}

// spring is for Spring Boot. Its own default callback needs nothing else; any other is said in Java as well.
func (s setting) spring() string {
	var out []string
	if s.NeedsPKCE() {
		out = append(out,
			"# Spring sends PKCE by itself for clients without a secret alone. In the security configuration:",
			"#   var pkce = new DefaultOAuth2AuthorizationRequestResolver(clients, \"/oauth2/authorization\");",
			"#   pkce.setAuthorizationRequestCustomizer(OAuth2AuthorizationRequestCustomizers.withPkce());",
			"#   http.oauth2Login(o -> o.authorizationEndpoint(a -> a.authorizationRequestResolver(pkce)));")
	}
	const usual = "/login/oauth2/code/lychgate"
	if s.callbackPath() != usual {
		out = append(out, "# The callback address is not Spring's own ("+usual+"). In the security configuration:",
			"#   http.oauth2Login(o -> o.redirectionEndpoint(r -> r.baseUri("+quoted(s.callbackPath())+")));")
	}
	out = append(out, "spring:", "  security:", "    oauth2:", "      client:", "        registration:", "          lychgate:",
		"            client-id: "+quoted(s.ID))
	if s.hasSecret() {
		out = append(out, "            client-secret: "+quoted(s.secret))
	}
	return lines(append(out,
		"            client-authentication-method: "+s.method(),
		"            authorization-grant-type: authorization_code",
		"            redirect-uri: "+quoted(s.callback),
		"            scope: "+quoted(strings.Join(s.Scopes(), ",")),
		"        provider:", "          lychgate:", "            issuer-uri: "+quoted(s.issuer))...)
}

// method is how the client authenticates, said where it is the default too.
func (s setting) method() string {
	if s.AuthMethod == "" {
		return client.AuthBasic
	}
	return s.AuthMethod
}

// aspnet is for the handler that comes with ASP.NET Core.
func (s setting) aspnet() string {
	var out []string
	if s.method() == client.AuthBasic {
		out = append(out, "// ASP.NET Core sends the secret in the form. Change this client to client_secret_post first.")
	}
	out = append(out,
		"builder.Services.AddAuthentication(options =>", "{",
		"    options.DefaultScheme = CookieAuthenticationDefaults.AuthenticationScheme;",
		"    options.DefaultChallengeScheme = OpenIdConnectDefaults.AuthenticationScheme;", "})",
		".AddCookie()", ".AddOpenIdConnect(options =>", "{",
		"    options.Authority = "+quoted(s.issuer)+";", "    options.ClientId = "+quoted(s.ID)+";")
	if s.hasSecret() {
		out = append(out, "    options.ClientSecret = "+quoted(s.secret)+";")
	}
	out = append(out,
		"    options.CallbackPath = "+quoted(s.callbackPath())+";",
		"    options.ResponseType = OpenIdConnectResponseType.Code;", "    options.UsePkce = true;",
		"    options.MapInboundClaims = false;", "    options.GetClaimsFromUserInfoEndpoint = true;", "    options.SaveTokens = true;",
		"    options.Scope.Clear();")
	for _, scope := range s.Scopes() {
		out = append(out, "    options.Scope.Add("+quoted(scope)+");")
	}
	if s.insecure() {
		out = append(out, "    options.RequireHttpsMetadata = false; // for development alone")
	}
	return lines(append(out, s.aspnetSignOut(), "});")...)
}

// aspnetSignOut is where ASP.NET Core takes people back after the sign-out. It answers that path by itself, so it cannot be
// the start page of the app.
func (s setting) aspnetSignOut() string {
	for _, uri := range s.PostLogoutRedirectURIs {
		if u, err := url.Parse(uri); err == nil && strings.Trim(u.Path, "/") != "" {
			return "    options.SignedOutCallbackPath = " + quoted(u.Path) + ";"
		}
	}
	return "    // To sign out here as well, register /signout-callback-oidc of your app as a sign-out address."
}

// curl asks for a token of a service that acts for itself.
func (s setting) curl() string {
	out := "curl " + shell(s.issuer+"/token") + " -d grant_type=client_credentials"
	if s.Scope != "" {
		out += " -d " + shell("scope="+s.Scope)
	}
	switch s.method() {
	case client.AuthBasic:
		return out + " -u " + shell(url.QueryEscape(s.ID)+":"+url.QueryEscape(s.secret))
	case client.AuthPost:
		return out + " --data-urlencode " + shell("client_id="+s.ID) + " --data-urlencode " + shell("client_secret="+s.secret)
	default:
		return out + " -d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer -d client_assertion=the-signed-jwt"
	}
}
