// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

// scopeKinds are the kinds of problems of scopes and roles.
func scopeKinds() []string {
	return []string{
		"name", "role", "standard", "taken", "full", "words", "many", "form", "twice", "claim-name", "reserved", "source", "prefix", "prefix-long",
		"json", "",
	}
}

func scopeVariants(f Frame) []variant {
	c := consoleFrame(f)
	list := ConsoleScopes{
		Console: c, ScopeTotal: 70, RoleTotal: 60, ScopesNext: "/admin/scopes?after=x#scopes", RolesNext: "/admin/scopes?role=x#roles",
		Scopes: []ConsoleScope{
			{ScopeWords: ScopeWords{"cases:read", "see which cases you work on"}, Claims: []string{"a = roles x", "b = \"gold\""}, IDToken: true},
			{ScopeWords: ScopeWords{Name: "groups"}, Claims: []string{"groups = groups"}, BuiltIn: true},
			{ScopeWords: ScopeWords{Name: "bare"}},
		},
		Roles: []ConsoleRole{{"case worker", "may change cases"}, {"partner", ""}},
	}
	all := []variant{{"console-scopes", list}, {"console-scopes/none", ConsoleScopes{Console: c}}}
	for _, d := range []string{"scope-added", "scope-saved", "scope-removed", "role-added", "role-saved", "role-removed", "gone", "stale"} {
		list.Done = d
		all = append(all, variant{"console-scopes/" + d, list})
	}
	form := ConsoleScopeForm{Console: c, Action: "/admin/scopes/new", In: ConsoleScopeInput{Name: "cases:read", Claims: "a = roles\n", IDToken: true}}
	built, stale, proof, wrong := form, form, form, form
	built.Name, built.BuiltIn = "groups", true
	stale.Name, stale.Problem, proof.Problem = "cases:read", "stale", "proof"
	for _, field := range []string{"name", "en", "nl"} {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: field, Kind: "words"})
	}
	for _, kind := range scopeKinds() {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: "claims", Kind: kind, Entry: 2, Text: "must not be so"})
	}
	remove := ConsoleScopeRemove{Console: c, Action: "/admin/scopes/remove?name=x", Name: "x", Tag: "t", Total: 5, Clients: []ConsoleHolder{{"a", "A Cases"}, {"b", ""}}}
	back := ConsoleScopeRemove{Console: c, Action: "/admin/scopes/remove?name=groups", Name: "groups", BuiltIn: true}
	role := ConsoleRoleForm{Console: c, Action: "/admin/roles/new", In: ConsoleRoleInput{Name: "partner"}}
	roleStale, roleProof, roleWrong := role, role, role
	roleStale.Name, roleStale.Problem, roleProof.Problem = "partner", "stale", "proof"
	roleWrong.Problems = []ConsoleProblem{{Field: "name", Kind: "role"}, {Field: "text", Kind: "words"}}
	return append(
		all, variant{"console-scope-form", form}, variant{"console-scope-form/builtin", built}, variant{"console-scope-form/stale", stale},
		variant{"console-scope-form/proof", proof}, variant{"console-scope-form/wrong", wrong}, variant{"console-scope-remove", remove},
		variant{"console-scope-remove/builtin", back}, variant{"console-role-form", role}, variant{"console-role-form/stale", roleStale},
		variant{"console-role-form/proof", roleProof}, variant{"console-role-form/wrong", roleWrong},
		variant{"console-role-remove", ConsoleRoleRemove{Console: c, Action: "/admin/roles/remove?name=x", Name: "x", Tag: "t"}},
		variant{"console-person-form/declared", declaredForm(c)},
	)
}

// declaredForm is the form of a person with roles to choose from.
func declaredForm(c Console) ConsolePersonForm {
	return ConsolePersonForm{
		Console: c, Action: "/admin/people/x/edit", Cancel: "/admin/people/x", Person: "a@example.com", DeclaredTotal: 3,
		Declared: []ConsoleRole{{"case worker", "may change cases"}, {"partner", ""}},
	}
}

// everyGrant is a grant of each kind.
func everyGrant() []ConsoleGrant {
	var out []ConsoleGrant
	for _, name := range []string{"openid", "profile", "email", "address", "phone", "offline_access"} {
		out = append(out, ConsoleGrant{ScopeWords: ScopeWords{Name: name}, Opens: "standard"})
	}
	return append(
		out, ConsoleGrant{ScopeWords: ScopeWords{Name: "roles"}, Opens: "claims", Claims: []string{"roles = roles"}},
		ConsoleGrant{ScopeWords: ScopeWords{Name: "groups"}, Opens: "claims"},
		ConsoleGrant{ScopeWords: ScopeWords{"cases:read", "see which <cases> you work on"}, Opens: "claims", Claims: []string{"a = roles x", "b = \"gold\""}},
		ConsoleGrant{ScopeWords: ScopeWords{Name: "keys:read"}, Opens: "api"}, ConsoleGrant{ScopeWords: ScopeWords{Name: "archive.read"}, Opens: "nothing"},
	)
}

// TestSameWordsAsTheConsentPage: what admins read of a client's scopes is what people read when they are asked.
func TestSameWordsAsTheConsentPage(t *testing.T) {
	s := mustParse(t)
	page, ask := fullClient(fullFrame()), Consent{Frame: fullFrame(), Words: map[string]string{}}
	page.Gets = everyGrant()
	for _, g := range page.Gets {
		ask.Scopes = append(ask.Scopes, g.Name)
		if g.Words != "" {
			ask.Words[g.Name] = g.Words
		}
	}
	for _, lang := range s.Languages() {
		var admins, people []string
		doc, _ := render(t, s, in(page, lang))
		doc.Find("#gets dd > div").Each(func(_ int, el *goquery.Selection) { admins = append(admins, wordsOf(el)) })
		doc, _ = render(t, s, in(ask, lang))
		doc.Find("main ul").First().Find("li").Each(func(_ int, el *goquery.Selection) { people = append(people, wordsOf(el)) })
		if d := cmp.Diff(people, admins); d != "" || len(people) != len(page.Gets) || strings.TrimSpace(strings.Join(people, "")) == "" {
			t.Errorf("in %s (-people +admins):\n%s", lang, d)
		}
	}
}
