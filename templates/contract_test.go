// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"
	"github.com/jba/templatecheck"
)

// TestTypes checks each template against the struct it is executed with.
func TestTypes(t *testing.T) {
	s := mustParse(t)
	bundle, err := loadMessages()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range known() {
		tmpl, err := parsePage(funcs(s, newCatalogue(bundle, "en")), p.Template())
		if err != nil {
			t.Fatal(err)
		}
		if err := templatecheck.CheckHTMLStrict(tmpl.Lookup("frame"), p); err != nil {
			t.Errorf("template %s against %T: %v", p.Template(), p, err)
		}
	}
}

// TestEveryPage holds every page to the rules of journeys.md, in both languages and with any name missing.
func TestEveryPage(t *testing.T) {
	s := mustParse(t)
	for which, f := range frames() {
		for _, v := range variants(f) {
			if which != "full" && rare(v.page.Template()) && v.name != v.page.Template() {
				continue // one page of each kind shows what stands around it
			}
			for _, lang := range s.Languages() {
				t.Run(v.name+"/"+which+"/"+lang, func(t *testing.T) {
					doc, body := render(t, s, in(v.page, lang))
					if strings.HasPrefix(v.page.Template(), "demo-") {
						lang = "en"
					}
					checkFrame(t, doc, lang)
					checkNothingInline(t, doc)
					checkAddresses(t, doc)
					checkForms(t, doc)
					checkAlert(t, doc, v.page)
					checkMarkup(t, body)
				})
			}
		}
	}
}

func checkFrame(t *testing.T, doc *goquery.Document, lang string) {
	t.Helper()
	if got := doc.Find("html").AttrOr("lang", ""); got != lang {
		t.Errorf("lang = %q, want %q", got, lang)
	}
	if n := doc.Find("h1").Length(); n != 1 {
		t.Errorf("%d h1, want 1", n)
	}
	if strings.TrimSpace(doc.Find("h1").Text()) == "" {
		t.Error("h1 is empty")
	}
	title := doc.Find("title").Text()
	if strings.HasPrefix(title, " ") || !regexp.MustCompile(`^\S.* - \S`).MatchString(title) || strings.Contains(title, "\n") {
		t.Errorf("title = %q, want the step, a dash and a name", title)
	}
	if doc.Find("main#main").Length() != 1 || doc.Find("a.skip[href='#main']").Length() != 1 {
		t.Error("no skip link to the main content")
	}
	if got := strings.TrimSpace(doc.Find("footer .flow > p, footer .app > p").Text()); got == "" {
		t.Error("no help at the foot")
	}
	seen := map[string]bool{}
	doc.Find("[id]").Each(func(_ int, el *goquery.Selection) {
		id := el.AttrOr("id", "")
		if seen[id] {
			t.Errorf("id %q is there twice", id)
		}
		seen[id] = true
	})
	for _, attr := range []string{"aria-describedby", "aria-labelledby", "for", "data-copy", "data-reveal"} {
		doc.Find("[" + attr + "]").Each(func(_ int, el *goquery.Selection) {
			for id := range strings.FieldsSeq(el.AttrOr(attr, "")) {
				if !seen[id] {
					t.Errorf("%s names %q, which is not there", attr, id)
				}
			}
		})
	}
	if n := doc.Find("[autofocus]").Length(); n > 1 {
		t.Errorf("%d elements want the focus", n)
	}
}

// checkNothingInline: the content security policy allows neither inline script nor inline style (SE-10), and no frame but
// those that sign a person out of apps, which are not seen and have a name.
func checkNothingInline(t *testing.T, doc *goquery.Document) {
	t.Helper()
	if n := doc.Find("style, [style], iframe:not([hidden][title][src]), object, embed, base, meta[http-equiv]").Length(); n != 0 {
		t.Errorf("%d elements with style of their own or another document in them", n)
	}
	doc.Find("script").Each(func(_ int, el *goquery.Selection) {
		if el.Text() != "" || !strings.HasPrefix(el.AttrOr("src", ""), "/static/") {
			t.Errorf("inline or foreign script: src %q", el.AttrOr("src", ""))
		}
	})
	doc.Find("*").Each(func(_ int, el *goquery.Selection) {
		for _, a := range el.Nodes[0].Attr {
			if strings.HasPrefix(strings.ToLower(a.Key), "on") {
				t.Errorf("inline handler %s on %s", a.Key, el.Nodes[0].Data)
			}
		}
	})
}

