// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// mailWidth is that of a line of a plain mail.
	mailWidth = 76
	// mailWord is the most of a name that is shown.
	mailWord = 200
)

// oneLine is a name as a mail may show it: one line, bounded, without characters that hide or turn words round, and
// without anything that a mail program would make a link of by its scheme.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r) || r == utf8.RuneError:
			return -1
		default:
			return r
		}
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > mailWord {
		s = string(r[:mailWord]) + "…"
	}
	return strings.ReplaceAll(s, "://", ": //")
}

// unlinked is oneLine for names that a stranger may have chosen: whoever knows a password can name an authenticator, and
// mail programs make a link of every bare host name.
func unlinked(s string) string {
	var b strings.Builder
	runes := []rune(oneLine(s))
	for i, r := range runes {
		b.WriteRune(r)
		if r == '.' && i+1 < len(runes) && unicode.IsLetter(runes[i+1]) {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// wrap breaks a paragraph into lines.
func wrap(s string) string {
	var b strings.Builder
	length := 0
	for i, word := range strings.Fields(s) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case length+1+n > mailWidth:
			b.WriteByte('\n')
			length = 0
		default:
			b.WriteByte(' ')
			length++
		}
		b.WriteString(word)
		length += n
	}
	return b.String()
}
