// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
)

func auditVariants(f Frame, companies [][2]string) []variant {
	c := consoleFrame(f)
	c.Section = "audit"
	page := ConsoleAudit{
		Console: c, Events: []string{"client.changed", "login.rejected"}, CSV: "/admin/audit/export?format=csv", JSON: "/admin/audit/export?format=jsonl",
		First: "/admin/audit", Next: "/admin/audit?after=1-1",
		Rows: []ConsoleEvent{
			{
				At: someday(), Event: "client.changed", Who: ConsoleParty{"a1", "a.example@example.com", "/admin/people/a1"}, Whom: ConsoleParty{"a2", "a2", ""},
				Client: "example-cases", Company: "example", Source: "192.0.2.17", RequestID: "r", Detail: [][2]string{{"by", "account"}},
			},
			{At: someday(), Event: "login.rejected", Result: "wait", Browser: "Firefox"},
		},
	}
	it, none, notFound, short, wrong := page, page, page, page, page
	it.IT, it.Companies, it.Of, it.Later, it.In.Event = true, companies, "other", true, "login.rejected"
	none.Rows, none.Next = nil, ""
	notFound.Rows, notFound.Next, notFound.In.Account = nil, "", "x"
	short.Rows, short.Short, short.Back = nil, true, someday()
	wrong.Problems = []ConsoleProblem{{Field: "from", Kind: "day"}, {Field: "until", Kind: "order"}}
	return []variant{
		{"console-audit", page},
		{"console-audit/it", it},
		{"console-audit/none", none},
		{"console-audit/notfound", notFound},
		{"console-audit/short", short},
		{"console-audit/wrong", wrong},
	}
}

// journalIDs are the messages that say in words what stands in the journal: every event, and the results and details that
// are words of ours.
func journalIDs() []string {
	results := []string{
		"rejected", audit.ReasonUsed, "slip", "wait", "budget", "locked", audit.ReasonStill, "set-up", "ticket", "no ticket", "asked",
		"throttled", "not kept",
	}
	details := []string{
		"acr", "act", "after", "alg", "authenticator", "before", "by", "cause", "count", "detail", "devices", "domain", "error", "fields",
		"grant_type", "invitation", "kind", "lead", "message", "method", "of", "parameter", "people", "record", "role", "route", "scope",
		"searched", "secret", "told", "tries", "urgency", "what",
	}
	var ids []string
	for prefix, names := range map[string][]string{"event.": audit.Names(), "result.": results, "detail.": details} {
		for _, name := range names {
			ids = append(ids, prefix+name)
		}
	}
	return ids
}

// TestEventsInWords: every event has words of its own in both languages, by which the events to choose from are sorted.
// One that is not known is called by its name.
func TestEventsInWords(t *testing.T) {
	s := mustParse(t)
	for _, lang := range s.Languages() {
		doc, _ := render(t, s, in(ConsoleAudit{Console: consoleFrame(fullFrame()), Events: append(audit.Names(), "of.another.version")}, lang))
		var said []string
		for _, option := range doc.Find("#event option").EachIter() {
			name, words := option.AttrOr("value", ""), option.Text()
			if unknown := name == "of.another.version"; name != "" && (words == name) != unknown {
				t.Errorf("%s in %s is called %q", name, lang, words)
			}
			said = append(said, words)
		}
		said = said[1:] // all events
		if len(said) != len(audit.Names())+1 || !slices.IsSorted(said) || len(slices.Compact(slices.Clone(said))) != len(said) {
			t.Errorf("events in %s are not sorted, or two have the same words: %q", lang, said)
		}
	}
	doc, _ := render(t, s, ConsoleAudit{Console: consoleFrame(fullFrame()), Rows: []ConsoleEvent{
		{Event: audit.FactorRejected, Result: audit.ReasonUsed, Detail: [][2]string{{"by", "account"}}},
		{Event: audit.ClientRejected, Result: "assertion: used before"},
	}})
	text := wordsOf(doc.Find("tbody"))
	for _, words := range []string{
		"Second step refused", "Was used before", "factor.rejected", "Way in", "Client refused: not proved", "assertion: used before", "client.rejected",
	} {
		if !strings.Contains(text, words) {
			t.Errorf("the entries read %q, want %q in them", text, words)
		}
	}
}
