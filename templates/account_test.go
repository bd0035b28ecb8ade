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

func dones() []string {
	return []string{
		"added", "replaced", "renamed", "removed", "codes", "forgotten", "forgotten-all", "ended", "ended-others", "withdrawn",
		"password", "moved",
	}
}

func events() []AccountEvent {
	var all []AccountEvent
	for _, kind := range []string{
		"signed-in", "allowed", "withdrawn", "code", "recovery", "refused-password", "refused-code", "refused-tries",
		"refused-setup", "locked", "added", "removed", "renamed", "codes", "remembered", "copied", "forgotten", "ended",
		"everywhere", "password", "desk-reset", "desk-password", "desk",
	} {
		all = append(all, AccountEvent{Kind: kind, Name: "Example Cases", Where: "Firefox, Windows", At: someday()})
	}
	return all
}

func fullAccount(f Frame) Account {
	return Account{
		Frame: f, Account: "a.example@example.com", On: true, Wanted: true, RecoveryLeft: 7,
		Authenticators: []AccountAuthenticator{
			{ID: "totp.a", Kind: "totp", Name: "Work phone", Added: someday(), Used: someday()}, {ID: "passkey.b", Kind: "passkey"},
		},
		Devices: []AccountDevice{
			{ID: "d1", Label: "Firefox, Windows", First: someday(), Last: someday(), End: someday(), Own: true},
			{ID: "d2", Label: "Safari, iPad", First: someday(), End: someday()},
		},
		Sessions: []AccountSession{
			{ID: "s1", Label: "Firefox, Windows", Started: someday(), Last: someday(), Own: true}, {ID: "s2", Label: "Chrome, Android", Started: someday()},
		},
		Apps: []AccountApp{
			{ID: "cases", Name: "Example Cases", Scopes: []string{"openid", "profile"}, Since: someday(), Own: true},
			{ID: "reports", Name: "Example Reports", Scopes: []string{"openid", "email", "reports.read"}, Offline: true},
		},
		Events: events(),
	}
}

func accountVariants(f Frame) []variant {
	const who = "a.example@example.com"
	all := []variant{{"account", fullAccount(f)}, {"account/empty", Account{Frame: f, Account: who}}}
	for _, d := range dones() {
		all = append(all, variant{"account/" + d, Account{Frame: f, Account: who, Done: d}})
	}
	stays := fullAccount(f)
	stays.Authenticators, stays.RecoveryLeft = []AccountAuthenticator{{ID: "totp.a", Kind: "totp", Name: "Work phone", Stays: true}}, 1
	locked := fullAccount(f)
	locked.Locked, locked.Authenticators[0].Stays, locked.Authenticators[1].Stays = true, true, true
	full := fullAccount(f)
	full.Full = true
	all = append(all, variant{"account/stays", stays}, variant{"account/locked", locked}, variant{"account/full", full})
	for _, problem := range []string{"", "missing", "long", "signs"} {
		all = append(all, variant{"account-rename/" + problem, AccountRename{Frame: f, Action: "/account/authenticators/totp.a/rename", Account: who, Name: "Work phone", Problem: problem}})
	}
	for _, problem := range []string{"", "short", "long", "common", "context"} {
		all = append(all, variant{"account-password/" + problem, AccountPassword{Frame: f, Action: "/account/password", Account: who, Problem: problem}})
	}
	return append(all,
		variant{"account-remove", AccountRemove{Frame: f, Action: "/account/authenticators/totp.a/remove", Account: who, Kind: "totp", Name: "Work phone"}},
		variant{"account-remove/last", AccountRemove{Frame: f, Action: "/account/authenticators/totp.a/remove", Account: who, Kind: "passkey", Last: true}},
		variant{"account-recovery", AccountRecovery{Frame: f, Action: "/account/recovery", Account: who, Left: 7}},
	)
}

// own returns the words of a button that are seen, and whether it stands alone in a form of its own.
func own(t *testing.T, button *goquery.Selection) string {
	t.Helper()
	if n := button.Closest("form").Find("button").Length(); n != 1 {
		t.Errorf("%q shares its form with %d others", wordsOf(button), n-1)
	}
	seen := button.Clone()
	seen.Find(".vh").Remove()
	return wordsOf(seen)
}

// TestAccountButtons: the names of the contract, each the button of a form of its own; what is hidden says on what it
// acts.
func TestAccountButtons(t *testing.T) {
	s := mustParse(t)
	want := map[string][]string{
		"en": {
			"Add another authenticator", "Rename", "Replace", "Remove", "Rename", "Replace", "Remove", "Make new codes", "Forget all",
			"Forget this device", "Forget this device", "End all other sessions", "Sign out", "End", "Sign out everywhere",
			"End access", "End access",
		},
		"nl": {
			"Nog een authenticator toevoegen", "Naam wijzigen", "Vervangen", "Verwijderen", "Naam wijzigen", "Vervangen",
			"Verwijderen", "Nieuwe codes maken", "Alle vergeten", "Dit apparaat vergeten", "Dit apparaat vergeten",
			"Alle andere sessies beëindigen", "Uitloggen", "Beëindigen", "Overal uitloggen", "Toegang beëindigen", "Toegang beëindigen",
		},
	}
	for lang, names := range want {
		doc, _ := render(t, s, in(fullAccount(fullFrame()), lang))
		var got, whole []string
		doc.Find("main button").Each(func(_ int, b *goquery.Selection) {
			got, whole = append(got, own(t, b)), append(whole, wordsOf(b))
		})
		if diff := cmp.Diff(names, got); diff != "" {
			t.Errorf("buttons in %s (-want +got):\n%s", lang, diff)
		}
		slices.Sort(whole)
		if n := len(slices.Compact(slices.Clone(whole))); n != len(whole) {
			t.Errorf("two buttons in %s have the same name: %q", lang, whole)
		}
	}
}

