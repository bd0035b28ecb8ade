// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// variant is a page as somebody might see it.
type variant struct {
	name string
	page Page
}

func fullFrame() Frame {
	return Frame{
		SwitchURL: "/flow/x?ui_locales=nl", Client: "Example Cases", Company: "Example Legal Aid",
		HelpEmail: "help@example.com", HelpPhone: "+44 20 7946 0000",
	}
}

// frames are the four cases of names that may be empty.
func frames() map[string]Frame {
	full := fullFrame()
	client, company, bare := full, full, full
	client.Company, company.Client, bare.Client, bare.Company = "", "", "", ""
	bare.SwitchURL, bare.HelpEmail, bare.HelpPhone = "", "", ""
	return map[string]Frame{"full": full, "client": client, "company": company, "bare": bare}
}

func totpValues() map[string]string {
	return map[string]string{
		"uri": "otpauth://totp/Example%20Legal%20Aid:a.example%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" +
			"&issuer=Example%20Legal%20Aid&algorithm=SHA1&digits=6&period=30",
		"key": "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", "service": "Example Legal Aid", "account": "a.example@example.com",
		"qr_path": "M4 4h7v1h-7z", "qr_size": "61",
	}
}

func passkeyValues() map[string]string {
	return map[string]string{"options": `{"challenge":"AAAA","rp":{"id":"login.example.com","name":"A \"B\" <c> & 'd'"}}`}
}

func kinds() []string {
	return []string{
		"expired", "foreign", "cookies", "client", "denied", "locked", "reset", "lost", "busy", "link", "origin", "start",
		"notfound", "method", "toolarge", "bad", "internal",
	}
}

func causes() []string {
	return []string{"clock", "algorithm", "digits", "period", "key", "removed", "other", "unknown"}
}

func someday() time.Time { return time.Date(2026, time.December, 22, 9, 41, 7, 0, time.UTC) }

