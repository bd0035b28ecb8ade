// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"log/slog"
	"strings"
	"unicode"
)

// Note is one thing that is not taken over as it was.
type Note struct {
	// Field is the name in the export: credentials[1].
	Field  string `json:"field"`
	Reason string `json:"reason"`
}

// Kind is what a line of a report is about.
type Kind string

// The kinds of lines.
const (
	KindPerson Kind = "person"
	KindClient Kind = "client"
)

// Status is what became of a person or a client.
type Status string

// What can become of them. LeftOut is by design, Existing is there already, Refused has to be mended in the file.
const (
	Taken    Status = "taken"
	LeftOut  Status = "left_out"
	Existing Status = "existing"
	Refused  Status = "refused"
)

// Line is one line of the report of an import.
type Line struct {
	Kind   Kind   `json:"kind"`
	Where  string `json:"where"`
	Name   string `json:"name,omitempty"`
	Status Status `json:"status"`
	// Reason says why it was not taken; Notes what of it was not.
	Reason string `json:"reason,omitempty"`
	Notes  []Note `json:"notes,omitempty"`
	// NoPassword: the person has to choose a new one. NoFactor: the person had a second factor and sets up a new one.
	NoPassword bool `json:"no_password,omitempty"`
	NoFactor   bool `json:"no_second_factor,omitempty"`
	Disabled   bool `json:"disabled,omitempty"`
	// Subject is the sub of a person.
	Subject string `json:"sub,omitempty"`
	// NewSecret: the client is given a new secret, shown this once in Secret.
	NewSecret bool   `json:"new_secret,omitempty"`
	Secret    string `json:"client_secret,omitempty"`
}

// LogValue keeps the secret out of the logs.
func (l Line) LogValue() slog.Value { return slog.StringValue("[redacted] line of " + l.Where) }

// maxShown bounds what of a file goes into a message.
const maxShown = 200

// Show makes a text of a file fit for a terminal: bounded, and without what would move its cursor.
func Show(s string) string {
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, s)
}
