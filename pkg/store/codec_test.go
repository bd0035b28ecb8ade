// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
)

func sampleGrant() storedGrant {
	at := time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)
	return storedGrant{Grant: grant.Grant{
		ClientID: "lgcl_abcdefghijklmnopqrstuv", AccountID: "abcdefghijklmnopqrstuvwxyz", Subject: "abcdefghijklmnopqrstuvwxyz",
		SID: "abcdefghijklmnopqrstuv", Scopes: []string{"openid", "email", "offline_access"}, Audience: []string{"https://api.example"},
		AuthTime: at, RequestedAt: at.Add(time.Second), ACR: authn.ACRFactor, AMR: []string{"pwd", "otp", "mfa"},
		Evidence: []authn.Evidence{{Method: "otp", At: at}, {Method: "otp", At: at, Device: true}}, Nonce: "n-0S6_WzA2Mj",
		RedirectURI: "https://app.example/callback", Ends: at.AddDate(0, 0, 90),
	}, epoch: 3, offline: true, rotate: true}
}

func TestGrantCodec(t *testing.T) {
	equal := cmp.AllowUnexported(storedGrant{})
	for what, g := range map[string]storedGrant{"full": sampleGrant(), "empty": {}, "negative": {epoch: -1}} {
		b := encodeGrant(g)
		got, err := decodeGrant(b)
		if err != nil {
			t.Fatalf("decodeGrant() of %s: %v", what, err)
		}
		if d := cmp.Diff(g, got, equal); d != "" {
			t.Errorf("decodeGrant(encodeGrant()) of %s (-want +got):\n%s", what, d)
		}
		// Fields of a later version are skipped.
		if later, err := decodeGrant(append(bytes.Clone(b), 1, 2, 3)); err != nil || !cmp.Equal(g, later, equal) {
			t.Errorf("decodeGrant() with fields of a later version: %v", err)
		}
		for i := range b {
			if i == len(b)-2 {
				continue // a grant of before 2026-11-24 ends here, without the two fields that are empty in these
			}
			if _, err := decodeGrant(b[:i]); !errors.Is(err, authn.ErrLost) {
				t.Errorf("decodeGrant() of %d bytes of %d: %v, want ErrLost", i, len(b), err)
			}
		}
	}
	if n := len(encodeGrant(sampleGrant())); n > 420 {
		t.Errorf("a grant takes %d bytes, want at most 420", n)
	}
	// A length from a broken record must not make us allocate.
	huge := append([]byte{recordVersion, 0, 0}, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)
	if _, err := decodeGrant(huge); !errors.Is(err, authn.ErrLost) {
		t.Errorf("decodeGrant() of a huge length: %v, want ErrLost", err)
	}
	if _, err := decodeGrant([]byte{2}); !errors.Is(err, authn.ErrLost) {
		t.Errorf("decodeGrant() of version 2: %v, want ErrLost", err)
	}
}

func FuzzGrantCodec(f *testing.F) {
	f.Add(encodeGrant(sampleGrant()))
	f.Add(encodeGrant(storedGrant{}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := decodeGrant(b)
		if err != nil {
			return
		}
		back, err := decodeGrant(encodeGrant(g))
		if err != nil {
			t.Fatalf("decodeGrant(encodeGrant()): %v", err)
		}
		if !cmp.Equal(g, back, cmp.AllowUnexported(storedGrant{})) {
			t.Errorf("a decoded grant changes when it is written again")
		}
	})
}

func FuzzOtherRecords(f *testing.F) {
	f.Add(encodeSession(session.Session{AccountID: "a", End: time.UnixMilli(5)}))
	f.Add(encodeOverlay(overlay{issued: time.UnixMilli(7), life: time.Hour, narrowed: true, scopes: []string{"openid"}}))
	f.Add([]byte(`{"request":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := decodeSession(b); err == nil {
			if _, err := decodeSession(encodeSession(n)); err != nil {
				t.Errorf("a session does not read back: %v", err)
			}
		}
		if o, err := decodeOverlay(b); err == nil {
			if _, err := decodeOverlay(encodeOverlay(o)); err != nil {
				t.Errorf("an overlay does not read back: %v", err)
			}
		}
		var r flowRecord
		if err := decodeJSON("flow", b, &r); err != nil && !errors.Is(err, authn.ErrLost) {
			t.Errorf("decodeJSON() = %v, want ErrLost", err)
		}
		_, _ = decodeClient("app", b)
		_ = consented(string(b))
		parseInfo(map[string]string{}, string(b))
	})
}

func BenchmarkGrantEncode(b *testing.B) {
	g := sampleGrant()
	for b.Loop() {
		_ = encodeGrant(g)
	}
}

func BenchmarkGrantDecode(b *testing.B) {
	raw := encodeGrant(sampleGrant())
	for b.Loop() {
		if _, err := decodeGrant(raw); err != nil {
			b.Fatal(err)
		}
	}
}
