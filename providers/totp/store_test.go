// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"bytes"
	"context"
	"encoding/base32"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// world is a real store on a clock that the test moves, with a person after the password.
type world struct {
	t       *testing.T
	clock   *embedded.Embedded
	store   *store.Store
	factor  *Factor
	account authn.Account
}

// newWorld makes the account with a live authenticator if secret is not nil.
func newWorld(t *testing.T, secret []byte) *world {
	t.Helper()
	clock, err := embedded.StartManual(time.Date(2026, 11, 22, 9, 41, 15, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(clock.Close)
	key, err := seal.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(key)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.WithoutCancel(t.Context()), store.Config{
		Addrs: []string{clock.Addr()}, Embedded: true, Now: clock.Now, Ring: ring, IndexKey: bytes.Repeat([]byte{1}, 32),
		PairwiseKey: bytes.Repeat([]byte{2}, 32), Pepper: bytes.Repeat([]byte{3}, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	a, err := s.Accounts().Create(t.Context(), authn.NewAccount{Name: "ann@example.com", PasswordRecord: "x", TOTPSecret: secret})
	if err != nil {
		t.Fatal(err)
	}
	return &world{t: t, clock: clock, store: s, factor: New(Config{Store: s.Credentials()}), account: a}
}

// signIn is a flow of its own after the right password.
func (w *world) signIn() authn.Attempt {
	w.t.Helper()
	rec, err := w.store.Accounts().ByID(w.t.Context(), w.account.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	a := rec.Account
	f := &flow.Flow{
		Request: flow.Request{ClientID: "app"}, Created: w.clock.Now(), Account: &a, Epoch: a.Epoch,
		PasswordGen: a.PasswordGen, PasswordAt: w.clock.Now(),
	}
	if err := w.store.Flows().Create(w.t.Context(), f, "b"); err != nil {
		w.t.Fatal(err)
	}
	return authn.Attempt{
		Account: a, Flow: f.ID, Bind: []string{"b"}, Lane: authn.LaneUnknown, Issuer: "Example Legal Aid",
		AccountName: "ann@example.com",
	}
}

// code is what an app shows whose clock is offset steps off.
func (w *world) code(secret []byte, offset int) url.Values {
	w.t.Helper()
	at := w.clock.Now().Add(time.Duration(offset) * period * time.Second)
	return url.Values{field: {oathtool(w.t, encode(secret), at)}}
}

func (w *world) verify(a authn.Attempt, form url.Values, want error) {
	w.t.Helper()
	e, err := w.factor.Verify(w.t.Context(), a, form)
	if !errors.Is(err, want) {
		w.t.Fatalf("Verify(%s) = %v, want %v", form.Get(field), err, want)
	}
	if err == nil && (e.Method != "otp" || e.Device || e.At.IsZero()) {
		w.t.Errorf("evidence = %+v, want otp, fresh", e)
	}
}

// TestOnce is security.md SF-02: one code, one sign-in; the same post again is the same sign-in.
func TestOnce(t *testing.T) {
	secret := []byte(rfcSecret)
	w := newWorld(t, secret)
	first, second := w.signIn(), w.signIn()
	code := w.code(secret, 0)
	w.verify(first, code, nil)
	w.verify(first, url.Values{field: {" " + code.Get(field)[:3] + "-" + code.Get(field)[3:]}}, nil)
	w.verify(second, code, authn.ErrRejected)
	w.clock.Advance(period * time.Second)
	w.verify(second, w.code(secret, 0), nil)
}

// TestForwardOnly is security.md SF-04.
func TestForwardOnly(t *testing.T) {
	secret := []byte(rfcSecret)
	w := newWorld(t, secret)
	w.verify(w.signIn(), w.code(secret, 1), nil)
	w.verify(w.signIn(), w.code(secret, 0), authn.ErrRejected)
	w.verify(w.signIn(), w.code(secret, -1), authn.ErrRejected)
	w.clock.Advance(2 * period * time.Second)
	w.verify(w.signIn(), w.code(secret, 0), nil)
}

// TestStoreClock is security.md SF-06 by the store's clock: the factor has none of its own.
func TestStoreClock(t *testing.T) {
	secret := []byte(rfcSecret)
	for offset, want := range map[int]error{-2: authn.ErrRejected, -1: nil, 0: nil, 1: nil, 2: authn.ErrRejected} {
		w := newWorld(t, secret)
		w.verify(w.signIn(), w.code(secret, offset), want)
	}
}

// TestMalformedIsFree: what can match nothing is not charged, what can is, whoever types it in however many flows.
func TestMalformedIsFree(t *testing.T) {
	secret := []byte(rfcSecret)
	w := newWorld(t, secret)
	a := w.signIn()
	before := w.store.Trips()
	for _, typed := range []string{"", "12345", "1234567", "abcdef", "123456 OR 1=1", "１２３"} {
		w.verify(a, url.Values{field: {typed}}, authn.ErrRejected)
	}
	w.verify(a, url.Values{}, authn.ErrRejected)
	if got := w.store.Trips() - before; got != 0 {
		t.Errorf("malformed codes cost %d round trips, want 0", got)
	}
	for i := range 5 {
		w.verify(w.signIn(), url.Values{field: {"00000" + string(rune('0'+i))}}, authn.ErrRejected)
	}
	_, err := w.factor.Verify(t.Context(), w.signIn(), w.code(secret, 0))
	if wait, ok := errors.AsType[*authn.WaitError](err); !ok || wait.For <= 0 || wait.For > 30*time.Second {
		t.Errorf("Verify after five wrong codes = %v, want a wait of up to 30 s", err)
	}
	w.clock.Advance(31 * time.Second)
	w.verify(w.signIn(), w.code(secret, 0), nil)
}

// TestTrips: a post of a second factor costs two round trips (storage.md).
func TestTrips(t *testing.T) {
	w := newWorld(t, []byte(rfcSecret))
	a, code := w.signIn(), w.code([]byte(rfcSecret), 0)
	before := w.store.Trips()
	w.verify(a, code, nil)
	if got := w.store.Trips() - before; got != 2 {
		t.Errorf("Verify() cost %d round trips, want 2", got)
	}
}

// begin opens the set-up page and returns its secret, as the link to the app holds it.
func (w *world) begin(a authn.Attempt) []byte {
	w.t.Helper()
	p, err := w.factor.Begin(w.t.Context(), a)
	if err != nil {
		w.t.Fatalf("Begin() = %v", err)
	}
	if p.Page != "totp-setup" || p.Values["service"] != "Example Legal Aid" || p.Values["account"] != "ann@example.com" {
		w.t.Errorf("Begin() = page %q for %q at %q", p.Page, p.Values["account"], p.Values["service"])
	}
	u, err := url.Parse(p.Values["uri"])
	if err != nil {
		w.t.Fatal(err)
	}
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil || len(secret) != 20 {
		w.t.Fatalf("secret of %d bytes, %v, want 20", len(secret), err)
	}
	return secret
}

// TestSetUp walks J3 to J5 and SF-05: reload, wrong code, right code, and that code never again.
func TestSetUp(t *testing.T) {
	w := newWorld(t, nil)
	a, other := w.signIn(), w.signIn()
	secret := w.begin(a)
	if again := w.begin(a); !cmp.Equal(secret, again) {
		t.Error("a reload shows another secret")
	}
	if theirs := w.begin(other); cmp.Equal(secret, theirs) {
		t.Error("two flows show the same secret")
	}
	for _, typed := range []string{"000000", "12345", ""} {
		if _, err := w.factor.Confirm(t.Context(), a, url.Values{field: {typed}}); !errors.Is(err, authn.ErrRejected) {
			t.Fatalf("Confirm(%q) = %v, want ErrRejected", typed, err)
		}
	}
	if again := w.begin(a); !cmp.Equal(secret, again) {
		t.Error("after a wrong code the page shows another secret")
	}
	code := w.code(secret, 0)
	e, err := w.factor.Confirm(t.Context(), a, code)
	if err != nil || e.Method != "otp" || e.Device {
		t.Fatalf("Confirm() = %+v, %v", e, err)
	}
	w.verify(w.signIn(), code, authn.ErrRejected)
	w.verify(w.signIn(), w.code(secret, -1), authn.ErrRejected)
	if _, err := w.factor.Confirm(t.Context(), other, w.code(secret, 1)); err == nil {
		t.Error("a second flow confirmed over an enrolled account")
	}
	if p, err := w.factor.Begin(t.Context(), w.signIn()); !errors.Is(err, authn.ErrConflict) || p.Values != nil {
		t.Errorf("Begin() of an enrolled account = %v, want ErrConflict and no secret", err)
	}
	w.clock.Advance(period * time.Second)
	w.verify(w.signIn(), w.code(secret, 0), nil)
}

// TestSetUpGuesses: ten wrong codes end a set-up, malformed ones do not count.
func TestSetUpGuesses(t *testing.T) {
	w := newWorld(t, nil)
	a := w.signIn()
	secret := w.begin(a)
	for range 30 {
		if _, err := w.factor.Confirm(t.Context(), a, url.Values{field: {"x"}}); !errors.Is(err, authn.ErrRejected) {
			t.Fatalf("Confirm of a malformed code = %v", err)
		}
	}
	var err error
	for range 11 {
		_, err = w.factor.Confirm(t.Context(), a, w.code(secret, 7))
	}
	if !errors.Is(err, authn.ErrGone) {
		t.Errorf("the eleventh wrong code = %v, want ErrGone", err)
	}
	if _, err := w.factor.Confirm(t.Context(), a, w.code(secret, 0)); !errors.Is(err, authn.ErrGone) {
		t.Errorf("the right code after ten wrong ones = %v, want ErrGone", err)
	}
}

// TestStates: who has no authenticator is told so by the sentinel alone, and a store that is away accepts nothing.
func TestStates(t *testing.T) {
	w := newWorld(t, nil)
	w.verify(w.signIn(), url.Values{field: {"123456"}}, authn.ErrNotEnrolled)
	if _, err := w.factor.Confirm(t.Context(), w.signIn(), url.Values{field: {"123456"}}); !errors.Is(err, authn.ErrGone) {
		t.Errorf("Confirm without a set-up = %v, want ErrGone", err)
	}
	a := w.signIn()
	secret := w.begin(a)
	foreign := a
	foreign.Bind = []string{"somebody else's"}
	if _, err := w.factor.Confirm(t.Context(), foreign, w.code(secret, 0)); !errors.Is(err, authn.ErrGone) {
		t.Errorf("Confirm from another browser = %v, want ErrGone", err)
	}
	w.clock.SetError("LOADING")
	if _, err := w.factor.Confirm(t.Context(), a, w.code(secret, 0)); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Confirm with the store away = %v, want ErrUnavailable", err)
	}
	w.verify(a, w.code(secret, 0), authn.ErrUnavailable)
	if _, err := w.factor.Begin(t.Context(), a); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Begin with the store away = %v, want ErrUnavailable", err)
	}
	p, err := w.factor.Challenge(t.Context(), a)
	if err != nil || p.Page != "totp-code" || p.Values != nil {
		t.Errorf("Challenge() = %v, %v", p.Page, err)
	}
}
