// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// world is a client with a clock that moves, and what counts as its network.
type world struct {
	*testing.T
	mu    sync.Mutex
	at    time.Time
	roots *x509.CertPool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{T: t, at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), roots: x509.NewCertPool()}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// source is an https server on this machine whose requests are counted.
type source struct {
	*httptest.Server
	hits atomic.Int64
}

func (w *world) source(h http.HandlerFunc) *source {
	w.Helper()
	s := &source{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		h(rw, r)
	}))
	s.Config.ErrorLog = nil
	w.Cleanup(s.Close)
	w.roots.AddCert(s.Certificate())
	return s
}

func (s *source) host() string { return s.Listener.Addr().String() }

// client may ask the given sources.
func (w *world) client(sources ...*source) *Client {
	w.Helper()
	c := Config{Roots: w.roots, Now: w.now}
	for _, s := range sources {
		c.Hosts = append(c.Hosts, s.host())
	}
	return New(c)
}

func (w *world) get(c *Client, url string) string {
	w.Helper()
	body, err := c.Get(w.Context(), url)
	if err != nil {
		w.Fatalf("Get(%s) = %v", url, err)
	}
	return string(body)
}

func says(text string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, text) }
}

func (w *world) wants(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("%s: %v, want %v", what, err, want)
	}
}