// checkAddresses: what a browser loads by itself comes from here; what a person follows has a scheme we know.
func checkAddresses(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("link[href], [src]:not(iframe), image, use").Each(func(_ int, el *goquery.Selection) {
		for _, attr := range []string{"href", "src"} {
			if v, ok := el.Attr(attr); ok && !strings.HasPrefix(v, "/static/") {
				t.Errorf("%s loads %q", el.Nodes[0].Data, v)
			}
		}
	})
	schemes := []string{"https://", "http://", "mailto:", "tel:", "otpauth://totp/", "/", "#"}
	doc.Find("a[href], form[action]").Each(func(_ int, el *goquery.Selection) {
		v := el.AttrOr("href", el.AttrOr("action", ""))
		ok := v == "" || slices.ContainsFunc(schemes, func(p string) bool { return strings.HasPrefix(v, p) })
		if !ok || strings.Contains(v, "ZgotmplZ") {
			t.Errorf("%s leads to %q", el.Nodes[0].Data, v)
		}
	})
}

func checkForms(t *testing.T, doc *goquery.Document) {
	t.Helper()
	doc.Find("input:not([type=hidden]):not([aria-hidden=true])").Each(func(_ int, el *goquery.Selection) {
		id := el.AttrOr("id", "")
		if strings.TrimSpace(doc.Find("label[for='"+id+"']").Text()) == "" {
			t.Errorf("input %q has no label", id)
		}
		if kind := el.AttrOr("type", ""); kind != "checkbox" && kind != "radio" && el.AttrOr("autocomplete", "") == "" {
			t.Errorf("input %q has no autocomplete token", id)
		}
		for _, attr := range []string{"placeholder", "maxlength", "pattern"} {
			if _, ok := el.Attr(attr); ok {
				t.Errorf("input %q has %s", id, attr)
			}
		}
	})
	doc.Find("input[type=password]").Each(func(_ int, el *goquery.Selection) {
		if v, ok := el.Attr("value"); ok {
			t.Errorf("a password comes back: %q", v)
		}
	})
	doc.Find("form").Each(func(_ int, form *goquery.Selection) {
		if m := form.AttrOr("method", ""); m != "post" && m != "get" {
			t.Errorf("form with method %q", m)
		}
		if form.Find("button:not([type=button])").Length() == 0 {
			t.Error("form without a submit button")
		}
	})
	if n := doc.Find("main .primary").Length(); n > 1 {
		t.Errorf("%d primary buttons, want 1 at most", n)
	}
	doc.Find("button, a").Each(func(_ int, el *goquery.Selection) {
		if strings.TrimSpace(el.Text()) == "" {
			t.Error("a button or link without words")
		}
	})
}

func checkAlert(t *testing.T, doc *goquery.Document, p Page) {
	t.Helper()
	refused := false
	switch p := p.(type) {
	case Login:
		refused = p.Problem != ""
	case Factor:
		refused = p.Problem != ""
	case Setup:
		refused = p.Problem != ""
	case Ticket:
		refused = p.Problem != ""
	case Forgot:
		refused = p.Problem != ""
	case NewPassword:
		refused = p.Problem != ""
	case Invited:
		refused = p.Problem != ""
	case AccountRename:
		refused = p.Problem != ""
	case AccountPassword:
		refused = p.Problem != ""
	case ConsoleClientForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsolePersonForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleInvite:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleInviteFile:
		refused = p.Problem != ""
	case ConsoleCompany:
		refused = len(p.Problems) > 0
	case ConsoleCompanyForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleScopeForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleRoleForm:
		refused = p.Problem != "" || len(p.Problems) > 0
	case ConsoleTry:
		refused = p.Problem != ""
	case ConsoleAudit:
		refused = len(p.Problems) > 0
	case ConsolePolicy:
		refused = p.Problem != "" || len(p.Problems) > 0
	case DemoHome:
		refused = p.Error != ""
	case DemoCasePage:
		refused = p.Refused
	}
	alert := doc.Find("[role=alert]")
	if want := map[bool]int{true: 1}[refused]; alert.Length() != want {
		t.Fatalf("%d alerts, want %d", alert.Length(), want)
	}
	title := doc.Find("title").Text()
	if got := strings.HasPrefix(title, "Error: ") || strings.HasPrefix(title, "Fout: "); got != refused {
		t.Errorf("title = %q of a page with %d alerts", title, alert.Length())
	}
	if !refused {
		return
	}
	if !alert.Is("#error[tabindex='-1'][autofocus]") || len(strings.Fields(alert.Text())) < 5 {
		t.Errorf("alert does not take the focus or does not say what to do: %q", alert.Text())
	}
}

