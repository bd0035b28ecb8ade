// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"strings"

	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/web"
)

// ProtocolPaths are the paths of the public listener that programs call: all but pages, pictures and what is under a
// path that a page or another answer names.
func ProtocolPaths() []string {
	var out []string
	for _, r := range routes(&web.Site{}, &oidc.Provider{}) {
		_, path, _ := strings.Cut(r.pattern, " ")
		page := strings.HasPrefix(path, "/.well-known/") || path == "/logout/confirm" || path == "/{$}" || strings.Contains(path, "{")
		if !page {
			out = append(out, path)
		}
	}
	return out
}
