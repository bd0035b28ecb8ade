// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/url"
	"path"
	"strings"
)

// Where scopes and roles are. They have names, which may hold any sign, and no ids.
const (
	scopesPath = "/api/v1/scopes"
	rolesPath  = "/api/v1/roles"
)

// address is where something is; ids are written as they have to be in an address.
func address(parts ...string) string {
	u := url.URL{Path: "/api/v1/" + strings.Join(parts, "/")}
	return u.EscapedPath()
}

// named is where something is that has a name.
func named(list, name string) string { return list + "/" + url.PathEscape(name) }

// Clean says whether an address below /api/ is written in the one form that has a route: no empty or dotted parts, nothing
// encoded that need not be. Names of scopes and roles alone may be encoded as their callers like: some encode every sign but
// letters and digits, and names hold slashes and colons. What stands before a name is written in one way all the same.
func Clean(u *url.URL) bool {
	for _, list := range []string{scopesPath, rolesPath} {
		if name, ok := strings.CutPrefix(u.EscapedPath(), list+"/"); ok {
			return name != "" && name != "." && name != ".." && !strings.Contains(name, "/")
		}
	}
	return path.Clean(u.Path) == u.Path && u.RawPath == ""
}
