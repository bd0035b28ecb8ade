// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
)

// openidClient is for Node.js, and for a browser with a bundler.
func (s setting) openidClient() string {
	auth := "client.None()"
	secret := "undefined"
	switch s.method() {
	case client.AuthBasic:
		secret, auth = quoted(s.secret), "client.ClientSecretBasic("+quoted(s.secret)+")"
	case client.AuthPost:
		secret, auth = quoted(s.secret), "client.ClientSecretPost("+quoted(s.secret)+")"
	case client.AuthSecretJWT:
		secret, auth = quoted(s.secret), "client.ClientSecretJwt("+quoted(s.secret)+")"
	case client.AuthKeyJWT:
		auth = "client.PrivateKeyJwt(privateKey)"
	}
	last := "  " + auth + ","
	if s.insecure() {
		last += "\n  { execute: [client.allowInsecureRequests] }, // for development alone"
	}
	return lines(
		"import * as client from 'openid-client'", "",
		"const config = await client.discovery(", "  new URL("+quoted(s.issuer)+"),", "  "+quoted(s.ID)+",", "  "+secret+",", last, ")", "",
		"// To begin a sign-in. Keep verifier, state and nonce in the session of this browser.",
		"const verifier = client.randomPKCECodeVerifier()", "const state = client.randomState()", "const nonce = client.randomNonce()",
		"const to = client.buildAuthorizationUrl(config, {",
		"  redirect_uri: "+quoted(s.callback)+",", "  scope: "+quoted(s.Scope)+",", "  state,", "  nonce,",
		"  code_challenge: await client.calculatePKCECodeChallenge(verifier),", "  code_challenge_method: 'S256',", "})", "",
		"// At the callback address. currentUrl is the whole address that the browser came to.",
		"const tokens = await client.authorizationCodeGrant(config, currentUrl, {",
		"  pkceCodeVerifier: verifier,", "  expectedState: state,", "  expectedNonce: nonce,", "})",
		"const claims = tokens.claims()",
		"const person = await client.fetchUserInfo(config, tokens.access_token, claims.sub)")
}

// browserClient is for an app that lives in the browser alone.
func (s setting) browserClient() string {
	out := []string{
		"import { UserManager } from 'oidc-client-ts'", "", "const manager = new UserManager({",
		"  authority: " + quoted(s.issuer) + ",", "  client_id: " + quoted(s.ID) + ",", "  redirect_uri: " + quoted(s.callback) + ",",
	}
	if to := s.logout(); to != "" {
		out = append(out, "  post_logout_redirect_uri: "+quoted(to)+",")
	}
	return lines(append(out,
		"  scope: "+quoted(s.Scope)+",", "  loadUserInfo: true,", "})", "",
		"// To begin a sign-in.", "await manager.signinRedirect()", "",
		"// At the callback address.", "const user = await manager.signinRedirectCallback()", "",
		"// To sign out.", "await manager.signoutRedirect()")...)
}

// authlib is for Flask; other frameworks take the same registration.
func (s setting) authlib() string {
	kwargs := `"scope": ` + quoted(s.Scope) + `, "code_challenge_method": "S256"`
	if m := s.method(); m != client.AuthBasic {
		kwargs += `, "token_endpoint_auth_method": ` + quoted(m)
	}
	out := []string{
		"from authlib.integrations.flask_client import OAuth", "", "oauth = OAuth(app)", "oauth.register(", `    "lychgate",`,
		"    server_metadata_url=" + quoted(s.issuer+"/.well-known/openid-configuration") + ",", "    client_id=" + quoted(s.ID) + ",",
	}
	if s.hasSecret() {
		out = append(out, "    client_secret="+quoted(s.secret)+",")
	}
	return lines(append(out,
		"    client_kwargs={"+kwargs+"},", ")", "", "",
		`@app.get("/login")`, "def login():", "    return oauth.lychgate.authorize_redirect("+quoted(s.callback)+")", "", "",
		"@app.get("+quoted(s.callbackPath())+")", "def callback():", "    token = oauth.lychgate.authorize_access_token()",
		`    session["person"] = dict(oauth.lychgate.userinfo(token=token))`, `    return redirect("/")`)...)
}

// Values of a client come from whoever describes it: each is written so that it cannot end the place it stands in.

// quoted is a string of JSON, which is one of JavaScript, Python, Java, C#, TOML and YAML as well.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string is always encoded
	return strings.TrimSuffix(b.String(), "\n")
}

// plain says whether text needs no quotes anywhere.
func plain(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("-._~:/@,+%", r)
	})
}

// shell is a word of a POSIX shell and of files with environment variables.
func shell(text string) string {
	switch {
	case plain(text):
		return text
	case plain(strings.ReplaceAll(text, " ", "-")):
		return `"` + text + `"`
	default:
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
}

// apacheWord is an argument of a directive, quoted where it has to be.
func apacheWord(text string) string {
	if plain(text) {
		return text
	}
	return apacheQuoted(text)
}

func apacheQuoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
