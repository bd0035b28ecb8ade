// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

// fieldOf is the field of the form for a name of the metadata.
func fieldOf(name string) string {
	names := map[string]string{
		"client_name": "name", "client_id": "id", "redirect_uris": "redirects", "post_logout_redirect_uris": "postlogout",
		"lychgate_company": "owner", "client_uri": "uri", "initiate_login_uri": "login_uri", "token_endpoint_auth_method": "auth",
		"token_endpoint_auth_signing_alg": "auth", "jwks": "jwks_uri", "lychgate_pkce": "pkce", "lychgate_second_factor": "factor",
		"lychgate_companies": "companies", "lychgate_roles": "roles", "default_max_age": "maxage", "lychgate_access_token_lifetime": "accesslife",
		"lychgate_id_token_lifetime": "idlife", "lychgate_refresh_token_idle": "refreshidle", "lychgate_refresh_token_lifetime": "refreshlife",
		"lychgate_access_token_format": "format", "lychgate_audience": "audience", "id_token_signed_response_alg": "idalg",
		"userinfo_signed_response_alg": "useralg", "subject_type": "subject", "sector_identifier_uri": "subject",
		"lychgate_introspect": "introspect", "backchannel_logout_uri": "backchannel", "frontchannel_logout_uri": "frontchannel",
		"grant_types": "kind", "response_types": "kind", "application_type": "kind",
	}
	for _, same := range []string{"scope", "contacts", "logo_uri", "policy_uri", "tos_uri", "jwks_uri"} {
		names[same] = same
	}
	if field, ok := names[name]; ok {
		return field
	}
	return "name"
}

// problemKinds are the problems that people have in their own language, by a part of what the rule says; the rest is shown
// in the rule's own words.
func problemKinds() [][3]string {
	return [][3]string{
		{"redirects", "is empty", "none"},
		{"", "is http and not on a loopback", "http"},
		{"", "must be https: tokens are sent", "http"},
		{"", "has a wildcard", "wildcard"},
		{"", "has a fragment", "fragment"},
		{"", "is not an absolute address", "relative"},
		{"", "has no host", "relative"},
		{"", "has a scheme that only native", "scheme"},
		{"", "private scheme without a dot", "scheme"},
		{"", "stands there twice", "twice"},
		{"", "has no proper host", "host"},
		{"", "has a host with capital", "host"},
		{"", "must be percent-encoded", "encode"},
		{"", "must be an https address", "https"},
		{"backchannel", "https", "https"},
		{"frontchannel", "https", "https"},
		{"login_uri", "https", "https"},
		{"scope", "is not a scope", "scope"},
		{"scope", "IT team alone", "itonly"},
		{"audience", "IT team alone", "itonly"},
		{"name", "", "name"},
		{"id", "must be 1 to 255", "id"},
		{"jwks_uri", "is needed", "keys"},
		{"maxage", "", "number"},
		{"", "the provider's own is the most", "life"},
		{"owner", "", "company"},
	}
}

// problemOf says a problem of the metadata at the field of the form that it is about.
func problemOf(f *client.FieldError) templates.ConsoleProblem {
	p := templates.ConsoleProblem{Field: fieldOf(f.Field), Text: f.Field + " " + f.Problem}
	if m := regexp.MustCompile(`^entry (\d+) `).FindStringSubmatch(f.Problem); m != nil {
		p.Entry, _ = strconv.Atoi(m[1])
	}
	for _, k := range problemKinds() {
		if (k[0] == "" || k[0] == p.Field) && strings.Contains(f.Problem, k[1]) {
			p.Kind, p.Text = k[2], ""
			return p
		}
	}
	return p
}
