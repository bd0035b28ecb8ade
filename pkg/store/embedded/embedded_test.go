// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package embedded_test

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/store/embedded"
)

func TestRealClock(t *testing.T) {
	e, err := embedded.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Redis().Set("k", "v"); err != nil {
		t.Fatal(err)
	}
	e.Redis().SetTTL("k", 20*time.Millisecond)
	for end := time.Now().Add(5 * time.Second); e.Redis().Exists("k"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a key with 20 ms to live is still there after 5 s")
		}
	}
	if d := time.Since(e.Now()); d > time.Second || d < -time.Second {
		t.Errorf("Now() is %s off the real clock", d)
	}
	before := e.Now()
	e.Advance(time.Hour)
	if e.Now().Sub(before) > time.Minute {
		t.Error("Advance() moved the real clock")
	}
}

func TestManualClock(t *testing.T) {
	t0 := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	e, err := embedded.StartManual(t0)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Redis().Set("k", "v"); err != nil {
		t.Fatal(err)
	}
	e.Redis().SetTTL("k", time.Minute)
	e.Advance(59 * time.Second)
	if !e.Redis().Exists("k") || !e.Now().Equal(t0.Add(59*time.Second)) {
		t.Errorf("after 59 s: exists %t, now %s", e.Redis().Exists("k"), e.Now())
	}
	e.Advance(time.Second)
	if e.Redis().Exists("k") {
		t.Error("a key with a minute to live is there after a minute")
	}
}
