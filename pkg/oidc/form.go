// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxBody bounds every body that is read here.
const maxBody = 64 << 10

// errMethod and errTooLarge have a status of their own.
var (
	errMethod   = errors.New("method")
	errTooLarge = errors.New("body too large")
)

// readForm reads the body of a protocol POST: urlencoded only, at most 64 KiB, each parameter once. Parameters in the
// URL are not looked at: secrets must not stand there (RFC 6749 §2.3.1).
func readForm(w http.ResponseWriter, r *http.Request) (url.Values, *fault) {
	if r.Method != http.MethodPost {
		return nil, &fault{code: codeInvalidRequest, reason: reasonMethod, detail: "method", err: errMethod}
	}
	if !formType(r.Header.Get("Content-Type")) {
		return nil, invalidRequest(reasonForm, "content type")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			err = errTooLarge
		}
		return nil, wrapFault(codeInvalidRequest, err)
	}
	return parseForm(string(body))
}

const urlencoded = "application/x-www-form-urlencoded"

// formType says whether a body is urlencoded, in UTF-8 if anything is said.
func formType(header string) bool {
	if header == urlencoded {
		return true
	}
	kind, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	return err == nil && kind == urlencoded && (charset == "" || charset == "utf-8")
}

// parseForm is strict: a body that two parsers could read in two ways is refused. Parameters without a value count as
// absent (RFC 6749 §3.2).
func parseForm(body string) (url.Values, *fault) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return nil, wrapFault(codeInvalidRequest, err)
	}
	for name, values := range form {
		// RFC 8707 §2 allows resource to repeat; it is not used here.
		if len(values) > 1 && name != "resource" {
			return nil, invalidRequest(reasonDuplicate, "duplicate parameter")
		}
		for _, v := range values {
			if bad(v) || bad(name) {
				return nil, invalidRequest(reasonCharacters, "control characters")
			}
		}
		if values[0] == "" {
			delete(form, name)
		}
	}
	return form, nil
}

// bad says whether s is not UTF-8 or has control characters, which could split headers or lines.
func bad(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// writeFormFault answers faults of readForm with their own status.
func (p *Provider) writeFormFault(w http.ResponseWriter, r *http.Request, f *fault) error {
	var status int
	switch {
	case errors.Is(f, errMethod):
		w.Header().Set("Allow", http.MethodPost)
		status = http.StatusMethodNotAllowed
	case errors.Is(f, errTooLarge):
		status = http.StatusRequestEntityTooLarge
	default:
		return p.writeFault(w, r, f)
	}
	_ = writeJSON(w, status, oauthError{f.code, f.text()})
	return nil
}
