// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/http"
)

// ServePreflight answers the question that a browser asks before a page of a client calls token, userinfo, revocation or
// pushed requests (Fetch §4.8). Only origins of registered redirect_uris get a yes; cookies never count there.
func (p *Provider) ServePreflight(w http.ResponseWriter, r *http.Request) error {
	ok, err := p.allowOrigin(w, r)
	if err != nil {
		return p.writeFault(w, r, unavailable(err))
	}
	if ok {
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", "GET, POST")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept")
		h.Set("Access-Control-Max-Age", "600")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// Shared lets pages of registered origins read the answers of h.
func (p *Provider) Shared(h func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, err := p.allowOrigin(w, r); err != nil {
			return p.writeFault(w, r, unavailable(err))
		}
		return h(w, r)
	}
}

// allowOrigin marks an answer as readable for the page that asks, if it is of a registered origin.
func (p *Provider) allowOrigin(w http.ResponseWriter, r *http.Request) (bool, error) {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" || len(origin) > 300 {
		return false, nil
	}
	// The answer differs from one origin to another, so no cache may give it to all (Fetch §3.2.5).
	w.Header().Add("Vary", "Origin")
	ok, err := p.cfg.Clients.Origin(r.Context(), origin)
	if err != nil || !ok {
		return false, err
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	return true, nil
}
