// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// problemError is the body of every answer that is not a success (RFC 9457).
type problemError struct {
	Type   string  `json:"type" doc:"Always about:blank: the title says what the status means."`
	Title  string  `json:"title"`
	Status int     `json:"status"`
	Code   string  `json:"code" doc:"What went wrong, for programs; it does not change."`
	Detail string  `json:"detail" doc:"What went wrong, and what to do, for people."`
	Errors []Fault `json:"errors,omitempty" nullable:"false" doc:"What is wrong with the request, all at once."`

	header http.Header
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Detail string `json:"detail"`
	// Pointer is RFC 6901 into the body; Location is where else: query.limit, header.If-Match, path.client_id.
	Pointer  string `json:"pointer,omitempty" doc:"Where in the body, as a JSON pointer (RFC 6901)."`
	Location string `json:"location,omitempty" doc:"Where else, such as query.limit or header.If-Match."`
}

// problemType is the media type of RFC 9457.
const problemType = "application/problem+json"

// retryAfter is what a 503 asks for, in seconds.
const retryAfter = "2"

// The codes of problems.
const (
	codeInvalid     = "invalid"
	codeMalformed   = "malformed"
	codeToken       = "invalid_token"
	codeScope       = "insufficient_scope"
	codeForbidden   = "forbidden"
	codeStepUp      = "insufficient_user_authentication"
	codeNotFound    = "not_found"
	codeMethod      = "method_not_allowed"
	codeConflict    = "conflict"
	codeExists      = "exists"
	codeStale       = "stale"
	codeNoMatch     = "if_match_required"
	codeTooLarge    = "too_large"
	codeMedia       = "unsupported_media_type"
	codeKeyReused   = "idempotency_key_reused"
	codeInProgress  = "in_progress"
	codeTooMany     = "too_many_requests"
	codeUnavailable = "unavailable"
	codeInternal    = "internal"
)

func problem(status int, code, detail string, faults ...Fault) *problemError {
	p := &problemError{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code, Detail: detail, Errors: faults,
		header: http.Header{},
	}
	if status == http.StatusServiceUnavailable {
		p.header.Set("Retry-After", retryAfter)
	}
	return p
}

// invalid is a request that was understood and is wrong.
func invalid(faults ...Fault) *problemError {
	return problem(http.StatusUnprocessableEntity, codeInvalid, "The request is not valid; nothing was changed.", faults...)
}

// Error implements error.
func (p *problemError) Error() string { return p.Code + ": " + p.Detail }

