// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// office is a clerk of the IT team.
func office(p *idptest.IDP) *admin.Clerk { return p.Node.Office.Clerk(admin.CommandLine()) }

// at is a page about a name.
func at(page, name string) string { return page + "?" + url.Values{"name": {name}}.Encode() }

// lines are the words of what a selector finds.
func lines(page *idptest.Page, selector string) []string {
	var out []string
	page.Find(selector).Each(func(_ int, el *goquery.Selection) {
		out = append(out, strings.Join(strings.Fields(el.Text()), " "))
	})
	return out
}

// TestScopesAreDeclared: the IT team declares a scope, changes and removes it, under a name that means something in an
// address; each stands in the journal with before and after.
func TestScopesAreDeclared(t *testing.T) {
	p := start(t)
	const name = "https://x.example/cases?a=b&c#<d>"
	page := want(t, as(t, p, ivy, "/admin/clients"), "Clients")
	page = want(t, page.Follow(t, page.Find("a[href='/admin/scopes']").AttrOr("href", "")), "Scopes and roles")
	if got := lines(page, "#scopes tbody th"); !slices.Equal(got, []string{"groupsBuilt in", "rolesBuilt in"}) {
		t.Errorf("listed %q", got)
	}
	page = want(t, page.Follow(t, "/admin/scopes/new"), "Declare a scope")
	typed := url.Values{
		"name": {name}, "en": {"see which <cases> you work on"}, "nl": {"zien aan welke zaken u werkt"}, "id_token": {"1"},
		"claims": {"department = attributes.department\r\ncase_roles = roles \"cases \"\r\ntier = {\"a\": [1, null]}"},
	}
	page = want(t, page.Press(t, "main", "Declare a scope", typed), "Scopes and roles")
	got, err := office(p).Scope(t.Context(), name)
	wanted := admin.ListedScope{Scope: client.Scope{
		Name: name, Text: map[string]string{"en": "see which <cases> you work on", "nl": "zien aan welke zaken u werkt"}, IDToken: true,
		Claims: map[string]client.Mapping{
			"department": {From: "attributes.department"}, "case_roles": {From: "roles", Prefix: "cases "}, "tier": {Value: []byte(`{"a":[1,null]}`)},
		},
	}}
	if d := cmp.Diff(wanted, got); err != nil || d != "" || !strings.Contains(page.Note(), "is declared") || strings.Contains(page.Body, "<cases>") {
		t.Errorf("declared: note %q, %v (-want +got):\n%s", page.Note(), err, d)
	}
	again := want(t, page.Follow(t, "/admin/scopes/new").Press(t, "main", "Declare a scope", typed), "Declare a scope")
	if !strings.Contains(again.Find("#name-error").Text(), "there already") || again.Find("#claims").Text() == "" {
		t.Errorf("alert %q", again.Alert())
	}
	edit := want(t, page.Follow(t, page.Find("#scopes a[href^='/admin/scopes/edit?name=https']").AttrOr("href", "")), "Change the scope "+name)
	one := edit
	if got := edit.Find("#claims").Text(); got != "case_roles = roles \"cases \"\ndepartment = attributes.department\ntier = {\"a\":[1,null]}\n" {
		t.Errorf("the claims come back as %q", got)
	}
	want(t, edit.Press(t, "main", "Save", url.Values{"nl": {""}, "claims": {"a = roles"}}), "Scopes and roles")
	if got, err = office(p).Scope(t.Context(), name); err != nil || len(got.Claims) != 1 || got.Text["nl"] != "" || !got.IDToken {
		t.Errorf("changed to %+v, %v", got, err)
	}
	stale := want(t, one.Press(t, "main", "Save", url.Values{"claims": {"b = groups"}}), "Change the scope "+name)
	if !strings.Contains(stale.Alert(), "Somebody else") || stale.Find("#claims").Text() != "b = groups" {
		t.Errorf("a stale form: alert %q, claims %q", stale.Alert(), stale.Find("#claims").Text())
	}
	page = want(t, stale.Press(t, "main", "Save", url.Values{"claims": {"b = groups"}}), "Scopes and roles")
	remove := want(t, page.Follow(t, at("/admin/scopes/remove", name)), "Remove the scope "+name+"?")
	if !strings.Contains(remove.Text(), "No client holds this scope.") {
		t.Error("it does not say that nobody holds it")
	}
	if page = want(t, remove.Press(t, "main", "Remove the scope", nil), "Scopes and roles"); !strings.Contains(page.Note(), "removed") {
		t.Errorf("note %q", page.Note())
	}
	if _, err := office(p).Scope(t.Context(), name); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("it is there: %v", err)
	}
	for _, gone := range []string{"edit", "remove"} {
		if page = want(t, page.Follow(t, at("/admin/scopes/"+gone, name)), "Scopes and roles"); !strings.Contains(page.Note(), "not declared any more") {
			t.Errorf("%s: note %q", gone, page.Note())
		}
	}
	events := happened(t, p, audit.DeclarationChanged)
	if len(events) != 4 || events[3].Detail["before"] != "" || events[0].Detail["after"] != "" || !strings.Contains(events[2].Detail["before"], "zaken") {
		t.Errorf("the journal says %+v", events)
	}
}

