// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"errors"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/notify"
)

func TestCheckAddress(t *testing.T) {
	for address, good := range map[string]bool{
		"ann@acme.example": true, "ann+tag@sub.acme.example": true, "o'neil@acme.example": true, "ann@[192.0.2.1]": true, "zoë@acme.example": true,
		"": false, "ann": false, "@acme.example": false, "ann@": false, "Ann <ann@acme.example>": false, "<ann@acme.example>": false,
		"ann@acme.example,eve@evil.example": false, "ann@acme.example\n": false, "ann@acme.example\r\nBcc: x": false, "ann\x00@acme.example": false,
		`"ann"@acme.example`: false, `"a b"@acme.example`: false, `"ann@acme.example>x"@evil.example`: false, "ann @acme.example": false,
		"ann@acme.example\u2028": false, "ann@acme.example\xff": false, strings.Repeat("a", 243) + "@x.example": true, strings.Repeat("a", 245) + "@x.example": false,
	} {
		if err := notify.CheckAddress(address); (err == nil) != good || err != nil && !errors.Is(err, notify.ErrRefused) {
			t.Errorf("CheckAddress(%.60q) = %v, want good: %v", address, err, good)
		}
	}
}

// FuzzCheckAddress: what passes is one address and one line, as a mail server would read it.
func FuzzCheckAddress(f *testing.F) {
	f.Add("ann@acme.example")
	f.Add("\"a\r\nb\"@x.example")
	f.Fuzz(func(t *testing.T, s string) {
		if notify.CheckAddress(s) != nil {
			return
		}
		list, err := mail.ParseAddressList(s)
		if err != nil || len(list) != 1 || list[0].Address != s || strings.ContainsAny(s, "\r\n\x00<> ,") {
			t.Errorf("CheckAddress(%q) passes: %v %v", s, list, err)
		}
	})
}

func TestWait(t *testing.T) {
	for tries, want := range map[int]time.Duration{
		0: time.Minute, 1: time.Minute, 2: 2 * time.Minute, 6: 32 * time.Minute, 7: time.Hour, 8: time.Hour, 1 << 40: time.Hour,
	} {
		if got := notify.Wait(tries); got != want {
			t.Errorf("Wait(%d) = %s, want %s", tries, got, want)
		}
	}
}
