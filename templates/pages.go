// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// Frame is what every page shows around its content.
type Frame struct {
	// Lang is "en" or "nl". SwitchURL leads to the same page in the other language; empty: no switch.
	Lang, SwitchURL string
	// Client is the name of the app the person comes from; Company that of the organisation that signs them in.
	// Either may be empty.
	Client, Company string
	// LogoURL is the path of the app's logo on our own host; empty: its first letter stands there.
	LogoURL string
	// HelpEmail and HelpPhone stand at the foot; empty ones are left out.
	HelpEmail, HelpPhone string
}

// Page is a page with its template of the same name.
type Page interface {
	// Template is the name of the template file without its ending.
	Template() string
	frame() Frame
}

func (f Frame) frame() Frame { return f }

// Login is the sign-in page, J1 and J2.
type Login struct {
	Frame
	Action, Username string
	// Forgot leads to asking for a new password; empty: there is no mail.
	Forgot string
	// Problem is "" or "rejected", "wait" (with Wait), "missing" (name or password left empty).
	Problem string
	Wait    time.Duration
}

// Template implements Page.
func (Login) Template() string { return "login" }

// Factor is the page that asks for a factor; its template is chosen by the factor (totp-code).
type Factor struct {
	Frame
	// Action is the form's address; NotYou leads to signing in as somebody else.
	Action, NotYou, Account string
	// RememberDays > 0 shows the tick box; RememberUntil is the day it would end.
	RememberDays  int
	RememberUntil time.Time
	// Problem is "" or "rejected", "wait" (with Wait), "budget", "locked", "slip" (recovery-code: cost nothing).
	Problem string
	Wait    time.Duration
	// Recovery leads to the page for a recovery code, Instead to the other factors; empty: there is none.
	Recovery, Instead string
	// Options are the id and name of authenticators to choose one from; empty: nothing to choose.
	Options [][2]string
	// Prompt names the template; Values are the factor's own: totp-code has none, recovery-code has "left" ("0": none,
	// "1": some), passkey has "options" (JSON for navigator.credentials; "": there is no key).
	Prompt string
	Values map[string]string
}

// Template implements Page.
func (f Factor) Template() string { return f.Prompt }

// Setup is the set-up of a factor; its template is chosen by the factor (totp-setup).
type Setup struct {
	Frame
	Action, NotYou, Account string
	// Problem is "" or "rejected". Then Cause says why, where it is known: "clock" (Behind: how far the phone is
	// behind, below 0 ahead), "algorithm", "digits", "period" (Detail: what the app does), "key", "removed", "other"
	// (Detail: the authenticator's name, or empty), "unknown" or "".
	Problem, Cause, Detail string
	Behind                 time.Duration
	// Wanted says that a policy asks for it, More that there is an authenticator already, Replaces that this one takes its
	// place. SkipsLeft > 0 shows *Not now*, until SkipUntil if that is a date. Choice leads back to the choice of another
	// kind; empty: there is none.
	Wanted, More, Replaces bool
	SkipsLeft              int
	SkipUntil              time.Time
	Choice                 string
	Prompt                 string
	// Values of totp-setup: "uri" (otpauth://totp/…), "key" (Base32, grouped by four), "service", "account",
	// "qr_path" (an SVG path of black modules, integers only), "qr_size" (side of the viewBox with quiet zone). Value of
	// passkey-setup: "options" (JSON for navigator.credentials).
	Values map[string]string
}

// Template implements Page.
func (s Setup) Template() string { return s.Prompt }

// SetupDone says that the set-up is complete, J5.
type SetupDone struct {
	Frame
	// Next is where Continue leads.
	Next, Account string
	// Codes are the recovery codes, shown this once; empty: they were shown before. Made is when.
	Codes []string
	Made  time.Time
}

// Template implements Page.
func (SetupDone) Template() string { return "setup-done" }

