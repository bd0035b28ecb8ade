// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestCA03 is the security case CA-03: a source of keys that is slow, endless, 100 MB, redirects or is a gzip bomb costs
// at most 3 s and 256 KiB, what was there before is used, and other sources answer meanwhile.
func TestCA03(t *testing.T) { //nolint:gocognit // a table of what a source may do
	w := newWorld(t)
	release := make(chan struct{})
	defer close(release)
	var evil atomic.Value
	evil.Store(says("good"))
	elsewhere := w.source(says("elsewhere"))
	bad := w.source(func(rw http.ResponseWriter, r *http.Request) { evil.Load().(http.HandlerFunc)(rw, r) }) //nolint:errcheck,forcetypeassert // stored above
	good := w.source(says("other"))
	c := w.client(bad, good, elsewhere)
	c.limit = time.Minute // a busy machine must not make a good source look slow
	if got := w.get(c, bad.URL); got != "good" {
		t.Fatalf("first document %q", got)
	}
	var sent atomic.Int64
	pour := func(rw http.ResponseWriter, most int) {
		chunk := bytes.Repeat([]byte("a"), 64<<10)
		for n := 0; most == 0 || n < most; n += len(chunk) {
			if _, err := rw.Write(chunk); err != nil {
				return
			}
			sent.Add(int64(len(chunk)))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"slow": func(http.ResponseWriter, *http.Request) { <-release },
		"slow body": func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, "{")
			_ = http.NewResponseController(rw).Flush()
			<-release
		},
		"endless": func(rw http.ResponseWriter, _ *http.Request) { pour(rw, 0) },
		"100 MB": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100000000")
			pour(rw, 100000000)
		},
		"redirect": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, elsewhere.URL, http.StatusFound) },
		"gzip bomb": func(rw http.ResponseWriter, r *http.Request) {
			if e := r.Header.Get("Accept-Encoding"); e != "identity" {
				t.Errorf("Accept-Encoding %q", e)
			}
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
		},
		"headers":    func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("X", strings.Repeat("x", 1<<20)) },
		"error":      func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) },
		"no content": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			evil.Store(h)
			sent.Store(0)
			if strings.HasPrefix(name, "slow") {
				c.limit = 200 * time.Millisecond
			}
			_, err := c.Fetch(t.Context(), bad.URL)
			w.wants("nothing kept", err, ErrAway)
			w.pass(2 * fresh)
			if got := w.get(c, bad.URL); got != "good" {
				t.Errorf("document %q, want the one from before", got)
			}
			c.limit = time.Minute
			// What the kernel holds counts as sent, twice: two requests were made.
			if n := sent.Load(); n > 32<<20 {
				t.Errorf("%d bytes were taken", n)
			}
			if got := w.get(c, good.URL); got != "other" {
				t.Errorf("another source: %q", got)
			}
		})
	}
	if n := elsewhere.hits.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

// A slow source keeps nobody waiting but those who ask it, and these come in bounded numbers.
func TestCA03OthersDoNotWait(t *testing.T) {
	w := newWorld(t)
	release, arrived := make(chan struct{}), make(chan struct{}, 1000)
	slow := w.source(func(rw http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(rw, "late")
	})
	good := w.source(says("other"))
	c := w.client(slow, good)
	c.limit = time.Minute
	var waiting sync.WaitGroup
	var busy, late atomic.Int64
	ask := func(url string) {
		body, err := c.Get(t.Context(), url)
		switch {
		case errors.Is(err, ErrBusy):
			busy.Add(1)
		case err == nil && string(body) == "late":
			late.Add(1)
		default:
			t.Errorf("Get() = %q, %v", body, err)
		}
	}
	for i := range maxPerHost {
		waiting.Go(func() { ask(slow.URL + "/" + strings.Repeat("x", i)) })
	}
	for range maxPerHost {
		<-arrived
	}
	// Every place of the host is taken: others are refused at once, and so is a crowd behind one flight.
	_, err := c.Get(t.Context(), slow.URL+"/one/more")
	w.wants("one more address of the host", err, ErrBusy)
	_, err = c.Post(t.Context(), slow.URL, "text/plain", nil)
	w.wants("a post to the host", err, ErrBusy)
	for range 2 * maxWaiting {
		waiting.Go(func() { ask(slow.URL + "/") })
	}
	if got := w.get(c, good.URL); got != "other" {
		t.Errorf("another source: %q", got)
	}
	close(release)
	waiting.Wait()
	if n := slow.hits.Load(); n != maxPerHost {
		t.Errorf("%d requests reached the slow source, want %d: one flight for each address", n, maxPerHost)
	}
	if late.Load() < maxPerHost {
		t.Errorf("%d got the document, %d were refused", late.Load(), busy.Load())
	}
	if len(c.perHost) != 0 || len(c.flights) != 0 || c.total != 0 {
		t.Errorf("left behind: %v, %d flights, %d in all", c.perHost, len(c.flights), c.total)
	}
}

func TestPost(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.source(says("elsewhere"))
	s := w.source(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || string(body) != "logout_token=x" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s %q %v", r.Method, body, r.Header)
		}
		if r.URL.Path == "/away" {
			http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	c := w.client(s, elsewhere)
	for path, want := range map[string]int{"/": 204, "/away": 307} {
		got, err := c.Post(t.Context(), s.URL+path, "application/x-www-form-urlencoded", []byte("logout_token=x"))
		if got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", path, got, err, want)
		}
	}
	if elsewhere.hits.Load() != 0 {
		t.Error("a redirect was followed")
	}
	s.Close()
	_, err := c.Post(t.Context(), s.URL, "text/plain", nil)
	w.wants("closed", err, ErrAway)
}

// The authorities that are trusted are those that were given, and the environment names no proxy.
func TestTrustAndProxy(t *testing.T) {
	w := newWorld(t)
	s := w.source(says("x"))
	proxy := w.source(says("proxy"))
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c := New(Config{Hosts: []string{s.host()}, Roots: x509.NewCertPool(), Now: w.now})
	_, err := c.Get(t.Context(), s.URL)
	w.wants("another authority", err, ErrAway)
	if got := w.get(w.client(s), s.URL); got != "x" || proxy.hits.Load() != 0 {
		t.Errorf("%q by way of a proxy %d times", got, proxy.hits.Load())
	}
}

// A caller who goes away ends its own wait alone.
func TestCallerLeaves(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	s := w.source(func(rw http.ResponseWriter, _ *http.Request) { <-release; _, _ = io.WriteString(rw, "x") })
	c := w.client(s)
	c.limit = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, s.URL)
	w.wants("gone", err, context.Canceled)
	close(release)
	if got := w.get(c, s.URL); got != "x" || s.hits.Load() != 1 {
		t.Errorf("%q after %d requests, want the one that was under way", got, s.hits.Load())
	}
}