// TestAccountPage: what each part shows, by selector.
func TestAccountPage(t *testing.T) {
	s := mustParse(t)
	full, _ := render(t, s, fullAccount(fullFrame()))
	off, _ := render(t, s, Account{Frame: fullFrame()})
	one := fullAccount(fullFrame())
	one.Authenticators = []AccountAuthenticator{{ID: "totp.a", Kind: "totp", Name: "Work phone", Stays: true}}
	stays, _ := render(t, s, one)
	one.Locked = true
	locked, _ := render(t, s, one)
	tests := []struct {
		doc      *goquery.Document
		selector string
		want     int
	}{
		{full, "#two-factor .badge.good", 1},
		{full, "#devices .badge, #sessions .badge", 2},
		{full, "header a[href='/account'] svg[aria-label=Lychgate]", 1},
		{full, "header form[method=post][action='/account/sign-out'] button", 1},
		{full, "nav[aria-label] a[href^='#']", 7},
		{full, "section.card[aria-labelledby]", 7},
		{full, "#activity table caption", 1},
		{full, "#activity th[scope=col]", 3},
		{full, "#activity tbody tr", len(events())},
		{full, "a[href='/account/password']", 1},
		{full, "form[method=get][action$='/remove']", 2},
		{full, "[role=status]", 0},
		{off, "#two-factor .badge.warn", 1},
		{off, "form[method=post][action='/account/add'] button.primary", 1},
		{off, "#two-factor .items, form[action='/account/recovery'], form[action^='/account/devices']", 0},
		{off, ".empty", 4},
		{stays, "form[action$='/remove']", 0},
		{stays, "#two-factor .hint", 1},
		{locked, "#two-factor .badge.bad", 1},
		{locked, "#two-factor button, #recovery button", 0},
	}
	for _, tt := range tests {
		if got := tt.doc.Find(tt.selector).Length(); got != tt.want {
			t.Errorf("%q matches %d times, want %d", tt.selector, got, tt.want)
		}
	}
	if got := wordsOf(stays.Find("#two-factor .hint")); !strings.Contains(got, "cannot remove your only authenticator") {
		t.Errorf("why it stays: %q", got)
	}
	if got, want := wordsOf(full.Find("#apps li").Eq(1).Find(".sub")), "It can know that it is you who signs in, see your e-mail address, use what it calls reports.read, keep this access while you are away."; got != want {
		t.Errorf("app = %q, want %q", got, want)
	}
	seen := map[string]bool{}
	full.Find("#activity tbody tr td:first-child").Each(func(_ int, td *goquery.Selection) { seen[wordsOf(td)] = true })
	if len(seen) != len(events()) {
		t.Errorf("%d sentences for %d kinds of events: %v", len(seen), len(events()), seen)
	}
}

// TestAccountDone: each act is told in words of its own, under the titles.
func TestAccountDone(t *testing.T) {
	s := mustParse(t)
	seen := map[string]bool{}
	for _, d := range dones() {
		doc, _ := render(t, s, Account{Frame: fullFrame(), Done: d})
		note := doc.Find("main > .titles + .note[role=status]")
		if note.Length() != 1 || note.HasClass("good") == (d == "moved") {
			t.Errorf("%s: %d notes, class %q", d, note.Length(), note.AttrOr("class", ""))
		}
		seen[wordsOf(note)] = true
	}
	if len(seen) != len(dones()) {
		t.Errorf("%d sentences for %d acts", len(seen), len(dones()))
	}
}

// TestAccountForms: what the pages of one act hold.
func TestAccountForms(t *testing.T) {
	s := mustParse(t)
	remove, _ := render(t, s, AccountRemove{Frame: fullFrame(), Action: "/account/authenticators/x/remove", Kind: "totp", Name: "Work phone"})
	password, _ := render(t, s, AccountPassword{Frame: fullFrame(), Action: "/account/password", Account: "a@example.com"})
	codes, _ := render(t, s, AccountRecovery{Frame: fullFrame(), Account: "a@example.com", Codes: []string{"7KQ4-M2W9-XDHT-6CPN"}, Made: someday()})
	checkFrame(t, codes, "en")
	checkNothingInline(t, codes)
	tests := []struct {
		doc      *goquery.Document
		selector string
		want     int
	}{
		{remove, "form[method=post] input[type=checkbox][name=everywhere][checked]", 1},
		{remove, "form button.danger:not(.primary)", 1},
		{remove, "a.button[href^='/account']", 1},
		{password, "input[name=new_password][type=password][autocomplete=new-password][required]", 1},
		{password, "input.vh[name=username][autocomplete=username][readonly][tabindex='-1'][value='a@example.com']", 1},
		{password, "button[type=button][data-reveal=new-password]", 1},
		{codes, "ol#recovery-codes li", 1},
		{codes, "input[type=checkbox][required]", 1},
	}
	for _, tt := range tests {
		if got := tt.doc.Find(tt.selector).Length(); got != tt.want {
			t.Errorf("%q matches %d times, want %d", tt.selector, got, tt.want)
		}
	}
	start, _ := render(t, s, Problem{Kind: "start"})
	if start.Find("main a.button[href='/account']").Length() != 1 {
		t.Error("no way from the bare address to the account")
	}
}
