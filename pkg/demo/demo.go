// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package demo is the sample case-management app: a real relying party on go-oidc and x/oauth2, and the data that
// the demo starts with. It is a different site than the provider and knows it by its address alone.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/lychgate/lychgate/templates"
)

// Config is what the app needs to know.
type Config struct {
	// Issuer is the provider; URL the app's own address.
	Issuer, URL            string
	ClientID, ClientSecret string
	Templates              *templates.Set
	Log                    *slog.Logger
	Now                    func() time.Time
	// Code returns the current code of a demo account, for those who have no phone at hand.
	Code func(username string) (string, error)
}

// App is the sample app.
type App struct {
	cfg  Config
	http *http.Client

	mu       sync.Mutex
	rp       *relyingParty
	sessions map[string]*visit
}

// relyingParty is what discovery answered.
type relyingParty struct {
	oauth      oauth2.Config
	verifier   *oidc.IDTokenVerifier
	provider   *oidc.Provider
	endSession string
}

// visit is one browser at the app: signing in, then signed in.
type visit struct {
	state, nonce, verifier, target string
	subject, name, email, idToken  string
	acr                            string
	ends                           time.Time
}

const (
	cookieName = "cases_session"
	maxVisits  = 10_000
	visitLife  = 8 * time.Hour
	acrFactor  = "urn:lychgate:acr:mfa"
)

// New returns the app.
func New(cfg Config) *App {
	return &App{cfg: cfg, http: &http.Client{Timeout: 5 * time.Second}, sessions: map[string]*visit{}}
}

// Handler returns the app's pages.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.handle(a.home))
	mux.HandleFunc("GET /cases/{number}", a.handle(a.casePage))
	mux.HandleFunc("GET /login", a.handle(a.login))
	mux.HandleFunc("GET /callback", a.handle(a.callback))
	mux.HandleFunc("POST /logout", a.handle(a.logout))
	mux.HandleFunc("GET /demo/code", a.code)
	mux.HandleFunc("GET /static/{name...}", a.static)
	return http.NewCrossOriginProtection().Handler(mux)
}

// discover asks the provider once; a failure is tried again at the next request.
func (a *App) discover(ctx context.Context) (*relyingParty, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.rp != nil {
		return a.rp, nil
	}
	ctx = oidc.ClientContext(context.WithoutCancel(ctx), a.http)
	p, err := oidc.NewProvider(ctx, a.cfg.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", a.cfg.Issuer, err)
	}
	var extra struct {
		EndSession string `json:"end_session_endpoint"`
	}
	if err := p.Claims(&extra); err != nil {
		return nil, fmt.Errorf("read discovery: %w", err)
	}
	a.rp = &relyingParty{
		oauth: oauth2.Config{
			ClientID: a.cfg.ClientID, ClientSecret: a.cfg.ClientSecret, Endpoint: p.Endpoint(),
			RedirectURL: a.cfg.URL + "/callback",
			Scopes:      []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
		},
		verifier: p.Verifier(&oidc.Config{ClientID: a.cfg.ClientID, Now: a.cfg.Now}), provider: p, endSession: extra.EndSession,
	}
	return a.rp, nil
}

// visit returns the browser's visit, or nil.
func (a *App) visit(r *http.Request) *visit {
	c, err := r.Cookie(cookieName)
	if err != nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	v := a.sessions[c.Value]
	if v == nil || !a.cfg.Now().Before(v.ends) {
		return nil
	}
	return v
}

