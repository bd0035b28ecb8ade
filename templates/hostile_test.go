// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// corpus is what people put into names, hints and states to see what happens (security.md FZ-08).
func corpus() []string {
	return []string{
		`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`,
		`" autofocus onfocus="alert(1)`, `' onmouseover='alert(1)`, `javascript:alert(1)`, `JaVaScRiPt:alert(1)`,
		"java\tscript:alert(1)", "\x01javascript:alert(1)", `data:text/html,<script>alert(1)</script>`,
		`vbscript:msgbox(1)`, `//evil.example/`, `/\evil.example`, `</title><script>alert(1)</script>`,
		`</textarea><svg onload=alert(1)>`, `<svg/onload=alert(1)>`, `<!--`, `-->`, `]]>`, `<![CDATA[`, `&lt;script&gt;`,
		`&#60;script&#62;`, `{{.Frame}}`, `{{t "lang"}}`, `${7*7}`, "%3Cscript%3E", "\u2028\u2029", "\xff\xfe<b>", "+ADw-script+AD4-",
		"\u202Egnp.exe", "<b>bold</b>", "</p></main></body></html>", "\r\nSet-Cookie: a=b", "` onclick=alert(1)",
		strings.Repeat("W", 10_000), strings.Repeat("👩‍👩‍👧 ", 500), strings.Repeat("<", 3_000),
	}
}

// shape counts the elements of a page and the names of their attributes.
func shape(doc *goquery.Document) map[string]int {
	m := map[string]int{}
	doc.Find("*").Each(func(_ int, el *goquery.Selection) {
		n := el.Nodes[0]
		m[n.Data]++
		for _, a := range n.Attr {
			m[n.Data+" "+a.Key]++
		}
	})
	return m
}

// TestHostile puts each of the corpus into every string of every page at once: no element and no attribute comes
// of it, and nothing that a browser would run or load.
func TestHostile(t *testing.T) {
	s := mustParse(t)
	for _, v := range variants(fullFrame()) {
		calm, _ := render(t, s, filled(v.page, "https://calm.example/"))
		allowed := shape(calm)
		for i, payload := range corpus() {
			// The two languages take turns: what differs between them is our own words.
			for _, lang := range s.Languages()[i%2 : i%2+1] {
				doc, body := render(t, s, in(filled(v.page, payload), lang))
				for what, n := range shape(doc) {
					if n > allowed[what] {
						t.Errorf("%s in %s with %.40q: %d times %q, want at most %d", v.name, lang, payload, n, what, allowed[what])
					}
				}
				checkNothingInline(t, doc)
				checkHostileAddresses(t, doc)
				if strings.Contains(payload, "<script") && strings.Contains(body, "<script>") {
					t.Errorf("%s in %s: a script as it was typed", v.name, lang)
				}
			}
		}
	}
}

func checkHostileAddresses(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("[href], [src], [action]").Each(func(_ int, el *goquery.Selection) {
		for _, attr := range []string{"href", "src", "action"} {
			v := strings.ToLower(strings.TrimSpace(el.AttrOr(attr, "")))
			for _, scheme := range []string{"javascript:", "data:", "vbscript:"} {
				if strings.HasPrefix(strings.TrimLeft(v, "\x00\x01\t\r\n "), scheme) {
					t.Errorf("%s %s = %q", el.Nodes[0].Data, attr, v)
				}
			}
		}
	})
}

// TestNamesAreShown: what is escaped is still read as it was written.
func TestNamesAreShown(t *testing.T) {
	s := mustParse(t)
	const name = `O'Brien & <Sons>`
	f := fullFrame()
	f.Client, f.Company = name, name
	done, _ := render(t, s, SetupDone{Frame: f, Next: "/", Account: name})
	for _, sel := range []string{"main .lead b"} {
		if got := done.Find(sel).Text(); got != name {
			t.Errorf("%s = %q, want %q", sel, got, name)
		}
	}
	if got, want := wordsOf(done.Find("footer p")), "Need help? Ask the "+name+" help desk."; got != want {
		t.Errorf("help = %q, want %q", got, want)
	}
	if got, want := done.Find("title").Text(), "Set-up complete - "+name; got != want {
		t.Errorf("title = %q, want %q", got, want)
	}
}

// TestOtpauth: nothing but an address of an authenticator app, built of escaped parts, gets past html/template.
func TestOtpauth(t *testing.T) {
	s := mustParse(t)
	for _, uri := range []string{
		"", "javascript:alert(1)", "otpauth://hotp/a", "OTPAUTH://totp/a", `otpauth://totp/a"onclick=x`, "otpauth://totp/a b",
		"otpauth://totp/<b>", "otpauth://totp/a\n", " otpauth://totp/a", "otpauth://totp/é", "otpauth://totp/a'",
	} {
		if got, err := otpauth(uri); err == nil {
			t.Errorf("otpauth(%q) = %q, want an error", uri, got)
		}
		values := totpValues()
		values["uri"] = uri
		if _, err := s.Render(Setup{Prompt: "totp-setup", Values: values}); err == nil {
			t.Errorf("Render with uri %q = nil, want an error", uri)
		}
	}
	if got, err := otpauth(totpValues()["uri"]); err != nil || string(got) != totpValues()["uri"] {
		t.Errorf("otpauth = %q, %v", got, err)
	}
}

func TestLink(t *testing.T) {
	for address, ok := range map[string]bool{
		"https://cases.example.com/": true, "http://localhost:8080/a?b=c": true, "/flow/x": true, "": false,
		"javascript:alert(1)": false, "com.example.app:/cb": false, "//evil.example/": false, "cases": false,
		"mailto:a@example.com": false, "https:///path": false, "https:opaque": false, "/\xff": false, "::": false,
	} {
		if got := link(address) != ""; got != ok {
			t.Errorf("link(%q) kept = %v, want %v", address, got, ok)
		}
	}
}

func TestUnknownPage(t *testing.T) {
	s := mustParse(t)
	if body, err := s.Render(Factor{Prompt: "../login"}); err == nil {
		t.Errorf("Render of an unknown template = %d bytes, want an error", len(body))
	}
	if body, err := s.Render(Setup{Prompt: "totp-setup"}); err == nil || body != nil {
		t.Errorf("Render of a set-up without values = %d bytes, %v, want an error", len(body), err)
	}
}
