// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

func sample() record {
	return record{Version: version, ID: []byte("id"), Key: []byte("key"), Count: 7, Flags: 0x1d, Transports: []string{"usb", "nfc"}}
}

func stored(tb testing.TB, r record) []byte {
	tb.Helper()
	b, err := r.encode()
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestRecord(t *testing.T) {
	got, err := decode(stored(t, sample()))
	if diff := cmp.Diff(sample(), got); err != nil || diff != "" {
		t.Errorf("decode() = %v, diff %s", err, diff)
	}
	for name, spoil := range map[string]func(*record){
		"another version":     func(r *record) { r.Version++ },
		"no id":               func(r *record) { r.ID = nil },
		"a long id":           func(r *record) { r.ID = make([]byte, maxID+1) },
		"no key":              func(r *record) { r.Key = nil },
		"a long key":          func(r *record) { r.Key = make([]byte, maxKey+1) },
		"an unknown way":      func(r *record) { r.Transports = []string{"telepathy"} },
		"the same way twice":  func(r *record) { r.Transports = []string{"usb", "usb"} },
		"more ways than that": func(r *record) { r.Transports = strings.Split(strings.Repeat("usb ", 20), " ") },
	} {
		r := sample()
		spoil(&r)
		if _, err := decode(stored(t, r)); err == nil {
			t.Errorf("%s: decode() took it", name)
		}
	}
	good := stored(t, sample())
	for name, b := range map[string][]byte{
		"nothing": nil, "half": good[:len(good)/2], "a tail": append(bytes.Clone(good), 0), "another type": {0x80},
		"unknown field": append(append([]byte{good[0] + 1}, good[1:]...), 0x18, 0x63, 0x01),
	} {
		if _, err := records([]authn.Credential{{ID: "passkey.x", Secret: b}}); !errors.Is(err, authn.ErrLost) {
			t.Errorf("%s: records() = %v, want ErrLost", name, err)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"Acme": "Acme", " a\t b\n": "a b", "a\u202eb\x00": "ab", "\xff": "", strings.Repeat("é", 40): strings.Repeat("é", 32),
		"x" + strings.Repeat("é", 40): "x" + strings.Repeat("é", 31),
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestNoIssuer: a site without a host accepts nothing.
func TestNoIssuer(t *testing.T) {
	for _, issuer := range []string{"", "x", "https://", ":"} {
		if s := newSite(issuer); s.id != "" || len(s.party.Config.RPOrigins) != 0 {
			t.Errorf("newSite(%q) = %q with origins %q", issuer, s.id, s.party.Config.RPOrigins)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(stored(f, sample()))
	f.Add([]byte{0xa1, 0x01, 0x01})
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decode(b)
		if err != nil {
			return
		}
		again, err := decode(stored(t, r))
		if diff := cmp.Diff(r, again); err != nil || diff != "" {
			t.Errorf("%x changes on its way: %v %s", b, err, diff)
		}
	})
}

// FuzzAnswer: whatever is posted, in either place, is refused or parsed, never more; and nothing of it is accepted.
func FuzzAnswer(f *testing.F) {
	f.Add(`{"id":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"` + strings.Repeat("A", 50) + `","signature":"AA","userHandle":""}}`)
	f.Add(`{"id":"AAAA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA","transports":["usb"]}}`)
	f.Add(`{"id":"AAAA"}`)
	s, a, challenge := newSite("http://localhost:8080"), authn.Account{ID: "a"}, make([]byte, challengeSize)
	f.Fuzz(func(t *testing.T, text string) {
		if got, ok := parseAssertion(text); ok {
			keys := []record{{Version: version, ID: got.RawID, Key: []byte{0xa0}}}
			if _, _, err := s.asserted(a, challenge, keys, got); !errors.Is(err, authn.ErrRejected) {
				t.Errorf("asserted() = %v, want ErrRejected", err)
			}
		}
		if got, ok := parseCreation(text); ok {
			if _, err := s.created(a, challenge, got); !errors.Is(err, authn.ErrRejected) {
				t.Errorf("created() = %v, want ErrRejected", err)
			}
		}
	})
}
