// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package recovery

import (
	"fmt"
	"io"
	"strings"
	"unicode"
)

const (
	// alphabet has 32 letters and digits, none of which looks like another: no 0 and O, no 1 and I.
	alphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
	// randomLen characters are random (75 bits), one more is the check character.
	randomLen = 15
	codeLen   = randomLen + 1
	// group is how many characters stand together.
	group = 4
	// Count is how many codes an account gets.
	Count = 10
	// maxTyped bounds what is read of a form field.
	maxTyped = 64
)

// Make returns Count new recovery codes: 75 random bits each (NIST SP 800-63B §4.2.1.1 wants 64) and a check character.
// shown are in groups of four, 7KQ4-M2W9-XDHT-6CPN; kept are the same in the form of Canonical.
func Make(random io.Reader) (shown, kept []string, err error) {
	b := make([]byte, randomLen)
	for range Count {
		if _, err := io.ReadFull(random, b); err != nil {
			return nil, nil, fmt.Errorf("make recovery codes: %w", err)
		}
		text := make([]byte, 0, codeLen)
		for _, v := range b {
			text = append(text, alphabet[v%byte(len(alphabet))])
		}
		code := string(append(text, alphabet[check(string(text))]))
		shown, kept = append(shown, grouped(code)), append(kept, code)
	}
	return shown, kept, nil
}

// grouped sets a code in groups, as people read it.
func grouped(code string) string {
	var parts []string
	for i := 0; i < len(code); i += group {
		parts = append(parts, code[i:min(i+group, len(code))])
	}
	return strings.Join(parts, "-")
}

// check is the Luhn check digit in base 32 (ISO/IEC 7812-1 Annex B, carried over to 32 digits): every single wrong
// character and nearly every swap of neighbours gives another one.
func check(code string) int {
	sum := 0
	for i := range len(code) {
		// The rightmost character counts double: the check character will stand behind it.
		n := strings.IndexByte(alphabet, code[len(code)-1-i])
		if i%2 == 0 {
			n *= 2
			n = n/len(alphabet) + n%len(alphabet)
		}
		sum += n
	}
	return (len(alphabet) - sum%len(alphabet)) % len(alphabet)
}

// Canonical returns the one form of all spellings of a code: capitals, no spaces or dashes. ok is false for what cannot
// be a code: of another length, with a character that none has, or with a check character that does not fit.
func Canonical(typed string) (code string, ok bool) {
	if len(typed) > maxTyped {
		return "", false
	}
	var b strings.Builder
	for _, r := range typed {
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), r == '\u2212':
		case r < unicode.MaxASCII && strings.ContainsRune(alphabet, unicode.ToUpper(r)):
			b.WriteRune(unicode.ToUpper(r))
		default:
			return "", false
		}
	}
	code = b.String()
	if len(code) != codeLen || code[randomLen] != alphabet[check(code[:randomLen])] {
		return "", false
	}
	return code, true
}
