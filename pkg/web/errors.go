// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// Error is what a handler returns to end in a page. It carries what the page may say; Err is for the log alone.
type Error struct {
	Status int
	// Kind is a templates.Problem kind.
	Kind string
	// Parameter, Client and Code are for kind "client": the name of a parameter, never its value.
	Parameter, Client, Code string
	// Flow names the client and the language, if one was loaded.
	Flow *flow.Flow
	Err  error
}

// Error implements error.
func (e *Error) Error() string {
	if e.Err == nil {
		return "page " + e.Kind
	}
	return "page " + e.Kind + ": " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// problem maps an error to its page. What nobody thought of is a 500 without words of its own.
func problem(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	status, kind := http.StatusInternalServerError, "internal"
	switch {
	case errors.Is(err, authn.ErrUnavailable), errors.Is(err, authn.ErrBusy):
		status, kind = http.StatusServiceUnavailable, "busy"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		status, kind = http.StatusServiceUnavailable, "busy"
	case errors.Is(err, authn.ErrGone), errors.Is(err, authn.ErrMoved):
		status, kind = http.StatusBadRequest, "expired"
	case errors.Is(err, authn.ErrNotFound):
		status, kind = http.StatusNotFound, "notfound"
	case errors.Is(err, authn.ErrLost):
		status, kind = http.StatusServiceUnavailable, "lost"
	case errors.Is(err, authn.ErrTooMany), errors.Is(err, authn.ErrConflict):
		// Another tab was faster: the account is not what this flow began with.
		status, kind = http.StatusBadRequest, "expired"
	case errors.Is(err, authn.ErrLocked):
		status, kind = http.StatusBadRequest, "locked"
	case errors.Is(err, errBodyTooLarge):
		status, kind = http.StatusRequestEntityTooLarge, "toolarge"
	case errors.Is(err, errBadForm):
		status, kind = http.StatusBadRequest, "bad"
	}
	return &Error{Status: status, Kind: kind, Err: err}
}

// Handle turns a handler that returns errors into an http.Handler; serveError is the only renderer of them.
func (s *Site) Handle(h func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.ServeError(w, r, err)
		}
	})
}

// ServeError renders err as a page. The text of err goes to the log, never to the page.
func (s *Site) ServeError(w http.ResponseWriter, r *http.Request, err error) {
	e := problem(err)
	ref := Reference(r.Context())
	AddLog(r.Context(), slog.String("error", e.Error()), slog.String("page", e.Kind))
	if errors.Is(err, authn.ErrLost) {
		s.cfg.Audit.Event(r.Context(), audit.RecordLost, slog.String("detail", e.Error()), slog.String("request_id", ref))
	}
	if e.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
	}
	if e.Status == http.StatusMethodNotAllowed && w.Header().Get("Allow") == "" {
		w.Header().Set("Allow", "GET, HEAD, POST")
	}
	var q *flow.Request
	if e.Flow != nil {
		q = &e.Flow.Request
	}
	page := templates.Problem{
		Frame: s.frame(w, r, q, e.Flow), Kind: e.Kind, Reference: ref, Host: s.cfg.Host,
		Parameter: e.Parameter, ClientID: e.Client, Code: e.Code, Time: s.cfg.Now().UTC(),
	}
	page.SwitchURL = ""
	id := e.Client
	if id == "" && (e.Kind == "expired" || e.Kind == "cookies" || e.Kind == "link") {
		id = s.lastClient(r)
	}
	if c, cerr := s.clientOf(r.Context(), q, id); cerr == nil {
		page.Client, page.Back = c.Name, c.StartURL(s.cfg.Issuer)
	}
	s.page(w, r, e.Status, page)
}

// lastClient names the client that sent this browser, where no flow says so: from the cookie, or, where cookies are
// blocked, from the address that the authorization request led to. Only what is registered under it is ever shown.
func (s *Site) lastClient(r *http.Request) string {
	if id := s.jar.get(r, clientCookie); id != "" {
		return id
	}
	if r.Method != http.MethodGet {
		return ""
	}
	return r.URL.Query().Get("client")
}

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = 2