// variants returns every page with every problem it can show.
func variants(f Frame) []variant {
	const who = "a.example@example.com"
	var all []variant
	add := func(name string, p Page) { all = append(all, variant{name, p}) }
	for _, problem := range []string{"", "rejected", "wait", "missing"} {
		add("login/"+problem, Login{Frame: f, Action: "/flow/x/login", Problem: problem, Wait: 90 * time.Second})
		add("login-named/"+problem, Login{Frame: f, Action: "/flow/x/login", Username: who, Forgot: "/flow/x/forgot", Problem: problem, Wait: time.Second})
	}
	for _, problem := range []string{"", "rejected", "wait", "budget", "locked"} {
		p := Factor{
			Frame: f, Action: "/flow/x/factor", NotYou: "/flow/x/restart", Account: who, Problem: problem,
			Wait: 30 * time.Second, Prompt: "totp-code",
		}
		add("totp-code-plain/"+problem, p)
		p.RememberDays, p.RememberUntil = 30, someday()
		add("totp-code/"+problem, p)
	}
	for _, problem := range []string{"", "rejected", "locked"} {
		p := Factor{
			Frame: f, Action: "/flow/x/factor?method=passkey", NotYou: "/flow/x/restart", Account: who, Problem: problem,
			Recovery: "/flow/x/recovery", Instead: "/flow/x/factor", Prompt: "passkey", Values: passkeyValues(),
		}
		add("passkey-plain/"+problem, p)
		p.RememberDays, p.RememberUntil, p.Instead = 30, someday(), ""
		add("passkey/"+problem, p)
	}
	add("passkey-none", Factor{Frame: f, Action: "/flow/x/factor", Recovery: "/flow/x/recovery", Prompt: "passkey", Values: map[string]string{"options": ""}})
	for _, problem := range []string{"", "rejected"} {
		p := Setup{
			Frame: f, Action: "/flow/x/enrol?method=passkey", NotYou: "/flow/x/restart", Account: who,
			Problem: problem, Prompt: "passkey-setup", Values: passkeyValues(),
		}
		add("passkey-setup/"+problem, p)
		p.Cause = "other"
		add("passkey-setup-known/"+problem, p)
		p.SkipsLeft, p.SkipUntil, p.Choice = 2, someday(), "/flow/x/enrol"
		add("passkey-setup-skip/"+problem, p)
		p.SkipsLeft, p.More = 0, true
		add("passkey-setup-more/"+problem, p)
		p.Replaces = true
		add("passkey-setup-replace/"+problem, p)
	}
	choice := Choice{Frame: f, Action: "/flow/x/factor", NotYou: "/flow/x/restart", Account: who, Kinds: []string{"totp", "passkey"}}
	add("choice", choice)
	choice.Action, choice.Setup = "/flow/x/enrol", true
	add("choice-setup", choice)
	choice.SkipsLeft = 2
	add("choice-setup-skip", choice)
	choice.SkipUntil = someday()
	add("choice-setup-skip-until", choice)
	for _, problem := range []string{"", "rejected"} {
		add("totp-setup/"+problem, Setup{
			Frame: f, Action: "/flow/x/enrol", NotYou: "/flow/x/restart", Account: who,
			Problem: problem, Prompt: "totp-setup", Values: totpValues(), Wanted: true,
		})
		for _, kind := range []string{"", "offer", "sent"} {
			add("ticket-closed/"+kind+problem, Ticket{
				Frame: f, Action: "/flow/x/enrol", NotYou: "/flow/x/restart", Account: who, Problem: problem, Cause: "closed", Kind: kind,
			})
		}
		add("ticket/"+problem, Ticket{Frame: f, Action: "/flow/x/enrol", NotYou: "/flow/x/restart", Account: who, Problem: problem})
	}
	beside := Setup{
		Frame: f, Action: "/flow/x/enrol?method=totp", NotYou: "/flow/x/restart", Account: who, Prompt: "totp-setup",
		Values: totpValues(), More: true, Choice: "/flow/x/enrol",
	}
	add("totp-setup-more", beside)
	beside.Replaces = true
	add("totp-setup-replace", beside)
	for _, cause := range causes() {
		add("totp-setup/"+cause, Setup{
			Frame: f, Action: "/flow/x/enrol", NotYou: "/flow/x/restart", Account: who, Prompt: "totp-setup", Values: totpValues(),
			Problem: "rejected", Cause: cause, Behind: -94 * time.Second, Detail: "Old phone",
		})
	}
	add("setup-done", SetupDone{Frame: f, Next: "/flow/x", Account: who})
	add("consent", Consent{
		Frame: f, Action: "/flow/x/consent", NotYou: "/flow/x/restart", Account: who,
		Scopes:    []string{"openid", "profile", "email", "address", "phone", "offline_access", "reports.read"},
		PolicyURI: "https://reports.example.com/privacy", TosURI: "https://reports.example.com/terms",
	})
	add("consent-own", Consent{Frame: f, Action: "/flow/x/consent", Account: who, ClientOwnedByCompany: true})
	for _, apps := range []int{0, 1, 2} {
		add("sign-out", SignOut{
			Frame: f, Action: "/logout/confirm", Account: who, Apps: apps,
			Hidden: map[string]string{"client_id": "example-cases", "state": "s"},
		})
	}
	add("signed-out", SignedOut{Frame: f, Back: "https://cases.example.com/"})
	add("signed-out-bare", SignedOut{Frame: f})
	for _, apps := range []int{1, 2} {
		add("signed-out-apps", SignedOut{
			Frame: f, Back: "https://cases.example.com/bye?state=s", LeadsOn: apps > 1,
			Frames: []string{"https://mail.example.com/bye?iss=x&sid=y", "https://files.example.com/bye"}[:apps],
		})
	}
	for _, kind := range kinds() {
		add("problem/"+kind, Problem{
			Frame: f, Kind: kind, Reference: "7F3K-20QD", Back: "https://cases.example.com/",
			Host: "login.example.com", Parameter: "redirect_uri", ClientID: "example-cases", Code: "invalid_request", Time: someday(),
		})
		add("problem-bare/"+kind, Problem{Frame: f, Kind: kind})
	}
	add("problem/client/client_id", Problem{Frame: f, Kind: "client", Parameter: "client_id", Code: "invalid_client"})
	add("problem/client/scope", Problem{Frame: f, Kind: "client", Parameter: "scope", Code: "invalid_scope"})
	add("form-post", FormPost{
		Frame: f, Action: "https://cases.example.com/callback",
		Fields: [][2]string{{"code", "lgc_x"}, {"state", "s"}, {"submit", "x"}},
	})
	return slices.Concat(all, linkVariants(f), demoVariants(f), accountVariants(f), consoleVariants(f))
}