// write answers with the problem.
func (p *problemError) write(w http.ResponseWriter) {
	maps.Copy(w.Header(), p.header)
	w.Header().Set("Content-Type", problemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

// explain turns what went wrong into what is told. Texts of errors that nobody thought of go to the log alone.
func (a *API) explain(ctx context.Context, err error) *problemError {
	if p, ok := errors.AsType[*problemError](err); ok {
		return p
	}
	faults := fieldFaults(err)
	switch {
	case len(faults) > 0 && errors.Is(err, authn.ErrExists):
		return problem(http.StatusConflict, codeExists, "It exists already.", faults...)
	case len(faults) > 0:
		return invalid(faults...)
	}
	if wait, ok := errors.AsType[*authn.WaitError](err); ok {
		return tooMany(wait.For)
	}
	for _, k := range known() {
		if errors.Is(err, k.err) {
			return problem(k.status, k.code, k.detail)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return unavailable()
	}
	a.cfg.Log.LogAttrs(ctx, slog.LevelError, "api request failed", slog.String("error", err.Error()))
	return problem(http.StatusInternalServerError, codeInternal, "The server could not complete the request.")
}

func unavailable() *problemError {
	return problem(http.StatusServiceUnavailable, codeUnavailable, "The service is not available at the moment. Try again.")
}

// tooMany refuses what was asked for too often, for a time.
func tooMany(wait time.Duration) *problemError {
	p := problem(http.StatusTooManyRequests, codeTooMany, "This was asked for too often. Wait as long as Retry-After says.")
	p.header.Set("Retry-After", strconv.Itoa(max(1, int((wait+time.Second-1)/time.Second))))
	return p
}

// told is what is told of a known error.
type told struct {
	err          error
	status       int
	code, detail string
}

func known() []told {
	return []told{
		{authn.ErrUnavailable, http.StatusServiceUnavailable, codeUnavailable, "The service is not available at the moment. Try again."},
		{authn.ErrBusy, http.StatusServiceUnavailable, codeUnavailable, "The service is not available at the moment. Try again."},
		{authn.ErrLost, http.StatusServiceUnavailable, codeUnavailable, "A record is lost or broken. Ask who runs this server."},
		{admin.ErrForbidden, http.StatusForbidden, codeForbidden, "This is for the IT team alone."},
		{authn.ErrNotFound, http.StatusNotFound, codeNotFound, "There is no such thing, or not for this token."},
		{admin.ErrStale, http.StatusPreconditionFailed, codeStale, "It was changed meanwhile. Read it again and decide anew."},
		{authn.ErrExists, http.StatusConflict, codeExists, "It exists already."},
		{authn.ErrConflict, http.StatusConflict, codeConflict, "This does not fit its state."},
		{authn.ErrMoved, http.StatusConflict, codeConflict, "It was changed meanwhile."},
		{authn.ErrTooMany, http.StatusConflict, codeConflict, "There are as many as there can be."},
		{authn.ErrGone, http.StatusNotFound, codeNotFound, "There is no such thing any more."},
		{client.ErrSize, http.StatusBadRequest, codeMalformed, "The description is too large, too deep or has too many parts."},
	}
}

// fieldFaults collects what the rules say of single fields.
func fieldFaults(err error) []Fault {
	if f, ok := err.(*client.FieldError); ok { //nolint:errorlint // each error of a tree is looked at by itself
		// A claim is written claims.name, and may hold more dots.
		field, name, inside := strings.Cut(f.Field, ".")
		pointer := "/" + escape(field)
		if inside {
			pointer += "/" + escape(name)
		}
		return []Fault{{Detail: f.Problem, Pointer: pointer}}
	}
	switch e := err.(type) { //nolint:errorlint // as above
	case interface{ Unwrap() []error }:
		var out []Fault
		for _, one := range e.Unwrap() {
			out = append(out, fieldFaults(one)...)
		}
		return out
	case interface{ Unwrap() error }:
		return fieldFaults(e.Unwrap())
	default:
		return nil
	}
}

// escape writes a name as a part of a JSON pointer (RFC 6901 §3).
func escape(name string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(name) }

// fault says what is wrong at a place as huma writes it, body.list[3].name.
func fault(location, message string) Fault {
	rest, inBody := strings.CutPrefix(location, "body")
	if !inBody {
		return Fault{Detail: message, Location: location}
	}
	return Fault{Detail: message, Pointer: pointer(rest)}
}

// pointerIn is the pointer to a place, list[3].name, in the value that it is in: names there may hold dots.
func pointerIn(v any, place string) string {
	in, isObject := v.(map[string]any)
	found := ""
	for name := range in {
		rest, begins := strings.CutPrefix(place, name)
		if begins && (rest == "" || rest[0] == '.' || rest[0] == '[') && len(name) > len(found) {
			found = name
		}
	}
	if !isObject || found == "" {
		return pointer(place)
	}
	rest := strings.TrimPrefix(place[len(found):], ".")
	return "/" + escape(found) + pointerIn(in[found], rest)
}

// pointer turns a place without dots in its names into a pointer.
func pointer(place string) string {
	var out strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(place, "."), ".") {
		name, index, _ := strings.Cut(part, "[")
		if name != "" {
			out.WriteString("/" + escape(name))
		}
		for n := range strings.SplitSeq(index, "[") {
			if i, err := strconv.Atoi(strings.TrimSuffix(n, "]")); err == nil {
				out.WriteString("/" + strconv.Itoa(i))
			}
		}
	}
	return out.String()
}
