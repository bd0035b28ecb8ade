// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// forms returns the plural forms of every message of a language; a plain one has the form "other" alone.
func forms(t *testing.T, lang string) map[string]map[string]string {
	t.Helper()
	names, err := messagesOf(lang)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[string]string{}
	for _, name := range names {
		addForms(t, name, all)
	}
	return all
}

func addForms(t *testing.T, name string, all map[string]map[string]string) {
	t.Helper()
	raw, err := messageFiles.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for id, m := range file {
		if all[id] != nil {
			t.Errorf("message %s stands in two files, the second is %s", id, name)
		}
		all[id] = map[string]string{}
		switch m := m.(type) {
		case string:
			all[id]["other"] = m
		case map[string]any:
			for form, s := range m {
				all[id][form], _ = s.(string)
			}
		}
	}
}

// called returns the messages that templates and code use, and which of them are used as markup.
func called(t *testing.T) (ids map[string]bool, markup map[string]bool) {
	t.Helper()
	ids, markup = map[string]bool{"date": true, "datetime": true, "overview.daymonth": true}, map[string]bool{}
	// The choice of a factor names its kinds.
	for _, kind := range []string{"totp", "passkey"} {
		ids["method."+kind] = true
	}
	for i := range 12 {
		ids["month."+strconv.Itoa(i+1)], ids["month.short."+strconv.Itoa(i+1)] = true, true
	}
	for _, id := range slices.Concat(mailIDs(), journalIDs()) {
		ids[id] = true
	}
	entries, err := htmlFiles.ReadDir("html")
	if err != nil {
		t.Fatal(err)
	}
	call := regexp.MustCompile(`\b(t|th|n|wait|about) "([^"]+)"`)
	for _, e := range entries {
		body, err := htmlFiles.ReadFile("html/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range call.FindAllStringSubmatch(string(body), -1) {
			names := []string{m[2]}
			switch m[1] {
			case "wait":
				names = []string{m[2] + ".seconds", m[2] + ".minutes", m[2] + ".hours"}
			case "about":
				names = []string{m[2] + ".seconds", m[2] + ".minutes"}
			}
			for _, name := range names {
				ids[name] = true
				markup[name] = markup[name] || m[1] == "th" || m[1] == "wait"
			}
		}
	}
	return ids, markup
}

func TestMessagesAreUsed(t *testing.T) {
	ids, _ := called(t)
	for _, lang := range languages() {
		have := forms(t, lang)
		for id := range have {
			if !ids[id] {
				t.Errorf("message %s in %s is used by nothing", id, lang)
			}
		}
		for id := range ids {
			if have[id] == nil {
				t.Errorf("message %s is not there in %s", id, lang)
			}
		}
	}
}

// TestMessagesMatch: the languages have the same messages, with the same words put in and the same markup.
func TestMessagesMatch(t *testing.T) {
	en, nl := forms(t, "en"), forms(t, "nl")
	if diff := cmp.Diff(slices.Sorted(maps.Keys(en)), slices.Sorted(maps.Keys(nl))); diff != "" {
		t.Fatalf("keys (-en +nl):\n%s", diff)
	}
	part := regexp.MustCompile(`{{\.\w+}}|</?\w+[^>]*>`)
	for id := range en {
		if diff := cmp.Diff(slices.Sorted(maps.Keys(en[id])), slices.Sorted(maps.Keys(nl[id]))); diff != "" {
			t.Errorf("plurals of %s (-en +nl):\n%s", id, diff)
		}
		for form := range en[id] {
			a, b := part.FindAllString(en[id][form], -1), part.FindAllString(nl[id][form], -1)
			slices.Sort(a)
			slices.Sort(b)
			if diff := cmp.Diff(a, b); diff != "" {
				t.Errorf("parts of %s %s (-en +nl):\n%s", id, form, diff)
			}
		}
	}
}

// TestMessageMarkup: markup stands only where it is meant, and is of the few kinds that are needed. A name put in
// is always in the content of an element: markup escapes for nothing else.
func TestMessageMarkup(t *testing.T) {
	_, markup := called(t)
	tag := regexp.MustCompile(`<[^>]*>`)
	allowed := regexp.MustCompile(`^</?(strong|b|code)>$|^<span class="(vh|nowrap)">$|^</span>$|^<b class="key">$|^<a href="#code">$|^</a>$`)
	for _, lang := range languages() {
		for id, m := range forms(t, lang) {
			s := strings.Join(slices.Collect(maps.Values(m)), " ")
			tags := tag.FindAllString(s, -1)
			if len(tags) > 0 && !markup[id] || strings.Contains(tag.ReplaceAllString(s, ""), "<") {
				t.Errorf("%s in %s has markup but is said as plain words", id, lang)
			}
			for _, x := range tags {
				if !allowed.MatchString(x) {
					t.Errorf("%s in %s: %s", id, lang, x)
				}
			}
		}
	}
}

