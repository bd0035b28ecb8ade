// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ory/fosite"
	"github.com/ory/fosite/handler/oauth2"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/handler/pkce"

	"github.com/lychgate/lychgate/pkg/client"
)

// fositeEngine is the machine: fosite composed by hand, with its own store, strategies and configuration.
type fositeEngine struct {
	f *fosite.Fosite
	s *strategy
}

// fositeConfig overrides what fosite.Config would decide by itself. Every getter that assigns a default on its first
// call is overridden or has its field set by newEngine: those assignments are data races between requests.
type fositeConfig struct {
	*fosite.Config
	code, refresh, refreshID fosite.TokenEndpointHandlers
}

// GetTokenEndpointHandlers returns only the handlers of the grant type in hand: each of the others would refuse with
// an error of its own.
func (c *fositeConfig) GetTokenEndpointHandlers(ctx context.Context) fosite.TokenEndpointHandlers {
	w := workOf(ctx)
	switch w.grantType {
	case client.GrantCode:
		return c.code
	case client.GrantRefresh:
		if w.done && w.wantsIDToken() {
			return c.refreshID
		}
		return c.refresh
	default:
		return nil
	}
}

// GetJWKSFetcherStrategy answers none: nothing is ever fetched.
func (c *fositeConfig) GetJWKSFetcherStrategy(context.Context) fosite.JWKSFetcherStrategy { return nil }

// noHasher refuses every secret: clients are authenticated at our edge, and an empty digest must never match.
type noHasher struct{}

func (noHasher) Compare(context.Context, []byte, []byte) error { return fosite.ErrInvalidClient }

func (noHasher) Hash(context.Context, []byte) ([]byte, error) { return nil, fosite.ErrServerError }

func newEngine(p *Provider) *fositeEngine {
	cfg := &fositeConfig{Config: &fosite.Config{
		AccessTokenLifespan:            p.cfg.Lifetimes.Access,
		RefreshTokenLifespan:           p.cfg.Lifetimes.RefreshIdle,
		IDTokenLifespan:                p.cfg.Lifetimes.IDToken,
		IDTokenIssuer:                  p.cfg.Issuer,
		ScopeStrategy:                  fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:       fosite.ExactAudienceMatchingStrategy,
		EnforcePKCEForPublicClients:    true,
		EnablePKCEPlainChallengeMethod: false,
		AllowedPromptValues:            promptValues(),
		RefreshTokenScopes:             []string{scopeOffline},
		MinParameterEntropy:            -1,
		OmitRedirectScopeParam:         true,
		DisableRefreshTokenValidation:  true,
		ClientSecretsHasher:            noHasher{},
		// Addresses were checked when the client was registered, and matched to the letter just now.
		RedirectSecureChecker: func(context.Context, *url.URL) bool { return true },
		ClientAuthenticationStrategy: func(ctx context.Context, _ *http.Request, _ url.Values) (fosite.Client, error) {
			return view{workOf(ctx).client, ""}, nil
		},
	}}
	s, t := &strategy{p}, &store{p}
	code := &oauth2.AuthorizeExplicitGrantHandler{
		AccessTokenStrategy: s, RefreshTokenStrategy: s, AuthorizeCodeStrategy: s,
		CoreStorage: t, TokenRevocationStorage: t, Config: cfg,
	}
	proof := &pkce.Handler{AuthorizeCodeStrategy: s, Storage: t, Config: cfg}
	helper := &openid.IDTokenHandleHelper{IDTokenStrategy: s}
	id := &openid.OpenIDConnectExplicitHandler{
		OpenIDConnectRequestStorage:   t,
		OpenIDConnectRequestValidator: openid.NewOpenIDConnectRequestValidator(nil, cfg),
		Config:                        cfg, IDTokenHandleHelper: helper,
	}
	front := &oauth2.AuthorizeImplicitGrantTypeHandler{AccessTokenStrategy: s, AccessTokenStorage: t, Config: cfg}
	implicit := &openid.OpenIDConnectImplicitHandler{
		AuthorizeImplicitGrantTypeHandler: front, IDTokenHandleHelper: helper,
		OpenIDConnectRequestValidator: id.OpenIDConnectRequestValidator, Config: cfg,
	}
	hybrid := &openid.OpenIDConnectHybridHandler{
		AuthorizeImplicitGrantTypeHandler: front, AuthorizeExplicitGrantHandler: code, IDTokenHandleHelper: helper,
		OpenIDConnectRequestValidator: id.OpenIDConnectRequestValidator, OpenIDConnectRequestStorage: t, Config: cfg,
	}
	refresh := &oauth2.RefreshTokenGrantHandler{
		AccessTokenStrategy: s, RefreshTokenStrategy: s, TokenRevocationStorage: t, Config: cfg,
	}
	refreshID := &openid.OpenIDConnectRefreshHandler{IDTokenHandleHelper: helper, Config: cfg}
	// Order matters: the code is made, and its reuse found, before PKCE and OpenID Connect look.
	cfg.AuthorizeEndpointHandlers = fosite.AuthorizeEndpointHandlers{code, hybrid, implicit, proof, id}
	cfg.code = fosite.TokenEndpointHandlers{code, proof, id}
	cfg.refresh = fosite.TokenEndpointHandlers{refresh}
	cfg.refreshID = fosite.TokenEndpointHandlers{refresh, refreshID}
	return &fositeEngine{fosite.NewOAuth2Provider(t, cfg), s}
}

