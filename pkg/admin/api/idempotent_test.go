// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestIdempotencyKey: what is sent again under its key is answered the same and done once, on every node.
func TestIdempotencyKey(t *testing.T) { //nolint:gocognit // one key from its first use to its end
	w := newWorld(t, idptest.Setup{})
	other := w.AddNode(t)
	token, acme := w.token(t, "robot"), w.token(t, "acme-robot")
	total := func() float64 {
		n, _ := w.ask(t, http.MethodGet, "/api/v1/clients?text=Tide", token, "").json["total"].(float64)
		return n
	}
	var mu sync.Mutex
	answers, waits := map[string]int{}, 0
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			address := "http://" + []string{w.Node.Addr, other.Addr}[i%2] + "/api/v1/clients"
			got, err := w.try(t, http.MethodPost, address, token, anApp, head{"Idempotency-Key", "key-1", "Host", w.Node.Addr})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				t.Error(err)
			case got.status == http.StatusCreated:
				answers[got.text]++
			case got.status == http.StatusConflict && got.str("code") == "in_progress" && got.header.Get("Retry-After") != "":
				waits++
			default:
				t.Errorf("%d %s", got.status, got.text)
			}
		})
	}
	wg.Wait()
	w.Advance(time.Second + time.Millisecond) // what another node has registered is seen here within that
	if len(answers) != 1 || total() != 1 {
		t.Errorf("50 with one key: %d different answers, %d wait, %v clients", len(answers), waits, total())
	}
	again := w.ask(t, http.MethodPost, "/api/v1/clients", token, anApp, "Idempotency-Key", "key-1")
	if again.status != http.StatusCreated || answers[again.text] == 0 || again.str("client_secret") == "" || again.header.Get("Location") == "" ||
		again.header.Get("ETag") == "" || again.header.Get("Cache-Control") != "no-store" {
		t.Errorf("again: %d %v %s", again.status, again.header, again.text)
	}
	if changed := w.ask(t, http.MethodPost, "/api/v1/clients", token, strings.Replace(anApp, "Tide", "Ebb", 1), "Idempotency-Key", "key-1"); changed.status != 422 || changed.faults() != "header.Idempotency-Key" {
		t.Errorf("another body: %d %s", changed.status, changed.text)
	}
	if foreign := w.ask(t, http.MethodPost, "/api/v1/clients", acme, anApp, "Idempotency-Key", "key-1"); foreign.status != http.StatusCreated || foreign.text == again.text {
		t.Errorf("another caller's key: %d %s", foreign.status, foreign.text)
	}
	if bad := w.ask(t, http.MethodPost, "/api/v1/clients", token, `{"redirect_uris":["x"]}`, "Idempotency-Key", "key-2"); bad.status != 422 {
		t.Errorf("a bad one: %d %s", bad.status, bad.text)
	}
	if mended := w.ask(t, http.MethodPost, "/api/v1/clients", token, anApp, "Idempotency-Key", "key-2"); mended.status != http.StatusCreated {
		t.Errorf("mended under its key: %d %s", mended.status, mended.text)
	}
	for _, key := range []string{strings.Repeat("k", 256), "a b", "ä"} {
		if got := w.ask(t, http.MethodPost, "/api/v1/clients", token, anApp, "Idempotency-Key", key); got.status != 422 {
			t.Errorf("key %q: %d %s", key, got.status, got.text)
		}
	}
	if total() != 3 {
		t.Errorf("%v clients, want one of each key that was new", total())
	}
	w.Advance(24*time.Hour + time.Second)
	token = w.token(t, "robot")
	if late := w.ask(t, http.MethodPost, "/api/v1/clients", token, anApp, "Idempotency-Key", "key-1"); late.status != http.StatusCreated || late.text == again.text {
		t.Errorf("a day later: %d %s", late.status, late.text)
	}
}

// TestStoreAway: while the store is away every operation is answered 503 within 2 s, and says when to ask again.
func TestStoreAway(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	w.Store.Redis().SetError("LOADING")
	defer w.Store.Redis().SetError("")
	for _, o := range w.operations(t) {
		begun := time.Now()
		got := w.ask(t, o.method, ids(o.path, "robot", "acme", "nobody"), token, `{}`)
		if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" || time.Since(begun) > 2*time.Second {
			t.Errorf("%s %s: %d %s after %s", o.method, o.path, got.status, got.text, time.Since(begun))
		}
	}
}
