// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"path"
)

//go:embed static/*
var staticFiles embed.FS

// fingerprint is how many hexadecimal digits of its hash stand in a file's address.
const fingerprint = 16

type asset struct {
	body              []byte
	contentType, hash string
}

func loadAssets() (map[string]asset, error) {
	types := map[string]string{
		".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
	}
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, err
	}
	assets := map[string]asset{}
	for _, e := range entries {
		body, err := staticFiles.ReadFile(path.Join("static", e.Name()))
		if err != nil {
			return nil, err
		}
		kind, ok := types[path.Ext(e.Name())]
		if !ok {
			return nil, fmt.Errorf("static file %s: no content type for it", e.Name())
		}
		sum := sha256.Sum256(body)
		assets[e.Name()] = asset{body: body, contentType: kind, hash: hex.EncodeToString(sum[:])[:fingerprint]}
	}
	return assets, nil
}

// Static returns an embedded file by its bare name, its content type and its quoted entity tag. The body is shared:
// never write to it.
func (s *Set) Static(name string) (body []byte, contentType, etag string, ok bool) { //nolint:revive // one file, one answer
	a, ok := s.assets[name]
	if !ok {
		return nil, "", "", false
	}
	return a.body, a.contentType, `"` + a.hash + `"`, true
}

// StaticPath returns the address of an embedded file. It changes with the content, so the answer may be kept for
// ever. An unknown name answers "".
func (s *Set) StaticPath(name string) string {
	a, ok := s.assets[name]
	if !ok {
		return ""
	}
	return "/static/" + name + "?v=" + a.hash
}
