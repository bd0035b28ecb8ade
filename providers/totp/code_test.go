// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// rfcSecret is the one of the test vectors of RFC 4226 appendix D and RFC 6238 appendix B.
const rfcSecret = "12345678901234567890"

func TestRFC4226(t *testing.T) {
	for step, code := range []string{
		"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489",
	} {
		if ok, err := equal([]byte(rfcSecret), int64(step), code); !ok || err != nil {
			t.Errorf("counter %d: %s does not fit, %v", step, code, err)
		}
		if ok, err := equal([]byte(rfcSecret), int64(step)+1, code); ok || err != nil {
			t.Errorf("counter %d: %s fits, %v", step+1, code, err)
		}
	}
}

// TestRFC6238 has the last six of the eight digits of the vectors.
func TestRFC6238(t *testing.T) {
	for unix, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037",
		20000000000: "353130",
	} {
		if ok, err := equal([]byte(rfcSecret), stepAt(time.Unix(unix, 0)), code); !ok || err != nil {
			t.Errorf("time %d: %s does not fit, %v", unix, code, err)
		}
	}
}

// oathtool makes the code with a program that shares nothing with ours.
func oathtool(t *testing.T, key string, at time.Time) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "oathtool", "--totp", "-b", "-N", fmt.Sprintf("@%d", at.Unix()), key).Output()
	if err != nil {
		t.Fatalf("oathtool (install the package oathtool): %v", err)
	}
	return strings.TrimSpace(string(out))
}

func TestAgainstOathtool(t *testing.T) {
	for range 25 {
		secret := make([]byte, secretSize)
		if _, err := rand.Read(secret); err != nil {
			t.Fatal(err)
		}
		at := time.Unix(int64(binary.BigEndian.Uint32(secret)), 0)
		code := oathtool(t, encode(secret), at)
		step, ok, err := matchOne(secret, at, code)
		if err != nil || !ok || step != at.Unix()/30 {
			t.Errorf("matchOne(%x, %d, %s) = %d, %v, %v", secret, at.Unix(), code, step, ok, err)
		}
	}
}

// TestWindow is security.md SF-06: one step back and one ahead, no more.
func TestWindow(t *testing.T) {
	secret, now := []byte(rfcSecret), time.Unix(1_800_000_000, 0)
	for offset := int64(-4); offset <= 4; offset++ {
		code := oathtool(t, encode(secret), now.Add(time.Duration(offset)*period*time.Second))
		step, ok, err := matchOne(secret, now, code)
		want := offset >= -1 && offset <= 1
		if err != nil || ok != want || (ok && step != stepAt(now)+offset) {
			t.Errorf("code of T%+d: step %d, %v, %v, want %v", offset, step, ok, err, want)
		}
	}
	// The step is counted by whole periods: its first and its last second are in it.
	for _, second := range []int64{0, 29} {
		code := oathtool(t, encode(secret), now)
		if step, ok, err := matchOne(secret, now.Add(time.Duration(second)*time.Second), code); !ok || err != nil || step != 60_000_000 {
			t.Errorf("second %d: step %d, %v, %v", second, step, ok, err)
		}
	}
}

// TestBudgetSteps: the budget of guesses is worked out for what is compared here.
func TestBudgetSteps(t *testing.T) {
	b := throttle.Default()
	if len(steps()) != b.Steps || digits != b.Digits || period*time.Second != b.Period {
		t.Errorf("%d steps of %d s, %d digits; the budget counts with %+v", len(steps()), period, digits, b)
	}
}

func TestMatchAll(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	other := []byte("09876543210987654321")
	charge := authn.Charge{Now: now, Credentials: []authn.Credential{
		{ID: "a", Secret: other}, {ID: "b", Secret: []byte(rfcSecret)}, {ID: "c", Secret: []byte(rfcSecret)},
	}}
	got, err := match(charge, oathtool(t, encode([]byte(rfcSecret)), now.Add(-period*time.Second)))
	want := []authn.Match{{Credential: "b", Step: 59_999_999}, {Credential: "c", Step: 59_999_999}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("match() %v (-want +got):\n%s", err, diff)
	}
	if got, err := match(charge, "000000"); len(got) != 0 || err != nil {
		t.Errorf("match of a wrong code = %v, %v", got, err)
	}
	// Time near 1970 has no step before it.
	if _, err := match(authn.Charge{Now: time.Unix(0, 0), Credentials: charge.Credentials}, "000000"); err != nil {
		t.Errorf("match at the first step = %v", err)
	}
}

// TestShortSecret: a secret under 160 bits accepts nothing, and an account with none but such is a lost record.
func TestShortSecret(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	short := []byte(rfcSecret)[:secretSize-1]
	code := oathtool(t, encode(short), now)
	if _, _, err := matchOne(short, now, code); !errors.Is(err, authn.ErrLost) {
		t.Errorf("matchOne with 19 bytes = %v, want ErrLost", err)
	}
	both := authn.Charge{Now: now, Credentials: []authn.Credential{{ID: "s", Secret: short}, {ID: "l", Secret: []byte(rfcSecret)}}}
	if got, err := match(both, code); len(got) != 0 || err != nil {
		t.Errorf("match = %v, %v, want nothing", got, err)
	}
	if _, err := match(authn.Charge{Now: now}, code); !errors.Is(err, authn.ErrLost) {
		t.Errorf("match without authenticators = %v, want ErrLost", err)
	}
}

func TestNormalise(t *testing.T) {
	for typed, want := range map[string]string{
		"123456": "123456", "123 456": "123456", "123-456": "123456", " 123456 ": "123456", "123\u00a0456": "123456",
		"123\u2009456\n": "123456", "123\u202f456": "123456", "123\u2013456": "123456", "123\u2212456": "123456",
		"1 2 3 4 5 6": "123456", "123\u200b456": "123456", "\ufeff123456": "123456", "１２３４５６": "123456", "000000": "000000",
		"": "", "12345": "", "1234567": "", "12345a": "", "123.456": "", "+123456": "", "0x1234": "", "١٢٣٤٥٦": "",
		"123456\x00": "", "12345\xff6": "", "123456" + strings.Repeat(" ", 60): "",
	} {
		got, ok := normalise(typed)
		if ok != (want != "") || ok && got != want {
			t.Errorf("normalise(%q) = %q, %v, want %q", typed, got, ok, want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	f.Add("123 456")
	f.Add("１２３４５６")
	f.Fuzz(func(t *testing.T, typed string) {
		got, ok := normalise(typed)
		if !ok {
			return
		}
		if len(got) != digits || strings.Trim(got, "0123456789") != "" {
			t.Errorf("normalise(%q) = %q", typed, got)
		}
	})
}
