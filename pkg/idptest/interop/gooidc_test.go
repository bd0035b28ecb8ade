// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// goApp is a relying party on go-oidc and x/oauth2, as their documentation shows it.
type goApp struct {
	provider *oidc.Provider
	verifier *oidc.IDTokenVerifier
	oauth    oauth2.Config
	own      string
	proof    string
	hint     string
}

func TestGoOIDC(t *testing.T) {
	w := newWorld(t)
	g := &goApp{proof: oauth2.GenerateVerifier()}
	srv := httptest.NewServer(g)
	t.Cleanup(srv.Close)
	a := app{srv.URL, srv.URL + "/callback"}
	w.register(t, a, nil)
	var err error
	if g.provider, err = oidc.NewProvider(context.WithoutCancel(t.Context()), w.Issuer); err != nil {
		t.Fatal(err)
	}
	g.own, g.verifier = srv.URL, g.provider.Verifier(&oidc.Config{ClientID: "app"})
	g.oauth = oauth2.Config{
		ClientID: "app", ClientSecret: idptest.ClientSecret, RedirectURL: a.callback, Endpoint: g.provider.Endpoint(),
		Scopes: []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}
	w.signIn(t, a)
}

func (g *goApp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/login":
		http.Redirect(w, r, g.oauth.AuthCodeURL("state", oidc.Nonce("nonce"), oauth2.S256ChallengeOption(g.proof)), http.StatusSeeOther)
	case "/callback":
		out, err := g.callback(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_ = json.NewEncoder(w).Encode(out)
	case "/logout":
		var m struct {
			End string `json:"end_session_endpoint"`
		}
		if err := g.provider.Claims(&m); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		q := url.Values{"id_token_hint": {g.hint}, "post_logout_redirect_uri": {g.own + "/bye"}}
		http.Redirect(w, r, m.End+"?"+q.Encode(), http.StatusSeeOther)
	default:
		_, _ = w.Write([]byte("bye"))
	}
}

func (g *goApp) callback(r *http.Request) (report, error) {
	ctx := r.Context()
	first, err := g.oauth.Exchange(ctx, r.FormValue("code"), oauth2.VerifierOption(g.proof))
	if err != nil {
		return report{}, err
	}
	g.hint, _ = first.Extra("id_token").(string)
	id, err := g.verifier.Verify(ctx, g.hint)
	if err != nil {
		return report{}, err
	}
	if err := id.VerifyAccessToken(first.AccessToken); err != nil {
		return report{}, err
	}
	var out report
	if err := id.Claims(&out); err != nil {
		return report{}, err
	}
	fresh, err := g.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: first.RefreshToken}).Token()
	if err != nil {
		return report{}, err
	}
	info, err := g.provider.UserInfo(ctx, oauth2.StaticTokenSource(fresh))
	if err != nil {
		return report{}, err
	}
	out.Subject, out.Email, out.Refreshed = info.Subject, info.Email, fresh.AccessToken != first.AccessToken
	return out, nil
}
