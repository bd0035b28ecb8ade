// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
)

// TestGoodLink: what each kind of link compares with the account as it is now.
func TestGoodLink(t *testing.T) {
	account := func(state authn.State, factor authn.FactorState, pwgen, gen int64) authn.Account {
		return authn.Account{State: state, Factor: factor, PasswordGen: pwgen, FactorGen: gen}
	}
	for _, tt := range []struct {
		what string
		kind authn.LinkKind
		a    authn.Account
		want bool
	}{
		{"as it was", authn.LinkPassword, account(authn.Active, authn.FactorOn, 1, 1), true},
		{"another factor", authn.LinkPassword, account(authn.Active, authn.FactorOn, 1, 2), true},
		{"another password", authn.LinkPassword, account(authn.Active, authn.FactorOn, 2, 1), false},
		{"disabled", authn.LinkPassword, account(authn.Disabled, authn.FactorOn, 1, 1), false},
		{"as it was", authn.LinkSetup, account(authn.Active, authn.FactorReset, 1, 1), true},
		{"reset again", authn.LinkSetup, account(authn.Active, authn.FactorReset, 1, 2), false},
		{"another password", authn.LinkSetup, account(authn.Active, authn.FactorReset, 2, 1), false},
		{"set up", authn.LinkSetup, account(authn.Active, authn.FactorOn, 1, 1), false},
		{"disabled", authn.LinkSetup, account(authn.Disabled, authn.FactorReset, 1, 1), false},
		{"as it was", authn.LinkNotMe, account(authn.Active, authn.FactorOn, 1, 1), true},
		{"the thief added another", authn.LinkNotMe, account(authn.Active, authn.FactorOn, 1, 5), true},
		{"the thief removed it", authn.LinkNotMe, account(authn.Active, authn.FactorOff, 1, 5), true},
		{"the thief chose a password", authn.LinkNotMe, account(authn.Active, authn.FactorOn, 2, 1), true},
		{"disabled", authn.LinkNotMe, account(authn.Disabled, authn.FactorOn, 1, 1), true},
		{"taken back", authn.LinkNotMe, account(authn.Active, authn.FactorReset, 1, 2), false},
		{"of no kind", "", account(authn.Active, authn.FactorOn, 1, 1), false},
	} {
		if got := good(authn.Link{Kind: tt.kind, PasswordGen: 1, FactorGen: 1}, tt.a); got != tt.want {
			t.Errorf("%s link, %s: %v, want %v", tt.kind, tt.what, got, tt.want)
		}
	}
}
