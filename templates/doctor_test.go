// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"testing"
	"time"
)

// refusedSetup is the set-up page after a wrong code.
func refusedSetup(cause string, behind time.Duration, detail string) Setup {
	return Setup{
		Frame: fullFrame(), Action: "/flow/x/enrol", Prompt: "totp-setup", Values: totpValues(),
		Problem: "rejected", Cause: cause, Behind: behind, Detail: detail,
	}
}

// TestDoctorWords: journeys J6. The page names the cause in a heading and the remedy below it.
func TestDoctorWords(t *testing.T) {
	s := mustParse(t)
	tests := []struct {
		page                   Setup
		en, nl, remedy, middel string
	}{
		{
			refusedSetup("clock", 94*time.Second, ""), "Your phone’s clock is about 94 seconds slow",
			"De klok van uw telefoon loopt ongeveer 94 seconden achter", "arrive too late", "te laat",
		},
		{
			refusedSetup("clock", -94*time.Second, ""), "Your phone’s clock is about 94 seconds fast",
			"De klok van uw telefoon loopt ongeveer 94 seconden voor", "arrive too early", "te vroeg",
		},
		{
			refusedSetup("clock", 314*time.Second, ""), "Your phone’s clock is about 5 minutes slow",
			"De klok van uw telefoon loopt ongeveer 5 minuten achter", "Set Automatically", "Stel automatisch in",
		},
		{
			refusedSetup("clock", -600*time.Second, ""), "Your phone’s clock is about 10 minutes fast",
			"De klok van uw telefoon loopt ongeveer 10 minuten voor", "do not need to scan again", "hoeft niet opnieuw te scannen",
		},
		{
			refusedSetup("algorithm", 0, "SHA-256"), "Your app makes its codes with SHA-256", "Uw app maakt de codes met SHA-256",
			"SHA-1, of 6 digits, a new one every 30 seconds", "SHA-1, van 6 cijfers, elke 30 seconden",
		},
		{refusedSetup("digits", 0, "8"), "Your app makes codes of 8 digits", "Uw app maakt codes van 8 cijfers", "another app", "een andere app"},
		{
			refusedSetup("period", 0, "60"), "Your app makes a new code every 60 seconds", "Uw app maakt elke 60 seconden een nieuwe code",
			"set these three", "stel deze drie in",
		},
		{
			refusedSetup("key", 0, ""), "The key in your app differs from ours by a letter or two",
			"De sleutel in uw app wijkt een of twee letters af van de onze", "no 0, 1, 8 or 9", "geen 0, 1, 8 of 9",
		},
		{
			refusedSetup("removed", 0, "Old <phone>"), "That is the code of an entry that was removed",
			"Dit is de code van een regel die verwijderd is", "The entry Old <phone> was removed", "De regel Old <phone> is",
		},
		{
			refusedSetup("removed", 0, ""), "That is the code of an entry that was removed",
			"Dit is de code van een regel die verwijderd is", "no longer work for your account", "werken niet meer voor uw account",
		},
		{
			refusedSetup("other", 0, "Tablet"), "That is the code of another entry", "Dit is de code van een andere regel",
			"belongs to Tablet", "hoort bij Tablet",
		},
		{
			refusedSetup("other", 0, ""), "That is the code of another entry", "Dit is de code van een andere regel",
			"an authenticator that your account has", "een authenticator die uw account al heeft",
		},
		{refusedSetup("unknown", 0, ""), "", "", "That code did not work.", "Deze code werkte niet."},
		{refusedSetup("", 0, ""), "", "", "the clock of your phone may be wrong", "loopt de klok van uw telefoon misschien niet gelijk"},
	}
	for _, tt := range tests {
		for lang, want := range map[string][3]string{"en": {tt.en, tt.remedy, "Error: "}, "nl": {tt.nl, tt.middel, "Fout: "}} {
			doc, _ := render(t, s, in(tt.page, lang))
			if got := wordsOf(doc.Find("#error h2")); got != want[0] {
				t.Errorf("%s in %s: heading %q, want %q", tt.page.Cause, lang, got, want[0])
			}
			if got := wordsOf(doc.Find("#error")); !strings.Contains(got, want[1]) {
				t.Errorf("%s in %s: %q, want %q in it", tt.page.Cause, lang, got, want[1])
			}
			if got := doc.Find("title").Text(); !strings.HasPrefix(got, want[2]) {
				t.Errorf("%s in %s: title %q", tt.page.Cause, lang, got)
			}
			field := doc.Find(".field.has-error")
			if wordsOf(field.Find("#code-error")) == "" || !strings.Contains(field.Find("#code").AttrOr("aria-describedby", ""), "code-error") {
				t.Errorf("%s in %s: the field has no words about its error", tt.page.Cause, lang)
			}
			if doc.Find("#error a[href='#code']").Length() != 1 {
				t.Errorf("%s in %s: no way on to the field", tt.page.Cause, lang)
			}
		}
	}
}

// TestAbout: seconds while they can be told, then the nearest minutes, whatever the sign.
func TestAbout(t *testing.T) {
	bundle, err := loadMessages()
	if err != nil {
		t.Fatal(err)
	}
	for d, want := range map[time.Duration]string{
		45 * time.Second: "45 seconds", -45 * time.Second: "45 seconds", time.Second: "1 second ", 119 * time.Second: "119 seconds",
		2 * time.Minute: "2 minutes", 149 * time.Second: "2 minutes", 150 * time.Second: "3 minutes", -600 * time.Second: "10 minutes",
	} {
		got, err := newCatalogue(bundle, "en").about("doctor.slow", d)
		if err != nil || !strings.Contains(got, " "+want) {
			t.Errorf("about(%v) = %q, %v, want %q in it", d, got, err, want)
		}
	}
}
