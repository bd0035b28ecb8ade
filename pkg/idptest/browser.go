// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// Selection is a part of a page.
type Selection = goquery.Selection

// Browser is a person's browser: cookies, redirects, forms; no script.
type Browser struct {
	Client *http.Client
	Jar    *cookiejar.Jar
	// Header is sent with every request.
	Header http.Header
	idp    *IDP
}

// Page is an answer as a browser has it.
type Page struct {
	*goquery.Document
	Status int
	Header http.Header
	URL    *url.URL
	Body   string

	browser *Browser
}

// Browser returns a new browser that reaches the first node.
func (p *IDP) Browser(tb testing.TB) *Browser {
	tb.Helper()
	return p.BrowserAt(tb, p.Node)
}

// BrowserAt returns a new browser that reaches the provider through node n, as behind a load balancer.
func (p *IDP) BrowserAt(tb testing.TB, n *Node) *Browser {
	tb.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		tb.Fatal(err)
	}
	b := &Browser{Jar: jar, idp: p, Header: http.Header{}}
	b.At(tb, n)
	return b
}

// At leads the browser's next requests through node n.
func (b *Browser) At(tb testing.TB, n *Node) {
	tb.Helper()
	host := strings.TrimPrefix(b.idp.Issuer, "http://")
	var d net.Dialer
	tr := &http.Transport{
		MaxIdleConnsPerHost: 4,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == host {
				addr = n.Addr
			}
			return d.DialContext(ctx, network, addr)
		},
	}
	tb.Cleanup(tr.CloseIdleConnections)
	b.Client = &http.Client{Jar: b.Jar, Transport: tr, Timeout: 20 * time.Second}
}

// Get opens an address and follows redirects.
func (b *Browser) Get(tb testing.TB, address string) *Page {
	tb.Helper()
	return b.do(tb, http.MethodGet, address, nil)
}

// Post sends a form, as our own page would.
func (b *Browser) Post(tb testing.TB, address string, form url.Values) *Page {
	tb.Helper()
	return b.do(tb, http.MethodPost, address, form)
}

func (b *Browser) do(tb testing.TB, method, address string, form url.Values) *Page {
	tb.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.idp.Issuer + address
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, address, body)
	if err != nil {
		tb.Fatal(err)
	}
	maps.Copy(req.Header, b.Header)
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if req.Header.Get("Sec-Fetch-Site") == "" {
			req.Header.Set("Sec-Fetch-Site", "same-origin")
		}
	}
	res, err := b.Client.Do(req)
	if err != nil {
		tb.Fatal(err)
	}
	defer res.Body.Close()
	return b.page(tb, res)
}

func (b *Browser) page(tb testing.TB, res *http.Response) *Page {
	tb.Helper()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(raw)))
	if err != nil {
		tb.Fatal(err)
	}
	return &Page{Document: doc, Status: res.StatusCode, Header: res.Header, URL: res.Request.URL, Body: string(raw), browser: b}
}

// Submit fills the page's first form with a method of post and presses its first button.
func (p *Page) Submit(tb testing.TB, fields url.Values) *Page {
	tb.Helper()
	form := p.Find("main form").First()
	if form.Length() == 0 {
		tb.Fatalf("no form on %s (%d): %s", p.URL, p.Status, p.Title())
	}
	values := url.Values{}
	form.Find("input").Each(func(_ int, in *goquery.Selection) {
		name, kind := in.AttrOr("name", ""), in.AttrOr("type", "text")
		if _, checked := in.Attr("checked"); name != "" && (checked || (kind != "checkbox" && kind != "radio")) {
			values.Set(name, in.AttrOr("value", ""))
		}
	})
	if button := form.Find("button").First(); button.AttrOr("name", "") != "" {
		values.Set(button.AttrOr("name", ""), button.AttrOr("value", ""))
	}
	maps.Copy(values, fields)
	to, err := p.URL.Parse(form.AttrOr("action", ""))
	if err != nil {
		tb.Fatal(err)
	}
	if strings.EqualFold(form.AttrOr("method", "get"), "get") {
		if len(values) > 0 {
			to.RawQuery = values.Encode()
		}
		return p.browser.Get(tb, to.String())
	}
	return p.browser.Post(tb, to.String(), values)
}

// Title is the page's title.
func (p *Page) Title() string { return strings.TrimSpace(p.Find("title").Text()) }

// H1 is the page's heading.
func (p *Page) H1() string { return strings.TrimSpace(p.Find("h1").Text()) }

// Alert is the text of the error on the page.
func (p *Page) Alert() string {
	return strings.Join(strings.Fields(p.Find("[role=alert]").Text()), " ")
}

// Login fills in the sign-in page.
func (p *Page) Login(tb testing.TB, name, password string) *Page {
	tb.Helper()
	return p.Submit(tb, url.Values{"username": {name}, "password": {password}})
}

// Code fills in a page that asks for a code.
func (p *Page) Code(tb testing.TB, code string) *Page {
	tb.Helper()
	return p.Submit(tb, url.Values{"code": {code}})
}

// Remember fills in a code and ticks the box.
func (p *Page) Remember(tb testing.TB, code string) *Page {
	tb.Helper()
	return p.Submit(tb, url.Values{"code": {code}, "remember": {"1"}})
}

// Cookie returns the value of a cookie at the provider.
func (b *Browser) Cookie(prefix string) string {
	u, _ := url.Parse(b.idp.Issuer)
	for _, c := range b.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Value
		}
	}
	return ""
}

// CookieName returns the whole name of a cookie.
func (b *Browser) CookieName(prefix string) string {
	u, _ := url.Parse(b.idp.Issuer)
	for _, c := range b.Jar.Cookies(u) {
		if strings.HasPrefix(c.Name, prefix) {
			return c.Name
		}
	}
	return ""
}

// SetCookie plants a cookie at the provider.
func (b *Browser) SetCookie(name, value string) {
	u, _ := url.Parse(b.idp.Issuer)
	b.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}})
}
