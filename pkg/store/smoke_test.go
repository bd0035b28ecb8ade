// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

func TestSmoke(t *testing.T) {
	e, err := embedded.StartManual(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	k, _ := seal.NewKey(nil)
	r, _ := seal.NewRing(k)
	s, err := store.Open(context.Background(), store.Config{
		Addrs: []string{e.Addr()}, Embedded: true, Ring: r, Now: e.Now,
		IndexKey: make([]byte, 32), PairwiseKey: make([]byte, 32), Pepper: make([]byte, 32),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if r := s.Ready(context.Background()); len(r) > 0 {
		t.Fatal(r)
	}
	a, err := s.Accounts().Create(context.Background(), authn.NewAccount{Name: "a@b", PasswordRecord: "x"})
	t.Log(a, err)
	n := s.Trips()
	rec, err := s.Accounts().ByName(context.Background(), "a@b")
	t.Log(rec, err, s.Trips()-n)
	if err != nil {
		t.Fatal(err)
	}
}
