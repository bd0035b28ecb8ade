// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// limit is the most bytes a parameter of the authorization endpoint may have; 0 for one that is not used here.
func limit(name string) int {
	switch name {
	case "client_id", "ui_locales", "claims_locales", "prompt", "response_type", "response_mode", "display",
		"code_challenge", "code_challenge_method", "max_age":
		return 256
	case "nonce", "login_hint", "acr_values":
		return 1024
	case "redirect_uri", "scope":
		return 2048
	case "state":
		return 4096
	case "id_token_hint":
		return maxJWT
	case "claims":
		return maxClaims
	case "request", "request_uri", "registration":
		return maxBody
	default:
		return 0
	}
}

// params are the parameters of an authorization request, one value each, without empty ones: a parameter without a
// value counts as absent (RFC 6749 §3.1).
type params struct {
	values map[string]string
	// spoilt are the names that cannot be trusted, with the reason; first is the first of them by name.
	spoilt map[string]string
	first  string
}

// readParams sorts out what may not be used. Parameters we do not know are ignored (RFC 6749 §3.1), but not when they
// repeat or hold control characters.
func readParams(in url.Values) params {
	p := params{values: map[string]string{}, spoilt: map[string]string{}}
	for name, values := range in {
		if name == "resource" || len(values) == 0 {
			continue
		}
		if reason := spoiltBy(name, values); reason != "" {
			p.spoilt[name] = reason
			if p.first == "" || name < p.first {
				p.first = name
			}
			continue
		}
		if limit(name) > 0 && values[0] != "" {
			p.values[name] = values[0]
		}
	}
	return p
}

func spoiltBy(name string, values []string) string {
	switch {
	case len(values) > 1:
		return reasonDuplicate
	case bad(name):
		return reasonCharacters
	case bad(values[0]) && (name != "claims" || !utf8.ValidString(values[0])):
		// A JSON object may be written with line ends; its reader refuses all other control characters.
		return reasonCharacters
	case limit(name) > 0 && len(values[0]) > limit(name):
		return reasonLength
	}
	return ""
}

func (p params) get(name string) string { return p.values[name] }

func (p params) has(name string) bool {
	_, ok := p.values[name]
	return ok || p.spoilt[name] != ""
}

// replay returns the accepted parameters as they are stored with the flow; of claims, what was asked for stands in the
// request already.
func (p params) replay(scopes []string) url.Values {
	out := url.Values{}
	for name, v := range p.values {
		if name != "claims" {
			out.Set(name, v)
		}
	}
	out.Set("scope", strings.Join(scopes, " "))
	return out
}

// responseType is the registered spelling of a response type, whatever the order of its words (RFC 6749 §3.1.1); empty
// for one that is not known.
func responseType(s string) string {
	asked := strings.Split(s, " ")
	for _, t := range client.ResponseTypes() {
		known := words(t)
		if len(asked) == len(known) && !slices.ContainsFunc(known, func(w string) bool { return !slices.Contains(asked, w) }) {
			return t
		}
	}
	return ""
}

// yields says whether a response of the type holds what: code, id_token or token.
func yields(responseType, what string) bool { return slices.Contains(words(responseType), what) }

// checkType takes the response types that the client is registered for.
func checkType(c *client.Client, p params) *fault {
	t := responseType(p.get("response_type"))
	switch {
	case p.get("response_type") == "":
		return invalidRequest(reasonTypeMissing, "response_type")
	case t == "" || !c.HasResponseType(t):
		return newFault(codeUnsupportedType, "response_type")
	}
	p.values["response_type"] = t
	mode := p.get("response_mode")
	if mode != "" && !validMode(t, mode) {
		return invalidRequest(reasonMode, "response_mode")
	}
	if yields(t, typeIDToken) && p.get("nonce") == "" {
		// OIDC Core §3.2.2.1, §3.3.2.11: what goes through the browser could be put into another sign-in.
		return invalidRequest(reasonNonce, "nonce")
	}
	return nil
}

// The parts of a response type.
const (
	typeIDToken = "id_token"
	typeToken   = "token"
)

// validMode: tokens never go into the query, where they end up in logs (OAuth 2.0 Multiple Response Types §3).
func validMode(responseType, mode string) bool {
	switch mode {
	case modeQuery:
		return responseType == client.TypeCode
	case modeFragment, modeFormPost:
		return true
	default:
		return false
	}
}

