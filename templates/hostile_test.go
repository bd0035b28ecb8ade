// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// leading is what is hostile where an address begins, inside what is hostile wherever it stands.
func leading() []string {
	return []string{
		`javascript:alert(1)`, `JaVaScRiPt:alert(1)`, "java\tscript:alert(1)", "\x01javascript:alert(1)",
		`data:text/html,<script>alert(1)</script>`, `vbscript:msgbox(1)`, `//evil.example/`, `/\evil.example`,
	}
}

// inside is what people put into names, hints and states to see what happens (security.md FZ-08).
func inside() []string {
	return []string{
		`<script>alert(1)</script>`, `"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`,
		`" autofocus onfocus="alert(1)`, `' onmouseover='alert(1)`, `</title><script>alert(1)</script>`,
		`</textarea><svg onload=alert(1)>`, `<svg/onload=alert(1)>`, `<!--`, `-->`, `]]>`, `<![CDATA[`, `&lt;script&gt;`,
		`&#60;script&#62;`, `{{.Frame}}`, `{{t "lang"}}`, `${7*7}`, "%3Cscript%3E", "\u2028\u2029", "\xff\xfe<b>", "+ADw-script+AD4-",
		"\u202Egnp.exe", "<b>bold</b>", "</p></main></body></html>", "\r\nSet-Cookie: a=b", "` onclick=alert(1)",
	}
}

// long is what a buffer could cut in two.
func long() []string {
	return []string{strings.Repeat("W", 5_000), strings.Repeat("👩‍👩‍👧 ", 250), strings.Repeat("<", 3_000)}
}

func corpus() []string { return slices.Concat(leading(), inside(), long()) }

// shape counts the elements of a page and the names of their attributes.
type shape map[string]int

// survey goes through a page once: it counts, and names what a browser would run or load from elsewhere.
func (m shape) survey(n *html.Node) (bad []string) {
	if n.Type == html.ElementNode {
		m[n.Data]++
		for _, a := range n.Attr {
			m[n.Data+" "+a.Key]++
			if !harmless(n.Data, a) {
				bad = append(bad, n.Data+" "+a.Key+" = "+a.Val)
			}
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		bad = append(bad, m.survey(c)...)
	}
	return bad
}

// harmless says whether an attribute leads to no code.
func harmless(element string, a html.Attribute) bool {
	v := strings.TrimLeft(strings.ToLower(strings.TrimSpace(a.Val)), "\x00\x01\t\r\n ")
	switch a.Key {
	case "src", "href", "action":
	default:
		return true
	}
	if element == "script" || element == "link" {
		return strings.HasPrefix(v, "/static/")
	}
	return !slices.ContainsFunc([]string{"javascript:", "data:", "vbscript:"}, func(scheme string) bool { return strings.HasPrefix(v, scheme) })
}

// surveyed renders a page and surveys it.
func surveyed(t *testing.T, s *Set, p Page) (have shape, bad []string, body string) {
	t.Helper()
	b, err := s.Render(p)
	if err != nil {
		t.Fatalf("Render(%s) = %v", p.Template(), err)
	}
	doc, err := html.Parse(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	have = shape{}
	return have, have.survey(doc), string(b)
}

// TestHostile puts what is hostile into every string of every page at once: no element and no attribute comes of it, and
// nothing that a browser would run or load. A page that a template has shown before, with another problem, gets what
// stands inside all in one.
func TestHostile(t *testing.T) {
	s := mustParse(t)
	each, atOnce := corpus(), append(leading(), strings.Join(inside(), " "))
	shown := map[string]bool{}
	for _, v := range variants(fullFrame()) {
		payloads := each
		if shown[v.page.Template()] {
			payloads = atOnce
		}
		shown[v.page.Template()] = true
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			calm := filled(v.page, "https://calm.example/")
			doc, _ := render(t, s, calm)
			checkNothingInline(t, doc)
			allowed, _, _ := surveyed(t, s, calm)
			for i, payload := range payloads {
				// The two languages take turns: what differs between them is our own words.
				langs := s.Languages()
				unharmed(t, s, in(filled(v.page, payload), langs[i%len(langs)]), payload, allowed)
			}
		})
	}
}

// unharmed: the page has no more than is allowed, whatever stands in it.
func unharmed(t *testing.T, s *Set, p Page, payload string, allowed shape) {
	t.Helper()
	have, bad, body := surveyed(t, s, p)
	for what, n := range have {
		if n > allowed[what] {
			t.Errorf("in %s with %.40q: %d times %q, want at most %d", p.frame().Lang, payload, n, what, allowed[what])
		}
	}
	if len(bad) > 0 {
		t.Errorf("in %s with %.40q: %q", p.frame().Lang, payload, bad)
	}
	if strings.Contains(payload, "<script") && strings.Contains(body, "<script>") {
		t.Errorf("in %s: a script as it was typed", p.frame().Lang)
	}
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
