// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// maxBody bounds every body we read. net/http would take 10 MB of form.
const maxBody = 64 << 10

var (
	errBodyTooLarge = errors.New("body over 64 KiB")
	errBadForm      = errors.New("form not valid")
)

// form reads an urlencoded body: at most 64 KiB, no multipart, no parameter twice, no control characters. Line breaks may
// stand in the fields that are named.
func form(w http.ResponseWriter, r *http.Request, lines ...string) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("%w: content type %q", errBadForm, kind)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, errBodyTooLarge
		}
		return nil, fmt.Errorf("%w: not urlencoded", errBadForm)
	}
	for name, values := range r.PostForm {
		if len(values) > 1 {
			return nil, fmt.Errorf("%w: a field is there twice", errBadForm)
		}
		if hasControl(name) || (name != "password" && name != "new_password" && hasControl(unbroken(name, values[0], lines))) {
			return nil, fmt.Errorf("%w: control characters", errBadForm)
		}
	}
	return r.PostForm, nil
}

// unbroken is a value without its line breaks, if its field is of several lines.
func unbroken(name, value string, lines []string) string {
	if slices.Contains(lines, name) {
		return strings.NewReplacer("\r\n", "", "\n", "").Replace(value)
	}
	return value
}

func hasControl(s string) bool {
	for _, c := range s {
		if c < 0x20 || c == 0x7f {
			return true
		}
	}
	return false
}

// see answers 303: the browser goes on with GET (RFC 9700 §4.12).
func see(w http.ResponseWriter, r *http.Request, path string) error {
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
