// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

func checkFrame(t *testing.T, doc *goquery.Document, lang string) {
	t.Helper()
	if got := doc.Find("html").AttrOr("lang", ""); got != lang {
		t.Errorf("lang = %q, want %q", got, lang)
	}
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1, want 1", n)
	}
	if strings.TrimSpace(doc.Find("h1").Text()) == "" {
		t.Error("h1 is empty")
	}
	title := doc.Find("title").Text()
	if strings.HasPrefix(title, " ") || !regexp.MustCompile(`^\S.* - \S`).MatchString(title) || strings.Contains(title, "\n") {
		t.Errorf("title = %q, want the step, a dash and a name", title)
	}
	if doc.Find("main#main").Length() != 1 || doc.Find("a.skip[href='#main']").Length() != 1 {
		t.Error("no skip link to the main content")
	}
	if got := strings.TrimSpace(doc.Find("footer .flow > p, footer .app > p").Text()); got == "" {
		t.Error("no help at the foot")
	}
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, el *goquery.Selection) {
		id := el.AttrOr("id", "")
		if seen[id] {
			t.Errorf("id %q is there twice", id)
		}
		seen[id] = true
	})
	for _, attr := range []string{"aria-describedby", "aria-labelledby", "for", "data-copy", "data-reveal"} {
		doc.Find("[" + attr + "]").Each(func(_ int, el *goquery.Selection) {
			for id := range strings.FieldsSeq(el.AttrOr(attr, "")) {
				if !seen[id] {
					t.Errorf("%s names %q, which is not there", attr, id)
				}
			}
		})
	}
	if n := doc.Find("[autofocus]").Length(); n > 1 {
		t.Errorf("%d elements want the focus", n)
	}
}

// checkNothingInline: the content security policy allows neither inline script nor inline style (SE-10), and no frame but
// those that sign a person out of apps, which are not seen and have a name.
func checkNothingInline(t *testing.T, doc *goquery.Document) {
	t.Helper()
	if n := doc.Find("style, [style], iframe:not([hidden][title][src]), object, embed, base, meta[http-equiv]").Length(); n != 0 {
		t.Errorf("%d elements with style of their own or another document in them", n)
	}
	doc.Find("script").Each(func(_ int, el *goquery.Selection) {
		if el.Text() != "" || !strings.HasPrefix(el.AttrOr("src", ""), "/static/") {
			t.Errorf("inline or foreign script: src %q", el.AttrOr("src", ""))
		}
	})
	doc.Find("*").Each(func(_ int, el *goquery.Selection) {
		for _, a := range el.Nodes[0].Attr {
			if strings.HasPrefix(strings.ToLower(a.Key), "on") {
				t.Errorf("inline handler %s on %s", a.Key, el.Nodes[0].Data)
			}
		}
	})
}

// checkAddresses: what a browser loads by itself comes from here; what a person follows has a scheme we know.
func checkAddresses(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("link[href], [src]:not(iframe), image, use").Each(func(_ int, el *goquery.Selection) {
		for _, attr := range []string{"href", "src"} {
			if v, ok := el.Attr(attr); ok && !strings.HasPrefix(v, "/static/") {
				t.Errorf("%s loads %q", el.Nodes[0].Data, v)
			}
		}
	})
	schemes := []string{"https://", "http://", "mailto:", "tel:", "otpauth://totp/", "/", "#"}
	doc.Find("a[href], form[action]").Each(func(_ int, el *goquery.Selection) {
		v := el.AttrOr("href", el.AttrOr("action", ""))
		ok := v == "" || slices.ContainsFunc(schemes, func(p string) bool { return strings.HasPrefix(v, p) })
		if !ok || strings.Contains(v, "ZgotmplZ") {
			t.Errorf("%s leads to %q", el.Nodes[0].Data, v)
		}
	})
}