// TestTone: words that pages/README.md rules out.
func TestTone(t *testing.T) {
	out := map[string]*regexp.Regexp{
		"en": regexp.MustCompile(`(?i)!|\b(please|oops|simply|invalid|failed|sorry|tenant|idp|login)\b`),
		"nl": regexp.MustCompile(`(?i)!|\b(oeps|helaas|ongeldig|mislukt|je|jij|jou|jouw|sorry)\b`),
	}
	for lang, re := range out {
		for id, m := range forms(t, lang) {
			for _, s := range m {
				if w := re.FindString(s); w != "" {
					t.Errorf("%s in %s says %q: %s", id, lang, w, s)
				}
			}
		}
	}
}

func TestWait(t *testing.T) {
	bundle, err := loadMessages()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		wait   time.Duration
		en, nl string
	}{
		{0, "1 second,", "1 seconde "},
		{-time.Second, "1 second,", "1 seconde "},
		{time.Millisecond, "1 second,", "1 seconde "},
		{time.Second, "1 second,", "1 seconde "},
		{1100 * time.Millisecond, "2 seconds,", "2 seconden "},
		{59 * time.Second, "59 seconds,", "59 seconden "},
		{59*time.Second + 1, "1 minute,", "1 minuut "},
		{time.Minute, "1 minute,", "1 minuut "},
		{61 * time.Second, "2 minutes,", "2 minuten "},
		{59 * time.Minute, "59 minutes,", "59 minuten "},
		{time.Hour, "1 hour,", "1 uur "},
		{61 * time.Minute, "2 hours,", "2 uur "},
	}
	for _, tt := range tests {
		for lang, want := range map[string]string{"en": tt.en, "nl": tt.nl} {
			got, err := newCatalogue(bundle, lang).wait("login.wait", tt.wait)
			if err != nil || !strings.Contains(string(got), " "+want) {
				t.Errorf("wait(%v) in %s = %q, %v, want %q in it", tt.wait, lang, got, err, want)
			}
		}
	}
}

func TestMissingWord(t *testing.T) {
	bundle, err := loadMessages()
	if err != nil {
		t.Fatal(err)
	}
	c := newCatalogue(bundle, "nl")
	if got, err := c.text("button.back"); err == nil {
		t.Errorf("a sentence without its word = %q, want an error", got)
	}
	if got, err := c.text("button.back", "Client"); err == nil {
		t.Errorf("a sentence with half a word = %q, want an error", got)
	}
	if got, err := c.text("no.such.message"); err == nil {
		t.Errorf("a message that is not there = %q, want an error", got)
	}
}

func TestMatchLanguage(t *testing.T) {
	s := mustParse(t)
	tests := []struct {
		prefs []string
		want  string
	}{
		{nil, "en"},
		{[]string{"nl"}, "nl"},
		{[]string{"nl-BE"}, "nl"},
		{[]string{"en-GB"}, "en"},
		{[]string{"fr", "nl"}, "nl"},
		{[]string{"nl,en;q=0.8"}, "nl"},
		{[]string{"nl;q=0.3,en;q=0.8"}, "en"},
		{[]string{"de-DE,de;q=0.9"}, "en"},
		{[]string{"en", "nl"}, "en"},
		{[]string{"nl", "en-US,en;q=0.9"}, "nl"},
		{[]string{"???", "nl"}, "nl"},
		{[]string{"", "*", "nl"}, "nl"},
		{[]string{strings.Repeat("en-", 400), "nl"}, "nl"},
		{[]string{strings.Repeat("nl,", 2000)}, "en"},
	}
	for _, tt := range tests {
		if got := s.MatchLanguage(tt.prefs...); got != tt.want {
			t.Errorf("MatchLanguage(%.60q) = %q, want %q", tt.prefs, got, tt.want)
		}
	}
	_, body := render(t, s, Login{Frame: Frame{Lang: "xx"}})
	if !strings.Contains(body, `<html lang="en">`) {
		t.Error("a language that is not ours is not English")
	}
}

func FuzzMatchLanguage(f *testing.F) {
	s, err := Parse()
	if err != nil {
		f.Fatal(err)
	}
	f.Add("nl-NL,nl;q=0.9", "en")
	f.Fuzz(func(t *testing.T, a, b string) {
		if got := s.MatchLanguage(a, b); !slices.Contains(s.Languages(), got) {
			t.Errorf("MatchLanguage(%q, %q) = %q", a, b, got)
		}
	})
}
