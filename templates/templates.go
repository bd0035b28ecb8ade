// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package templates is the HTML boundary: pages as typed structs, their templates, stylesheet, script and the
// messages of each language. Nothing else in Lychgate writes HTML.
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

//go:embed html/*.html
var htmlFiles embed.FS

// Set is every page in every language, ready to render. It is safe for concurrent use.
type Set struct {
	pages   map[string]map[string]*parsed
	mails   map[string]mailForm
	assets  map[string]asset
	matcher language.Matcher
}

// Parse reads the embedded templates, messages and files. It renders each page of the sign-in once, so that whatever is
// wrong with one is found at the start and not by a person. Pages of the console and the demo, which most nodes never show,
// take their memory when they are first shown.
func Parse() (*Set, error) {
	assets, err := loadAssets()
	if err != nil {
		return nil, err
	}
	s := &Set{pages: map[string]map[string]*parsed{}, mails: map[string]mailForm{}, assets: assets, matcher: newMatcher()}
	bundle, err := loadMessages()
	if err != nil {
		return nil, err
	}
	for _, lang := range s.Languages() {
		pages, err := parsePages(funcs(s, newCatalogue(bundle, lang)))
		if err != nil {
			return nil, fmt.Errorf("templates in %s: %w", lang, err)
		}
		s.pages[lang] = pages
		if s.mails[lang], err = newMailForm(newCatalogue(bundle, lang)); err != nil {
			return nil, fmt.Errorf("mails in %s: %w", lang, err)
		}
	}
	return s, nil
}

// Render renders p in the language of its frame, or in English if that is not one of ours. Nothing is returned of
// a page that fails half way.
func (s *Set) Render(p Page) ([]byte, error) {
	pages, ok := s.pages[p.frame().Lang]
	if !ok {
		pages = s.pages[fallback]
	}
	page, ok := pages[p.Template()]
	if !ok {
		return nil, fmt.Errorf("no template %q", p.Template())
	}
	t, err := page.ready()
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", p.Template(), err)
	}
	var buf bytes.Buffer
	if err := t.ExecuteTemplate(&buf, "frame", p); err != nil {
		return nil, fmt.Errorf("render %s: %w", p.Template(), err)
	}
	return buf.Bytes(), nil
}

// known returns one page of every kind, with just what it needs to render.
func known() []Page {
	totp := map[string]string{"uri": otpauthPrefix, "key": "", "service": "", "account": "", "qr_path": "", "qr_size": "0"}
	return []Page{
		Login{},
		Factor{Prompt: "totp-code"},
		Factor{Prompt: "passkey", Values: map[string]string{"options": "{}"}},
		Factor{Prompt: "recovery-code", Values: map[string]string{"left": "1"}},
		RecoveryUsed{},
		Choice{Kinds: []string{"totp"}},
		Setup{Prompt: "totp-setup", Values: totp},
		Setup{Prompt: "passkey-setup", Values: map[string]string{"options": "{}"}},
		SetupDone{Codes: []string{""}},
		Ticket{},
		Consent{},
		Forgot{},
		ForgotSent{},
		NewPassword{},
		Invited{},
		PasswordSet{},
		SetupLink{},
		SetupOn{},
		NotMe{},
		NotMeDone{},
		SignOut{},
		SignedOut{},
		Problem{},
		FormPost{},
		DemoHome{},
		DemoCasePage{},
		DemoMail{},
		Account{},
		AccountRename{},
		AccountRemove{Kind: "totp"},
		AccountRecovery{},
		AccountPassword{},
		ConsoleClients{},
		ConsoleClient{Old: &ConsoleSecret{}},
		ConsoleClientForm{},
		ConsoleConfirm{},
		ConsoleTry{},
		ConsoleChoose{},
		ConsolePolicy{Preview: &ConsolePreview{}},
		ConsoleAudit{},
		ConsoleKeys{},
		ConsoleRotate{},
		ConsoleOverview{},
		ConsolePeople{},
		ConsolePerson{Pending: &ConsolePending{}},
		ConsolePersonAct{Pending: &ConsolePending{}},
		ConsolePersonForm{},
		ConsoleInvitations{},
		ConsoleInvite{},
		ConsoleInviteFile{},
		ConsoleCompanies{},
		ConsoleCompany{},
		ConsoleCompanyForm{},
		ConsoleCompanyRemove{},
		ConsoleDomain{},
		ConsoleDomainRemove{},
		ConsoleScopes{},
		ConsoleScopeForm{},
		ConsoleScopeRemove{},
		ConsoleRoleForm{},
		ConsoleRoleRemove{},
	}
}

// shared are the files that pages are built from: the frame and what several pages have in common.
func shared(name string) []string {
	if strings.HasPrefix(name, "demo-") {
		return []string{"html/demo-layout.html"}
	}
	if strings.HasPrefix(name, "console-") {
		return []string{"html/frame.html", "html/console-layout.html", "html/console-parts.html", "html/console-declared.html", "html/scope-words.html"}
	}
	if name == "account" {
		return []string{"html/frame.html", "html/account-layout.html", "html/scope-words.html"}
	}
	all := []string{
		"html/frame.html", "html/layout.html", "html/who.html", "html/back.html", "html/codes.html", "html/locked.html", "html/setup.html",
	}
	if name == "consent" {
		all = append(all, "html/scope-words.html")
	}
	return all
}

// parsed is a page that is parsed when it is first needed.
type parsed struct {
	ready func() (*template.Template, error)
}

// rare says whether a page is one that most nodes never show.
func rare(name string) bool {
	return strings.HasPrefix(name, "console-") || strings.HasPrefix(name, "demo-")
}

func parsePages(fm template.FuncMap) (map[string]*parsed, error) {
	pages := map[string]*parsed{}
	for _, p := range known() {
		page := &parsed{sync.OnceValues(func() (*template.Template, error) {
			t, err := parsePage(fm, p.Template())
			if err != nil {
				return nil, err
			}
			// The first run is the one that works out how each value is escaped.
			return t, t.ExecuteTemplate(io.Discard, "frame", p)
		})}
		if !rare(p.Template()) {
			if _, err := page.ready(); err != nil {
				return nil, err
			}
		}
		pages[p.Template()] = page
	}
	return pages, nil
}

func parsePage(fm template.FuncMap, name string) (*template.Template, error) {
	files := slices.Concat(shared(name), []string{path.Join("html", name+".html")})
	return template.New(name).Funcs(fm).ParseFS(htmlFiles, files...)
}
