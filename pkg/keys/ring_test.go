// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

func start() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// world is a store inside the process; each ring on it is a node.
type world struct {
	*testing.T
	e *embedded.Embedded
	s *store.Store
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e, err := embedded.StartManual(start())
	if err != nil {
		t.Fatal(err)
	}
	k, err := seal.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := seal.NewRing(k)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Config{
		Addrs: []string{e.Addr()}, Embedded: true, Ring: r, Now: e.Now,
		IndexKey: make([]byte, 32), PairwiseKey: make([]byte, 32), Pepper: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Close()
		e.Close()
	})
	return &world{t, e, s}
}

// shared is one ring record for the tests that need no fresh keys: RSA takes its time.
var shared = sync.OnceValue(func() []byte {
	s := &once{}
	if err := keys.New(keys.Config{Store: s, Now: start}).Refresh(context.Background()); err != nil {
		panic(err)
	}
	return s.record
})

// once takes the record of a first start.
type once struct{ record []byte }

func (o *once) LoadKeys(context.Context) ([]byte, int64, error) { return nil, 0, nil }

func (o *once) SaveKeys(_ context.Context, record []byte, _ int64) error {
	o.record = record
	return nil
}

func (w *world) ring() *keys.Ring {
	return keys.New(keys.Config{Store: w.s.SigningKeys(), Now: w.e.Now})
}

// started is a node on a store whose ring was made at the start of the clock.
func (w *world) started() *keys.Ring {
	w.Helper()
	if err := w.s.SigningKeys().SaveKeys(w.Context(), shared(), 0); err != nil {
		w.Fatal(err)
	}
	r := w.ring()
	w.refresh(r)
	return r
}

