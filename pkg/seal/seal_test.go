// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package seal_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/seal"
)

func at() time.Time { return time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC) }

func key(tb testing.TB, id byte) seal.Key {
	tb.Helper()
	k, err := seal.NewKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	k.ID = id
	return k
}

func ring(tb testing.TB, keys ...seal.Key) *seal.Ring {
	tb.Helper()
	r, err := seal.NewRing(keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestKeyText(t *testing.T) {
	k := key(t, 7)
	got, err := seal.ParseKey(k.Text())
	if err != nil || got != k {
		t.Fatalf("ParseKey(Text()) = %v, %v, want the same key", got, err)
	}
	secret := strings.TrimPrefix(k.Text(), "7:")
	for _, bad := range []string{
		"", "7", ":", secret, "0:" + secret, "256:" + secret, "-1:" + secret, "x:" + secret, "7:" + secret[:43], "7:" + secret + "AAAA",
		"7:" + strings.TrimRight(secret, "="), "7: " + secret, "7:" + secret + "\nx",
	} {
		if _, err := seal.ParseKey(bad); err == nil {
			t.Errorf("ParseKey(%q): no error", bad)
		}
	}
	if _, err := seal.NewKey(strings.NewReader("short")); err == nil {
		t.Error("NewKey() of a short source: no error")
	}
}

func TestRing(t *testing.T) {
	for what, keys := range map[string][]seal.Key{"no key": nil, "id 0": {key(t, 0)}, "twice": {key(t, 1), key(t, 1)}} {
		if _, err := seal.NewRing(keys...); err == nil {
			t.Errorf("NewRing() of %s: no error", what)
		}
	}
	old, next := key(t, 1), key(t, 2)
	before := ring(t, old)
	sealed, err := before.Seal(at(), "p", []byte("plain"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	if len(sealed) != seal.Overhead+5 || sealed[0] != 1 {
		t.Errorf("Seal() = %d bytes under key %d, want %d under 1", len(sealed), sealed[0], seal.Overhead+5)
	}
	if hour := int64(sealed[1])<<16 | int64(sealed[2])<<8 | int64(sealed[3]); hour != at().Unix()/3600 {
		t.Errorf("hour in front = %d, want %d", hour, at().Unix()/3600)
	}
	for what, c := range map[string]struct {
		ring           *seal.Ring
		purpose, place string
		want           error
	}{
		"same ring":     {before, "p", "place", nil},
		"after a turn":  {ring(t, next, old), "p", "place", nil},
		"old key gone":  {ring(t, next), "p", "place", seal.ErrUnknownKey},
		"same id":       {ring(t, key(t, 1)), "p", "place", seal.ErrForged},
		"other purpose": {before, "q", "place", seal.ErrForged},
		"other place":   {before, "p", "plac", seal.ErrForged},
	} {
		got, err := c.ring.Open(c.purpose, sealed, []byte(c.place))
		if !errors.Is(err, c.want) || c.want == nil && string(got) != "plain" {
			t.Errorf("Open() with %s = %q, %v, want %v", what, got, err, c.want)
		}
	}
}

// TestEveryByteCounts: a record with one byte changed or missing does not open; one sealed twice is not the same.
func TestEveryByteCounts(t *testing.T) {
	before := ring(t, key(t, 1))
	sealed, err := before.Seal(at(), "p", []byte("plain"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if _, err := before.Open("p", b, []byte("place")); err == nil {
			t.Errorf("Open() with byte %d changed: no error", i)
		}
		if _, err := before.Open("p", sealed[:i], []byte("place")); err == nil {
			t.Errorf("Open() of %d bytes: no error", i)
		}
	}
	again, _ := before.Seal(at(), "p", []byte("plain"), []byte("place"))
	if bytes.Equal(sealed, again) {
		t.Error("Seal() twice gave the same bytes")
	}
	for h := range 2000 {
		b, _ := before.Seal(at().Add(time.Duration(h)*time.Hour), "p", []byte("x"), nil)
		if _, err := before.Open("p", b, nil); err != nil {
			t.Fatalf("Open() of hour %d: %v", h, err)
		}
	}
}

func TestHandle(t *testing.T) {
	r := ring(t, key(t, 1))
	payload := bytes.Repeat([]byte{7}, 33)
	h, err := r.SealHandle(at(), "lga_", 3, payload)
	if err != nil || len(h) != seal.HandleLen("lga_", 33) || len(h) != 91 {
		t.Fatalf("SealHandle() = %d characters, %v, want 91", len(h), err)
	}
	got, err := r.OpenHandle("lga_", 3, h, 33)
	if err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("OpenHandle() = %x, %v", got, err)
	}
	for what, c := range map[string]struct {
		prefix, handle string
		epoch          uint64
		size           int
	}{
		"other kind":  {"lgr_", "lgr_" + h[4:], 3, 33},
		"other epoch": {"lga_", h, 4, 33},
		"other size":  {"lga_", h, 3, 32},
		"newline":     {"lga_", h[:50] + "\n" + h[51:], 3, 33},
		"added":       {"lga_", h + "\n", 3, 33},
		"padding":     {"lga_", h + "=", 3, 33},
		"nothing":     {"lga_", "", 3, 33},
	} {
		if _, err := r.OpenHandle(c.prefix, c.epoch, c.handle, c.size); !errors.Is(err, seal.ErrForged) {
			t.Errorf("OpenHandle() of %s: %v, want ErrForged", what, err)
		}
	}
	// 57 bytes fill their characters; 65 leave bits over, which must be zero.
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	opens := 0
	for _, c := range alphabet {
		if _, err := r.OpenHandle("lga_", 3, h[:90]+string(c), 33); err == nil {
			opens++
		}
	}
	if opens != 1 {
		t.Errorf("%d spellings of the last character open, want 1", opens)
	}
}

func TestIndex(t *testing.T) {
	if _, err := seal.NewIndex(make([]byte, 31)); err == nil {
		t.Error("NewIndex() of 31 bytes: no error")
	}
	k := bytes.Repeat([]byte{9}, 32)
	x, err := seal.NewIndex(k)
	if err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, k)
	m.Write([]byte("account-1"))
	want := strings.ToLower(base32.StdEncoding.EncodeToString(m.Sum(nil)))[:13]
	if got := x.Tag("account-1"); got != want {
		t.Errorf("Tag() = %q, want %q", got, want)
	}
	for i := range 1000 {
		tag := x.Tag(fmt.Sprint(i))
		b, err := seal.PackTag(tag)
		if err != nil || len(b) != seal.TagSize || b[8]&0x7f != 0 {
			t.Fatalf("PackTag(%q) = %x, %v", tag, b, err)
		}
		if back, err := seal.TagText(b); err != nil || back != tag {
			t.Fatalf("TagText(PackTag(%q)) = %q, %v", tag, back, err)
		}
	}
	for _, bad := range []string{"", "abc", "abcdefghijkl1", "ABCDEFGHIJKLM", "abcdefghijklmn"} {
		if _, err := seal.PackTag(bad); err == nil {
			t.Errorf("PackTag(%q): no error", bad)
		}
	}
	seen := map[string]string{}
	for what, h := range map[string]string{
		"a|b": x.Hash("l", "a", "b"), "ab|": x.Hash("l", "ab", ""), "|ab": x.Hash("l", "", "ab"), "ab": x.Hash("l", "ab"),
		"label": x.Hash("la", "b"), "zero": x.Hash("l", "a\x00\x01b"), "none": x.Hash("l"),
	} {
		if other, ok := seen[h]; ok {
			t.Errorf("Hash() of %s and %s are the same", what, other)
		}
		seen[h] = what
	}
}

func TestDigest(t *testing.T) {
	pepper := bytes.Repeat([]byte{1}, 32)
	d := seal.Digest(pepper, "secret")
	for _, c := range []struct {
		secret, digest string
		want           bool
	}{
		{"secret", d, true},
		{"Secret", d, false},
		{"", d, false},
		{"", seal.Digest(pepper, ""), false},
		{"secret", "", false},
		{"secret", d[:63], false},
		{"secret", seal.Digest([]byte("other"), "secret"), false},
	} {
		if got := seal.DigestEqual(pepper, c.secret, c.digest); got != c.want {
			t.Errorf("DigestEqual(%q, %q) = %t, want %t", c.secret, c.digest, got, c.want)
		}
	}
}

// TestNothingIsLogged: however keys are printed, nothing of them is seen.
func TestNothingIsLogged(t *testing.T) {
	k := key(t, 3)
	x, err := seal.NewIndex(bytes.Repeat([]byte("I"), 32))
	if err != nil {
		t.Fatal(err)
	}
	secret := k.Text()[2:20]
	var b bytes.Buffer
	l := slog.New(slog.NewTextHandler(&b, nil))
	for _, v := range []any{k, ring(t, k), x} {
		l.LogAttrs(t.Context(), slog.LevelInfo, "x", slog.Any("v", v))
		fmt.Fprintf(&b, "%v %+v %#v %s\n", v, v, v, v)
	}
	for _, leak := range []string{secret, "IIII", "73 73", "0x49"} {
		if strings.Contains(b.String(), leak) {
			t.Errorf("a secret was printed: %s", b.String())
		}
	}
	if !strings.Contains(b.String(), "redacted") {
		t.Error("nothing says [redacted]")
	}
}

func FuzzOpenHandle(f *testing.F) {
	r := ring(f, key(f, 1))
	good, err := r.SealHandle(at(), "lga_", 1, make([]byte, 33))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, good + "\n", good[:90] + "=", "", "lga_", strings.ToLower(good)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := r.OpenHandle("lga_", 1, s, 33); err == nil && s != good {
			t.Errorf("OpenHandle(%q) opened, want only %q to", s, good)
		}
	})
}

func FuzzParseKey(f *testing.F) {
	f.Add(key(f, 9).Text())
	f.Add("1:")
	f.Fuzz(func(t *testing.T, s string) {
		k, err := seal.ParseKey(s)
		if err != nil {
			return
		}
		if back, err := seal.ParseKey(k.Text()); err != nil || back != k {
			t.Errorf("ParseKey(%q) gave a key that does not read back", s)
		}
	})
}

func BenchmarkSeal(b *testing.B) {
	r, plain, ad := ring(b, key(b, 1)), make([]byte, 420), []byte("lg:{abcdefghijklm}:g:x")
	for b.Loop() {
		if _, err := r.Seal(at(), "grant", plain, ad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	r, ad := ring(b, key(b, 1)), []byte("lg:{abcdefghijklm}:g:x")
	s, err := r.Seal(at(), "grant", make([]byte, 420), ad)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := r.Open("grant", s, ad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	r, payload := ring(b, key(b, 1)), make([]byte, 33)
	for b.Loop() {
		h, err := r.SealHandle(at(), "lga_", 1, payload)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := r.OpenHandle("lga_", 1, h, 33); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkForgedHandle(b *testing.B) {
	r := ring(b, key(b, 1))
	h, err := r.SealHandle(at(), "lga_", 1, make([]byte, 33))
	if err != nil {
		b.Fatal(err)
	}
	h = h[:90] + "A"
	for b.Loop() {
		_, _ = r.OpenHandle("lga_", 1, h, 33)
	}
}

func BenchmarkTag(b *testing.B) {
	x, err := seal.NewIndex(make([]byte, 32))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		_ = x.Tag("abcdefghijklmnopqrstuvwxyz")
	}
}
