// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"
)

// Handler is what a route is answered by.
type Handler = func(http.ResponseWriter, *http.Request) error

// Routes are the handlers of the sign-in by method and path, for pkg/server to protect and mount.
type Routes struct {
	Authorize, AuthorizePost            Handler
	Flow, Restart                       Handler
	Login, LoginPost                    Handler
	Forgot, ForgotPost                  Handler
	Link, LinkPost                      Handler
	Enrol, EnrolPost                    Handler
	Factor, FactorPost                  Handler
	Recovery, RecoveryPost              Handler
	Consent, ConsentPost                Handler
	Logout, LogoutConfirm, SessionCheck Handler
	Static, Logo, Nobody                Handler
	Home                                Handler
}

// Routes returns the handlers.
func (s *Site) Routes() Routes {
	return Routes{
		Authorize: s.serveAuthorize, AuthorizePost: s.submitAuthorize,
		Flow: s.serveFlow, Restart: s.serveRestart,
		Login: s.serveLogin, LoginPost: s.submitLogin,
		Forgot: s.serveForgot, ForgotPost: s.submitForgot,
		Link: s.serveLink, LinkPost: s.submitLink,
		Enrol: s.serveEnrol, EnrolPost: s.submitEnrol,
		Factor: s.serveFactor, FactorPost: s.submitFactor,
		Recovery: s.serveRecovery, RecoveryPost: s.submitRecovery,
		Consent: s.serveConsent, ConsentPost: s.submitConsent,
		Logout: s.serveLogout, LogoutConfirm: s.submitLogoutConfirm, SessionCheck: s.serveSessionCheck,
		Static: s.serveStatic, Logo: s.serveLogo, Nobody: s.serveNobody, Home: s.serveHome,
	}
}

// serveStatic answers stylesheet, script and pictures. Their addresses carry a fingerprint, so they may be kept.
func (s *Site) serveStatic(w http.ResponseWriter, r *http.Request) error {
	body, kind, etag, ok := s.cfg.Templates.Static(strings.TrimPrefix(r.URL.Path, "/static/"))
	if !ok {
		return &Error{Status: http.StatusNotFound, Kind: "notfound"}
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("ETag", etag)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	_, err := w.Write(body)
	return err
}

// serveNobody answers every address that is not ours.
func (s *Site) serveNobody(http.ResponseWriter, *http.Request) error {
	return &Error{Status: http.StatusNotFound, Kind: "notfound"}
}

// serveHome answers the bare address: a sign-in begins at an app, so it says just that.
func (s *Site) serveHome(http.ResponseWriter, *http.Request) error {
	return &Error{Status: http.StatusOK, Kind: "start"}
}
