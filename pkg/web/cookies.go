// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"
	"time"
)

// jar names and sets our cookies. With an https issuer every name carries the prefix __Host-, which browsers only
// take with Secure, Path=/ and no Domain, so that no other host and no plain http can plant one (NIST SP 800-63B
// §5.1.1). Plain names are for an http issuer on a loopback host alone.
type jar struct{ secure bool }

// name puts the prefix that binds a cookie to this host in front.
func (j jar) name(short string) string {
	if j.secure {
		return "__Host-" + short
	}
	return short
}

const (
	bindCookie    = "lg_b"
	sessionCookie = "lg_s"
	deviceCookie  = "lgd_"
	langCookie    = "lg_lang"
	// clientCookie holds the id of the client that last began a sign-in here, so that a page without a flow can lead
	// back to it. It is public and proves nothing.
	clientCookie = "lg_c"
	// ticketCookie brings the set-up ticket of a mailed link to the sign-in that wants it, for ten minutes. It names the
	// account, and is good for nothing without its password.
	ticketCookie = "lg_t"
)

// get returns the value of a cookie; empty if it is not there, or there twice (one of them was planted).
func (j jar) get(r *http.Request, short string) string {
	all := r.CookiesNamed(j.name(short))
	if len(all) != 1 || len(all[0].Value) > 512 {
		return ""
	}
	return all[0].Value
}

// set stores a cookie until end; a zero end makes a session cookie.
func (j jar) set(w http.ResponseWriter, short, value string, end time.Time) {
	c := &http.Cookie{
		Name: j.name(short), Value: value, Path: "/", Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	if !end.IsZero() {
		c.Expires = end
	}
	http.SetCookie(w, c)
}

// clear removes a cookie.
func (j jar) clear(w http.ResponseWriter, short string) {
	http.SetCookie(w, &http.Cookie{
		Name: j.name(short), Path: "/", MaxAge: -1, Secure: j.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// bind returns the secrets of the browser's binding cookie, newest first: at most two, each of 22 characters.
func (j jar) bind(r *http.Request) []string {
	var secrets []string
	for s := range strings.SplitSeq(j.get(r, bindCookie), ".") {
		if len(s) == secretLen && len(secrets) < 2 {
			secrets = append(secrets, s)
		}
	}
	return secrets
}
