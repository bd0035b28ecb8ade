// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/keys"
)

// GrantTypes are all grant types that can be registered.
func GrantTypes() []string {
	return []string{GrantCode, GrantRefresh, GrantCredentials, GrantImplicit}
}

// AuthMethods are the ways in which a client can prove who it is.
func AuthMethods() []string {
	return []string{AuthBasic, AuthPost, AuthSecretJWT, AuthKeyJWT, AuthNone}
}

// SecretAlgs sign assertions of client_secret_jwt.
func SecretAlgs() []string { return []string{"HS256"} }

// assertions checks how the client signs what it sends (OIDC Core §9), and the keys it signs with.
func (k *checker) assertions() {
	c := k.c
	switch c.AuthMethod {
	case AuthKeyJWT:
		k.optional("token_endpoint_auth_signing_alg", c.AuthAlg, keys.Algs()...)
	case AuthSecretJWT:
		k.optional("token_endpoint_auth_signing_alg", c.AuthAlg, SecretAlgs()...)
	default:
		if c.AuthAlg != "" {
			k.add("token_endpoint_auth_signing_alg", "is for client_secret_jwt and private_key_jwt alone: remove it")
		}
	}
	k.optional("request_object_signing_alg", c.RequestAlg, keys.Algs()...)
	k.keySet()
	if !c.hasKeys() && (c.AuthMethod == AuthKeyJWT || c.RequestAlg != "" || c.RequireSigned) {
		k.add("jwks", "or jwks_uri is needed, with the keys that the client signs with")
	}
}

func (c *Client) hasKeys() bool { return len(c.Keys) > 0 || c.KeysURI != "" }

func (k *checker) keySet() {
	c := k.c
	if len(c.Keys) > 0 && c.KeysURI != "" {
		k.add("jwks_uri", "and jwks exclude each other: give one of them (RFC 7591 §2)")
	}
	if len(c.Keys) > 0 {
		if err := keys.CheckPublicSet(c.Keys); err != nil {
			k.add("jwks", "%s", err.Error())
		}
	}
	k.httpsURI("jwks_uri", c.KeysURI)
}

// encryption checks how tokens are made for the client.
func (k *checker) encryption() {
	c := k.c
	k.oneOf("id_token_signed_response_alg", c.IDTokenAlg, keys.Algs()...)
	k.optional("userinfo_signed_response_alg", c.UserinfoAlg, keys.Algs()...)
	k.optional("introspection_signed_response_alg", c.IntrospectionAlg, keys.Algs()...)
	k.encrypted("id_token", c.IDTokenKeyAlg, c.IDTokenEnc)
	k.encrypted("userinfo", c.UserinfoKeyAlg, c.UserinfoEnc)
}

func (k *checker) encrypted(what, alg, enc string) {
	if alg == "" {
		if enc != "" {
			k.add(what+"_encrypted_response_enc", "needs %s_encrypted_response_alg", what)
		}
		return
	}
	k.oneOf(what+"_encrypted_response_alg", alg, KeyAlgs()...)
	k.oneOf(what+"_encrypted_response_enc", enc, ContentEncs()...)
	if !k.c.hasKeys() {
		k.add("jwks", "or jwks_uri is needed, with a key that %s can be encrypted to", what)
	}
}

// addresses checks what is fetched from, or sent to, by us and by browsers.
func (k *checker) addresses() {
	c := k.c
	if len(c.RequestURIs) > maxURIs {
		k.add("request_uris", "has %d entries; %d are the most", len(c.RequestURIs), maxURIs)
	} else {
		for _, uri := range c.RequestURIs {
			k.httpsURI("request_uris", strings.SplitN(uri, "#", 2)[0]) // OIDC Core §6.2: a hash of the content may follow
		}
	}
	k.httpsURI("initiate_login_uri", c.InitiateLoginURI)
	k.httpsURI("backchannel_logout_uri", c.BackchannelURI)
	k.frontchannel()
}

// frontchannel: the address is loaded by browsers, from the origin of one of the client's redirect_uris (Front-Channel
// Logout §2).
func (k *checker) frontchannel() {
	c := k.c
	if c.FrontchannelURI == "" {
		return
	}
	u, problem := parseURI(c.FrontchannelURI)
	if problem != "" {
		k.add("frontchannel_logout_uri", "%s", problem)
		return
	}
	same := slices.ContainsFunc(c.RedirectURIs, func(s string) bool {
		r, err := url.Parse(s)
		return err == nil && r.Scheme == u.Scheme && r.Host == u.Host
	})
	if !webScheme(u) || !same {
		k.add("frontchannel_logout_uri", "must have scheme, host and port of a redirect_uri")
	}
}

// httpsURI checks an address that this server calls, or that decides whom it believes: https, always.
func (k *checker) httpsURI(field, uri string) {
	if uri == "" {
		return
	}
	u, problem := parseURI(uri)
	if problem == "" && (u.Scheme != "https" || u.Host == "") {
		problem = "must be an https address"
	}
	if problem == "" {
		problem = hostProblem(u)
	}
	if problem != "" {
		k.add(field, "%s", problem)
	}
}

// subject checks the sector of pairwise subjects (OIDC Core §8.1). That the document of sector_identifier_uri lists
// every redirect_uri is checked where it can be fetched.
func (k *checker) subject() {
	c := k.c
	k.oneOf("subject_type", c.SubjectType, SubjectPublic, SubjectPairwise)
	k.httpsURI("sector_identifier_uri", c.SectorURI)
	if !c.Pairwise() || c.SectorURI != "" {
		return
	}
	hosts := map[string]bool{}
	for _, uri := range c.RedirectURIs {
		if u, err := url.Parse(uri); err == nil {
			hosts[u.Host] = true
		}
	}
	if len(hosts) != 1 || hosts[""] {
		k.add("sector_identifier_uri", "is needed for pairwise subjects, unless all redirect_uris have one host")
	}
}

// optional is oneOf for a value that may be left out.
func (k *checker) optional(field, value string, allowed ...string) {
	if value != "" {
		k.oneOf(field, value, allowed...)
	}
}