// checkChallenge applies RFC 7636 with S256 only. The policy is applied here, before the person signs in, and the
// challenge is part of the grant from the start (RFC 9700 §2.1.1, §4.8).
func checkChallenge(c *client.Client, p params) *fault {
	if !yields(p.get("response_type"), client.TypeCode) {
		return nil
	}
	challenge, method := p.get("code_challenge"), p.get("code_challenge_method")
	if challenge == "" && method == "" {
		if c.NeedsPKCE() {
			return invalidRequest(reasonChallengeMissing, "code_challenge")
		}
		return nil
	}
	if method != "S256" || len(challenge) != 43 || !unreserved(challenge, "-_") {
		return invalidRequest(reasonChallenge, "code_challenge")
	}
	return nil
}

// unreserved says whether s is letters, digits and the given marks.
func unreserved(s, marks string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool {
		letter := (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') || (r >= '0' && r <= '9')
		return !letter && !strings.ContainsRune(marks, r)
	})
}

// readPrompt is case sensitive; none stands alone (OIDC Core §3.1.2.1).
func readPrompt(p params) ([]string, *fault) {
	prompts := words(p.get("prompt"))
	for _, v := range prompts {
		if !slices.Contains(promptValues(), v) || (v == "none" && len(prompts) > 1) {
			return nil, invalidRequest(reasonPrompt, "prompt")
		}
	}
	return prompts, nil
}

func promptValues() []string { return []string{"none", "login", "consent", "select_account"} }

// readMaxAge takes digits only: what another parser would read as nothing must not mean no limit.
func readMaxAge(c *client.Client, p params) (*int64, *fault) {
	s := p.get("max_age")
	if s == "" {
		return c.DefaultMaxAge, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > client.MaxAgeLimit || strconv.FormatInt(n, 10) != s {
		return nil, invalidRequest(reasonMaxAge, "max_age")
	}
	return &n, nil
}

// readScopes drops the scopes the client is not registered for (OIDC Core §3.1.2.1 ignores unknown ones), and
// offline_access where no refresh token could follow (OIDC Core §11). Nothing left is an error (RFC 6749 §3.3).
func readScopes(c *client.Client, p params) ([]string, *fault) {
	registered := c.Scopes()
	var out []string
	for _, s := range words(p.get("scope")) {
		offline := c.HasGrant(client.GrantRefresh) && yields(p.get("response_type"), client.TypeCode)
		if !slices.Contains(registered, s) || (s == scopeOffline && !offline) {
			continue
		}
		out = append(out, s)
	}
	if len(out) == 0 || (yields(p.get("response_type"), typeIDToken) && !slices.Contains(out, scopeOpenID)) {
		return nil, newFault(codeInvalidScope, "scope")
	}
	return out, nil
}

// words splits a space-separated list and drops repetitions.
func words(s string) []string {
	var out []string
	for w := range strings.SplitSeq(s, " ") {
		if w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

// locales keeps what looks like a language tag (RFC 5646), at most ten.
func locales(s string) []string {
	var out []string
	for _, w := range words(s) {
		if len(w) <= 35 && len(out) < 10 && unreserved(w, "-") {
			out = append(out, w)
		}
	}
	return out
}

const (
	modeQuery    = "query"
	modeFormPost = "form_post"
	modeFragment = "fragment"
)

// base is the part of the request that an error response needs: a response mode it can be sent by, and the state if
// it can come back byte for byte.
func (p params) base(c *client.Client) flow.Request {
	mode, asked := p.get("response_mode"), p.get("response_type")
	if t := responseType(asked); t != "" {
		asked = t
	}
	front := yields(asked, typeToken) || yields(asked, typeIDToken)
	if (mode != modeQuery && mode != modeFragment && mode != modeFormPost) || (front && mode == modeQuery) {
		mode = modeQuery
		if front {
			// OAuth 2.0 Multiple Response Types §5: their errors go to the fragment.
			mode = modeFragment
		}
	}
	return flow.Request{
		ClientID: c.ID, RedirectURI: p.get("redirect_uri"), ResponseType: asked, ResponseMode: mode, State: p.get("state"),
		UILocales: locales(p.get("ui_locales")),
	}
}
