// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// mailIDs are the messages that mails use: those of every kind, and those of all.
func mailIDs() []string {
	ids := []string{"mail.when", "mail.help", "mail.help.none", "mail.nolink.client", "mail.nolink.any"}
	for _, h := range []string{"you", "notyou", "do", "unexpected"} {
		ids = append(ids, "mail.head."+h)
	}
	for _, f := range []string{"account", "person", "company", "when", "authenticator", "left", "skips", "browser", "place"} {
		ids = append(ids, "mail.fact."+f)
	}
	for kind, shape := range mailShapes() {
		for _, part := range []string{"subject", "what", "do", "not"} {
			ids = append(ids, "mail."+kind+"."+part)
		}
		if shape.link != "" {
			ids = append(ids, "mail."+kind+".link")
		}
	}
	return ids
}

const mailAddress = "https://id.example.com/link/abc"

func fullMail(kind, lang string) MailPage {
	return MailPage{
		Kind: kind, Lang: lang, Account: "a.example@example.com", Name: "A. Example", Company: "Example Legal Aid", Client: "Example Cases",
		HelpEmail: "help@example.com", HelpPhone: "020 7946 0000", At: time.Date(2026, time.November, 22, 9, 41, 7, 0, time.UTC),
		Browser: "Firefox on Windows", Place: "Utrecht", Authenticator: "Phone", Left: 2, Skips: 3, From: someday(), Link: mailAddress,
	}
}

// anyLink is what a mail program makes a link of.
var anyLink = regexp.MustCompile(`(?i)https?://|www\.\w|href=`)

// TestMails: every kind in both languages says what, when, where, what to do and how to reach help, and holds a link
// where it is meant and nowhere else.
func TestMails(t *testing.T) {
	s := mustParse(t)
	subjects := map[string]string{}
	for kind, shape := range mailShapes() {
		for _, lang := range s.Languages() {
			subject, text, html, err := s.Mail(fullMail(kind, lang))
			if err != nil {
				t.Fatal(err)
			}
			if other := subjects[subject]; other != "" || subject == "" || len(subject) > 200 {
				t.Errorf("subject of %s in %s = %q, as that of %q", kind, lang, subject, other)
			}
			subjects[subject] = kind
			t.Run(kind+"/"+lang, func(t *testing.T) {
				checkMailFacts(t, lang, text, html)
				checkMailLinks(t, shape, text, html)
				checkMailLines(t, text)
				checkMarkup(t, html)
			})
		}
	}
}

func mailWords(t *testing.T, html string) (*goquery.Document, string) {
	t.Helper()
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	return doc, wordsOf(doc.Find("main"))
}

func checkMailFacts(t *testing.T, lang, text, html string) {
	t.Helper()
	_, seen := mailWords(t, html)
	when := map[string]string{"en": "22 November 2026 at 09:41 (UTC)", "nl": "22 november 2026 om 09:41 (UTC)"}[lang]
	for form, body := range map[string]string{"text": strings.Join(strings.Fields(text), " "), "html": seen} {
		for _, want := range []string{when, "a.example@example.com", "Example Legal Aid", "Firefox on Windows", "Utrecht", "help@example.com", "020 7946 0000"} {
			if !strings.Contains(body, want) {
				t.Errorf("%s lacks %q: %s", form, want, body)
			}
		}
	}
}

func checkMailLinks(t *testing.T, shape mailShape, text, html string) {
	t.Helper()
	doc, _ := mailWords(t, html)
	if shape.link == "" {
		if anyLink.MatchString(text + html) {
			t.Errorf("there is a link: %s", text)
		}
		return
	}
	if strings.Count(text, mailAddress) != 1 || doc.Find("a").Length() != 1 || doc.Find("a").AttrOr("href", "") != mailAddress {
		t.Errorf("the link is not there once: %s", text)
	}
}

func checkMailLines(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if len([]rune(line)) > mailWidth+1 || strings.Contains(line, "{{") || strings.Contains(line, "<no value>") || strings.HasSuffix(line, " \n") {
			t.Errorf("line %q", line)
		}
	}
}

// TestMailWithoutMuch: what is empty is left out, and the message is still one.
func TestMailWithoutMuch(t *testing.T) {
	s := mustParse(t)
	_, text, html, err := s.Mail(MailPage{Kind: "password.changed", Lang: "xx", Account: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"Browser", "Place", "When", "Company:", "Help desk:", "January"} {
		if strings.Contains(text, bad) || strings.Contains(html, bad) {
			t.Errorf("an empty message says %q: %s", bad, text)
		}
	}
	if !strings.Contains(text, "Ask the help desk of your company") || !strings.Contains(html, `<html lang="en">`) {
		t.Errorf("text = %s", text)
	}
	for _, m := range []MailPage{
		{Kind: "no.such"},
		{},
		{Kind: "password.reset"},
		{Kind: "setup.link", Link: "javascript:alert(1)"},
		{Kind: "setup.link", Link: "https://id.example.com/x y"},
		{Kind: "setup.link", Link: "https://id.example.com/x\r\nBcc: a"},
		{Kind: "factor.required"},
	} {
		if _, text, _, err := s.Mail(m); err == nil {
			t.Errorf("Mail(%+v) = %q, want an error", m, text)
		}
	}
	if _, text, _, err = s.Mail(MailPage{Kind: "factor.added"}); err != nil || !strings.Contains(text, "no link on purpose") {
		t.Errorf("a kind that may have a link, without one: %v %s", err, text)
	}
}

// TestHostileMail: no name becomes markup, a line, a header or a link.
func TestHostileMail(t *testing.T) {
	s := mustParse(t)
	hostile := append(corpus(), "http://evil.example/x", "www.evil.example", "evil.example", "x\n\nOpen https://evil.example now")
	calm := fullMail("device.remembered", "en")
	_, text, html, err := s.Mail(calm)
	if err != nil {
		t.Fatal(err)
	}
	lines, bare := strings.Count(text, "\n\n"), regexp.MustCompile(`(?i)\bevil\.example`)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		t.Fatal(err)
	}
	allowed := shape{}
	allowed.survey(doc.Nodes[0])
	for _, payload := range hostile {
		m := calm
		m.Name, m.Client, m.Browser, m.Place, m.Authenticator = payload, payload, payload, payload, payload
		subject, text, html, err := s.Mail(m)
		if err != nil {
			t.Fatal(err)
		}
		if subject != "A device is now remembered for your account" || strings.Count(text, "\n\n") != lines {
			t.Errorf("%.40q: subject %q, %d paragraphs, want %d", payload, subject, strings.Count(text, "\n\n"), lines)
		}
		if bare.MatchString(text) || bare.MatchString(html) || anyLink.MatchString(text) {
			t.Errorf("%.40q makes a link: %s", payload, text)
		}
		doc, err := goquery.NewDocumentFromReader(strings.NewReader(html))
		if err != nil {
			t.Fatal(err)
		}
		have := shape{}
		have.survey(doc.Nodes[0])
		for what, n := range have {
			if n > allowed[what] {
				t.Errorf("%.40q: %d times %q, want at most %d", payload, n, what, allowed[what])
			}
		}
	}
}
