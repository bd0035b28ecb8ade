// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin/api"
	"github.com/lychgate/lychgate/pkg/web"
)

// requestLimit is how long a request may take in all: a store that is away is answered with 503 within 2 s.
const requestLimit = 1900 * time.Millisecond

// slowLimit is for what works a while by itself, such as making keys.
const slowLimit = 15 * time.Second

// handler mounts the routes and puts the middleware around them: log line, host check, method check.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, r := range slices.Concat(routes(s.site, s.engine), accountRoutes(s.site, s.newAccount()), consoleRoutes(s.site, s.console),
		apiRoutes(s.site, s.api), s.demoRoutes()) {
		mux.Handle(r.pattern, named(r.pattern, within(r.limit, r.handler)))
	}
	nobody := within(requestLimit, s.site.Handle(func(w http.ResponseWriter, r *http.Request) error { return s.unrouted(mux, w, r) }))
	// What no route takes comes here, so that the mux is asked once and never answers by itself.
	mux.Handle(anything, nobody)
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !clean(r.URL) {
			nobody.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
	return s.site.Logged(s.health(s.hosts(inner)), s.metrics.observe)
}

// anything is the pattern of what has no route.
const anything = "/"

// named tells the log and the metrics which route it is.
func named(pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		web.SetRoute(r.Context(), pattern)
		next.ServeHTTP(w, r)
	})
}

// clean says whether an address is written in the one form that has a route: no empty or dotted parts, nothing
// encoded that need not be. The mux would redirect to the clean form; we answer 404, so that no address has two names.
func clean(u *url.URL) bool {
	if strings.HasPrefix(u.Path, "/api/") {
		// Ids and names that come from elsewhere hold signs that must be encoded.
		return api.Clean(u)
	}
	return path.Clean(u.Path) == u.Path && u.EscapedPath() == u.Path
}

// unrouted answers an address or a method that no route has. It never redirects, as the mux would.
func (s *Server) unrouted(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) error {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		return s.api.ServeNobody(w, r)
	}
	var allowed []string
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		try := r.Clone(r.Context())
		try.Method = m
		if _, pattern := mux.Handler(try); pattern != anything && m != r.Method {
			allowed = append(allowed, m)
		}
	}
	if len(allowed) > 0 && clean(r.URL) {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		return &web.Error{Status: http.StatusMethodNotAllowed, Kind: "method"}
	}
	return s.site.Routes().Nobody(w, r)
}

// hosts answers 421 to any Host but the issuer's: links are made from the configuration alone, and a page served
// under another name would be another site's (RFC 9110 §15.5.20).
func (s *Server) hosts(next http.Handler) http.Handler {
	wrong := s.site.Handle(func(http.ResponseWriter, *http.Request) error {
		return &web.Error{Status: http.StatusMisdirectedRequest, Kind: "bad"}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.EqualFold(r.Host, s.host) {
			wrong.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// within bounds what a request may wait for the store; 0 does not.
func within(limit time.Duration, next http.Handler) http.Handler {
	if limit == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// health answers /livez and /readyz whatever the Host, before anything else is asked.
func (s *Server) health(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/livez":
			plain(w, http.StatusOK, map[string]any{"status": "live"})
		case "/readyz":
			s.readyz(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// readyz says whether requests can be served, with each reason and its remedy.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	reasons := s.Reasons(r.Context())
	if len(reasons) == 0 {
		plain(w, http.StatusOK, map[string]any{"status": "ready"})
		return
	}
	w.Header().Set("Retry-After", "2")
	plain(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": reasons})
}

func plain(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
