// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleKeys lists the signing keys. Active names the one that signs, From is when the next ones may be used; zero: now.
type ConsoleKeys struct {
	Console
	Rows   []ConsoleKey
	Active string
	From   time.Time
	// Done is "" or "rotated", "now" (rotated at once), "young" (refused), "stale".
	Done string
}

// Template implements Page.
func (ConsoleKeys) Template() string { return "console-keys" }

// ConsoleKey is a signing key. State is next, active or retired; Until may be zero.
type ConsoleKey struct {
	ID, Alg, State string
	Since, Until   time.Time
}

// ConsoleRotate asks whether to rotate the keys at once. Hours is how long a key is shown before it signs.
type ConsoleRotate struct {
	Console
	Active string
	Hours  int
}

// Template implements Page.
func (ConsoleRotate) Template() string { return "console-rotate" }
