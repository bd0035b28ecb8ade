// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
)

//go:embed mail/mail.html mail/mail.txt
var mailFiles embed.FS

// MailPage is a message to a person. What is empty is left out.
type MailPage struct {
	// Kind is one of pkg/notify.
	Kind string
	// Lang is "en" or "nl"; anything else is English.
	Lang string
	// Account is the sign-in name, Name the person's, which is shown to admins alone.
	Account, Name, Company, Client string
	HelpEmail, HelpPhone           string
	At                             time.Time
	Browser, Place, Authenticator  string
	Left, Skips                    int
	// From is the day of "factor.required", and the last of "invitation".
	From time.Time
	// Link is shown by "password.reset", "setup.link" and "invitation", which need it, and by "factor.reset" and "factor.added". It is
	// an address of http or https; all other kinds leave it out.
	Link string
}

// mailShape is how a kind differs from the others, beside its words.
type mailShape struct {
	// act: somebody did something, so the message asks whether it was the person.
	act bool
	// link says where the link stands: under "do", under "not", or nowhere; needs says that there is no message without.
	link  string
	needs bool
}

func mailShapes() map[string]mailShape {
	act := mailShape{act: true}
	return map[string]mailShape{
		"factor.required": {}, "setup.reminder": {}, "recovery.low": {}, "factor.locked": {}, "factor.budget": {}, "factor.reset.admin": {},
		"factor.reset.asked": {}, "factor.reset.asked.admin": {}, "account.disabled": {}, "account.enabled": {}, "account.deleted": {},
		"factor.added": {act: true, link: "not"}, "factor.removed": act, "device.remembered": act, "device.copied": act,
		"recovery.used": act, "recovery.made": act, "password.changed": act, "codes.wrong": act,
		"factor.reset":   {link: "do"},
		"password.reset": {act: true, link: "do", needs: true},
		"setup.link":     {act: true, link: "do", needs: true},
		"invitation":     {link: "do", needs: true},
	}
}

// mailForm is both templates of a language with its words.
type mailForm struct {
	words catalogue
	html  *template.Template
	text  *texttemplate.Template
}

// What the templates are filled with.
type (
	mailSheet struct {
		Lang, Subject, What, NoLink, Company, Help string
		Facts                                      []mailFact
		Parts                                      []mailPart
	}
	mailFact struct{ Label, Value string }
	mailPart struct {
		Head, Text string
		Link       *mailLink
	}
	mailLink struct{ Text, Address string }
)

var (
	errMailKind = errors.New("no such message")
	errMailLink = errors.New("message without the link that it is about")
	errMailDay  = errors.New("message without the day that it is about")
)

func newMailForm(c catalogue) (mailForm, error) {
	f := mailForm{words: c}
	var err error
	if f.html, err = template.ParseFS(mailFiles, "mail/mail.html"); err != nil {
		return f, err
	}
	f.text, err = texttemplate.New("mail.txt").Funcs(texttemplate.FuncMap{"wrap": wrap}).ParseFS(mailFiles, "mail/mail.txt")
	return f, err
}

// Mail writes a message in the language of m, or in English if that is not one of ours.
func (s *Set) Mail(m MailPage) (subject, text, html string, err error) { //nolint:revive // one message in its three parts
	f, ok := s.mails[m.Lang]
	if !ok {
		m.Lang, f = fallback, s.mails[fallback]
	}
	sheet, err := f.sheet(m)
	if err != nil {
		return "", "", "", fmt.Errorf("mail %s: %w", m.Kind, err)
	}
	var plain, marked bytes.Buffer
	if err := f.text.Execute(&plain, sheet); err != nil {
		return "", "", "", fmt.Errorf("mail %s: %w", m.Kind, err)
	}
	if err := f.html.Execute(&marked, sheet); err != nil {
		return "", "", "", fmt.Errorf("mail %s: %w", m.Kind, err)
	}
	return sheet.Subject, plain.String(), marked.String(), nil
}

