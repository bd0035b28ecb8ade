// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "golang.org/x/text/language"

// fallback is the language of whoever reads none of ours.
const fallback = "en"

// maxPreference bounds what is parsed of a language preference, which anybody can send.
const maxPreference = 1000

// Languages returns the languages that pages can be rendered in; the first is the one of last resort.
func (s *Set) Languages() []string { return languages() }

func languages() []string { return []string{fallback, "nl"} }

func newMatcher() language.Matcher {
	tags := make([]language.Tag, 0, len(languages()))
	for _, l := range languages() {
		tags = append(tags, language.MustParse(l))
	}
	return language.NewMatcher(tags)
}

// MatchLanguage returns the language that fits prefs best, the most wanted first. A preference is a BCP 47 tag
// (one of ui_locales, OIDC Core §3.1.2.1) or the value of an Accept-Language header; what cannot be read is left
// out.
func (s *Set) MatchLanguage(prefs ...string) string {
	var wanted []language.Tag
	for _, p := range prefs {
		if len(p) > maxPreference {
			continue
		}
		tags, _, err := language.ParseAcceptLanguage(p)
		if err != nil {
			continue
		}
		wanted = append(wanted, tags...)
	}
	_, i, _ := s.matcher.Match(wanted...)
	return languages()[i]
}
