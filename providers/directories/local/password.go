// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/lychgate/lychgate/pkg/authn"
)

//go:embed common.txt
var common string

const (
	// minPassword and maxPassword are in bytes after NFC. maxTyped bounds what is normalised at all: composing
	// shortens a text to a third at most.
	minPassword = 12
	maxPassword = 256
	maxTyped    = 3 * maxPassword
	// minRest is what must be left of a password without the words that anybody would try first.
	minRest = 8
	// minWord is the length from which a word of the context counts.
	minWord = 4
)

var (
	errLength  = errors.New("a password has 1 to 256 bytes")
	errShort   = fmt.Errorf("%w: 12 characters at least", authn.ErrPasswordShort)
	errLong    = fmt.Errorf("%w: 256 bytes at most", authn.ErrPasswordLong)
	errCommon  = fmt.Errorf("%w: it is one of those that are tried first, choose another one", authn.ErrPasswordCommon)
	errContext = fmt.Errorf("%w: choose another one", authn.ErrPasswordContext)
)

// prepare returns the bytes that are hashed, and whether they can be a password at all. Where they cannot, it
// returns one byte, so that the hash costs what it always costs.
func prepare(password string) ([]byte, bool) {
	if len(password) > maxTyped {
		return []byte{0}, false
	}
	b := norm.NFC.AppendString(nil, password)
	if len(b) == 0 || len(b) > maxPassword {
		return []byte{0}, false
	}
	return b, true
}

// CheckPassword says whether password may be chosen: 12 to 256 bytes, not one of those that are tried first, and
// not made of the words in context (the account's name, the company's name) with a little added. There are no
// rules about kinds of characters (NIST SP 800-63B §3.1.1.2). The error is meant for the person who chooses.
func CheckPassword(password string, context ...string) error {
	secret, ok := prepare(password)
	switch {
	case !ok && password != "":
		return errLong
	case len(secret) < minPassword || utf8.RuneCount(secret) < minRest:
		return errShort
	}
	folded := strings.ToLower(string(secret))
	if isCommon(folded) {
		return errCommon
	}
	if utf8.RuneCountInString(without(folded, contextWords(context))) < minRest {
		return errContext
	}
	return nil
}

// isCommon says whether a password is on the list, is a word of it with figures and signs around, or says one
// short thing again and again.
func isCommon(folded string) bool {
	bare := strings.TrimFunc(folded, func(r rune) bool { return !unicode.IsLetter(r) })
	for word := range strings.Lines(common) {
		word = strings.TrimSpace(word)
		if word != "" && (folded == word || bare == word) {
			return true
		}
	}
	return repeats(folded) || runs(folded)
}

// repeats: aaaaaaaaaaaa, abcabcabcabc.
func repeats(s string) bool {
	for n := 1; n <= minRest/2+2; n++ {
		if n < len(s) && strings.Repeat(s[:n], len(s)/n+1)[:len(s)] == s {
			return true
		}
	}
	return false
}

// runs: 123456789012, abcdefghijkl, 987654321098.
func runs(s string) bool {
	for _, row := range []string{"0123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm"} {
		row = strings.Repeat(row, 2+maxPassword/len(row))
		if strings.Contains(row, s) || strings.Contains(reversed(row), s) {
			return true
		}
	}
	return false
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// contextWords returns the words of the context that are long enough to be told apart from chance.
func contextWords(context []string) []string {
	var words []string
	for _, c := range append(context, "lychgate") {
		for _, w := range strings.FieldsFunc(strings.ToLower(norm.NFC.String(c)), func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r)
		}) {
			if utf8.RuneCountInString(w) >= minWord {
				words = append(words, w)
			}
		}
	}
	return words
}

// without removes the words.
func without(s string, words []string) string {
	for _, w := range words {
		s = strings.ReplaceAll(s, w, "")
	}
	return s
}
