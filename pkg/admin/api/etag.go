// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"slices"
	"strings"
)

// match is what If-Match wants (RFC 9110 §13.1.1).
type match struct {
	given, any bool
	tags       []string
}

// readMatch reads the header; a weak tag never matches, since what is compared here is strong.
func readMatch(r *http.Request) (match, *problemError) {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return match{}, nil
	}
	m := match{given: true}
	all := strings.TrimSpace(strings.Join(values, ","))
	if all == "*" {
		m.any = true
		return m, nil
	}
	for part := range strings.SplitSeq(all, ",") {
		part = strings.TrimSpace(part)
		weak := strings.HasPrefix(part, "W/")
		part = strings.TrimPrefix(part, "W/")
		if len(part) < 2 || part[0] != '"' || part[len(part)-1] != '"' || strings.Contains(part[1:len(part)-1], `"`) {
			return m, problem(http.StatusBadRequest, codeMalformed, "The header If-Match is not a list of entity tags in quotes.",
				Fault{Detail: `write it as it came in ETag, with its quotes, or "*"`, Location: "header.If-Match"})
		}
		if !weak {
			m.tags = append(m.tags, part[1:len(part)-1])
		}
	}
	return m, nil
}

// against returns the tag that a change is to be compared with: that of the version that the caller has seen, or, where
// any will do, none. stale is a version that the caller has not seen.
func (m match) against(current string) (tag string, err error) {
	if !m.given || m.any {
		return "", nil
	}
	if !slices.Contains(m.tags, current) {
		return "", stale()
	}
	return current, nil
}

func stale() *problemError {
	return problem(http.StatusPreconditionFailed, codeStale, "It was changed meanwhile. Read it again and decide anew.")
}

// etag writes a tag as a header wants it.
func etag(tag string) string { return `"` + tag + `"` }
