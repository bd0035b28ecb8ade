// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/lychgate/lychgate/pkg/flow"
)

// sessionSaltSize is the size of the salt of a session_state, in bytes.
const sessionSaltSize = 12

// sessionState is the field session_state of an answer (Session Management 1.0 §2, §3.2), which the page at /session/check
// computes again: the hash of client, origin, browser state and salt. Empty for an answer without a browser state, or to
// an address without an origin, such as that of a native app.
func sessionState(f *flow.Flow) (string, error) {
	o := webOrigin(f.Request.RedirectURI)
	if f.BrowserState == "" || o == "" {
		return "", nil
	}
	b := make([]byte, sessionSaltSize)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("read randomness: %w", err)
	}
	salt := base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(f.Request.ClientID + " " + o + " " + f.BrowserState + " " + salt))
	return base64.RawURLEncoding.EncodeToString(sum[:]) + "." + salt, nil
}

// webOrigin is the origin of a page at uri as browsers write it (RFC 6454 §6.2): in lower case, without a port that is
// the scheme's own. Empty for anything but http and https.
func webOrigin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Host == "" {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return ""
	}
	return scheme + "://" + host
}

// sessionCheck is the address of that page: where the issuer is https, since a cookie that a frame on another site can
// read must be Secure.
func sessionCheck(issuer string) string {
	if !strings.HasPrefix(issuer, "https://") {
		return ""
	}
	return issuer + "/session/check"
}
