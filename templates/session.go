// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// SessionCheck is the page that apps load in a hidden frame (OpenID Connect Session Management 1.0 §3.2): a script of ours
// and nothing to see.
func (s *Set) SessionCheck() []byte {
	return []byte("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Session check</title>\n" +
		"<meta name=\"robots\" content=\"noindex\">\n<script src=\"" + s.StaticPath("session-check.js") + "\"></script>\n</head>\n<body></body>\n</html>\n")
}
