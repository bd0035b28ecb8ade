// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"
)

// stateCookie holds a random value that changes with the sign-in of this browser. The page at /session/check reads it by
// script, in a frame on the sites of apps (Session Management 1.0 §4): SameSite=None and not HttpOnly, alone of all our
// cookies. It proves nothing and is never compared with anything here.
const stateCookie = "lg_ss"

// checkCSP is the policy of that page. It alone may be framed by anybody: there is nothing on it to click.
const checkCSP = "default-src 'none'; script-src 'self'; base-uri 'none'; form-action 'none'"

// setState begins a new browser state, or ends it where value is empty. A browser takes SameSite=None only with Secure, so
// that there is none with an http issuer.
func (j jar) setState(w http.ResponseWriter, value string) {
	if !j.secure {
		return
	}
	c := &http.Cookie{Name: j.name(stateCookie), Value: value, Path: "/", Secure: true, SameSite: http.SameSiteNoneMode}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// newState begins a new browser state: what apps were told of the one before counts as changed.
func (s *Site) newState(w http.ResponseWriter) (string, error) {
	if !s.jar.secure {
		return "", nil
	}
	value, err := s.secret()
	if err != nil {
		return "", err
	}
	s.jar.setState(w, value)
	return value, nil
}

// browserState returns the state of this browser; a browser without one gets one. Empty with an http issuer.
func (s *Site) browserState(w http.ResponseWriter, r *http.Request) (string, error) {
	if !s.jar.secure {
		return "", nil
	}
	if have := s.jar.get(r, stateCookie); len(have) == secretLen && !strings.ContainsAny(have, " .") {
		return have, nil
	}
	return s.newState(w)
}

// serveSessionCheck is check_session_iframe (Session Management 1.0 §3.2). It asks nothing of anybody and is the same for
// all.
func (s *Site) serveSessionCheck(w http.ResponseWriter, r *http.Request) error {
	if !s.jar.secure {
		return s.serveNobody(w, r)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", checkCSP)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "public, max-age=3600")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	_, err := w.Write(s.cfg.Templates.SessionCheck())
	return err
}
