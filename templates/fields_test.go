// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"regexp"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func buttons(doc *goquery.Document) []string {
	var names []string
	doc.Find("main form button:not([type=button])").Each(func(_ int, el *goquery.Selection) {
		names = append(names, wordsOf(el))
	})
	return names
}

// TestButtons: the names that password managers, readers and test drivers look for.
func TestButtons(t *testing.T) {
	s := mustParse(t)
	tests := []struct {
		page   Page
		en, nl []string
	}{
		{Login{}, []string{"Sign in"}, []string{"Inloggen"}},
		{Factor{Prompt: "totp-code"}, []string{"Continue"}, []string{"Doorgaan"}},
		{Setup{Prompt: "totp-setup", Values: totpValues()}, []string{"Continue", "Cancel"}, []string{"Doorgaan", "Annuleren"}},
		{Factor{Prompt: "passkey", Values: passkeyValues()}, []string{"Continue"}, []string{"Doorgaan"}},
		{
			Setup{Prompt: "passkey-setup", Values: passkeyValues(), SkipsLeft: 1},
			[]string{"Continue", "Not now", "Cancel"},
			[]string{"Doorgaan", "Niet nu", "Annuleren"},
		},
		{Choice{Kinds: []string{"totp", "passkey"}}, []string{"Continue"}, []string{"Doorgaan"}},
		{
			Choice{Kinds: []string{"totp", "passkey"}, Setup: true, SkipsLeft: 1},
			[]string{"Continue", "Not now", "Cancel"},
			[]string{"Doorgaan", "Niet nu", "Annuleren"},
		},
		{SetupDone{Next: "/flow/x"}, []string{"Continue"}, []string{"Doorgaan"}},
		{Ticket{}, []string{"Continue", "Cancel"}, []string{"Doorgaan", "Annuleren"}},
		{Consent{}, []string{"Allow", "Deny"}, []string{"Toestaan", "Weigeren"}},
		{SignOut{}, []string{"Sign out", "Cancel"}, []string{"Uitloggen", "Annuleren"}},
		{FormPost{}, []string{"Continue"}, []string{"Doorgaan"}},
	}
	for _, tt := range tests {
		for lang, want := range map[string][]string{"en": tt.en, "nl": tt.nl} {
			doc, _ := render(t, s, in(tt.page, lang))
			if diff := cmp.Diff(want, buttons(doc)); diff != "" {
				t.Errorf("buttons of %s in %s (-want +got):\n%s", tt.page.Template(), lang, diff)
			}
		}
	}
}

// TestFields: the tokens that browsers fill fields by.
func TestFields(t *testing.T) {
	s := mustParse(t)
	login, _ := render(t, s, Login{Frame: fullFrame(), Action: "/flow/x/login"})
	code, _ := render(t, s, Factor{Frame: fullFrame(), Prompt: "totp-code", RememberDays: 30, RememberUntil: someday()})
	plain, _ := render(t, s, Factor{Frame: fullFrame(), Prompt: "totp-code"})
	setup, _ := render(t, s, Setup{Frame: fullFrame(), Prompt: "totp-setup", Values: totpValues()})
	tests := []struct {
		doc      *goquery.Document
		selector string
		want     int
	}{
		{login, "form[method=post][action='/flow/x/login']", 1},
		{login, "input[name=username][autocomplete=username][required][autofocus]", 1},
		{login, "input[name=password][type=password][autocomplete=current-password][required]", 1},
		{login, "a[href*=forgot], a[href*=account]", 0},
		{code, "input[name=code][inputmode=numeric][autocomplete=one-time-code][required][autofocus]", 1},
		{code, "label[for=remember] input[type=checkbox][name=remember]:not([checked])", 1},
		{plain, "input[name=remember]", 0},
		{code, "a[lang=nl][hreflang=nl][href='/flow/x?ui_locales=nl']", 1},
		{code, "a[href='tel:+442079460000']", 1},
		{code, "a[href='mailto:help@example.com']", 1},
		{setup, ".qr svg[role=img][aria-label] path", 2},
		{setup, "a[href^='otpauth://totp/']", 1},
		{setup, "details #totp-key", 1},
		{setup, "details #totp-service", 1},
		{setup, "details #totp-account", 1},
		{setup, "button[type=button][data-copy]", 3},
		{setup, "ol.stepper > li", 3},
		{setup, "input[name=code][inputmode=numeric][autocomplete=one-time-code]", 1},
		{setup, "button[name=action][value=cancel][formnovalidate]", 1},
	}
	for _, tt := range tests {
		if got := tt.doc.Find(tt.selector).Length(); got != tt.want {
			t.Errorf("%q matches %d times, want %d", tt.selector, got, tt.want)
		}
	}
	if got := setup.Find("#totp-key").Text(); !regexp.MustCompile(`^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$`).MatchString(got) {
		t.Errorf("key = %q, want groups of four", got)
	}
	if got, want := setup.Find(".qr svg").AttrOr("viewBox", ""), "0 0 61 61"; got != want {
		t.Errorf("viewBox = %q, want %q", got, want)
	}
	if got, want := setup.Find("a[href^='otpauth://']").AttrOr("href", ""), totpValues()["uri"]; got != want {
		t.Errorf("otpauth link = %q, want %q", got, want)
	}
}

// TestPasskeyOptions: what a script reads off the page is what was put in, and no other page loads that script.
func TestPasskeyOptions(t *testing.T) {
	s := mustParse(t)
	want := passkeyValues()["options"]
	for _, v := range variants(fullFrame()) {
		doc, _ := render(t, s, v.page)
		form := doc.Find("form[data-passkey]")
		scripts := doc.Find("script[src='" + s.StaticPath("passkey.js") + "']").Length()
		switch prompt := v.page.Template(); {
		case prompt != "passkey" && prompt != "passkey-setup":
			if form.Length() != 0 || scripts != 0 {
				t.Errorf("%s loads the script of passkeys", v.name)
			}
		case scripts != 1:
			t.Errorf("%s loads the script %d times, want once", v.name, scripts)
		case v.name != "passkey-none" && form.AttrOr("data-options", "") != want:
			t.Errorf("%s: options = %q, want %q", v.name, form.AttrOr("data-options", ""), want)
		case v.name == "passkey-none" && form.Length() != 0:
			t.Errorf("%s asks for a key that is not there", v.name)
		}
		if form.Length() == 1 && !strings.Contains(doc.Find("noscript").Text(), "JavaScript") {
			t.Errorf("%s says nothing without a script", v.name)
		}
	}
}

// TestOtherWay: the set-up of a kind leads back to the choice where there is one, whatever the kind.
func TestOtherWay(t *testing.T) {
	s := mustParse(t)
	for _, p := range []Setup{{Prompt: "totp-setup", Values: totpValues()}, {Prompt: "passkey-setup", Values: passkeyValues()}} {
		if doc, _ := render(t, s, p); doc.Find("main a[href='/flow/x/enrol']").Length() != 0 {
			t.Errorf("%s: leads to a choice of one", p.Prompt)
		}
		p.Choice = "/flow/x/enrol"
		doc, _ := render(t, s, p)
		if got := wordsOf(doc.Find("main a[href='/flow/x/enrol']")); got != "Choose another way" {
			t.Errorf("%s: the link back to the choice = %q", p.Prompt, got)
		}
	}
}