// request builds what fosite reads: parsed already, so that it never touches a body, multipart or a URL.
func request(method string, form url.Values) *http.Request {
	return &http.Request{
		Method: method, URL: &url.URL{Path: "/"}, Header: http.Header{}, Body: http.NoBody, Form: form, PostForm: form,
	}
}

// authorizeForm is the part of the parameters that fosite may see. state is replaced: a short one would be an error,
// and our writer sends the right one. Hints and request objects stay out.
func authorizeForm(params url.Values) url.Values {
	form := url.Values{"state": {"kept-by-our-own-writer"}}
	for _, name := range []string{
		"client_id", "redirect_uri", "response_type", "response_mode", "scope", "nonce", "prompt", "max_age",
		"code_challenge", "code_challenge_method",
	} {
		if v := params.Get(name); v != "" {
			form.Set(name, v)
		}
	}
	return form
}

func (e *fositeEngine) validate(ctx context.Context, c *client.Client, params url.Values) error {
	w := &work{client: c}
	if _, err := e.f.NewAuthorizeRequest(withWork(ctx, w), request(http.MethodGet, authorizeForm(params))); err != nil {
		return fromFosite(err)
	}
	return nil
}

func (e *fositeEngine) finish(ctx context.Context, w *work, params url.Values, granted []string) error {
	form := authorizeForm(params)
	form.Set("scope", strings.Join(granted, " "))
	ar, err := e.f.NewAuthorizeRequest(ctx, request(http.MethodGet, form))
	if err != nil {
		return fromFosite(err)
	}
	for _, s := range granted {
		ar.GrantScope(s)
	}
	if _, err := e.f.NewAuthorizeResponse(ctx, ar, gateSession(w)); err != nil {
		return fromFosite(err)
	}
	for _, part := range words(params.Get("response_type")) {
		if !slices.Contains(w.agreed, part) {
			return newFault(codeServerError, "fosite did not agree to "+part)
		}
	}
	return nil
}

func (e *fositeEngine) token(ctx context.Context, w *work) error {
	if w.grantType == client.GrantCredentials {
		// Client, grant type and scopes were checked at the edge (tokenWork) and there is no grant to follow: nothing
		// is left for fosite to decide, and what it would do around it is a tenth of the request.
		return e.s.credentials(ctx, w)
	}
	form := url.Values{"grant_type": {w.grantType}}
	for _, name := range []string{"code", "redirect_uri", "code_verifier", "refresh_token"} {
		if v := w.form.Get(name); v != "" {
			form.Set(name, v)
		}
	}
	ar, err := e.f.NewAccessRequest(ctx, request(http.MethodPost, form), &session{})
	if err != nil {
		return fromFosite(err)
	}
	if _, err := e.f.NewAccessResponse(ctx, ar); err != nil {
		return fromFosite(err)
	}
	return nil
}

// view is a client as one request may see it: its only redirect address is the one that was matched. It does not
// implement fosite.OpenIDConnectClient, so request objects and assertions have no way in.
type view struct {
	c        *client.Client
	redirect string
}

// GetID implements fosite.Client.
func (v view) GetID() string { return v.c.ID }

// GetHashedSecret implements fosite.Client.
func (v view) GetHashedSecret() []byte { return nil }

// GetRedirectURIs implements fosite.Client.
func (v view) GetRedirectURIs() []string { return []string{v.redirect} }

// GetGrantTypes implements fosite.Client.
func (v view) GetGrantTypes() fosite.Arguments { return slices.Clone(v.c.GrantTypes) }

// GetResponseTypes implements fosite.Client.
func (v view) GetResponseTypes() fosite.Arguments {
	if len(v.c.ResponseTypes) == 0 {
		return fosite.Arguments{client.TypeCode}
	}
	return slices.Clone(v.c.ResponseTypes)
}

// GetResponseModes implements fosite.ResponseModeClient.
func (v view) GetResponseModes() []fosite.ResponseModeType {
	return []fosite.ResponseModeType{fosite.ResponseModeQuery, fosite.ResponseModeFragment, fosite.ResponseModeFormPost}
}

// GetScopes implements fosite.Client.
func (v view) GetScopes() fosite.Arguments { return v.c.Scopes() }

// IsPublic implements fosite.Client.
func (v view) IsPublic() bool { return v.c.Public() }

// GetAudience implements fosite.Client.
func (v view) GetAudience() fosite.Arguments { return nil }
