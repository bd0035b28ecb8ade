// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
)

func consoleFrame(f Frame) Console {
	f.Client = ""
	return Console{
		Frame: f, Account: "a.example@example.com", Section: "clients",
		Nav: []string{"overview", "people", "clients", "policy", "audit", "companies", "keys"},
	}
}

func fullClient(f Frame) ConsoleClient {
	secrets := []ConsoleSecret{
		{ID: "0a1b2c3d", Hint: "h4Qx", Made: someday(), Used: someday()},
		{ID: "4e5f6071", Hint: "9sRw", Made: someday(), Used: someday(), From: "192.0.2.17", Ends: someday(), Days: 9, Soon: true},
	}
	return ConsoleClient{
		Console: consoleFrame(f), ID: "example-cases", Name: "Example Cases", Kind: "web", Tag: "t", Owner: "example", Trial: true,
		Used: someday(), Issuer: "https://login.example.com", Callback: "https://cases.example.com/auth/callback", HasSecret: true, Consent: "never",
		Secrets: secrets, Old: &secrets[1], Auth: "client_secret_basic", Format: "opaque", Algorithm: "RS256", JSON: `{"client_id": "x"}`,
		Snippets: []ConsoleSnippet{{ID: "env", Text: "OIDC_ISSUER=x"}, {ID: "authlib", Name: "Authlib (Python)", Text: "oauth"}},
		Gets:     everyGrant(), Redirects: []string{"https://cases.example.com/auth/callback"},
		AccessLife: ConsoleSpan{"hours", 1}, IDLife: ConsoleSpan{"minutes", 5}, RefreshIdle: ConsoleSpan{"seconds", 90}, RefreshLife: ConsoleSpan{"days", 90}, Refreshes: true,
		PostLogout: []string{"https://cases.example.com/"}, Backchannel: "https://cases.example.com/back", Frontchannel: "https://cases.example.com/front",
	}
}

func clientDones() []string {
	return []string{"", "added", "saved", "off", "on", "ended", "kept", "policy", "stale"}
}

func warningKinds() []string {
	return []string{"pkce", "implicit", "loopback", "jwt", "introspect", "logout", "old", "ended", "self"}
}

func problemKinds() []string {
	return []string{
		"name", "none", "http", "wildcard", "fragment", "relative", "scheme", "twice", "host", "encode", "https", "scope", "id", "taken",
		"keys", "number", "life", "company", "itonly", "",
	}
}

func consoleVariants(f Frame) []variant {
	rows := []ConsoleClientRow{
		{ID: "example-cases", Name: "Example Cases", Kind: "web", Owner: "Example Legal Aid", Used: someday(), State: "ends", Days: 9},
		{ID: "example-reports", Kind: "spa", Other: true, Factor: "always", State: "used"},
		{ID: "example-field", Name: "Example Field", Kind: "native", Factor: "required", State: "off"},
		{ID: "example-archive", Name: "Example Archive", Kind: "service", Factor: "none", State: "unused"},
	}
	companies := [][2]string{{"example", "Example Legal Aid"}, {"other", "Other Legal"}}
	list := ConsoleClients{Console: consoleFrame(f), Rows: rows, Total: 4, Next: "/admin/clients?after=example-field"}
	it := list
	it.IT, it.Companies, it.Of, it.Query, it.Done = true, companies, "other", "cases", "removed"
	all := []variant{
		{"console-clients", list},
		{"console-clients/it", it},
		{"console-clients/none", ConsoleClients{Console: consoleFrame(f)}},
		{"console-clients/notfound", ConsoleClients{Console: consoleFrame(f), Query: "x"}},
		{"console-confirm", ConsoleConfirm{Console: consoleFrame(f), Action: "/admin/clients/x/remove", Back: "/admin/clients/x", ID: "x", Name: "Example Cases"}},
	}
	for _, d := range clientDones() {
		c := fullClient(f)
		c.Done = d
		all = append(all, variant{"console-client/" + d, c})
	}
	return slices.Concat(
		all, clientVariants(f), formVariants(f, companies), tryVariants(f), policyVariants(f, companies), auditVariants(f, companies),
		keyVariants(f), overviewVariants(f, companies), peopleVariants(f), invitationVariants(f), companyVariants(f), scopeVariants(f),
	)
}