// TestScopeProblems: each is said at its field, those of claims with the line, all at once; nothing is declared.
func TestScopeProblems(t *testing.T) {
	p := start(t)
	page := as(t, p, ivy, "/admin/scopes/new")
	typed := url.Values{
		"name": {"my scope"}, "en": {strings.Repeat("x", 201)}, "nl": {strings.Repeat("x", 201)},
		"claims": {"\r\nsub = username\r\na\r\nb = secret\r\nc = company x\r\nd = {\r\ne = roles\r\ne = groups\r\nf g = roles\r\nh = roles " + strings.Repeat("x", 65)},
	}
	page = want(t, page.Press(t, "main", "Declare a scope", typed), "Declare a scope")
	for _, says := range []string{
		"Line 2 names a claim that says what a token is", "Line 3 is incomplete", "Line 4 comes from nowhere", "Line 5 has something behind its source",
		"Line 6 has a value that is no JSON", "Line 8 has a name that stands on an earlier line", "Line 9 has a name that is none", "Line 10 has a beginning",
	} {
		if !strings.Contains(page.Find("#claims-error").Text(), says) || !strings.Contains(page.Alert(), says) {
			t.Errorf("nothing says %q: %q", says, page.Find("#claims-error").Text())
		}
	}
	if page.Find("#name-error").Length()+page.Find("#en-error").Length()+page.Find("#nl-error").Length() != 3 {
		t.Errorf("alert %q", page.Alert())
	}
	for name, says := range map[string]string{"openid": "a meaning already", "keys:write": "a meaning already", "roles": "there already", "": "1 to 128"} {
		page = want(t, page.Press(t, "main", "Declare a scope", url.Values{"name": {name}, "en": {""}, "nl": {""}, "claims": {""}}), "Declare a scope")
		if !strings.Contains(page.Find("#name-error").Text(), says) {
			t.Errorf("%q: %q, want %q", name, page.Find("#name-error").Text(), says)
		}
	}
	if list, err := office(p).ListScopes(t.Context(), admin.DeclaredQuery{}); err != nil || list.Total != 2 {
		t.Errorf("%d scopes, %v", list.Total, err)
	}
}

// TestBuiltInScopeIsBack: a declaration takes the place of what is built in, until it is removed; the clients that hold
// it are named before, twenty of them at most.
func TestBuiltInScopeIsBack(t *testing.T) {
	p := start(t)
	for i := range 22 {
		p.NewRP(t, fmt.Sprintf("app-%02d", i), func(c *client.Client) { c.Name, c.Scope = fmt.Sprintf("App %02d", i), "openid groups" })
	}
	page := want(t, as(t, p, ivy, at("/admin/scopes/edit", "groups")), "Change the scope groups")
	if !strings.Contains(page.Text(), "is built in") || page.Find("#claims").Text() != "groups = groups\n" {
		t.Errorf("claims %q", page.Find("#claims").Text())
	}
	want(t, page.Follow(t, at("/admin/scopes/remove", "groups")), "Scopes and roles")
	page = want(t, page.Press(t, "main", "Save", url.Values{"claims": {"teams = groups"}}), "Scopes and roles")
	if s, err := office(p).Scope(t.Context(), "groups"); err != nil || s.BuiltIn || s.Claims["teams"].From != "groups" {
		t.Errorf("declared %+v, %v", s, err)
	}
	page = want(t, page.Follow(t, at("/admin/scopes/remove", "groups")), "Remove the scope groups?")
	if !strings.Contains(page.Text(), "22 clients hold this scope") || !strings.Contains(page.Text(), "And 2 more.") || page.Find("main li").Length() != 20 {
		t.Errorf("it says %q", page.Text())
	}
	other := page
	want(t, page.Press(t, "main", "Remove the scope", nil), "Scopes and roles")
	if s, err := office(p).Scope(t.Context(), "groups"); err != nil || !s.BuiltIn {
		t.Errorf("afterwards %+v, %v", s, err)
	}
	if page = want(t, other.Press(t, "main", "Remove the scope", nil), "Scopes and roles"); !strings.Contains(page.Note(), "Nothing was changed") {
		t.Errorf("removed again: note %q", page.Note())
	}
}

