// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"unicode/utf8"
)

// The bounds of a body. An honest one comes nowhere near the depth and the number of parts.
const (
	maxBody  = 64 << 10
	maxDepth = 8
	maxParts = 2000
)

// strict reads JSON as two readers would read it alike: UTF-8, one object, no name twice, none in other letters than
// encoding/json compares it with, nothing after it. null is for a merge patch alone: elsewhere it would be taken for a
// value that was left out.
func strict(raw []byte, media string) *problemError {
	if !utf8.Valid(raw) {
		return malformed("The body is not UTF-8.")
	}
	w := walker{d: json.NewDecoder(bytes.NewReader(raw)), nulls: media == mergePatch}
	w.d.UseNumber()
	if p := w.value("", 0); p != nil {
		return p
	}
	if _, err := w.d.Token(); !errors.Is(err, io.EOF) {
		return malformed("Something follows the JSON value.")
	}
	if len(w.faults) > 0 {
		return invalid(w.faults...)
	}
	return nil
}

func malformed(detail string) *problemError {
	return problem(http.StatusBadRequest, codeMalformed, detail)
}

type walker struct {
	d      *json.Decoder
	nulls  bool
	parts  int
	faults []Fault
}

// value reads one value at a pointer.
func (w *walker) value(at string, depth int) *problemError {
	if w.parts++; depth > maxDepth || w.parts > maxParts {
		return malformed("The body is too deep or has too many parts.")
	}
	t, err := w.d.Token()
	if err != nil {
		return malformed("The body is not JSON.")
	}
	switch t {
	case json.Delim('{'):
		return w.object(at, depth)
	case json.Delim('['):
		if depth == 0 {
			return malformed("The body must be a JSON object.")
		}
		for i := 0; w.d.More(); i++ {
			if p := w.value(at+"/"+strconv.Itoa(i), depth+1); p != nil {
				return p
			}
		}
		return w.end()
	case nil:
		if depth == 1 && !w.nulls {
			w.faults = append(w.faults, Fault{Detail: "must not be null: leave it out", Pointer: at})
		}
	}
	if depth == 0 {
		return malformed("The body must be a JSON object.")
	}
	return nil
}

func (w *walker) object(at string, depth int) *problemError {
	seen := map[string]bool{}
	for w.d.More() {
		t, err := w.d.Token()
		if err != nil {
			return malformed("The body is not JSON.")
		}
		name, _ := t.(string)
		here := at + "/" + escape(name)
		if seen[name] {
			w.faults = append(w.faults, Fault{Detail: "stands there twice", Pointer: here})
		}
		seen[name] = true
		if depth == 0 && !plain(name) {
			w.faults = append(w.faults, Fault{Detail: "is not known here: remove it", Pointer: here})
		}
		if p := w.value(here, depth+1); p != nil {
			return p
		}
	}
	return w.end()
}

func (w *walker) end() *problemError {
	if _, err := w.d.Token(); err != nil {
		return malformed("The body is not JSON.")
	}
	return nil
}

// plain says whether a name has the letters that names here have.
func plain(name string) bool {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return name != ""
}
