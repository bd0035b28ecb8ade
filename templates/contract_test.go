// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"testing"

	"github.com/jba/templatecheck"
)

// TestTypes checks each template against the struct it is executed with.
func TestTypes(t *testing.T) {
	s := mustParse(t)
	bundle, err := loadMessages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range known() {
		tmpl, err := parsePage(funcs(s, newCatalogue(bundle, "en")), p.Template())
		if err != nil {
			t.Fatal(err)
		}
		if err := templatecheck.CheckHTMLStrict(tmpl.Lookup("frame"), p); err != nil {
			t.Errorf("template %s against %T: %v", p.Template(), p, err)
		}
	}
}

// TestEveryPage holds every page to the rules of journeys.md, in both languages and with any name missing.
func TestEveryPage(t *testing.T) {
	s := mustParse(t)
	for which, f := range frames() {
		for _, v := range variants(f) {
			inConsole := strings.HasPrefix(v.page.Template(), "console-")
			if which != "full" && inConsole && v.name != v.page.Template() {
				continue // one page of each kind shows what stands around it
			}
			for _, lang := range s.Languages() {
				t.Run(v.name+"/"+which+"/"+lang, func(t *testing.T) {
					t.Parallel()
					doc, body := render(t, s, in(v.page, lang))
					if strings.HasPrefix(v.page.Template(), "demo-") {
						lang = "en"
					}
					checkFrame(t, doc, lang)
					checkNothingInline(t, doc)
					checkAddresses(t, doc)
					checkForms(t, doc)
					checkAlert(t, doc, v.page)
					checkMarkup(t, body)
				})
			}
		}
	}
}
