// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The longest address (RFC 5321 §4.5.3.1.3) and subject.
const (
	maxAddress = 254
	maxSubject = 200
)

// CheckAddress refuses what is not one bare address. A quoted local part is refused as well: its reading differs from
// program to program, and a mail for one address went to another through it (CVE-2025-59937).
func CheckAddress(address string) error {
	if len(address) > maxAddress || !clean(address) || strings.ContainsFunc(address, unicode.IsSpace) {
		return fmt.Errorf("address: %w", ErrRefused)
	}
	a, err := mail.ParseAddress(address)
	if err != nil || a.Name != "" || a.Address != address {
		return fmt.Errorf("address: %w", ErrRefused)
	}
	return nil
}

// Check refuses a mail whose address or headers could become more than they are: a line break in any of them would
// start a header, or an address, of somebody else's making.
func (m Mail) Check() error {
	if err := CheckAddress(m.To); err != nil {
		return err
	}
	if m.Subject == "" || len(m.Subject) > maxSubject || !clean(m.Subject) {
		return fmt.Errorf("subject: %w", ErrRefused)
	}
	if m.MessageID == "" || !clean(m.MessageID) || strings.ContainsAny(m.MessageID, "<> ") {
		return fmt.Errorf("message id: %w", ErrRefused)
	}
	return nil
}

// clean says whether s is text without anything that breaks a line or hides.
func clean(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
	})
}
