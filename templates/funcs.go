// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// otpauthPrefix is the only address beside http, https and mailto that a page links to.
const otpauthPrefix = "otpauth://totp/"

var errOtpauth = errors.New("not the address of an authenticator app")

// funcs are what templates may call: t plain words, th words with markup, n words with a number, wait words with
// a time to wait, about words with a length of time; event, events, result and detail words for what the journal holds.
func funcs(s *Set, c catalogue) template.FuncMap {
	return template.FuncMap{
		"t": c.text, "th": c.markup, "n": c.number, "wait": c.wait, "about": c.about, "date": c.date, "day": c.day, "shortday": c.shortDay, "datetime": c.datetime,
		"event": c.event, "events": c.events, "result": c.result, "detail": c.detail,
		"static": func(name string) (string, error) {
			p := s.StaticPath(name)
			if p == "" {
				return "", fmt.Errorf("no static file %q", name)
			}
			return p, nil
		},
		"number": strconv.Itoa, "digits": digits, "initial": initial, "link": link, "otpauth": otpauth, "textfile": textfile,
	}
}

// digits keeps of a telephone number what can be dialled.
func digits(phone string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r == '+' {
			return r
		}
		return -1
	}, phone)
}

// initial returns the first letter or digit of the first name that has one: it stands where a logo would.
func initial(names ...string) string {
	for _, name := range names {
		for _, r := range name {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return string(unicode.ToUpper(r))
			}
		}
	}
	return ""
}

// link returns an address that a button may lead to, http, https or a path of ours, or "". An address with
// another scheme would run code (javascript:) or lead nowhere.
func link(address string) string {
	u, err := url.Parse(address)
	if err != nil || !utf8.ValidString(address) {
		return ""
	}
	web := u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
	ours := u.Scheme == "" && u.Host == "" && strings.HasPrefix(u.Path, "/") && !strings.HasPrefix(u.Path, "//")
	if web || ours {
		return address
	}
	return ""
}

// otpauth lets an address through html/template, which knows no such scheme. It must have been built of escaped
// parts: anything but the characters of an address is refused.
func otpauth(uri string) (template.URL, error) {
	rest, ok := strings.CutPrefix(uri, otpauthPrefix)
	if !ok {
		return "", errOtpauth
	}
	for _, r := range rest {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("-._~:%?&=", r) {
			return "", errOtpauth
		}
	}
	return template.URL(uri), nil //nolint:gosec // prefix and characters are checked above
}

// textfile returns the address of a text file that holds recovery codes: the page itself carries it, so no second
// request is needed for what is kept as hashes alone. parts are a title, three pairs of a name and its value, and two
// notes, in the language of the page.
func textfile(parts ...any) (template.URL, error) {
	if len(parts) != 10 {
		return "", errors.New("a text file needs a title, three pairs, two notes and the codes")
	}
	var words [9]string
	for i := range words {
		w, ok := parts[i].(string)
		if !ok {
			return "", errors.New("a text file is made of words")
		}
		words[i] = w
	}
	codes, ok := parts[9].([]string)
	if !ok {
		return "", errors.New("a text file needs the codes")
	}
	text := words[0] + "\n\n" + words[1] + ": " + words[2] + "\n" + words[3] + ": " + words[4] + "\n" + words[5] + ": " + words[6] +
		"\n\n" + words[7] + "\n" + words[8] + "\n\n" + strings.Join(codes, "\n") + "\n"
	return template.URL("data:text/plain;charset=utf-8," + url.PathEscape(text)), nil //nolint:gosec // escaped whole
}
