// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"fmt"
	"image"
	"image/color"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/boombuler/barcode/qr"
)

const (
	// maxIssuer and maxAccount bound the names as they stand in the address, percent-encoded: the longest one still
	// makes a QR code of 81 modules, which a phone reads from a screen at arm's length.
	maxIssuer  = 96
	maxAccount = 128
	// quiet is the white border that a reader needs, in modules (ISO/IEC 18004 §6.3.8).
	quiet = 4
	// fallback is the name of a service that has none.
	fallback = "Lychgate"
	ellipsis = "…"
)

// setup returns what the set-up page shows.
func setup(issuer, account string, secret []byte) (map[string]string, error) {
	service := clip(clean(strings.ReplaceAll(issuer, ":", " ")), maxIssuer)
	if service == "" {
		service = fallback
	}
	name := clip(clean(account), maxAccount)
	if name == "" {
		name = "account"
	}
	uri := keyURI(service, name, secret)
	path, size, err := drawing(uri)
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"uri": uri, "key": grouped(encode(secret)), "service": service, "account": name,
		"qr_path": path, "qr_size": strconv.Itoa(size),
	}, nil
}

// keyURI returns the address that apps read from the QR code. The issuer stands in the label and as a parameter,
// since some apps read the one and some the other; a colon in it would end it early, so it has none.
func keyURI(service, account string, secret []byte) string {
	return "otpauth://totp/" + escape(service) + ":" + escape(account) + "?secret=" + encode(secret) +
		"&issuer=" + escape(service) + "&algorithm=SHA1&digits=" + strconv.Itoa(digits) + "&period=" + strconv.Itoa(period)
}

// escape percent-encodes everything but unreserved characters (RFC 3986 §2.3). url.QueryEscape would write + for
// a space, which apps show as a plus.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if unreserved(s[i]) {
			b.WriteByte(s[i])
			continue
		}
		fmt.Fprintf(&b, "%%%02X", s[i])
	}
	return b.String()
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// clean makes one line of a name: no control characters, and no marks that turn the direction of what follows,
// which would let one name look like another.
func clean(name string) string {
	name = strings.ToValidUTF8(name, "")
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, name)
	return strings.Join(strings.Fields(name), " ")
}

// clip shortens a name to limit bytes of its percent-encoded form, at a character's border, and says so by an
// ellipsis.
func clip(name string, limit int) string {
	total, cut := 0, 0
	for i, r := range name {
		if total <= limit-len(escape(ellipsis)) {
			cut = i
		}
		total += len(escape(string(r)))
		if total > limit {
			return strings.TrimRightFunc(trimJoiner(name[:cut]), unicode.IsSpace) + ellipsis
		}
	}
	return name
}

// trimJoiner drops what would join the ellipsis to half an emoji.
func trimJoiner(s string) string {
	for {
		r, n := utf8.DecodeLastRuneInString(s)
		if n == 0 || r != '\u200d' {
			return s
		}
		s = s[:len(s)-n]
	}
}

// grouped sets a key in groups of four, for those who type it.
func grouped(key string) string {
	var b strings.Builder
	for i := 0; i < len(key); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(key[i:min(i+4, len(key))])
	}
	return b.String()
}

// drawing returns the QR code of text as an SVG path of black runs, and the side of its square with the quiet
// zone. Level M stands a scratched or glaring screen and keeps the modules large.
func drawing(text string) (path string, size int, err error) {
	code, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		// The library's error may quote the secret.
		return "", 0, fmt.Errorf("draw QR code of %d bytes", len(text))
	}
	var b strings.Builder
	bounds := code.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			run := 0
			for x+run < bounds.Max.X && dark(code, x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return b.String(), bounds.Dx() + 2*quiet, nil
}

func dark(m image.Image, x, y int) bool {
	return color.GrayModel.Convert(m.At(x, y)) == color.Gray{Y: 0}
}
