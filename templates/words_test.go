// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
)

// wordsOf returns what a person reads, with single spaces.
func wordsOf(sel *goquery.Selection) string { return strings.Join(strings.Fields(sel.Text()), " ") }

// TestWords: sentences that the contract gives to the letter.
func TestWords(t *testing.T) {
	s := mustParse(t)
	const wrong = "That code did not work. Codes can be used once and change every 30 seconds. Wait for the next one."
	code := Factor{Frame: fullFrame(), Prompt: "totp-code", Problem: "rejected", RememberDays: 30, RememberUntil: someday()}
	setup := Setup{Frame: fullFrame(), Prompt: "totp-setup", Values: totpValues()}
	refused := setup
	refused.Problem = "rejected"
	wait := code
	wait.Problem, wait.Wait = "wait", 30e9
	tests := []struct {
		page           Page
		selector, want string
	}{
		{code, "[role=alert]", wrong},
		{code, "h1", "Enter your code"},
		{code, "title", "Error: Enter your code - Example Cases"},
		{code, "label[for=remember]", "Remember this device for 30 days"},
		{code, "#remember-hint", "Only on a device that nobody else uses. Until 22 December 2026 we will ask for your password alone."},
		{in(code, "nl"), "label[for=remember]", "Dit apparaat 30 dagen onthouden"},
		{in(code, "nl"), "#remember-hint", "Alleen op een apparaat dat niemand anders gebruikt. Tot 22 december 2026 vragen wij alleen uw wachtwoord."},
		{wait, "[role=alert]", "There were too many tries. Wait 30 seconds, then type the code that the app shows then."},
		{in(wait, "nl"), "[role=alert]", "Er is te vaak een code geprobeerd. Wacht 30 seconden en typ dan de code die de app op dat moment toont."},
		{setup, "h1", "Secure your account"},
		{setup, "summary", "Trouble scanning?"},
		{setup, ".note.warn strong", "Scan it inside the authenticator app, not with your phone’s camera."},
		{setup, ".apps", "On your phone Microsoft Authenticator, Twilio Authy or Google Authenticator On your computer WinOTP or KeePassXC"},
		{in(setup, "nl"), "h1", "Beveilig uw account"},
		{in(setup, "nl"), "summary", "Lukt scannen niet?"},
		{refused, "[role=alert] p:first-child", wrong},
		{SetupDone{Next: "/"}, "h1", "Set-up complete"},
		{in(SetupDone{Next: "/"}, "nl"), "h1", "Instellen voltooid"},
		{Login{Frame: fullFrame()}, "title", "Sign in - Example Cases"},
		{in(Login{}, "nl"), "title", "Inloggen - Lychgate"},
		{Login{Frame: fullFrame(), Problem: "rejected"}, "[role=alert] h2", "That e-mail address and password do not match"},
		{Login{Problem: "wait", Wait: 1e9}, "[role=alert] p", "Wait 1 second, then try again."},
		{Problem{Kind: "expired"}, "h1", "This sign-in has expired"},
		{Problem{Kind: "cookies", Host: "login.example.com"}, "main ol li:nth-child(2)", "Allow cookies for login.example.com."},
		{Problem{Kind: "client", Time: someday()}, ".facts dd.num", "22 December 2026, 09:41:07 UTC"},
		{Problem{Kind: "nobody thought of this"}, "h1", "Something went wrong on our side"},
	}
	for _, tt := range tests {
		doc, _ := render(t, s, tt.page)
		if got := wordsOf(doc.Find(tt.selector)); got != tt.want {
			t.Errorf("%s, %q = %q, want %q", tt.page.Template(), tt.selector, got, tt.want)
		}
	}
}

// TestSignInTellsNothing: a refused name, password and account look the same but for what was typed (J2).
func TestSignInTellsNothing(t *testing.T) {
	s := mustParse(t)
	_, one := render(t, s, Login{Frame: fullFrame(), Action: "/x", Username: "known@example.com", Problem: "rejected"})
	_, two := render(t, s, Login{Frame: fullFrame(), Action: "/x", Username: "nobody@example.com", Problem: "rejected"})
	if strings.ReplaceAll(one, "known@example.com", "nobody@example.com") != two {
		t.Error("the page of a refused sign-in differs by more than the name")
	}
	if strings.Contains(strings.ToLower(two), "locked") || strings.Contains(strings.ToLower(two), "disabled") {
		t.Error("the page of a refused sign-in tells the state of an account")
	}
}

// TestNothingPromised: what is not built is not spoken of.
func TestNothingPromised(t *testing.T) {
	s := mustParse(t)
	for _, v := range variants(fullFrame()) {
		if strings.HasPrefix(v.page.Template(), "console-") {
			continue
		}
		for _, lang := range s.Languages() {
			_, body := render(t, s, in(v.page, lang))
			for _, word := range []string{"console"} {
				if strings.Contains(strings.ToLower(body), word) {
					t.Errorf("%s in %s speaks of %q", v.name, lang, word)
				}
			}
		}
	}
}

// TestNamedByKind: an authenticator without a name is called by its kind, never a passkey an app.
func TestNamedByKind(t *testing.T) {
	s := mustParse(t)
	for kind, want := range map[string]string{"totp": "Authenticator app", "passkey": "Passkey or security key"} {
		doc, _ := render(t, s, Account{Frame: fullFrame(), On: true, Authenticators: []AccountAuthenticator{{ID: kind + ".x", Kind: kind}}})
		if got := wordsOf(doc.Find("#two-factor .items b")); got != want {
			t.Errorf("the account page calls a %s %q, want %q", kind, got, want)
		}
		doc, _ = render(t, s, AccountRemove{Frame: fullFrame(), Kind: kind})
		if got := wordsOf(doc.Find("h1")); got != "Remove “"+want+"”?" {
			t.Errorf("the page that removes a %s asks %q", kind, got)
		}
	}
}

// TestLockedSaysWhatToDo: whatever kind was asked for, the words fit it, and lead to the help desk.
func TestLockedSaysWhatToDo(t *testing.T) {
	s := mustParse(t)
	for prompt, values := range map[string]map[string]string{"totp-code": nil, "passkey": passkeyValues(), "recovery-code": {"left": "1"}} {
		doc, _ := render(t, s, Factor{Frame: fullFrame(), Prompt: prompt, Values: values, Problem: "locked"})
		const want = "Your second step is locked. There were too many wrong codes in a row. Ask the Example Legal Aid help desk to reset your second step. Then you can set it up again."
		if got := wordsOf(doc.Find("[role=alert]")); got != want {
			t.Errorf("%s: alert = %q, want %q", prompt, got, want)
		}
	}
}