func clientVariants(f Frame) []variant {
	warned := fullClient(f)
	for _, k := range warningKinds() {
		warned.Warnings = append(warned.Warnings, ConsoleWarning{Kind: k, Entry: "http://localhost/cb"})
	}
	made := fullClient(f)
	made.Secret, made.Secrets, made.Old, made.Name, made.Owner, made.Other = "lgcs_x", made.Secrets[:1], nil, "", "", true
	made.Secrets[0].Only = true
	service := fullClient(f)
	service.Kind, service.Callback, service.Trial, service.Redirects, service.Gets, service.JSON = "service", "", false, nil, nil, ""
	service.Secrets, service.Old, service.Frontchannel, service.Backchannel, service.PostLogout = nil, nil, "", "", nil
	off := fullClient(f)
	off.IT = true
	off.Disabled, off.Trial, off.Kind, off.HasSecret, off.Format, off.Factor = true, false, "native", false, "at+jwt", "always"
	spa := fullClient(f)
	spa.Self, spa.Owner, spa.Consent = true, "", "ask"
	made.Consent = "remember"
	spa.Kind, spa.Factor, spa.Old = "spa", "required", &ConsoleSecret{Hint: "abcd"}
	return []variant{
		{"console-client/warned", warned},
		{"console-client/made", made},
		{"console-client/service", service},
		{"console-client/turned-off", off},
		{"console-client/spa", spa},
	}
}

func formVariants(f Frame, companies [][2]string) []variant {
	form := ConsoleClientForm{
		Console: consoleFrame(f), Action: "/admin/clients/new", Cancel: "/admin/clients", IT: true, Companies: companies,
		Methods: []string{"client_secret_basic", "none"}, Algorithms: []string{"RS256", "ES256"}, Most: ConsoleLives{"3600", "300", "3600", "1209600", "7776000"},
		In: ConsoleClientInput{Kind: "web", Owner: "other", Scope: "openid", Auth: "none", IDTokenAlg: "ES256", PKCE: "required"},
	}
	edit := form
	edit.ID, edit.Name, edit.IT, edit.Problem = "example-cases", "Example Cases", false, "stale"
	proof := form
	proof.Problem = "proof"
	wrong := form
	for _, field := range []string{
		"name", "kind", "redirects", "postlogout", "owner", "id", "scope", "auth", "jwks_uri", "pkce", "factor", "companies", "roles", "maxage",
		"format", "accesslife", "idlife", "refreshidle", "refreshlife", "audience", "idalg", "useralg", "subject", "introspect", "backchannel", "frontchannel", "logo_uri", "uri", "login_uri",
		"policy_uri", "tos_uri", "contacts",
	} {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: field, Kind: "https"})
	}
	for _, kind := range problemKinds() {
		wrong.Problems = append(wrong.Problems, ConsoleProblem{Field: "redirects", Kind: kind, Entry: 2, Text: "must not be so"})
	}
	return []variant{
		{"console-client-form", form},
		{"console-client-form/stale", edit},
		{"console-client-form/proof", proof},
		{"console-client-form/wrong", wrong},
	}
}

func tryVariants(f Frame) []variant {
	good := ConsoleTry{
		Console: consoleFrame(f), Action: "/admin/clients/x/try", Back: "/admin/clients/x", ID: "x", Name: "Example Cases", Header: `{"alg": "RS256"}`,
		Claims: `{"iss": "x"}`, Userinfo: "{}", Introspection: "{}", Scope: "openid", Minutes: 60,
	}
	jwt := good
	jwt.AccessClaims, jwt.Encrypted, jwt.Minutes = "{}", true, 1
	denied, gone := good, good
	denied.Problem, gone.Problem = "denied", "gone"
	return []variant{{"console-try", good}, {"console-try/jwt", jwt}, {"console-try/denied", denied}, {"console-try/gone", gone}}
}

// TestConsoleNamesItsButtons: no two buttons or links of a page do different things under the same name.
func TestConsoleNamesItsButtons(t *testing.T) {
	s := mustParse(t)
	for _, lang := range s.Languages() {
		for _, v := range consoleVariants(fullFrame()) {
			doc, _ := render(t, s, in(v.page, lang))
			var names []string
			doc.Find("main button").Each(func(_ int, b *goquery.Selection) { names = append(names, wordsOf(b)) })
			slices.Sort(names)
			if diff := cmp.Diff(slices.Compact(slices.Clone(names)), names); diff != "" {
				t.Errorf("buttons of %s in %s (-once +got):\n%s", v.name, lang, diff)
			}
		}
	}
}

// TestProblemsStandAtTheirFields: what is wrong stands at its field, tied to it, and in the list at the top, which leads
// there.
func TestProblemsStandAtTheirFields(t *testing.T) {
	s := mustParse(t)
	for _, v := range formVariants(fullFrame(), nil) {
		form, _ := v.page.(ConsoleClientForm)
		doc, _ := render(t, s, in(form, "en"))
		for _, p := range form.Problems {
			if doc.Find("#error a[href='#"+p.Field+"']").Length() == 0 || doc.Find("#"+p.Field).Length() != 1 {
				t.Errorf("%s: the list does not lead to %s", v.name, p.Field)
			}
			if got := wordsOf(doc.Find("#" + p.Field + "-error")); got == "" || strings.Contains(got, "<no value>") {
				t.Errorf("%s: nothing stands at %s", v.name, p.Field)
			}
		}
	}
}
