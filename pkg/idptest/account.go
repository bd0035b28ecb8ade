// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// Own opens the person's own account page and signs in as name, with the code of Secret if one is asked for.
func (b *Browser) Own(tb testing.TB, name string) *Page {
	tb.Helper()
	return b.Get(tb, "/account").Prove(tb, name)
}

// Prove answers whatever the page asks for: the password, then the code of Secret, from a step that is not spent.
func (p *Page) Prove(tb testing.TB, name string) *Page {
	tb.Helper()
	if p.Find("input[name=password]").Length() > 0 {
		p = p.Login(tb, name, Password)
	}
	if p.Find("input[name=code]").Length() > 0 && p.Find("#totp-key").Length() == 0 {
		p.browser.idp.NextStep()
		p = p.Code(tb, p.browser.idp.Code(tb, 0))
	}
	return p
}

// Press sends the form of the first button inside scope whose seen words are name, with fields added.
func (p *Page) Press(tb testing.TB, scope, name string, fields url.Values) *Page {
	tb.Helper()
	var form *goquery.Selection
	p.Find(scope + " button").EachWithBreak(func(_ int, b *goquery.Selection) bool {
		seen := b.Clone()
		seen.Find(".vh").Remove()
		if strings.Join(strings.Fields(seen.Text()), " ") == name {
			form = b.Closest("form")
		}
		return form == nil
	})
	if form == nil {
		tb.Fatalf("no button %q in %q on %s (%d, %q)", name, scope, p.URL, p.Status, p.H1())
	}
	values := url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		if _, checked := in.Attr("checked"); in.AttrOr("name", "") != "" && (checked || in.AttrOr("type", "") != "checkbox") {
			values.Set(in.AttrOr("name", ""), in.AttrOr("value", ""))
		}
	})
	for k, v := range fields {
		if v == nil {
			values.Del(k)
			continue
		}
		values[k] = v
	}
	to, err := p.URL.Parse(form.AttrOr("action", ""))
	if err != nil {
		tb.Fatal(err)
	}
	if form.AttrOr("method", "get") == "get" {
		to.RawQuery = values.Encode()
		return p.browser.Get(tb, to.String())
	}
	return p.browser.Post(tb, to.String(), values)
}

// Note is what the page says was done.
func (p *Page) Note() string {
	return strings.Join(strings.Fields(p.Find("main .note[role=status]").Text()), " ")
}

// Key is the secret of the set-up that the page shows.
func (p *Page) Key(tb testing.TB) []byte {
	tb.Helper()
	key := p.Find("#totp-key").Text()
	if key == "" {
		tb.Fatalf("no key on %s (%d, %q)", p.URL, p.Status, p.H1())
	}
	return SecretOf(tb, key)
}

// Copy returns a browser with the same cookies: a thief's, or another tab's from before.
func (b *Browser) Copy(tb testing.TB) *Browser {
	tb.Helper()
	n := b.idp.Browser(tb)
	u, err := url.Parse(b.idp.Issuer)
	if err != nil {
		tb.Fatal(err)
	}
	var list []*http.Cookie
	for _, c := range b.Jar.Cookies(u) {
		list = append(list, &http.Cookie{Name: c.Name, Value: c.Value, Path: "/"})
	}
	n.Jar.SetCookies(u, list)
	return n
}

// Follow opens an address of the page's site in the same browser.
func (p *Page) Follow(tb testing.TB, address string) *Page {
	tb.Helper()
	return p.browser.Get(tb, address)
}