// start gives the browser a new visit under a new id; the one before ends.
func (a *App) start(w http.ResponseWriter, r *http.Request, v *visit) {
	id := random()
	v.ends = a.cfg.Now().Add(visitLife)
	a.mu.Lock()
	defer a.mu.Unlock()
	if c, err := r.Cookie(cookieName); err == nil {
		delete(a.sessions, c.Value)
	}
	for old := range a.sessions {
		if len(a.sessions) < maxVisits {
			break
		}
		delete(a.sessions, old)
	}
	a.sessions[id] = v
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: id, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// login sends the browser to the provider. target is where to go on; a case asks for a code by acr_values.
func (a *App) login(w http.ResponseWriter, r *http.Request) error {
	rp, err := a.discover(r.Context())
	if err != nil {
		return err
	}
	target, opts := "/", []oauth2.AuthCodeOption(nil)
	if number := r.URL.Query().Get("case"); findCase(number) != nil {
		target = "/cases/" + number
		opts = append(opts, oauth2.SetAuthURLParam("acr_values", acrFactor))
	}
	v := &visit{state: random(), nonce: random(), verifier: oauth2.GenerateVerifier(), target: target}
	a.start(w, r, v)
	opts = append(opts, oidc.Nonce(v.nonce), oauth2.S256ChallengeOption(v.verifier))
	http.Redirect(w, r, rp.oauth.AuthCodeURL(v.state, opts...), http.StatusSeeOther)
	return nil
}

// callback takes the authorization response.
func (a *App) callback(w http.ResponseWriter, r *http.Request) error {
	rp, err := a.discover(r.Context())
	if err != nil {
		return err
	}
	q, v := r.URL.Query(), a.visit(r)
	if v == nil || v.state == "" || q.Get("state") != v.state || q.Get("iss") != a.cfg.Issuer {
		return a.showHome(w, &visit{}, "state", "This sign-in was not begun in this browser, or it was finished before.")
	}
	if code := q.Get("error"); code != "" {
		return a.showHome(w, &visit{}, code, q.Get("error_description"))
	}
	done, err := a.exchange(r.Context(), rp, v, q.Get("code"))
	if err != nil {
		return err
	}
	done.target = v.target
	a.start(w, r, done)
	http.Redirect(w, r, v.target, http.StatusSeeOther)
	return nil
}

// exchange redeems the code and checks the ID token as OIDC Core §3.1.3.7 asks.
func (a *App) exchange(ctx context.Context, rp *relyingParty, v *visit, code string) (*visit, error) {
	ctx = oidc.ClientContext(ctx, a.http)
	tok, err := rp.oauth.Exchange(ctx, code, oauth2.VerifierOption(v.verifier))
	if err != nil {
		return nil, fmt.Errorf("redeem code: %w", err)
	}
	raw, ok := tok.Extra("id_token").(string)
	if !ok {
		return nil, errors.New("no ID token")
	}
	id, err := rp.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify ID token: %w", err)
	}
	if id.Nonce != v.nonce {
		return nil, errors.New("nonce differs")
	}
	if err := id.VerifyAccessToken(tok.AccessToken); err != nil {
		return nil, fmt.Errorf("at_hash: %w", err)
	}
	var claims struct {
		ACR string `json:"acr"`
	}
	if err := id.Claims(&claims); err != nil {
		return nil, fmt.Errorf("read claims: %w", err)
	}
	info, err := rp.provider.UserInfo(ctx, oauth2.StaticTokenSource(tok))
	if err != nil {
		return nil, fmt.Errorf("userinfo: %w", err)
	}
	if info.Subject != id.Subject {
		return nil, errors.New("userinfo is about somebody else")
	}
	var person struct {
		Name  string `json:"name"`
		Email string `json:"email"`
	}
	if err := info.Claims(&person); err != nil {
		return nil, fmt.Errorf("read userinfo: %w", err)
	}
	if person.Name == "" {
		person.Name = id.Subject
	}
	return &visit{subject: id.Subject, name: person.Name, email: person.Email, idToken: raw, acr: claims.ACR}, nil
}

// logout ends the visit here, then at the provider.
func (a *App) logout(w http.ResponseWriter, r *http.Request) error {
	rp, err := a.discover(r.Context())
	if err != nil {
		return err
	}
	v := a.visit(r)
	if c, err := r.Cookie(cookieName); err == nil {
		a.mu.Lock()
		delete(a.sessions, c.Value)
		a.mu.Unlock()
	}
	http.SetCookie(w, &http.Cookie{Name: cookieName, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	http.Redirect(w, r, logoutURL(rp.endSession, a.cfg, v), http.StatusSeeOther)
	return nil
}

// Names returns the sign-in names of the demo's accounts.
func Names() []string {
	var names []string
	for _, p := range People() {
		names = append(names, p.Username)
	}
	slices.Sort(names)
	return names
}
