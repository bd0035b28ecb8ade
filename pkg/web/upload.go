// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
)

// maxUpload bounds a file together with its text field: 256 KiB, three times over where every character is escaped.
const maxUpload = 800 << 10

// Upload is Lines for a form with one long text, which comes as a file or in a field; a file that holds something wins. Only
// the long text may hold control characters: whoever reads it says what is wrong with them.
func (s *Site) Upload(w http.ResponseWriter, r *http.Request, long string) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, fmt.Errorf("%w: no content type", errBadForm)
	}
	var fields url.Values
	switch kind {
	case "application/x-www-form-urlencoded":
		if err = r.ParseForm(); err == nil {
			fields = r.PostForm
		}
	case "multipart/form-data":
		fields, err = parts(multipart.NewReader(r.Body, params["boundary"]), long)
	default:
		return nil, fmt.Errorf("%w: content type %q", errBadForm, kind)
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, errBodyTooLarge
	}
	if err != nil {
		return nil, fmt.Errorf("%w: not readable", errBadForm)
	}
	for name, values := range fields {
		if len(values) > 1 || hasControl(name) || (name != long && hasControl(values[0])) {
			return nil, fmt.Errorf("%w: a field is there twice, or holds control characters", errBadForm)
		}
	}
	return fields, nil
}

// maxParts is how many parts a form with a file has at most.
const maxParts = 20

// parts reads a form of parts. Nothing of it is written to a disk, and a file's name is not looked at.
func parts(m *multipart.Reader, long string) (url.Values, error) {
	out, file := url.Values{}, ""
	for range maxParts {
		p, err := m.NextPart()
		if errors.Is(err, io.EOF) {
			if file != "" {
				out.Set(long, file)
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return nil, err
		}
		if p.FileName() != "" {
			file = string(b)
		} else if p.FormName() != "" && p.FormName() != "file" {
			out.Add(p.FormName(), string(b))
		}
	}
	return nil, errBadForm
}
