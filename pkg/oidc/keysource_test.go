// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/outgoing"
)

// keySource is an https server with the key set of a client.
type keySource struct {
	*httptest.Server
	mu   sync.Mutex
	set  []byte
	hits int
	down bool
}

func (w *world) keySource(pairs ...pair) *keySource {
	w.Helper()
	s := &keySource{set: keySetOf(w.T, pairs...)}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.hits++
		if s.down {
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = rw.Write(s.set)
	}))
	w.Cleanup(s.Close)
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	w.sources.Sources = outgoing.New(outgoing.Config{Hosts: []string{s.Listener.Addr().String()}, Roots: pool, Now: w.e.Now})
	return s
}

func (s *keySource) serve(t *testing.T, pairs ...pair) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set = keySetOf(t, pairs...)
}

func (s *keySource) switchOff(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

func (s *keySource) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hits
}

// Keys at jwks_uri are changed without telling us: the new one works at once, the old one ends within 5 minutes, and
// hostile kids make nothing but one request a minute.
func TestKeysByURI(t *testing.T) {
	w := newWorld(t)
	one, two, three := newPair(t, "one"), newPair(t, "two"), newPair(t, "three")
	s := w.keySource(one)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL+"/jwks" })
	use := func(what string, k pair, want, hits int) {
		t.Helper()
		before := s.count()
		if got := w.machineToken(k.sign(t, w.claims("app"))); got.status != want {
			t.Errorf("%s: %d %s, want %d", what, got.status, got.body, want)
		}
		if n := s.count() - before; n != hits {
			t.Errorf("%s: %d requests, want %d", what, n, hits)
		}
	}
	use("first", one, 200, 1)
	use("again", one, 200, 0)
	s.serve(t, one, two)
	use("a new key", two, 200, 1)
	use("both are known", one, 200, 0)
	for range 5 {
		use("a kid that nobody has", three, 401, 0)
	}
	w.e.Advance(time.Minute)
	use("a known kid, another key", newPair(t, "one"), 401, 0)
	use("a kid that nobody has, a minute later", three, 401, 1)
	s.serve(t, two, three)
	w.e.Advance(time.Minute)
	use("the next key", three, 200, 1)
	use("the key that was taken away", one, 401, 0)
	s.switchOff(true)
	w.e.Advance(10 * time.Minute)
	use("the source is away", two, 200, 1)
	w.e.Advance(25 * time.Hour)
	got := w.machineToken(two.sign(t, w.claims("app")))
	w.wantError("away for a day", got, 503, "temporarily_unavailable")
}

// A client whose keys cannot be fetched stops nobody else, and its assertion is not used up.
func TestKeysByURIAway(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL })
	w.client("inside", machine, func(c *client.Client) {
		c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, "https://169.254.169.254/jwks"
	})
	w.client("value", machine, keyJWT(t, k))
	s.switchOff(true)
	assertion := k.sign(t, w.claims("app"))
	w.wantError("away", w.machineToken(assertion), 503, "temporarily_unavailable")
	w.wantError("inside", w.machineToken(k.sign(t, w.claims("inside"))), 503, "temporarily_unavailable")
	if got := w.machineToken(k.sign(t, w.claims("value"))); got.status != 200 {
		t.Errorf("another client: %d %s", got.status, got.body)
	}
	s.switchOff(false)
	w.e.Advance(11 * time.Second)
	if got := w.machineToken(assertion); got.status != 200 {
		t.Errorf("when it is back: %d %s", got.status, got.body)
	}
}

// A set with a private key in it is worth nothing: who published it may have published more.
func TestPrivateKeyInTheSet(t *testing.T) {
	w := newWorld(t)
	k := newPair(t, "k")
	s := w.keySource(k)
	w.client("app", machine, func(c *client.Client) { c.AuthMethod, c.Secrets, c.KeysURI = "private_key_jwt", nil, s.URL })
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.public, KeyID: "k"}, {Key: newPair(t, "x").private, KeyID: "x"}}})
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.set = b
	s.mu.Unlock()
	w.wantError("private key", w.machineToken(k.sign(t, w.claims("app"))), 401, "invalid_client")
}