// Choice asks which of several factors to use, or to set up (Setup); the first one is recommended. It is answered by
// the field "method" in the address.
type Choice struct {
	Frame
	Action, NotYou, Account string
	// Kinds are totp, passkey.
	Kinds []string
	Setup bool
	// SkipsLeft and SkipUntil are those of the set-up.
	SkipsLeft int
	SkipUntil time.Time
}

// Template implements Page.
func (Choice) Template() string { return "choice" }

// RecoveryUsed says how many recovery codes are left after one was used, J10.
type RecoveryUsed struct {
	Frame
	Next string
	Left int
}

// Template implements Page.
func (RecoveryUsed) Template() string { return "recovery-used" }

// Ticket asks for a set-up ticket: after a reset (Cause "reset"), or because the time for a first set-up by password
// alone is over (Cause "closed").
type Ticket struct {
	Frame
	Action, NotYou, Account string
	Cause                   string
	// Kind is about a link by mail: "offer" has the button, "sent" says that it is on its way, "" has neither.
	Kind string
	// Problem is "" or "rejected".
	Problem string
}

// Template implements Page.
func (Ticket) Template() string { return "ticket" }

// Consent asks whether a third-party client may have what it wants, J14.
type Consent struct {
	Frame
	Action, NotYou, Account string
	// Scopes are those that are asked for. Words says what a declared one opens; others that are not known are shown by
	// name.
	Scopes               []string
	Words                map[string]string
	PolicyURI, TosURI    string
	ClientOwnedByCompany bool
	// Unverified: the app registered itself, and nobody has looked at what it says of itself.
	Unverified bool
}

// Template implements Page.
func (Consent) Template() string { return "consent" }

// Able is what the app would be able to do, scope by scope.
func (p Consent) Able() []ScopeWords { return able(p.Scopes, p.Words) }

func able(scopes []string, words map[string]string) []ScopeWords {
	var out []ScopeWords
	for _, name := range scopes {
		out = append(out, ScopeWords{name, words[name]})
	}
	return out
}

// SignOut asks whether to sign out, J13. Hidden are the fields the form sends back.
type SignOut struct {
	Frame
	Action, Account string
	Hidden          map[string]string
	// Apps is the number of other clients used in this session.
	Apps int
}

// Template implements Page.
func (SignOut) Template() string { return "sign-out" }

// SignedOut says that the person is signed out.
type SignedOut struct {
	Frame
	// Back leads to the app; empty: no button. LeadsOn says that the page goes there by itself.
	Back    string
	LeadsOn bool
	// Frames are addresses of other apps that sign the person out when they are loaded.
	Frames []string
}

// Template implements Page.
func (SignedOut) Template() string { return "signed-out" }

// Problem is a page that ends a flow, J15: no form.
type Problem struct {
	Frame
	// Kind is "expired", "foreign" (begun in another browser), "cookies" (blocked), "client" (wrong client or
	// redirect_uri), "denied" (client not for this account), "locked" (factor locked), "reset" (ask the admin for a
	// ticket), "lost" (record lost: ask the admin), "busy" (503: store away or too many sign-ins), "link" (a mailed link
	// that is unknown, expired, used or of another account), "origin" (403, cross-site post), "start" (the bare
	// address), "notfound", "method", "toolarge", "bad" (400, anything else),
	// "internal" (500).
	Kind string
	// Reference helps support to find the log line. Back leads on; empty: no button.
	Reference, Back string
	// Host is the host whose cookies are meant; Parameter, ClientID and Code are for "client".
	Host, Parameter, ClientID, Code string
	Time                            time.Time
}

// Template implements Page.
func (Problem) Template() string { return "problem" }

// FormPost posts an authorization response to the client (OAuth 2.0 Form Post Response Mode).
type FormPost struct {
	Frame
	Action string
	// Fields are name and value, in order.
	Fields [][2]string
}

// Template implements Page.
func (FormPost) Template() string { return "form-post" }