// checkMarkup finds tags that are not closed, which a browser would mend in its own way, and words left out.
func checkMarkup(t *testing.T, body string) {
	t.Helper()
	for _, bad := range []string{"<no value>", "ZgotmplZ", "{{", "%!"} {
		if strings.Contains(body, bad) {
			t.Errorf("page holds %q", bad)
		}
	}
	void := []string{"meta", "link", "input", "img", "br", "hr"}
	var open []string
	for _, m := range regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)([^>]*?)(/?)>`).FindAllStringSubmatch(body, -1) {
		switch {
		case m[4] == "/" || slices.Contains(void, m[2]):
		case m[1] == "":
			open = append(open, m[2])
		case len(open) == 0 || open[len(open)-1] != m[2]:
			t.Fatalf("</%s> closes %v", m[2], open)
		default:
			open = open[:len(open)-1]
		}
	}
	if len(open) != 0 {
		t.Errorf("never closed: %v", open)
	}
}

// words returns what a person reads, with single spaces.
func wordsOf(sel *goquery.Selection) string { return strings.Join(strings.Fields(sel.Text()), " ") }

func buttons(doc *goquery.Document) []string {
	var names []string
	doc.Find("main form button:not([type=button])").Each(func(_ int, el *goquery.Selection) {
		names = append(names, wordsOf(el))
	})
	return names
}

// TestButtons: the names that password managers, readers and test drivers look for.
func TestButtons(t *testing.T) {
	s := mustParse(t)
	tests := []struct {
		page   Page
		en, nl []string
	}{
		{Login{}, []string{"Sign in"}, []string{"Inloggen"}},
		{Factor{Prompt: "totp-code"}, []string{"Continue"}, []string{"Doorgaan"}},
		{Setup{Prompt: "totp-setup", Values: totpValues()}, []string{"Continue", "Cancel"}, []string{"Doorgaan", "Annuleren"}},
		{Factor{Prompt: "passkey", Values: passkeyValues()}, []string{"Continue"}, []string{"Doorgaan"}},
		{
			Setup{Prompt: "passkey-setup", Values: passkeyValues(), SkipsLeft: 1},
			[]string{"Continue", "Not now", "Cancel"},
			[]string{"Doorgaan", "Niet nu", "Annuleren"},
		},
		{Choice{Kinds: []string{"totp", "passkey"}}, []string{"Continue"}, []string{"Doorgaan"}},
		{
			Choice{Kinds: []string{"totp", "passkey"}, Setup: true, SkipsLeft: 1},
			[]string{"Continue", "Not now", "Cancel"},
			[]string{"Doorgaan", "Niet nu", "Annuleren"},
		},
		{SetupDone{Next: "/flow/x"}, []string{"Continue"}, []string{"Doorgaan"}},
		{Ticket{}, []string{"Continue", "Cancel"}, []string{"Doorgaan", "Annuleren"}},
		{Consent{}, []string{"Allow", "Deny"}, []string{"Toestaan", "Weigeren"}},
		{SignOut{}, []string{"Sign out", "Cancel"}, []string{"Uitloggen", "Annuleren"}},
		{FormPost{}, []string{"Continue"}, []string{"Doorgaan"}},
	}
	for _, tt := range tests {
		for lang, want := range map[string][]string{"en": tt.en, "nl": tt.nl} {
			doc, _ := render(t, s, in(tt.page, lang))
			if diff := cmp.Diff(want, buttons(doc)); diff != "" {
				t.Errorf("buttons of %s in %s (-want +got):\n%s", tt.page.Template(), lang, diff)
			}
		}
	}
}

// TestFields: the tokens that browsers fill fields by.
func TestFields(t *testing.T) {
	s := mustParse(t)
	login, _ := render(t, s, Login{Frame: fullFrame(), Action: "/flow/x/login"})
	code, _ := render(t, s, Factor{Frame: fullFrame(), Prompt: "totp-code", RememberDays: 30, RememberUntil: someday()})
	plain, _ := render(t, s, Factor{Frame: fullFrame(), Prompt: "totp-code"})
	setup, _ := render(t, s, Setup{Frame: fullFrame(), Prompt: "totp-setup", Values: totpValues()})
	tests := []struct {
		doc      *goquery.Document
		selector string
		want     int
	}{
		{login, "form[method=post][action='/flow/x/login']", 1},
		{login, "input[name=username][autocomplete=username][required][autofocus]", 1},
		{login, "input[name=password][type=password][autocomplete=current-password][required]", 1},
		{login, "a[href*=forgot], a[href*=account]", 0},
		{code, "input[name=code][inputmode=numeric][autocomplete=one-time-code][required][autofocus]", 1},
		{code, "label[for=remember] input[type=checkbox][name=remember]:not([checked])", 1},
		{plain, "input[name=remember]", 0},
		{code, "a[lang=nl][hreflang=nl][href='/flow/x?ui_locales=nl']", 1},
		{code, "a[href='tel:+442079460000']", 1},
		{code, "a[href='mailto:help@example.com']", 1},
		{setup, ".qr svg[role=img][aria-label] path", 2},
		{setup, "a[href^='otpauth://totp/']", 1},
		{setup, "details #totp-key", 1},
		{setup, "details #totp-service", 1},
		{setup, "details #totp-account", 1},
		{setup, "button[type=button][data-copy]", 3},
		{setup, "ol.stepper > li", 3},
		{setup, "input[name=code][inputmode=numeric][autocomplete=one-time-code]", 1},
		{setup, "button[name=action][value=cancel][formnovalidate]", 1},
	}
	for _, tt := range tests {
		if got := tt.doc.Find(tt.selector).Length(); got != tt.want {
			t.Errorf("%q matches %d times, want %d", tt.selector, got, tt.want)
		}
	}
	if got := setup.Find("#totp-key").Text(); !regexp.MustCompile(`^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$`).MatchString(got) {
		t.Errorf("key = %q, want groups of four", got)
	}
	if got, want := setup.Find(".qr svg").AttrOr("viewBox", ""), "0 0 61 61"; got != want {
		t.Errorf("viewBox = %q, want %q", got, want)
	}
	if got, want := setup.Find("a[href^='otpauth://']").AttrOr("href", ""), totpValues()["uri"]; got != want {
		t.Errorf("otpauth link = %q, want %q", got, want)
	}
}

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

// TestPasskeyOptions: what a script reads off the page is what was put in, and no other page loads that script.
func TestPasskeyOptions(t *testing.T) {
	s := mustParse(t)
	want := passkeyValues()["options"]
	for _, v := range variants(fullFrame()) {
		doc, _ := render(t, s, v.page)
		form := doc.Find("form[data-passkey]")
		scripts := doc.Find("script[src='" + s.StaticPath("passkey.js") + "']").Length()
		switch prompt := v.page.Template(); {
		case prompt != "passkey" && prompt != "passkey-setup":
			if form.Length() != 0 || scripts != 0 {
				t.Errorf("%s loads the script of passkeys", v.name)
			}
		case scripts != 1:
			t.Errorf("%s loads the script %d times, want once", v.name, scripts)
		case v.name != "passkey-none" && form.AttrOr("data-options", "") != want:
			t.Errorf("%s: options = %q, want %q", v.name, form.AttrOr("data-options", ""), want)
		case v.name == "passkey-none" && form.Length() != 0:
			t.Errorf("%s asks for a key that is not there", v.name)
		}
		if form.Length() == 1 && !strings.Contains(doc.Find("noscript").Text(), "JavaScript") {
			t.Errorf("%s says nothing without a script", v.name)
		}
	}
}

// TestOtherWay: the set-up of a kind leads back to the choice where there is one, whatever the kind.
func TestOtherWay(t *testing.T) {
	s := mustParse(t)
	for _, p := range []Setup{{Prompt: "totp-setup", Values: totpValues()}, {Prompt: "passkey-setup", Values: passkeyValues()}} {
		if doc, _ := render(t, s, p); doc.Find("main a[href='/flow/x/enrol']").Length() != 0 {
			t.Errorf("%s: leads to a choice of one", p.Prompt)
		}
		p.Choice = "/flow/x/enrol"
		doc, _ := render(t, s, p)
		if got := wordsOf(doc.Find("main a[href='/flow/x/enrol']")); got != "Choose another way" {
			t.Errorf("%s: the link back to the choice = %q", p.Prompt, got)
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
