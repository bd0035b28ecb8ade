// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// MatchRedirect says whether the authorization response may go to uri: it is registered character by character
// (RFC 9700 §2.1), or the client is native and it is a registered loopback address without a port, at any port
// (RFC 8252 §7.3). Nothing is normalised: every difference is one that a browser could read in another way.
func (c *Client) MatchRedirect(uri string) bool {
	if uri == "" {
		return false
	}
	if slices.Contains(c.RedirectURIs, uri) {
		return true
	}
	if c.ApplicationType != TypeNative {
		return false
	}
	return slices.ContainsFunc(c.RedirectURIs, func(registered string) bool { return matchLoopback(registered, uri) })
}

// MatchPostLogout says whether a person may be sent to uri after logout: registered character by character
// (RP-Initiated Logout §3).
func (c *Client) MatchPostLogout(uri string) bool {
	return uri != "" && slices.Contains(c.PostLogoutRedirectURIs, uri)
}

// matchLoopback compares everything but the port as text, so that neither scheme, userinfo, path, query nor fragment
// can differ. Only the two literal addresses count: localhost can be pointed elsewhere.
func matchLoopback(registered, uri string) bool {
	for _, base := range []string{"http://127.0.0.1", "http://[::1]"} {
		rest, ok := strings.CutPrefix(registered, base)
		if !ok || (rest != "" && rest[0] != '/' && rest[0] != '?') {
			continue
		}
		tail, ok := strings.CutPrefix(uri, base+":")
		if !ok {
			continue
		}
		digits := 0
		for digits < len(tail) && tail[digits] >= '0' && tail[digits] <= '9' {
			digits++
		}
		return port(tail[:digits]) && tail[digits:] == rest
	}
	return false
}

// port says whether s is a port number in its one usual spelling.
func port(s string) bool {
	if s == "" || len(s) > 5 || s[0] == '0' {
		return false
	}
	n := 0
	for _, d := range s {
		if d < '0' || d > '9' {
			return false
		}
		n = n*10 + int(d-'0')
	}
	return n <= 65535
}

const maxURI = 2000

// redirectProblem says what is wrong with a redirect URI, and what to do; empty if nothing is.
func (c *Client) redirectProblem(uri string) string {
	u, problem := parseURI(uri)
	if problem != "" {
		return problem
	}
	switch {
	case u.Scheme == "https" && u.Host != "":
		return hostProblem(u)
	case u.Scheme == "https":
		return "has no host: write https://host/path"
	case u.Scheme == "http":
		if !loopback(u.Hostname()) {
			return "is http and not on a loopback address: use https"
		}
		return hostProblem(u)
	case c.ApplicationType != TypeNative:
		return "has a scheme that only native clients may use: use https, or set application_type to native"
	case !strings.Contains(u.Scheme, "."):
		return "has a private scheme without a dot: use a reversed domain name, e.g. com.example.app:/callback"
	}
	return ""
}

// parseURI refuses whatever two parsers could read in two ways.
func parseURI(uri string) (*url.URL, string) {
	if uri == "" {
		return nil, "is empty: leave it out or give an absolute address"
	}
	if len(uri) > maxURI {
		return nil, "is longer than 2000 characters"
	}
	for _, r := range uri {
		if r <= ' ' || r > '~' || strings.ContainsRune(`\"<>^{|}`+"`", r) {
			return nil, "has a character that must be percent-encoded"
		}
	}
	if strings.Contains(uri, "*") {
		return nil, "has a wildcard: register every address in full"
	}
	if strings.Contains(uri, "#") {
		return nil, "has a fragment: remove it"
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return nil, "is not an absolute address"
	}
	if u.User != nil || strings.Contains(u.Host, "@") || strings.Contains(u.Opaque, "@") {
		return nil, "has user information: remove it"
	}
	if !strings.HasPrefix(uri, u.Scheme+":") {
		return nil, "has a scheme with capital letters: write it in lower case"
	}
	return u, ownParameters(u)
}

// ownParameters refuses a registered query that would stand beside the parameters of the response.
func ownParameters(u *url.URL) string {
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "has a query that cannot be read"
	}
	for _, name := range []string{"code", "state", "iss", "error", "error_description", "error_uri", "id_token", "access_token"} {
		if q.Has(name) {
			return "has the query parameter " + name + ", which belongs to the response: rename it"
		}
	}
	return ""
}

func hostProblem(u *url.URL) string {
	host := u.Hostname()
	if host == "" || strings.HasPrefix(host, ".") || strings.Contains(host, "..") || strings.Contains(host, "%") {
		return "has no proper host name"
	}
	if host != strings.ToLower(host) {
		return "has a host with capital letters: write it in lower case"
	}
	if strings.HasSuffix(u.Host, ":") || (u.Port() != "" && !port(u.Port())) {
		return "has no proper port"
	}
	return ""
}

// loopback accepts localhost too: it is compared character by character and never reached over a network in practice;
// any port is matched only for the literal addresses.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback() && !a.Is4In6()
}
