// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"

	"github.com/mileusna/useragent"
)

// maxDevices is how many people can be remembered at one browser; the oldest cookie goes.
const maxDevices = 5

// deviceLabel says in words which browser this is. It is a label, never a decision.
func deviceLabel(r *http.Request) string {
	ua := useragent.Parse(clip(r.UserAgent(), 512))
	if ua.Name == "" {
		return "Browser"
	}
	if ua.OS == "" {
		return clip(ua.Name, 60)
	}
	return clip(ua.Name+", "+ua.OS, 60)
}

// trimDevices removes device cookies of other people from a browser that holds too many; browsers send the
// oldest first.
func (s *Site) trimDevices(w http.ResponseWriter, r *http.Request, keep string) {
	prefix := s.jar.name(deviceCookie)
	var others []string
	for _, c := range r.Cookies() {
		if tag, ok := strings.CutPrefix(c.Name, prefix); ok && tag != keep {
			others = append(others, tag)
		}
	}
	for len(others) >= maxDevices {
		s.jar.clear(w, deviceCookie+others[0])
		others = others[1:]
	}
}
