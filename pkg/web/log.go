// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
)

// record is one request's log line under way.
type record struct {
	mu    sync.Mutex
	id    string
	route string
	attrs []slog.Attr
}

type recordKey struct{}

// AddLog adds fields to the one line that is written for the request.
func AddLog(ctx context.Context, attrs ...slog.Attr) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.attrs = append(rec.attrs, attrs...)
	}
}

// SetRoute names the request's route in the log and the metrics; a pattern, never an address.
func SetRoute(ctx context.Context, pattern string) {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		rec.mu.Lock()
		defer rec.mu.Unlock()
		rec.route = pattern
	}
}

// Reference returns the request's id as people read it out to their help desk.
func Reference(ctx context.Context) string {
	if rec, ok := ctx.Value(recordKey{}).(*record); ok {
		return rec.id
	}
	return ""
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int
}

// WriteHeader remembers the status.
func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the body.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController through.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Observer is told of every request, for the metrics.
type Observer func(route string, status int, took time.Duration)

// Logged writes one line per request, with a fresh id, and never the query: it may hold a code or a state.
// A panic in a handler becomes a 500 and a line of its own.
func (s *Site) Logged(next http.Handler, observe Observer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.cfg.Now()
		rec := &record{id: s.reference()}
		sw := &statusWriter{ResponseWriter: w}
		given := r
		r = r.WithContext(audit.With(context.WithValue(r.Context(), recordKey{}, rec), func() []slog.Attr {
			return []slog.Attr{
				slog.String("request_id", rec.id), slog.String("source", s.source(given)), slog.String("browser", deviceLabel(given)),
			}
		}))
		defer func() {
			if p := recover(); p != nil {
				s.panicked(sw, r, p)
			}
			s.line(r, sw, rec, start, observe)
		}()
		next.ServeHTTP(sw, r)
	})
}

// panicked answers 500 if nothing was answered yet.
func (s *Site) panicked(sw *statusWriter, r *http.Request, p any) {
	if p == http.ErrAbortHandler { //nolint:errorlint // a panic value, compared as net/http does
		panic(p)
	}
	AddLog(r.Context(), slog.Any("panic", p))
	if sw.status == 0 {
		s.ServeError(sw, r, &Error{Status: http.StatusInternalServerError, Kind: "internal"})
	}
}

func (s *Site) line(r *http.Request, sw *statusWriter, rec *record, start time.Time, observe Observer) {
	end := s.cfg.Now()
	took := end.Sub(start)
	level := slog.LevelInfo
	if sw.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if rec.route == "" {
		rec.route = "other"
	}
	if observe != nil {
		observe(rec.route, sw.status, took)
	}
	h := s.cfg.Log.Handler()
	if !h.Enabled(r.Context(), level) {
		return
	}
	// The handler is asked directly: Logger would look up who called it, for every request the same place.
	out := slog.NewRecord(end, level, "request", 0)
	out.AddAttrs(
		slog.String("request_id", rec.id), slog.String("method", r.Method), slog.String("route", rec.route),
		slog.Int("status", sw.status), slog.Int("bytes", sw.bytes), slog.Duration("took", took),
		slog.String("source", s.source(r)))
	out.AddAttrs(rec.attrs...)
	_ = h.Handle(r.Context(), out)
}
