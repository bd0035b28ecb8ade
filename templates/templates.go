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
	"path"
	"regexp"
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

// Parse reads the embedded messages and files. A page is parsed, and takes its memory, when it is first shown: a node
// shows a few of them. That all can be is what the tests of this package prove.
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
		s.pages[lang] = parsePages(funcs(s, newCatalogue(bundle, lang)))
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

// layout is the file of the frame that a page stands in.
func layout(name string) string {
	switch {
	case strings.HasPrefix(name, "demo-"):
		return "html/demo-layout.html"
	case strings.HasPrefix(name, "console-"):
		return "html/console-layout.html"
	case name == "account":
		return "html/account-layout.html"
	default:
		return "html/layout.html"
	}
}

// parts are the files of what several pages have in common, by the names that they define.
func parts() (map[string]string, error) {
	define, out := regexp.MustCompile(`{{-?\s*define "([^"]+)"`), map[string]string{}
	for _, name := range []string{
		"frame", "who", "back", "codes", "locked", "setup", "scope-words", "console-parts", "console-declared",
	} {
		file := "html/" + name + ".html"
		text, err := htmlFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range define.FindAllSubmatch(text, -1) {
			out[string(m[1])] = file
		}
	}
	return out, nil
}

// files are those that a page is made of: its own, its layout, and what these name. A page that is not asked for what
// others have in common takes no memory for it.
func files(name string) ([]string, error) {
	of, err := parts()
	if err != nil {
		return nil, err
	}
	named, list := regexp.MustCompile(`{{-?\s*template "([^"]+)"`), []string{layout(name)}
	for i := -1; i < len(list); i++ {
		file := "html/" + name + ".html"
		if i >= 0 {
			file = list[i]
		}
		text, err := htmlFiles.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for _, m := range named.FindAllSubmatch(text, -1) {
			if part := of[string(m[1])]; part != "" && !slices.Contains(list, part) {
				list = append(list, part)
			}
		}
	}
	// The page comes last: what it defines itself counts.
	return append(list, path.Join("html", name+".html")), nil
}

// parsed is a page that is parsed when it is first needed.
type parsed struct {
	ready func() (*template.Template, error)
}

func parsePages(fm template.FuncMap) map[string]*parsed {
	pages := map[string]*parsed{}
	for _, p := range known() {
		pages[p.Template()] = &parsed{sync.OnceValues(func() (*template.Template, error) { return parsePage(fm, p.Template()) })}
	}
	return pages
}

func parsePage(fm template.FuncMap, name string) (*template.Template, error) {
	list, err := files(name)
	if err != nil {
		return nil, err
	}
	return template.New(name).Funcs(fm).ParseFS(htmlFiles, list...)
}