// TestRolesAreDeclared: and offered, with their meaning, to everybody who gives roles.
func TestRolesAreDeclared(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, ivy, "/admin/roles/new"), "Declare a role")
	page = want(t, page.Press(t, "main", "Declare a role", url.Values{"name": {strings.Repeat("x", 65)}, "text": {strings.Repeat("x", 201)}}), "Declare a role")
	if page.Find("#name-error").Length() != 1 {
		t.Errorf("alert %q", page.Alert())
	}
	typed := url.Values{"name": {"case/worker é"}, "text": {"may change <cases>"}}
	page = want(t, page.Press(t, "main", "Declare a role", typed), "Scopes and roles")
	if !strings.Contains(page.Text(), "may change <cases>") || !strings.Contains(page.Note(), "is declared") {
		t.Errorf("note %q", page.Note())
	}
	again := want(t, page.Follow(t, "/admin/roles/new").Press(t, "main", "Declare a role", typed), "Declare a role")
	if !strings.Contains(again.Find("#name-error").Text(), "there already") {
		t.Errorf("alert %q", again.Alert())
	}
	edit := want(t, page.Follow(t, page.Find("#roles a[href^='/admin/roles/edit']").AttrOr("href", "")), "Change the role case/worker é")
	page = want(t, edit.Press(t, "main", "Save", url.Values{"text": {"may see cases"}}), "Scopes and roles")
	stale := want(t, edit.Press(t, "main", "Save", url.Values{"text": {"other"}}), "Change the role case/worker é")
	if !strings.Contains(stale.Alert(), "Somebody else") || stale.Find("#text").AttrOr("value", "") != "other" {
		t.Errorf("alert %q", stale.Alert())
	}
	who := p.AddEnrolled(t, "norman@acme.example", "acme")
	b := p.Browser(t)
	for _, path := range []string{"/admin/people/" + who + "/edit", "/admin/invitations/acme/new"} {
		form := b.Get(t, path)
		if form.H1() == "Sign in" {
			form = form.Prove(t, carla)
		}
		if got := lines(form, "main details dl > *"); !slices.Equal(got, []string{"case/worker é", "may see cases"}) {
			t.Errorf("%s offers %q", path, got)
		}
	}
	page = want(t, page.Follow(t, at("/admin/roles/remove", "case/worker é")), "Remove the role case/worker é?")
	want(t, page.Press(t, "main", "Remove the role", nil), "Scopes and roles")
	if list, err := office(p).ListRoles(t.Context(), admin.DeclaredQuery{}); err != nil || list.Total != 0 {
		t.Errorf("%d roles, %v", list.Total, err)
	}
	if got := happened(t, p, audit.DeclarationChanged); len(got) != 3 || got[0].Detail["role"] != "case/worker é" {
		t.Errorf("the journal says %+v", got)
	}
}

// TestListsOfScopesAndRoles are shown page by page, each by itself.
func TestListsOfScopesAndRoles(t *testing.T) {
	p := start(t)
	for i := range pageOfList + 5 {
		if err := errors.Join(
			office(p).CreateScope(t.Context(), client.Scope{Name: fmt.Sprintf("s%02d", i)}), office(p).CreateRole(t.Context(), client.Role{Name: fmt.Sprintf("r%02d", i)}),
		); err != nil {
			t.Fatal(err)
		}
	}
	page := want(t, as(t, p, ivy, "/admin/scopes"), "Scopes and roles")
	if !strings.Contains(page.Text(), "57 scopes") || !strings.Contains(page.Text(), "55 roles") {
		t.Error("it does not say how many there are")
	}
	next := func(list string) string { return page.Find(list+" > p a.button").AttrOr("href", "") }
	page = want(t, page.Follow(t, next("#scopes")), "Scopes and roles")
	if s, r := lines(page, "#scopes tbody th"), lines(page, "#roles tbody th"); len(s) != 7 || s[0] != "s48" || len(r) != 50 {
		t.Errorf("the next scopes: %v, %d roles", s, len(r))
	}
	page = want(t, page.Follow(t, next("#roles")), "Scopes and roles")
	if s, r := lines(page, "#scopes tbody th"), lines(page, "#roles tbody th"); len(s) != 7 || len(r) != 5 || r[0] != "r50" || next("#roles") != "" {
		t.Errorf("the next roles: %v, %d scopes", r, len(s))
	}
}