func (f mailForm) sheet(m MailPage) (mailSheet, error) {
	shape, ok := mailShapes()[m.Kind]
	if !ok {
		return mailSheet{}, errMailKind
	}
	if m.From.IsZero() && (m.Kind == "factor.required" || m.Kind == "invitation") {
		return mailSheet{}, errMailDay
	}
	day, err := f.words.date(m.From)
	if err != nil {
		return mailSheet{}, err
	}
	p := phrases{c: f.words, kv: []string{"Date", day, "Client", unlinked(m.Client), "Company", unlinked(m.Company), "Ways", ways(m)}}
	sheet := mailSheet{
		Lang: m.Lang, Subject: p.say("mail." + m.Kind + ".subject"), What: p.say("mail." + m.Kind + ".what"), Company: oneLine(m.Company),
		Help: p.say("mail.help"), Facts: p.facts(m),
	}
	heads := []string{"mail.head.do", "mail.head.unexpected"}
	if shape.act {
		heads = []string{"mail.head.you", "mail.head.notyou"}
	}
	linked := false
	for i, part := range []string{"do", "not"} {
		x := mailPart{Head: p.say(heads[i]), Text: p.say("mail." + m.Kind + "." + part)}
		if shape.link == part && webAddress(m.Link) {
			x.Link, linked = &mailLink{p.say("mail." + m.Kind + ".link"), m.Link}, true
		}
		sheet.Parts = append(sheet.Parts, x)
	}
	if shape.needs && !linked {
		return mailSheet{}, errMailLink
	}
	switch {
	case linked:
	case m.Client != "":
		sheet.NoLink = p.say("mail.nolink.client")
	default:
		sheet.NoLink = p.say("mail.nolink.any")
	}
	if ways(m) == "" {
		sheet.Help = p.say("mail.help.none")
	}
	return sheet, p.err
}

// facts are what happened, in lines: on what, when, from where.
func (p *phrases) facts(m MailPage) []mailFact {
	var out []mailFact
	add := func(id, value string) {
		if value != "" {
			out = append(out, mailFact{p.say("mail.fact." + id), value})
		}
	}
	add("account", oneLine(m.Account))
	if strings.HasSuffix(m.Kind, ".admin") {
		add("person", unlinked(m.Name))
	}
	add("company", oneLine(m.Company))
	if !m.At.IsZero() {
		add("when", p.moment(m.At))
	}
	add("authenticator", unlinked(m.Authenticator))
	if m.Kind == "recovery.used" || m.Kind == "recovery.low" {
		add("left", strconv.Itoa(m.Left))
	}
	if m.Skips > 0 && (m.Kind == "factor.required" || m.Kind == "setup.reminder") {
		add("skips", strconv.Itoa(m.Skips))
	}
	add("browser", unlinked(m.Browser))
	add("place", unlinked(m.Place))
	return out
}

// phrases says sentences and keeps the first error.
type phrases struct {
	c   catalogue
	kv  []string
	err error
}

func (p *phrases) say(id string, kv ...string) string {
	s, err := p.c.text(id, slices.Concat(p.kv, kv)...)
	if p.err == nil {
		p.err = err
	}
	return s
}

// moment is day and time with the zone.
func (p *phrases) moment(t time.Time) string {
	day, err := p.c.date(t)
	if p.err == nil {
		p.err = err
	}
	return p.say("mail.when", "Date", day, "Time", t.Format("15:04"), "Zone", t.Format("MST"))
}

// ways are how to reach help.
func ways(m MailPage) string {
	list := slices.DeleteFunc([]string{oneLine(m.HelpPhone), oneLine(m.HelpEmail)}, func(s string) bool { return s == "" })
	return strings.Join(list, ", ")
}

// webAddress says whether a link may stand in a mail: http or https, in one piece.
func webAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && oneLine(s) != "" && !strings.ContainsAny(s, " \t\r\n<>\"")
}
