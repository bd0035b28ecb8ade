// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// guard stands before an operation. Who has no right to it is refused before anything else of the request is read.
func (a *API) guard(s spec, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		c, p := a.admit(r, s.scope)
		if p != nil {
			p.write(w)
			return
		}
		if s.is(fresh) {
			if err := c.isFresh(a.cfg.Now()); err != nil {
				a.explain(r.Context(), err).write(w)
				return
			}
		}
		if p = s.check(w, r, &c); p != nil {
			p.write(w)
			return
		}
		r = r.WithContext(context.WithValue(r.Context(), callKey{}, c))
		if !s.is(creates) {
			next.ServeHTTP(w, r)
			return
		}
		if p = a.once(w, r, c, next); p != nil {
			p.write(w)
		}
	})
}

// check reads what every operation has in common: query, precondition, body.
func (s spec) check(w http.ResponseWriter, r *http.Request, c *call) *problemError {
	if p := checkQuery(r.URL.RawQuery); p != nil {
		return p
	}
	var p *problemError
	if s.is(mayMatch) || s.is(mustMatch) {
		if c.match, p = readMatch(r); p != nil {
			return p
		}
		if s.is(mustMatch) && !c.match.given {
			return problem(http.StatusPreconditionRequired, codeNoMatch,
				`Send the header If-Match with the ETag of the version that you have read, or "*" to overwrite any.`)
		}
	}
	if s.reads() {
		c.body, p = readBody(w, r, s.media())
	}
	return p
}

// checkQuery refuses what two readers could read differently.
func checkQuery(raw string) *problemError {
	q, err := url.ParseQuery(raw)
	if err != nil {
		return malformed("The query cannot be read.")
	}
	var faults []Fault
	for name, values := range q {
		switch {
		case len(values) > 1:
			faults = append(faults, Fault{Detail: "stands there twice", Location: "query." + name})
		case values[0] == "":
			faults = append(faults, Fault{Detail: "is empty: leave it out", Location: "query." + name})
		}
	}
	if len(faults) > 0 {
		return invalid(faults...)
	}
	return nil
}

// readBody reads a bounded body of the one media type, and holds it to strict.
func readBody(w http.ResponseWriter, r *http.Request, media string) ([]byte, *problemError) {
	kinds := r.Header.Values("Content-Type")
	if len(kinds) != 1 || r.Header.Get("Content-Encoding") != "" || !isMedia(kinds[0], media) {
		return nil, problem(http.StatusUnsupportedMediaType, codeMedia, "Send "+media+" in UTF-8, not compressed.")
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, unread(err)
	}
	if len(raw) == 0 {
		return nil, malformed("The body is missing.")
	}
	return raw, strict(raw, media)
}

// unread says why a body could not be read.
func unread(err error) *problemError {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return problem(http.StatusRequestEntityTooLarge, codeTooLarge, "The body is over 64 KiB.")
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return problem(http.StatusRequestTimeout, codeMalformed, "The body took too long.")
	}
	return malformed("The body ended early.")
}

func isMedia(header, media string) bool {
	kind, params, err := mime.ParseMediaType(header)
	if err != nil || kind != media {
		return false
	}
	for name, v := range params {
		if name != "charset" || !strings.EqualFold(v, "utf-8") {
			return false
		}
	}
	return true
}
