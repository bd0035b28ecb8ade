// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"crypto/rand"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
)

func codes(t *testing.T) (shown, kept []string) {
	t.Helper()
	shown, kept, err := Make(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return shown, kept
}

// TestCodesAreTenOfTheirKind: ten, all different, in four groups of four of letters without look-alikes, and every way
// that a person may type one is the same code.
func TestCodesAreTenOfTheirKind(t *testing.T) {
	form := regexp.MustCompile(`^([2-9A-HJ-NP-Z]{4}-){3}[2-9A-HJ-NP-Z]{4}$`)
	shown, kept := codes(t)
	seen := map[string]bool{}
	if len(shown) != 10 || len(kept) != 10 {
		t.Fatalf("Make() = %d and %d codes, want 10", len(shown), len(kept))
	}
	for i, c := range shown {
		if !form.MatchString(c) || seen[c] {
			t.Errorf("code %q is of another form, or there twice", c)
		}
		seen[c] = true
		for _, typed := range []string{c, strings.ToLower(c), kept[i], strings.ReplaceAll(c, "-", " "), "  " + strings.ReplaceAll(c, "-", " – ") + "\t"} {
			if got, ok := Canonical(typed); !ok || got != kept[i] {
				t.Errorf("Canonical(%q) = %q, %v, want %q", typed, got, ok, kept[i])
			}
		}
	}
}

// swapTold is 1 if the swap of the i-th character with the one before is no code.
func swapTold(c string, i int) int {
	if _, ok := Canonical(c[:i-1] + string(c[i]) + string(c[i-1]) + c[i+1:]); ok {
		return 0
	}
	return 1
}

// TestSlipsAreTold: every single wrong character, and nearly every swap of neighbours, is no code at all.
func TestSlipsAreTold(t *testing.T) {
	_, kept := codes(t)
	swaps, told := 0, 0
	for _, c := range kept {
		for i := range c {
			for _, r := range alphabet {
				wrong := c[:i] + string(r) + c[i+1:]
				if _, ok := Canonical(wrong); ok != (wrong == c) {
					t.Errorf("Canonical(%q) = %v, want it told from %q", wrong, ok, c)
				}
			}
			if i > 0 && c[i] != c[i-1] {
				swaps++
				told += swapTold(c, i)
			}
		}
	}
	// Luhn misses the swap of the lowest with the highest character alone.
	if told < swaps-3 {
		t.Errorf("%d of %d swaps are told", told, swaps)
	}
	for _, typed := range []string{"", "7KQ4", kept[0] + "A", kept[0][:15], kept[0][:15] + "0", kept[0][:15] + "\u00e9", strings.Repeat("A", 10_000)} {
		if got, ok := Canonical(typed); ok {
			t.Errorf("Canonical(%.20q) = %q, want no code", typed, got)
		}
	}
}

// TestNoCodesOfNoChance: a source of randomness that ends makes no codes.
func TestNoCodesOfNoChance(t *testing.T) {
	if shown, _, err := Make(strings.NewReader("short")); err == nil || !errors.Is(err, io.ErrUnexpectedEOF) || shown != nil {
		t.Errorf("Make() = %q, %v", shown, err)
	}
}
