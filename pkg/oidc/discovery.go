// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// metadata is OIDC Discovery §3 and RFC 8414 §2: what is there, and nothing that is not.
type metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint"`
	TokenEndpoint         string   `json:"token_endpoint"`
	UserinfoEndpoint      string   `json:"userinfo_endpoint"`
	JWKSURI               string   `json:"jwks_uri"`
	IntrospectionEndpoint string   `json:"introspection_endpoint"`
	RevocationEndpoint    string   `json:"revocation_endpoint"`
	EndSessionEndpoint    string   `json:"end_session_endpoint"`
	CheckSession          string   `json:"check_session_iframe,omitempty"`
	FrontLogout           bool     `json:"frontchannel_logout_supported"`
	FrontLogoutSession    bool     `json:"frontchannel_logout_session_supported"`
	BackLogout            bool     `json:"backchannel_logout_supported"`
	BackLogoutSession     bool     `json:"backchannel_logout_session_supported"`
	RegistrationEndpoint  string   `json:"registration_endpoint,omitempty"`
	Scopes                []string `json:"scopes_supported"`
	ResponseTypes         []string `json:"response_types_supported"`
	ResponseModes         []string `json:"response_modes_supported"`
	GrantTypes            []string `json:"grant_types_supported"`
	SubjectTypes          []string `json:"subject_types_supported"`
	IDTokenAlgs           []string `json:"id_token_signing_alg_values_supported"`
	IDTokenKeyAlgs        []string `json:"id_token_encryption_alg_values_supported"`
	IDTokenEncs           []string `json:"id_token_encryption_enc_values_supported"`
	UserinfoAlgs          []string `json:"userinfo_signing_alg_values_supported"`
	UserinfoKeyAlgs       []string `json:"userinfo_encryption_alg_values_supported"`
	UserinfoEncs          []string `json:"userinfo_encryption_enc_values_supported"`
	IntrospectionAlgs     []string `json:"introspection_signing_alg_values_supported"`
	TokenAuth             []string `json:"token_endpoint_auth_methods_supported"`
	TokenAuthAlgs         []string `json:"token_endpoint_auth_signing_alg_values_supported"`
	IntrospectionAuth     []string `json:"introspection_endpoint_auth_methods_supported"`
	IntrospectionAuthAlgs []string `json:"introspection_endpoint_auth_signing_alg_values_supported"`
	RevocationAuth        []string `json:"revocation_endpoint_auth_methods_supported"`
	RevocationAuthAlgs    []string `json:"revocation_endpoint_auth_signing_alg_values_supported"`
	Claims                []string `json:"claims_supported"`
	ClaimTypes            []string `json:"claim_types_supported"`
	Challenges            []string `json:"code_challenge_methods_supported"`
	ACRValues             []string `json:"acr_values_supported"`
	Prompts               []string `json:"prompt_values_supported"`
	UILocales             []string `json:"ui_locales_supported"`
	ISSParameter          bool     `json:"authorization_response_iss_parameter_supported"`
	PushedEndpoint        string   `json:"pushed_authorization_request_endpoint"`
	RequirePushed         bool     `json:"require_pushed_authorization_requests"`
	// These three must be said: request_uri counts as supported where nothing is said.
	ClaimsParameter     bool `json:"claims_parameter_supported"`
	RequestParameter    bool `json:"request_parameter_supported"`
	RequestURIParameter bool `json:"request_uri_parameter_supported"`
	// RequestURIRegistered: no other address is asked.
	RequestURIRegistered bool     `json:"require_request_uri_registration"`
	RequestAlgs          []string `json:"request_object_signing_alg_values_supported"`
}

