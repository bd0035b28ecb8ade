// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// TestSamePostSameSteps: a post that is repeated is compared with the steps that were paid for, not with those of the
// time of the repeat: one charge would buy a fourth step, and 32 guesses 128 chances in a million.
func TestSamePostSameSteps(t *testing.T) {
	b := newScripts(t)
	at := b.attempt(guess{authn.LaneUnknown, "thief", ""})
	first, err := b.st.Credentials.Charge(t.Context(), at, "123456")
	if err != nil {
		t.Fatal(err)
	}
	b.advance(30 * time.Second)
	again, err := b.st.Credentials.Charge(t.Context(), at, "123456")
	if err != nil {
		t.Fatal(err)
	}
	if first.Now.Unix()/30 != again.Now.Unix()/30 {
		t.Errorf("paid once at step %d, compared again at step %d", first.Now.Unix()/30, again.Now.Unix()/30)
	}
}

// TestPaidBackOnce: two right codes of one flow, both charged before either was spent, give back what was paid, no more.
func TestPaidBackOnce(t *testing.T) {
	b := newScripts(t)
	for i := range 2 {
		if a := b.charge(guess{authn.LaneUnknown, fmt.Sprint("thief", i), "x"}); a != paid {
			t.Fatal(a)
		}
	}
	one, two := guess{authn.LaneUnknown, "owner", "1"}, guess{authn.LaneUnknown, "owner", "2"}
	if b.charge(one) != paid || b.charge(two) != paid || b.consume(one) != passed || b.consume(two) != passed {
		t.Fatal("the owner's codes are not taken")
	}
	if got := b.clock.Redis().HGet("lg:{"+b.account.Tag+"}:mfa", "bu"); got != "6.000000" {
		t.Errorf("the thief's two guesses are worth %s units, want 6", got)
	}
}

// TestRecoveryGuessesLockNobodyOut: somebody with the password types wrong recovery codes as fast as they are let: the
// factor is not locked, and the owner with a remembered device gets in.
func TestRecoveryGuessesLockNobodyOut(t *testing.T) {
	b := newScripts(t)
	lua, err := os.ReadFile("scripts/factor_charge.lua")
	if err != nil {
		t.Fatal(err)
	}
	b.attempt(guess{authn.LaneUnknown, "thief", ""})
	tag := "lg:{" + b.account.Tag + "}:"
	var flowKey string
	for _, k := range b.clock.Redis().Keys() {
		if len(k) > len(tag)+2 && k[:len(tag)+2] == tag+"f:" {
			flowKey = k
		}
	}
	bind := b.clock.Redis().HGet(flowKey, "bind")
	c := raw(t, b.clock.Addr())
	for hour := range 24 * 10 {
		r, err := c.Eval(t.Context(), string(lua), []string{tag + "acct", tag + "mfa", flowKey},
			bind, "u", fmt.Sprint("r", hour), "r", 5, 30000, 3600000, 50, 36, 24).Slice()
		if err != nil {
			t.Fatal(err)
		}
		if r[0] == int64(11) {
			t.Fatalf("after %d hours the factor is locked: %v", hour, r)
		}
		b.advance(time.Hour)
	}
	if a := b.charge(guess{authn.LaneKnown, "owner", "1"}); a != paid {
		t.Errorf("the owner: %s", a)
	}
}
