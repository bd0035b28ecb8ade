// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package api is the REST API of IT teams: clients, and what else they look after, as JSON under /api/v1, described by an
// OpenAPI 3.1 document that is made from the code.
//
// It knows HTTP and JSON: tokens, scopes, entity tags, cursors, idempotency keys, problem details. What may be done, and
// by whom, is decided by pkg/admin: every request acts through the admin.Clerk of its caller, which sees and changes
// nothing of another company. huma stands behind this package alone.
package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/seal"
)

// Clerk is what may be done for an actor (admin.Clerk): of a clerk nothing but its acts can be reached here, so that no
// way leads past the company that it is bounded to.
type Clerk interface {
	ClientActs
	SecretActs
	CompanyActs
	DeclaredActs
	PeopleActs
	HoldingActs
	InvitationActs
	TrailActs
}

// Config is what the API works on. All fields are needed.
type Config struct {
	// Issuer is the address of the provider: the document names its token endpoint.
	Issuer string
	Tokens Verifier
	// Clerk gives the acts of an actor.
	Clerk   func(by admin.Actor) Clerk
	Keys    Keys
	Answers Answers
	// Ring seals cursors.
	Ring *seal.Ring
	Log  *slog.Logger
	Now  func() time.Time
}

// Operation is one address of the API, to be mounted with its guard.
type Operation struct {
	ID, Method, Path string
	// Scope is what a token must hold.
	Scope string
	// Guard lets nobody through without a token in force that holds the scope.
	Guard func(http.Handler) http.Handler
	// Serve answers who was let through, and refuses everybody else.
	Serve func(http.ResponseWriter, *http.Request) error
	// Slow operations take longer than others may.
	Slow bool
}

// API serves the operations. It is safe for use by many goroutines.
type API struct {
	cfg        Config
	mux        *http.ServeMux
	openAPI    *huma.OpenAPI
	operations []Operation
	document   []byte
}

// New returns the API.
func New(cfg Config) (*API, error) {
	if cfg.Issuer == "" || cfg.Tokens == nil || cfg.Clerk == nil || cfg.Keys == nil || cfg.Answers == nil || cfg.Ring == nil || cfg.Log == nil || cfg.Now == nil {
		return nil, errors.New("api: the configuration is incomplete")
	}
	a := &API{cfg: cfg, mux: http.NewServeMux(), openAPI: description(cfg.Issuer)}
	a.addClients()
	a.addSecrets()
	a.addCompanies()
	a.addPolicies()
	a.addDomains()
	a.addAccounts()
	a.addHoldings()
	a.addInvitations()
	a.addScopes()
	a.addRoles()
	a.addKeys()
	a.addAudit()
	var err error
	if a.document, err = json.MarshalIndent(a.openAPI, "", "  "); err != nil {
		return nil, fmt.Errorf("api: document: %w", err)
	}
	return a, nil
}

// Operations are all addresses that need a token, in the order of the document.
func (a *API) Operations() []Operation { return a.operations }

// Document is the OpenAPI document.
func (a *API) Document() []byte { return a.document }

// ServeDocument answers with the document. It is open: it says how to ask, and nothing of what there is.
func (a *API) ServeDocument(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/openapi+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err := w.Write(a.document)
	return err
}

// ServeNobody answers an address or a method under /api that there is not.
func (a *API) ServeNobody(w http.ResponseWriter, r *http.Request) error {
	harden(w.Header())
	// An address in another spelling than its own is none.
	clean := Clean(r.URL)
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = m
		if _, pattern := a.mux.Handler(try); pattern != "" && clean {
			allowed = append(allowed, m)
		}
	}
	p := problem(http.StatusNotFound, codeNotFound, "There is no such address. The document at /api/openapi.json names all.")
	if len(allowed) > 0 {
		p = problem(http.StatusMethodNotAllowed, codeMethod, "This address does not know the method.")
		p.header.Set("Allow", strings.Join(allowed, ", "))
	}
	p.write(w)
	return nil
}

// harden sets what every answer has: nothing here is for a cache, a frame or another site.
func harden(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

type callKey struct{}

// call is one request that was let through.
type call struct {
	by     admin.Actor
	caller Caller
	clerk  Clerk
	match  match
	// body is the JSON object that was sent, read strictly; nil without one.
	body []byte
}

func callOf(ctx context.Context) (call, bool) {
	c, ok := ctx.Value(callKey{}).(call)
	return c, ok
}

// errUnguarded is a handler that was reached past its guard.
var errUnguarded = errors.New("api: no guard before the handler")