func (p *Provider) metadata() metadata {
	iss := p.cfg.Issuer
	claims := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "c_hash", "s_hash", "sid", "lg_evidence"}
	scopes := knownScopes()
	for _, s := range scopes {
		claims = append(claims, claimsOf(s)...)
	}
	for _, s := range client.BuiltIn() {
		scopes = append(scopes, s.Name)
		claims = append(claims, slices.Sorted(maps.Keys(s.Claims))...)
	}
	all := client.AuthMethods()
	confidential := slices.DeleteFunc(client.AuthMethods(), func(m string) bool { return m == client.AuthNone })
	registration := ""
	if p.cfg.Desk != nil {
		registration = iss + "/register"
	}
	return metadata{
		RegistrationEndpoint:  registration,
		Issuer:                iss,
		AuthorizationEndpoint: iss + "/authorize",
		TokenEndpoint:         iss + "/token",
		UserinfoEndpoint:      iss + "/userinfo",
		JWKSURI:               iss + "/jwks",
		IntrospectionEndpoint: iss + "/introspect",
		RevocationEndpoint:    iss + "/revoke",
		EndSessionEndpoint:    iss + "/logout",
		CheckSession:          sessionCheck(iss),
		FrontLogout:           true,
		FrontLogoutSession:    true,
		BackLogout:            true,
		BackLogoutSession:     true,
		Scopes:                scopes,
		ResponseTypes:         client.ResponseTypes(),
		ResponseModes:         []string{modeQuery, modeFragment, modeFormPost},
		GrantTypes:            client.GrantTypes(),
		SubjectTypes:          []string{client.SubjectPublic, client.SubjectPairwise},
		IDTokenAlgs:           keys.Algs(),
		IDTokenKeyAlgs:        client.KeyAlgs(),
		IDTokenEncs:           client.ContentEncs(),
		UserinfoAlgs:          keys.Algs(),
		UserinfoKeyAlgs:       client.KeyAlgs(),
		UserinfoEncs:          client.ContentEncs(),
		IntrospectionAlgs:     keys.Algs(),
		TokenAuth:             all,
		TokenAuthAlgs:         assertionAlgs(),
		IntrospectionAuth:     confidential,
		IntrospectionAuthAlgs: assertionAlgs(),
		RevocationAuth:        all,
		RevocationAuthAlgs:    assertionAlgs(),
		Claims:                claims,
		ClaimTypes:            []string{"normal"},
		Challenges:            []string{"S256"},
		ACRValues:             []string{authn.ACRPassword, authn.ACRFactor},
		Prompts:               promptValues(),
		UILocales:             p.cfg.Locales,
		ISSParameter:          true,
		PushedEndpoint:        iss + "/par",
		ClaimsParameter:       true,
		RequestParameter:      true,
		RequestURIParameter:   true,
		RequestURIRegistered:  true,
		RequestAlgs:           keys.Algs(),
	}
}

// document is a public body with the values of its headers, made once. Nothing in it changes.
type document struct {
	body                                       []byte
	etag                                       string
	origin, cache, tag, sniff, content, length []string
}

func newDocument(v any) (document, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return document{}, fmt.Errorf("encode metadata: %w", err)
	}
	return taggedDocument(b), nil
}

// documentAge is how long a document may be kept, in seconds.
const documentAge = 900

func taggedDocument(b []byte) document {
	sum := sha256.Sum256(b)
	etag := `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	return document{
		body: b, etag: etag, tag: []string{etag}, origin: []string{"*"},
		cache: []string{"public, max-age=" + strconv.Itoa(documentAge)}, sniff: []string{"nosniff"},
		content: []string{"application/json"}, length: []string{strconv.Itoa(len(b))},
	}
}

// serve answers GET and HEAD, and 304 to those who have it. The document is public: any origin may read it.
func (d *document) serve(w http.ResponseWriter, r *http.Request) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		w.WriteHeader(http.StatusMethodNotAllowed)
		return nil
	}
	// The names are written as http.CanonicalHeaderKey would.
	h := w.Header()
	h["Access-Control-Allow-Origin"] = d.origin
	h["Cache-Control"] = d.cache
	h["Etag"] = d.tag
	h["X-Content-Type-Options"] = d.sniff
	if strings.Contains(r.Header.Get("If-None-Match"), d.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h["Content-Type"] = d.content
	// Said, because net/http would send a body of this size in chunks.
	h["Content-Length"] = d.length
	if r.Method == http.MethodHead {
		return nil
	}
	_, _ = w.Write(d.body)
	return nil
}

// ServeDiscovery is /.well-known/openid-configuration (OIDC Discovery §4).
func (p *Provider) ServeDiscovery(w http.ResponseWriter, r *http.Request) error {
	return p.document.serve(w, r)
}

// ServeAuthServerMetadata is /.well-known/oauth-authorization-server (RFC 8414 §3): the same document.
func (p *Provider) ServeAuthServerMetadata(w http.ResponseWriter, r *http.Request) error {
	return p.document.serve(w, r)
}

// ServeJWKS is /jwks: public keys only, next ones included (RFC 7517 §5).
func (p *Provider) ServeJWKS(w http.ResponseWriter, r *http.Request) error {
	set := p.cfg.Keys.JWKS()
	if set == nil {
		return p.writeFault(w, r, unavailable(keys.ErrNotReady))
	}
	d := p.jwks.Load()
	if d == nil || !bytes.Equal(d.body, set) {
		fresh := taggedDocument(set)
		d = &fresh
		p.jwks.Store(d)
	}
	return d.serve(w, r)
}