func demoVariants(f Frame) []variant {
	c := DemoCase{Number: "2026-0417", Name: "Estate of J. Example", Status: "Open", Updated: "22 November 2026"}
	return []variant{
		{"demo-home/out", DemoHome{Frame: f, SignIn: "/login"}},
		{"demo-home/error", DemoHome{Frame: f, SignIn: "/login", Error: "access_denied", ErrorText: "You chose Cancel."}},
		{"demo-home/in", DemoHome{
			Frame: f, Person: "A. Example", Email: "a.example@example.com", Strong: true,
			Cases: []DemoCase{c, c}, SignOut: "/logout",
		}},
		{"demo-home/empty", DemoHome{Frame: f, Person: "A. Example", SignOut: "/logout"}},
		{"demo-case", DemoCasePage{Frame: f, Person: "A. Example", Case: c, Notes: []string{"Called the bank."}, Home: "/", SignOut: "/logout"}},
		{"demo-case/empty", DemoCasePage{Frame: f, Person: "A. Example", Case: c, Home: "/", SignOut: "/logout"}},
		{"demo-mail/empty", DemoMail{Frame: f}},
		{"demo-mail", DemoMail{Frame: f, Mails: []DemoMessage{{
			To: "a.example@example.com", Subject: "Choose a new password",
			Lines: []DemoLine{{Text: "Open this:"}, {Text: "http://localhost:8080/x", Link: "http://localhost:8080/x"}},
		}}}},
		{"demo-case/refused", DemoCasePage{Frame: f, Person: "A. Example", Case: c, Home: "/", SignOut: "/logout", Refused: true}},
	}
}

var parsedOnce = sync.OnceValues(Parse)

// mustParse returns the set that all tests share, as all requests of a node do.
func mustParse(t *testing.T) *Set {
	t.Helper()
	s, err := parsedOnce()
	if err != nil {
		t.Fatalf("Parse() = %v", err)
	}
	return s
}

func render(t *testing.T, s *Set, p Page) (*goquery.Document, string) {
	t.Helper()
	body, err := s.Render(p)
	if err != nil {
		t.Fatalf("Render(%s) = %v", p.Template(), err)
	}
	doc, err := goquery.NewDocumentFromReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return doc, string(body)
}

// in returns p in a language.
func in(p Page, lang string) Page {
	v := reflect.New(reflect.TypeOf(p)).Elem()
	v.Set(reflect.ValueOf(p))
	v.FieldByName("Lang").SetString(lang)
	changed, _ := reflect.TypeAssert[Page](v)
	return changed
}

// chosen are the fields whose values are ours, never a person's.
func chosen(name string) bool {
	return name == "Lang" || name == "Problem" || name == "Cause" || name == "Prompt" || name == "Kind" || name == "Kinds" ||
		name == "Done"
}

// filled returns p with every string of people and clients replaced by s.
func filled(p Page, s string) Page {
	v := reflect.New(reflect.TypeOf(p)).Elem()
	v.Set(reflect.ValueOf(p))
	fill(v, s)
	changed, _ := reflect.TypeAssert[Page](v)
	return changed
}

func fill(v reflect.Value, s string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(s)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if !chosen(v.Type().Field(i).Name) {
				fill(v.Field(i), s)
			}
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), s)
		}
	case reflect.Slice:
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			fill(fresh.Index(i), s)
		}
		v.Set(fresh)
	case reflect.Map:
		old, _ := reflect.TypeAssert[map[string]string](v)
		m := maps.Clone(old)
		for k := range m {
			if k != "uri" && k != "qr_path" && k != "qr_size" {
				m[k] = s
			}
		}
		v.Set(reflect.ValueOf(m))
	default:
	}
}
