// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/lychgate/lychgate/pkg/authn"
)

// The index of people is a family of sorted sets, each in a slot of its own, whose names are keyed hashes: who reads
// the store learns no name from them. It is a superset: an entry is written before what it stands for, may outlive it,
// and is held against the account whenever it is read. The account is the truth.

// The kinds of sets. kindWord holds who has a sign-in name, or a word in the name, that begins so.
const (
	kindAll     = "all"
	kindWithout = "without"
	kindWord    = "word"
)

const (
	// shortPrefix and longPrefix are how many characters of a word stand in the index.
	shortPrefix = 3
	longPrefix  = 6
	// maxWords bounds the words of a name.
	maxWords = 6
)

// peopleKey is the set of a kind and a text.
func (s *Store) peopleKey(kind, text string) string {
	return s.key.people(s.index.HashTag("people", kind, text))
}

// entry is an account in a set: by company, the newest first.
func entry(company string, created int64, id string) string {
	return fmt.Sprintf("%s/%08x/%s", company, uint32(max(0, 1<<32-1-created)), id) //nolint:gosec // seconds until 2106
}

// entryOf is that of a record.
func entryOf(r authn.Record) string { return entry(r.Company, r.Profile.Created, r.ID) }

// entryParts takes an entry apart.
func entryParts(e string) (company, id string, ok bool) {
	company, rest, ok1 := strings.Cut(e, "/")
	_, id, ok2 := strings.Cut(rest, "/")
	return company, id, ok1 && ok2
}

// folded is a text as it is compared.
func folded(text string) string { return strings.ToLower(strings.TrimSpace(text)) }

// words are those of a person that can be searched for: the sign-in name, and each word of the name.
func words(r authn.Record) []string {
	name, _ := r.Profile.Claims["name"].(string)
	parts := strings.FieldsFunc(folded(name), func(c rune) bool { return unicode.IsSpace(c) || c == '-' || c == '\'' })
	return append([]string{folded(r.Name)}, parts[:min(len(parts), maxWords)]...)
}

// begins says whether one of the person's words begins with text.
func begins(r authn.Record, text string) bool {
	for _, w := range words(r) {
		if strings.HasPrefix(w, text) && (len([]rune(text)) >= shortPrefix || w == text) {
			return true
		}
	}
	return false
}

// prefixes are what stands for a word in the index.
func prefixes(word string) []string {
	r := []rune(word)
	switch {
	case len(r) == 0:
		return nil
	case len(r) <= shortPrefix:
		return []string{word}
	case len(r) < longPrefix:
		return []string{string(r[:shortPrefix])}
	default:
		return []string{string(r[:shortPrefix]), string(r[:longPrefix])}
	}
}

// prefixOf is the longest of the prefixes that everybody who is looked for has.
func prefixOf(text string) string {
	list := prefixes(text)
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// wordKeys are the sets of a person's words.
func (s *Store) wordKeys(r authn.Record) map[string]bool {
	keys := map[string]bool{}
	for _, w := range words(r) {
		for _, p := range prefixes(w) {
			keys[s.peopleKey(kindWord, p)] = true
		}
	}
	return keys
}

// enter writes the account into its sets. To repeat it is harmless.
func (s *Store) enter(ctx context.Context, r authn.Record) error {
	e := entryOf(r)
	cmds := []cmd{{"zadd", s.peopleKey(kindAll, ""), 0, e}}
	if r.Factor != authn.FactorOn {
		cmds = append(cmds, cmd{"zadd", s.peopleKey(kindWithout, ""), 0, e})
	}
	for key := range s.wordKeys(r) {
		cmds = append(cmds, cmd{"zadd", key, 0, e})
	}
	if _, err := s.do(ctx, cmds...); err != nil {
		return fmt.Errorf("write index of people: %w", err)
	}
	return nil
}

// withoutFactor writes an account whose factor has gone among those that have none.
func (s *Store) withoutFactor(ctx context.Context, r authn.Record) error {
	if _, err := s.do(ctx, cmd{"zadd", s.peopleKey(kindWithout, ""), 0, entryOf(r)}); err != nil {
		return fmt.Errorf("write index of people: %w", err)
	}
	return nil
}

// withFactor takes an account that has set a factor up out of those that have none. If it fails, the next listing does.
func (s *Store) withFactor(ctx context.Context, a authn.Account) {
	if a.Created.IsZero() {
		return
	}
	_, _ = s.do(ctx, cmd{"zrem", s.peopleKey(kindWithout, ""), entry(a.Company, a.Created.Unix(), a.ID)})
}

// leave takes entries out of sets; what fails is done by a later listing.
func (s *Store) leave(ctx context.Context, keys map[string]bool, entries ...string) {
	if len(keys) == 0 || len(entries) == 0 {
		return
	}
	var cmds []cmd
	for key := range keys {
		c := cmd{"zrem", key}
		for _, e := range entries {
			c = append(c, e)
		}
		cmds = append(cmds, c)
	}
	_, _ = s.do(context.WithoutCancel(ctx), cmds...)
}