func checkForms(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("input:not([type=hidden]):not([aria-hidden=true])").Each(func(_ int, el *goquery.Selection) {
		id := el.AttrOr("id", "")
		if strings.TrimSpace(doc.Find("label[for='"+id+"']").Text()) == "" {
			t.Errorf("input %q has no label", id)
		}
		if kind := el.AttrOr("type", ""); kind != "checkbox" && kind != "radio" && el.AttrOr("autocomplete", "") == "" {
			t.Errorf("input %q has no autocomplete token", id)
		}
		for _, attr := range []string{"placeholder", "maxlength", "pattern"} {
			if _, ok := el.Attr(attr); ok {
				t.Errorf("input %q has %s", id, attr)
			}
		}
	})
	doc.Find("input[type=password]").Each(func(_ int, el *goquery.Selection) {
		if v, ok := el.Attr("value"); ok {
			t.Errorf("a password comes back: %q", v)
		}
	})
	doc.Find("form").Each(func(_ int, form *goquery.Selection) {
		if m := form.AttrOr("method", ""); m != "post" && m != "get" {
			t.Errorf("form with method %q", m)
		}
		if form.Find("button:not([type=button])").Length() == 0 {
			t.Error("form without a submit button")
		}
	})
	if n := doc.Find("main .primary").Length(); n > 1 {
		t.Errorf("%d primary buttons, want 1 at most", n)
	}
	doc.Find("button, a").Each(func(_ int, el *goquery.Selection) {
		if strings.TrimSpace(el.Text()) == "" {
			t.Error("a button or link without words")
		}
	})
}

func checkAlert(t *testing.T, doc *goquery.Document, p Page) {
	t.Helper()
	refused := false
	switch p := p.(type) {
	case Login:
		refused = p.Problem != ""
	case Factor:
		refused = p.Problem != ""
	case Setup:
		refused = p.Problem != ""
	case Ticket:
		refused = p.Problem != ""
	case Forgot:
		refused = p.Problem != ""
	case NewPassword:
		refused = p.Problem != ""
	case Invited:
		refused = p.Problem != ""
	case AccountRename:
		refused = p.Problem != ""
	case AccountPassword:
		refused = p.Problem != ""
	case ConsoleClientForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsolePersonForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleInvite:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleInviteFile:
		refused = p.Problem != ""
	case ConsoleCompany:
		refused = len(p.Problems) > 0
	case ConsoleDomain:
		refused = p.Problem != ""
	case ConsoleScopeForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleRoleForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleCompanyForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleTry:
		refused = p.Problem != ""
	case ConsoleAudit:
		refused = len(p.Problems) > 0
	case ConsolePolicy:
		refused = p.Problem != "" || len(p.Problems) > 0
	case DemoHome:
		refused = p.Error != ""
	case DemoCasePage:
		refused = p.Refused
	}
	alert := doc.Find("[role=alert]")
	if want := map[bool]int{true: 1}[refused]; alert.Length() != want {
		t.Fatalf("%d alerts, want %d", alert.Length(), want)
	}
	title := doc.Find("title").Text()
	if got := strings.HasPrefix(title, "Error: ") || strings.HasPrefix(title, "Fout: "); got != refused {
		t.Errorf("title = %q of a page with %d alerts", title, alert.Length())
	}
	if !refused {
		return
	}
	if !alert.Is("#error[tabindex='-1'][autofocus]") || len(strings.Fields(alert.Text())) < 5 {
		t.Errorf("alert does not take the focus or does not say what to do: %q", alert.Text())
	}
}

// checkMarkup finds tags that are not closed, which a browser would mend in its own way, and words left out.
func checkMarkup(t *testing.T, body string) {
	t.Helper()
	for _, bad := range []string{"<no value>", "ZgotmplZ", "{{", "%!"} {
		if strings.Contains(body, bad) {
			t.Errorf("page holds %q", bad)
		}
	}
	void := []string{"meta", "link", "input", "img", "br", "hr"}
	var open []string
	for _, m := range regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*?)(/?)>`).FindAllStringSubmatch(body, -1) {
		switch {
		case m[4] == "/" || slices.Contains(void, m[2]):
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Fatalf("</%s> closes %v", m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) != 0 {
		t.Errorf("never closed: %v", open)
	}
}