func (w *world) refresh(r *keys.Ring) {
	w.Helper()
	if err := r.Refresh(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// states are the states of alg's keys in the order they were made.
func states(r *keys.Ring, alg string) string {
	var out []string
	for _, l := range r.List() {
		if l.Alg == alg {
			out = append(out, string(l.State))
		}
	}
	return strings.Join(out, " ")
}

func kids(t *testing.T, jwks []byte) map[string]bool {
	t.Helper()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, k := range set.Keys {
		out[k.KeyID] = true
	}
	return out
}

func TestFirstRing(t *testing.T) { //nolint:gocognit // a table read from top to bottom
	w := newWorld(t)
	r := w.ring()
	if err := r.Ready(); !errors.Is(err, keys.ErrNotReady) || r.JWKS() != nil || r.List() != nil {
		t.Errorf("before the first refresh: Ready() = %v, JWKS %q", err, r.JWKS())
	}
	if _, _, err := r.Signer("RS256"); !errors.Is(err, keys.ErrNotReady) {
		t.Errorf("Signer() = %v, want ErrNotReady", err)
	}
	w.refresh(r)
	for _, alg := range keys.Algs() {
		if got := states(r, alg); got != "active next" {
			t.Errorf("%s: %s, want active next", alg, got)
		}
		kid, signer, err := r.Signer(alg)
		if err != nil || !kids(t, r.JWKS())[kid] {
			t.Errorf("%s: Signer() = %s, %v", alg, kid, err)
		}
		pub, ok := r.Verify(kid, alg, keys.ForToken)
		if !ok || !cmp.Equal(pub, signer.Public()) {
			t.Errorf("%s: Verify() does not know the signer", alg)
		}
		for _, other := range keys.Algs() {
			if _, ok := r.Verify(kid, other, keys.ForHint); ok != (other == alg) {
				t.Errorf("key for %s verifies %s", alg, other)
			}
		}
		token, err := r.Sign(alg, keys.TypAccess, []byte(`{"a":1}`))
		if err != nil {
			t.Fatal(err)
		}
		jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := jws.Verify(pub); err != nil || string(b) != `{"a":1}` || jws.Signatures[0].Protected.KeyID != kid {
			t.Errorf("%s: signature %v", alg, err)
		}
	}
	if len(kids(t, r.JWKS())) != 10 || strings.Contains(string(r.JWKS()), `"d"`) {
		t.Errorf("JWKS = %s", r.JWKS())
	}
	// A second start reads the same ring.
	again := w.ring()
	w.refresh(again)
	if diff := cmp.Diff(r.List(), again.List()); diff != "" {
		t.Errorf("second node differs:\n%s", diff)
	}
}

func TestNodesThatStartTogetherShareOneRing(t *testing.T) {
	w := newWorld(t)
	a, b := w.ring(), w.ring()
	var wg sync.WaitGroup
	for _, r := range []*keys.Ring{a, b} {
		wg.Go(func() {
			if err := r.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(a.List(), b.List()); diff != "" || len(a.List()) != 10 {
		t.Errorf("the nodes have different rings:\n%s", diff)
	}
}

func TestRotation(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	old, _, _ := r.Signer("ES256")
	if err := r.Rotate(t.Context(), "ES256", keys.Planned); !errors.Is(err, keys.ErrTooYoung) {
		t.Fatalf("Rotate() of a young key = %v, want ErrTooYoung", err)
	}
	if err := r.Rotate(t.Context(), "HS256", keys.Now); !errors.Is(err, keys.ErrUnknownAlg) {
		t.Errorf("Rotate(HS256) = %v", err)
	}
	w.e.Advance(24 * time.Hour)
	if err := r.Rotate(t.Context(), "ES256", keys.Planned); err != nil {
		t.Fatal(err)
	}
	fresh, _, _ := r.Signer("ES256")
	if fresh == old || states(r, "ES256") != "retired active next" || states(r, "EdDSA") != "active next" {
		t.Errorf("after a rotation: %s, %s", states(r, "ES256"), states(r, "EdDSA"))
	}
	other := w.ring()
	w.refresh(other)
	if got, _, _ := other.Signer("ES256"); got != fresh {
		t.Errorf("another node signs with %s, want %s", got, fresh)
	}
	// The longest token lives one hour: 25 h in the JWKS, 30 d more for hints.
	for _, tt := range []struct {
		wait              time.Duration
		published, forTok bool
		hint              bool
	}{
		{24 * time.Hour, true, true, true},
		{time.Hour + time.Second, false, false, true},
		{30*24*time.Hour - time.Minute, false, false, true},
		{2 * time.Minute, false, false, false},
	} {
		w.e.Advance(tt.wait)
		w.refresh(r)
		_, tok := r.Verify(old, "ES256", keys.ForToken)
		_, hint := r.Verify(old, "ES256", keys.ForHint)
		if kids(t, r.JWKS())[old] != tt.published || tok != tt.forTok || hint != tt.hint {
			t.Errorf("%s after it retired: published %v token %v hint %v", w.e.Now().Sub(start()), kids(t, r.JWKS())[old], tok, hint)
		}
	}
	if got := states(r, "ES256"); got != "active next" {
		t.Errorf("at the end: %s, want active next", got)
	}
}

func TestEmergencyRotation(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	if err := r.Rotate(t.Context(), "EdDSA", keys.Now); err != nil {
		t.Fatal(err)
	}
	if got := states(r, "EdDSA"); got != "retired active next" {
		t.Errorf("states = %s", got)
	}
}

func TestScheduleTurnsAfter90Days(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	old, _, _ := r.Signer("ES256")
	w.e.Advance(keys.ActiveLife - time.Second)
	w.refresh(r)
	if got, _, _ := r.Signer("ES256"); got != old {
		t.Error("turned too early")
	}
	w.e.Advance(time.Second)
	w.refresh(r)
	if got, _, _ := r.Signer("ES256"); got == old || states(r, "RS256") != "retired active next" {
		t.Errorf("after 90 days: %s", states(r, "RS256"))
	}
}

// A ring that is older than an algorithm gets keys for it at the next look, and one of them signs at once.
func TestRingOlderThanAnAlgorithm(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	raw, version, err := w.s.SigningKeys().LoadKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var record struct {
		V    int              `json:"v"`
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(raw, &record); err != nil {
		t.Fatal(err)
	}
	record.Keys = slices.DeleteFunc(record.Keys, func(k map[string]any) bool { return k["alg"] == "ES384" })
	if raw, err = json.Marshal(record); err != nil {
		t.Fatal(err)
	}
	if err := w.s.SigningKeys().SaveKeys(t.Context(), raw, version); err != nil {
		t.Fatal(err)
	}
	rsa, _, _ := r.Signer("RS256")
	w.refresh(r)
	if same, _, _ := r.Signer("RS256"); same != rsa || states(r, "ES384") != "next active" {
		t.Errorf("RS256 key %s became %s; ES384 %q, want next active", rsa, same, states(r, "ES384"))
	}
	if _, err := r.Sign("ES384", keys.TypID, []byte("{}")); err != nil {
		t.Errorf("sign with the new algorithm: %v", err)
	}
}

// TK-14, the part of the ring: through a whole year, on two nodes, every kid stands in the JWKS a day before it signs,
// and a token verifies until it has ended.
func TestTK14PublishedBeforeUse(t *testing.T) {
	w := newWorld(t)
	a := w.started()
	b := w.ring()
	w.refresh(b)
	cached := kids(t, a.JWKS())
	for range 365 {
		w.e.Advance(24 * time.Hour)
		w.refresh(a)
		now := kids(t, a.JWKS())
		for _, r := range []*keys.Ring{a, b} {
			kid, _, err := r.Signer("ES256")
			if err != nil || !cached[kid] || !now[kid] {
				t.Fatalf("%s: kid %s signs, in the old set %v, in the new %v", w.e.Now(), kid, cached[kid], now[kid])
			}
		}
		w.refresh(b)
		cached = now
	}
}

func TestLostRingIsNeverMadeAnew(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	for _, k := range w.e.Redis().Keys() {
		if strings.HasSuffix(k, "keys") {
			w.e.Redis().Del(k)
		}
	}
	for range 2 {
		if err := r.Refresh(t.Context()); !errors.Is(err, authn.ErrLost) {
			t.Errorf("Refresh() = %v, want ErrLost", err)
		}
	}
	if err := r.Ready(); !errors.Is(err, authn.ErrLost) {
		t.Errorf("Ready() = %v, want ErrLost", err)
	}
	fresh := w.ring()
	if err := fresh.Refresh(t.Context()); !errors.Is(err, authn.ErrLost) || fresh.Ready() == nil {
		t.Errorf("a new node: Refresh() = %v", err)
	}
}

func TestStoreAway(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	w.e.SetError("LOADING away")
	if err := r.Refresh(t.Context()); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Refresh() = %v, want ErrUnavailable", err)
	}
	if err := r.Ready(); err != nil {
		t.Errorf("Ready() = %v: the keys in memory are good", err)
	}
	w.e.SetError("")
}

func TestBrokenRecordsAreRefused(t *testing.T) {
	for name, record := range map[string]string{
		"empty": "", "not json": "x", "no keys": `{"v":1,"keys":[]}`, "version": `{"v":2,"keys":[{}]}`,
		"no key":  `{"v":1,"keys":[{"kid":"a","alg":"RS256","state":"active"}]}`,
		"alg":     strings.ReplaceAll(string(shared()), `"RS256"`, `"ES256"`),
		"state":   strings.ReplaceAll(string(shared()), `"next"`, `"soon"`),
		"unknown": strings.ReplaceAll(string(shared()), `"EdDSA"`, `"none"`),
	} {
		w := newWorld(t)
		if err := w.s.SigningKeys().SaveKeys(t.Context(), []byte(record), 0); err != nil {
			t.Fatal(err)
		}
		r := w.ring()
		if err := r.Refresh(t.Context()); !errors.Is(err, authn.ErrLost) || r.Ready() == nil {
			t.Errorf("%s: Refresh() = %v, want ErrLost", name, err)
		}
	}
}

func TestKeysStayOutOfLogs(t *testing.T) {
	w := newWorld(t)
	r := w.started()
	kid, signer, err := r.Signer("EdDSA")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(keys.Key{ID: kid, Signer: signer}.LogValue()); got != kid {
		t.Errorf("LogValue() = %q, want the kid only", got)
	}
}
