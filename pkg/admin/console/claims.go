// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

// Claims are written one a line, name = where it comes from:
//
//	department = attributes.department
//	case_roles = roles cases-
//	tenant = "gold"
//
// What stands behind roles or groups is the prefix, in the quotes of JSON if it begins or ends with a blank or begins with a
// quote. Anything that begins as JSON does is a value for everybody; sources never do.

// claimsField is the field of the form, and what its problems begin with in the rules.
const claimsField = "claims"

// claimsText writes claims as they are typed, by name. readClaims reads every one of them back as it was.
func claimsText(claims map[string]client.Mapping) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		fmt.Fprintln(&out, claimLine(name, claims[name]))
	}
	return out.String()
}

func claimLine(name string, m client.Mapping) string {
	line := name + " = " + m.From
	if len(m.Value) > 0 {
		var value bytes.Buffer
		if json.Compact(&value, m.Value) != nil {
			return line + string(m.Value)
		}
		return line + value.String()
	}
	switch {
	case m.Prefix == "":
		return line
	case strings.TrimSpace(m.Prefix) != m.Prefix, m.Prefix[0] == '"':
		return line + " " + inQuotes(m.Prefix)
	default:
		return line + " " + m.Prefix
	}
}

// inQuotes is a text in the quotes of JSON.
func inQuotes(s string) string {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}

// typedClaims are the claims of a text, with the line of each.
type typedClaims struct {
	claims   map[string]client.Mapping
	lines    map[string]int
	problems []templates.ConsoleProblem
}

// readClaims reads claims as they are typed. What is no line of the form is a problem; what a claim may be is for the rules.
func readClaims(text string) typedClaims {
	out := typedClaims{lines: map[string]int{}}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		name, m, kind := readClaim(line)
		switch {
		case kind != "":
			out.problems = append(out.problems, templates.ConsoleProblem{Field: claimsField, Kind: kind, Entry: n})
		case out.lines[name] > 0:
			out.problems = append(out.problems, templates.ConsoleProblem{Field: claimsField, Kind: "twice", Entry: n})
		default:
			if out.claims == nil {
				out.claims = map[string]client.Mapping{}
			}
			out.claims[name], out.lines[name] = m, n
		}
	}
	return out
}

// readClaim reads one line; kind says what is wrong with it. A name has no blanks, but may have a sign of equality: one
// between blanks counts first.
func readClaim(line string) (name string, m client.Mapping, kind string) {
	name, source, ok := strings.Cut(line, " = ")
	if !ok {
		name, source, ok = strings.Cut(line, "=")
	}
	name, source = strings.TrimSpace(name), strings.TrimSpace(source)
	switch {
	case !ok || name == "" || source == "":
		return "", m, "form"
	case strings.Contains(name, " "):
		return "", m, "claim-name"
	case isValue(source):
		if !json.Valid([]byte(source)) {
			return "", m, "json"
		}
		return name, client.Mapping{Value: json.RawMessage(source)}, ""
	}
	from, prefix, _ := strings.Cut(source, " ")
	m = client.Mapping{From: from, Prefix: strings.TrimSpace(prefix)}
	if strings.HasPrefix(m.Prefix, `"`) && json.Unmarshal([]byte(m.Prefix), &m.Prefix) != nil {
		return "", m, "json"
	}
	return name, m, ""
}

// isValue says whether a source is JSON: it begins as no source does.
func isValue(source string) bool {
	return strings.ContainsRune(`"{[-0123456789`, rune(source[0])) || slices.Contains([]string{"true", "false", "null"}, source)
}
