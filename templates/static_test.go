// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func TestStatic(t *testing.T) {
	s := mustParse(t)
	for name, want := range map[string]string{
		"lychgate.css": "text/css; charset=utf-8", "demo.css": "text/css; charset=utf-8",
		"lychgate.js": "text/javascript; charset=utf-8", "passkey.js": "text/javascript; charset=utf-8", "session-check.js": "text/javascript; charset=utf-8",
		"favicon.svg": "image/svg+xml",
		"logo.svg":    "image/svg+xml", "client-logo.svg": "image/svg+xml",
	} {
		body, kind, etag, ok := s.Static(name)
		if !ok || len(body) == 0 || kind != want {
			t.Errorf("Static(%q) = %d bytes, %q, %v, want %q", name, len(body), kind, ok, want)
		}
		if !regexp.MustCompile(`^"[0-9a-f]{16}"$`).MatchString(etag) {
			t.Errorf("etag of %s = %s", name, etag)
		}
		if got, want := s.StaticPath(name), "/static/"+name+"?v="+strings.Trim(etag, `"`); got != want {
			t.Errorf("StaticPath(%q) = %q, want %q", name, got, want)
		}
	}
	for _, name := range []string{"", ".", "..", "../templates.go", "static/lychgate.css", "LYCHGATE.CSS", "lychgate.css/"} {
		if _, _, _, ok := s.Static(name); ok {
			t.Errorf("Static(%q) found something", name)
		}
		if got := s.StaticPath(name); got != "" {
			t.Errorf("StaticPath(%q) = %q, want nothing", name, got)
		}
	}
}

// TestStaticLinks: every file that a page loads is there, under the address of its present content.
func TestStaticLinks(t *testing.T) {
	s := mustParse(t)
	for _, v := range variants(fullFrame()) {
		doc, _ := render(t, s, v.page)
		doc.Find("link[href], [src]:not(iframe)").Each(func(_ int, el *goquery.Selection) {
			at := el.AttrOr("href", el.AttrOr("src", ""))
			name, _, _ := strings.Cut(strings.TrimPrefix(at, "/static/"), "?")
			if got := s.StaticPath(name); got != at {
				t.Errorf("%s loads %q, want %q", v.name, at, got)
			}
		})
	}
}

// TestStaticLoadsNothing: a stylesheet or picture that fetches from elsewhere would tell others who signs in.
func TestStaticLoadsNothing(t *testing.T) {
	s := mustParse(t)
	foreign := regexp.MustCompile(`(?i)url\(|@import|https?://[^w]|fetch\(|XMLHttpRequest|eval\(|innerHTML|<script|\son\w+=`)
	for name, a := range s.assets {
		if m := foreign.Find(a.body); m != nil {
			t.Errorf("%s holds %q", name, m)
		}
	}
}