// pageOfList is how many stand on a page.
const pageOfList = 50

// TestScopesAreForTheITTeam: a company's admin finds no such page, and no link to it, but sees what an app may get.
func TestScopesAreForTheITTeam(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients").Prove(t, carla), "Clients")
	own := want(t, b.Get(t, "/admin/clients/cases"), "Case App")
	if page.Find("a[href^='/admin/scopes']").Length() != 0 || own.Find("a[href^='/admin/scopes']").Length() != 0 || own.Find("#gets dt").Length() == 0 {
		t.Error("a company's admin is led to the scopes, or does not see what the app may get")
	}
	nothing(t, b.Get(t, "/admin/scopes"))
	nothing(t, b.Get(t, at("/admin/scopes/edit", "roles")))
	nothing(t, b.Post(t, "/admin/scopes/new", url.Values{"name": {"mine"}}))
	nothing(t, b.Post(t, at("/admin/roles/remove", "x"), url.Values{"tag": {"t"}}))
	if list, err := office(p).ListScopes(t.Context(), admin.DeclaredQuery{}); err != nil || list.Total != 2 {
		t.Errorf("%d scopes, %v", list.Total, err)
	}
}

// TestScopeIsKeptOverAProof: what was typed is there again after the proof, at the scope that it was typed for.
func TestScopeIsKeptOverAProof(t *testing.T) {
	p := start(t)
	for _, name := range []string{"one", "two"} {
		if err := office(p).CreateScope(t.Context(), client.Scope{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	page := want(t, as(t, p, ivy, at("/admin/scopes/edit", "one")), "Change the scope one")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Save", url.Values{"claims": {"a = roles\r\nb = groups"}}), "Sign in")
	page = want(t, page.Prove(t, ivy), "Change the scope one")
	if !strings.Contains(page.Alert(), "still here") || !strings.Contains(page.Find("#claims").Text(), "b = groups") {
		t.Errorf("kept %q, alert %q", page.Find("#claims").Text(), page.Alert())
	}
	q := page.URL.Query()
	q.Set("name", "two")
	if got := want(t, page.Follow(t, "/admin/scopes/edit?"+q.Encode()), "Change the scope two").Find("#claims").Text(); got != "" {
		t.Errorf("the form of another scope holds %q", got)
	}
	want(t, page.Press(t, "main", "Save", url.Values{"claims": {page.Find("#claims").Text()}}), "Scopes and roles")
	if s, err := office(p).Scope(t.Context(), "one"); err != nil || len(s.Claims) != 2 {
		t.Errorf("saved %+v, %v", s, err)
	}
}

// TestClientShowsWhatItMayGet: in the words of the consent page, in both languages, with the claims that are declared.
func TestClientShowsWhatItMayGet(t *testing.T) {
	p := start(t)
	err := office(p).CreateScope(t.Context(), client.Scope{
		Name: "cases:read", Text: map[string]string{"en": "see which <cases> you work on", "nl": "zien aan welke zaken u werkt"},
		Claims: map[string]client.Mapping{"case_roles": {From: "roles", Prefix: "cases-"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	const scope = "openid profile email address phone roles groups cases:read archive.read"
	app := p.NewRP(t, "reports", func(c *client.Client) { c.Name, c.Company, c.Scope = "Reports", "", scope })
	p.AddAccount(t, "norman@plain.example", "plain")
	for lang, opens := range map[string][]string{
		"en": {"Claims: case_roles = roles cases-", "It opens nothing here: no scope of this name is declared."},
		"nl": {"Claims: case_roles = roles cases-", "Dit geeft hier niets: er is geen scope met deze naam vastgelegd."},
	} {
		a, b := p.Browser(t), p.Browser(t)
		for _, x := range []*idptest.Browser{a, b} {
			x.Header.Set("Accept-Language", lang)
		}
		consent := b.Get(t, app.AuthURL(idptest.With("scope", scope))).Login(t, "norman@plain.example", idptest.Password)
		page := a.Get(t, "/admin/clients/reports").Prove(t, ivy)
		people, admins := lines(consent, "main ul:first-of-type li"), lines(page, "#gets dd > div")
		if d := cmp.Diff(people[:min(len(people), 9)], admins); d != "" || len(admins) != 9 {
			t.Errorf("in %s, on %q and %q (-people +admins):\n%s", lang, consent.H1(), page.H1(), d)
		}
		if got := lines(page, "#gets .sub"); len(got) != 9 || got[7] != opens[0] || got[8] != opens[1] {
			t.Errorf("in %s it opens %q", lang, got)
		}
	}
}
