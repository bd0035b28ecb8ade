// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"golang.org/x/net/html"
)

type field struct {
	tag, typ, name, id, value, auto string
	checked, disabled               bool
	text, formaction                string
}

type form struct {
	action, method string
	fields         []field
}

const (
	roleNone = iota
	roleUser
	rolePassword
	roleCode
)

// role says what a visible field is for: by its autocomplete token first (HTML
// standard, autofill), by type and name where there is none.
func (f field) role() int {
	if f.tag != "input" || f.disabled {
		return roleNone
	}
	switch f.typ {
	case "", "text", "email", "tel", "number", "password":
	default:
		return roleNone
	}
	for _, tok := range strings.Fields(strings.ToLower(f.auto)) {
		switch tok {
		case "one-time-code":
			return roleCode
		case "current-password":
			return rolePassword
		case "username", "email":
			return roleUser
		}
	}
	n := strings.ToLower(f.name + " " + f.id)
	for _, w := range []string{"otp", "totp", "passcode", "mfa", "2fa", "one-time", "onetime"} {
		if strings.Contains(n, w) {
			return roleCode
		}
	}
	if f.typ == "password" {
		return rolePassword
	}
	for _, w := range []string{"user", "login", "email", "identifier", "account"} {
		if strings.Contains(n, w) {
			return roleUser
		}
	}
	if strings.Contains(n, "code") {
		return roleCode
	}
	return roleNone
}

func (f *form) has(role int) bool {
	for _, x := range f.fields {
		if x.role() == role {
			return true
		}
	}
	return false
}

// parseForms returns the forms of a page, and the address that its own are relative to, if it names one.
func parseForms(r io.Reader) (forms []*form, base string, err error) {
	doc, err := html.Parse(r)
	if err != nil {
		return nil, "", err
	}
	p := formParser{byID: map[string]*form{}}
	p.walk(doc, nil)
	return p.forms, p.base, nil
}

type formParser struct {
	forms []*form
	byID  map[string]*form
	base  string
}

// walk goes through n; cur is the form that it stands in.
func (p *formParser) walk(n *html.Node, cur *form) {
	if n.Type == html.ElementNode {
		switch n.Data {
		case "base":
			if p.base == "" {
				p.base = get(n, "href")
			}
		case "form":
			cur = p.add(n)
		case "input", "button", "select", "textarea":
			owner := cur
			if id, ok := attr(n, "form"); ok && p.byID[id] != nil {
				owner = p.byID[id]
			}
			if owner != nil {
				owner.fields = append(owner.fields, fieldOf(n))
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		p.walk(c, cur)
	}
}

func (p *formParser) add(n *html.Node) *form {
	f := &form{action: get(n, "action"), method: strings.ToUpper(get(n, "method"))}
	if f.method == "" {
		f.method = "GET"
	}
	p.forms = append(p.forms, f)
	if id := get(n, "id"); id != "" {
		p.byID[id] = f
	}
	return f
}

func fieldOf(n *html.Node) field {
	f := field{
		tag: n.Data, typ: strings.ToLower(get(n, "type")), name: get(n, "name"), id: get(n, "id"),
		value: get(n, "value"), auto: get(n, "autocomplete"), formaction: get(n, "formaction"),
	}
	_, f.checked = attr(n, "checked")
	_, f.disabled = attr(n, "disabled")
	switch n.Data {
	case "button":
		if f.typ == "" {
			f.typ = "submit"
		}
		f.text = text(n)
	case "input":
		f.text = f.value
		if (f.typ == "checkbox" || f.typ == "radio") && f.value == "" {
			f.value = "on"
		}
	case "textarea":
		f.value = text(n)
	case "select":
		f.value = selected(n)
	}
	return f
}

// selected is the value of the last option that is selected, or else of the first one.
func selected(n *html.Node) string {
	value, first := "", true
	for o := n.FirstChild; o != nil; o = o.NextSibling {
		if o.Type != html.ElementNode || o.Data != "option" {
			continue
		}
		if _, on := attr(o, "selected"); first || on {
			v, ok := attr(o, "value")
			if !ok {
				v = text(o)
			}
			value, first = v, false
		}
	}
	return value
}

func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

func get(n *html.Node, name string) string {
	v, _ := attr(n, name)
	return v
}

func text(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	s := ""
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		s += text(c)
	}
	return strings.TrimSpace(s)
}

// choose picks the form a person would use next.
func choose(forms []*form) *form {
	for _, role := range []int{rolePassword, roleCode, roleUser} {
		for _, f := range forms {
			if f.has(role) {
				return f
			}
		}
	}
	for _, f := range forms { // consent or an automatic form
		if f.method == "POST" {
			return f
		}
	}
	if len(forms) > 0 {
		return forms[0]
	}
	return nil
}

var (
	yesWords = []string{"accept", "allow", "approve", "authorize", "authorise", "yes", "consent", "grant", "continue", "login", "log in", "sign in", "signin", "submit", "confirm", "ok"}
	noWords  = []string{"deny", "cancel", "reject", "decline", "abort", "back", "logout", "sign out", "try another", "tryanotherway", "no"}
)

func hasWord(s string, words []string) bool {
	s = strings.ToLower(s)
	for _, w := range words {
		if w == "no" || w == "ok" {
			for _, t := range strings.Fields(s) {
				if t == w {
					return true
				}
			}
			continue
		}
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// fill returns the form's data set as a person would submit it.
func (f *form) fill(u *User, now time.Time) (vals url.Values, action string, err error) {
	vals = url.Values{}
	action = f.action
	var button *field
	for i := range f.fields {
		x := &f.fields[i]
		if x.disabled {
			continue
		}
		switch x.role() {
		case roleUser:
			if u == nil {
				return nil, "", errors.New("asked to sign in, but a live session was expected")
			}
			vals.Set(x.name, u.Name)
			continue
		case rolePassword:
			if u == nil {
				return nil, "", errors.New("asked for a password, but a live session was expected")
			}
			vals.Set(x.name, u.Password)
			continue
		case roleCode:
			if u == nil {
				return nil, "", errors.New("asked for a code, but a live session was expected")
			}
			if u.TOTP == "" {
				return nil, "", fmt.Errorf("asked for a one-time code, but user %s has no secret", u.Name)
			}
			c, err := totp(u.TOTP, now)
			if err != nil {
				return nil, "", err
			}
			vals.Set(x.name, c)
			continue
		}
		switch x.tag {
		case "input":
			switch x.typ {
			case "submit", "image":
				button = better(button, x)
			case "button", "reset", "file":
			case "checkbox", "radio":
				if x.checked && x.name != "" {
					vals.Add(x.name, x.value)
				}
			default:
				if x.name != "" {
					vals.Add(x.name, x.value)
				}
			}
		case "button":
			if x.typ == "submit" {
				button = better(button, x)
			}
		default:
			if x.name != "" {
				vals.Add(x.name, x.value)
			}
		}
	}
	if button != nil {
		if button.name != "" {
			vals.Add(button.name, button.value)
		}
		if button.formaction != "" {
			action = button.formaction
		}
	}
	return vals, action, nil
}

func better(a, b *field) *field {
	score := func(f *field) int {
		s := f.name + " " + f.value + " " + f.text + " " + f.id
		switch {
		case hasWord(s, noWords):
			return 0
		case hasWord(s, yesWords):
			return 2
		}
		return 1
	}
	if a == nil || score(b) > score(a) {
		return b
	}
	return a
}
