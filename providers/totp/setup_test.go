// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"image"
	"image/color"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/pquerna/otp"
)

// paint draws the QR code of a page as a picture, from nothing but the path and the size that the page holds.
func paint(t *testing.T, path string, size int) string {
	t.Helper()
	const scale = 4
	img := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for i := range img.Pix {
		img.Pix[i] = 255
	}
	run := regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	if rest := run.ReplaceAllString(path, ""); rest != "" {
		t.Fatalf("path holds more than runs of modules: %.60q", rest)
	}
	for _, m := range run.FindAllStringSubmatch(path, -1) {
		var n [4]int
		for i := range n {
			v, err := strconv.Atoi(m[i+1])
			if err != nil {
				t.Fatal(err)
			}
			n[i] = v
		}
		if n[2] != n[3] || n[0] < quiet || n[1] < quiet || n[0]+n[2] > size-quiet || n[1] >= size-quiet {
			t.Fatalf("run %v of a code of %d: outside, or into the quiet zone", n, size)
		}
		for y := n[1] * scale; y < (n[1]+1)*scale; y++ {
			for x := n[0] * scale; x < (n[0]+n[2])*scale; x++ {
				img.SetGray(x, y, color.Gray{})
			}
		}
	}
	name := filepath.Join(t.TempDir(), "qr.png")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return name
}

// scan reads a picture with a program that shares nothing with ours.
func scan(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "zbarimg", "-q", "--raw", name).Output()
	if err != nil {
		t.Fatalf("zbarimg (install the package zbar-tools): %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// TestSetup is security.md FZ-11: whatever the names are, the code on the page reads as an address that apps take.
func TestSetup(t *testing.T) {
	long := strings.Repeat("W", 10_000)
	tests := map[string]struct {
		issuer, account         string
		wantIssuer, wantAccount string
	}{
		"plain":       {"Example Legal Aid", "a.example@example.com", "Example Legal Aid", "a.example@example.com"},
		"colon":       {"Aid: Legal", "a:b", "Aid Legal", "a:b"},
		"percent":     {"100% Aid", "50%25@example.com", "100% Aid", "50%25@example.com"},
		"signs":       {"A&B=C?D#E/F+G", "x+y&z=1?#/@example.com", "A&B=C?D#E/F+G", "x+y&z=1?#/@example.com"},
		"emoji":       {"Aid 🏛️", "👩‍⚖️@example.com", "Aid 🏛️", "👩‍⚖️@example.com"},
		"letters":     {"Hulp & Één", "zoë@exämple.com", "Hulp & Één", "zoë@exämple.com"},
		"empty":       {"", "", "Lychgate", "account"},
		"only colons": {":::", "\x00\x07", "Lychgate", "account"},
		"lines":       {"Aid\r\nLegal", " a\tb ", "Aid Legal", "a b"},
		"bidi":        {"Aid\u202Egel", "a\u2066b", "Aidgel", "ab"},
		"broken":      {"Aid\xff", "\xfea", "Aid", "a"},
		"10 KB":       {long, long, strings.Repeat("W", 87) + "…", strings.Repeat("W", 119) + "…"},
		"10 KB emoji": {strings.Repeat("🏛", 2500), strings.Repeat("👩‍", 1000), strings.Repeat("🏛", 7) + "…", "👩‍👩‍👩‍👩‍👩‍👩…"},
		"exact":       {strings.Repeat("W", 96), strings.Repeat("W", 128), strings.Repeat("W", 96), strings.Repeat("W", 128)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := setup(tt.issuer, tt.account, []byte(rfcSecret))
			if err != nil {
				t.Fatalf("setup() = %v", err)
			}
			size, err := strconv.Atoi(v["qr_size"])
			if err != nil || size > 81+2*quiet {
				t.Errorf("side of the code = %q, %v, want 81 modules at most", v["qr_size"], err)
			}
			read := scan(t, paint(t, v["qr_path"], size))
			if read != v["uri"] {
				t.Fatalf("scanned %q, want %q", read, v["uri"])
			}
			if v["service"] != tt.wantIssuer || v["account"] != tt.wantAccount {
				t.Errorf("names = %q, %q, want %q, %q", v["service"], v["account"], tt.wantIssuer, tt.wantAccount)
			}
			checkURI(t, read, v)
		})
	}
}

func checkURI(t *testing.T, uri string, v map[string]string) {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	label, params, _ := strings.Cut(strings.TrimPrefix(uri, "otpauth://totp/"), "?")
	if strings.Count(label, ":") != 1 || strings.ContainsAny(uri, "+ ") || strings.Contains(params, ":") {
		t.Errorf("uri %q: want one colon in the label, no plus, no space", uri)
	}
	if got, want := strings.TrimPrefix(u.Path, "/"), v["service"]+":"+v["account"]; got != want {
		t.Errorf("label = %q, want %q", got, want)
	}
	want := map[string]string{
		"secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "issuer": v["service"], "algorithm": "SHA1", "digits": "6", "period": "30",
	}
	for name, value := range want {
		if got := u.Query().Get(name); got != value {
			t.Errorf("%s = %q, want %q", name, got, value)
		}
	}
	if len(u.Query()) != len(want) {
		t.Errorf("%d parameters, want %d", len(u.Query()), len(want))
	}
	key, err := otp.NewKeyFromURL(uri)
	if err != nil {
		t.Fatal(err)
	}
	if key.Issuer() != v["service"] || key.AccountName() != v["account"] || key.Period() != 30 || key.Digits() != otp.DigitsSix {
		t.Errorf("an app reads %q, %q, %d, %v", key.Issuer(), key.AccountName(), key.Period(), key.Digits())
	}
	if got := strings.ReplaceAll(v["key"], " ", ""); got != want["secret"] {
		t.Errorf("key = %q, want %q", v["key"], want["secret"])
	}
}

func TestExactURI(t *testing.T) {
	const want = "otpauth://totp/Example%20Legal%20Aid:a.example%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" +
		"&issuer=Example%20Legal%20Aid&algorithm=SHA1&digits=6&period=30"
	if got := keyURI("Example Legal Aid", "a.example@example.com", []byte(rfcSecret)); got != want {
		t.Errorf("keyURI() = %q, want %q", got, want)
	}
	if got, want := grouped("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"; got != want {
		t.Errorf("grouped() = %q, want %q", got, want)
	}
}

func FuzzSetup(f *testing.F) {
	f.Add("Example Legal Aid", "a.example@example.com")
	f.Add("a:b%", "👩‍⚖️\u202e")
	f.Add(strings.Repeat("é", 500), "\xff")
	f.Fuzz(func(t *testing.T, issuer, account string) {
		v, err := setup(issuer, account, []byte(rfcSecret))
		if err != nil {
			t.Fatalf("setup(%q, %q) = %v", issuer, account, err)
		}
		if len(v["uri"]) > 2*maxIssuer+maxAccount+150 {
			t.Errorf("uri of %d bytes", len(v["uri"]))
		}
		key, err := otp.NewKeyFromURL(v["uri"])
		if err != nil || key.Secret() != encode([]byte(rfcSecret)) {
			t.Fatalf("NewKeyFromURL(%q) = %v", v["uri"], err)
		}
	})
}
