// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// signedIn is an enrolled person after the password.
func signedIn(t *testing.T, st *storetest.Stores) (authn.Account, authn.Attempt) {
	t.Helper()
	a, err := st.Accounts.Create(t.Context(), authn.NewAccount{Name: "ann", PasswordRecord: "x", TOTPSecret: []byte("12345678901234567890")})
	if err != nil {
		t.Fatal(err)
	}
	return a, inFlow(t, st, a)
}

// inFlow is a person after the password, in a flow of its own.
func inFlow(t *testing.T, st *storetest.Stores, a authn.Account) authn.Attempt {
	t.Helper()
	now := st.Now().Truncate(time.Millisecond)
	f := &flow.Flow{Request: flow.Request{ClientID: "app"}, Created: now, Account: &a, Epoch: a.Epoch, PasswordGen: a.PasswordGen, PasswordAt: now}
	if err := st.Flows.Create(t.Context(), f, "b"); err != nil {
		t.Fatal(err)
	}
	return authn.Attempt{Account: a, Flow: f.ID, Bind: []string{"b"}, Lane: authn.LaneUnknown, Kind: "totp"}
}
