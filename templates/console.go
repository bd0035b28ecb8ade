// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"strconv"
	"time"
)

// Console is what stands around every page of the console for IT teams and company admins.
type Console struct {
	Frame
	// Account is the sign-in name of whoever looks.
	Account string
	// Nav are the sections there are, Section the one the page belongs to: overview, people, clients, policy, audit,
	// companies, keys.
	Nav     []string
	Section string
	// Of is the id of the company that an IT team has chosen to see; empty: all of them.
	Of string
}

// ConsoleClients is the list of clients, C4.
type ConsoleClients struct {
	Console
	// IT says that whoever looks may see the clients of every company; Companies are id and name of these.
	IT        bool
	Companies [][2]string
	// Query is what was searched for. Total is how many there are in all, Next the address of the next page.
	Query string
	Total int
	Next  string
	Rows  []ConsoleClientRow
	// Done is "" or "removed".
	Done string
}

// Template implements Page.
func (ConsoleClients) Template() string { return "console-clients" }

// ConsoleClientRow is one client in the list. Kind is web, spa, native or service; Other says that it is of another
// maker, Owner is the company whose own app it is, where whoever looks sees more than one; Factor is "", required, always, or none: it is not for people.
type ConsoleClientRow struct {
	ID, Name, Kind, Factor, Owner string
	Other                         bool
	Used                          time.Time
	// State is off, ends (with Days), unused or used.
	State string
	Days  int
}

// ConsoleClient is a client's page, C5 to C7. Gets are what it may ask for; IT: scopes can be declared.
type ConsoleClient struct {
	Console
	IT                  bool
	Gets                []ConsoleGrant
	ID, Name, Kind, Tag string
	// Other: of another maker. Trial: a sign-in can be tried.
	Other, Disabled, Trial bool
	// Owner is the company whose own app it is; empty: of another maker.
	Owner string
	Used  time.Time
	// Issuer, Callback and the like are what the app is told.
	Issuer, Callback string
	// HasSecret: the client proves itself by a secret made here. Secret is the secret itself, once: in the answer that made it.
	HasSecret bool
	Secret    string
	Secrets   []ConsoleSecret
	// Newest is the id of the one that was made last: a form sent twice makes one secret.
	Newest string
	// Old is a secret that is to end and was used lately; nil: there is none.
	Old      *ConsoleSecret
	Snippets []ConsoleSnippet
	Warnings []ConsoleWarning
	// Factor is "", off, optional, required or always; Consent never, remember or ask. Self: the client registered itself.
	Factor, Consent                  string
	Self                             bool
	Redirects, PostLogout            []string
	Backchannel, Frontchannel, Start string
	Auth, Format, Algorithm          string
	// AccessLife, IDLife, RefreshIdle and RefreshLife are how long tokens live; Refreshes: it gets refresh tokens.
	AccessLife, IDLife, RefreshIdle, RefreshLife ConsoleSpan
	Refreshes                                    bool
	JSON                                         string
	// Done is "" or "added", "saved", "off", "on", "ended", "kept", "policy", "stale".
	Done string
}

// Template implements Page.
func (ConsoleClient) Template() string { return "console-client" }

// ConsoleSecret is a secret as it is listed: by its last characters. Times may be zero; Ends zero: no end is set, Days is
// how many are left. Only says that it is the only one in force.
type ConsoleSecret struct {
	ID, Hint         string
	Made, Used, Ends time.Time
	From             string
	Days             int
	Soon, Only       bool
}

// ConsoleSnippet is a text to paste, by its id on the page; a snippet without a Name has one in the catalogue.
type ConsoleSnippet struct{ ID, Name, Text string }

// ConsoleWarning is a weak setting: Kind is one of those in console-client.html, Entry what it is about.
type ConsoleWarning struct{ Kind, Entry string }

// ConsoleClientForm adds or changes a client, C4 and C7.
type ConsoleClientForm struct {
	Console
	Action, Cancel string
	// ID is that of a client that is changed; empty: a new one. Name is how it is called now.
	ID, Name string
	IT       bool
	// Companies are id and name to choose the owner from.
	Companies [][2]string
	In        ConsoleClientInput
	Problems  []ConsoleProblem
	// Problem is "" or "stale": somebody else changed the client meanwhile; "proof": it has to be shown again who is there.
	Problem string
	// Methods and Algorithms are what the lists offer.
	Methods, Algorithms []string
	Most                ConsoleLives
}

// Template implements Page.
func (ConsoleClientForm) Template() string { return "console-client-form" }

// ConsoleClientInput is what was typed into the form. Lists are one entry a line.
type ConsoleClientInput struct {
	Tag, Name, Kind, ID, Owner                 string
	Redirects, PostLogout, Contacts            string
	URI, LogoURI, PolicyURI, TosURI, LoginURI  string
	Scope, Auth, KeysURI, PKCE, Format         string
	Audience, Introspect, IDTokenAlg, Userinfo string
	Subject, Backchannel, Frontchannel         string
	Factor, Companies, Roles, MaxAge           string
	AccessLife, IDLife                         string
	RefreshIdle, RefreshLife                   string
	Refresh, BackSession, FrontSession         bool
}

// ConsoleLives are the lifetimes that the provider allows, in seconds. Access is that of an opaque token, JWT of the other.
type ConsoleLives struct{ Access, JWT, IDToken, RefreshIdle, Refresh string }

// ConsoleSpan is a length of time: Unit is seconds, minutes, hours or days.
type ConsoleSpan struct {
	Unit string
	N    int
}

// ConsoleProblem is what is wrong with a field, by its name in the form. Kind is one of those in console-problem.html, else
// Text says it in English; Entry is the line it is about, 0: none.
type ConsoleProblem struct {
	Field, Kind, Text string
	Entry             int
}

// Line is the number of the line, in digits.
func (p ConsoleProblem) Line() string { return strconv.Itoa(p.Entry) }

// Wrong returns the problems of a field of the form.
func (f ConsoleClientForm) Wrong(field string) []ConsoleProblem {
	var out []ConsoleProblem
	for _, p := range f.Problems {
		if p.Field == field {
			out = append(out, p)
		}
	}
	return out
}

// Folded says whether nothing is wrong behind the details.
func (f ConsoleClientForm) Folded() bool {
	for _, p := range f.Problems {
		switch p.Field {
		case "name", "kind", "redirects", "postlogout", "owner":
		default:
			return false
		}
	}
	return true
}

// ConsoleConfirm asks whether to remove a client.
type ConsoleConfirm struct {
	Console
	Action, Back, ID, Name, Tag string
}

// Template implements Page.
func (ConsoleConfirm) Template() string { return "console-confirm" }

// ConsoleTry shows what a client would receive, C5. Problem is "" or "denied", "gone".
type ConsoleTry struct {
	Console
	Action, Back, ID, Name string
	Problem                string
	// Header and Claims are those of the ID token, AccessClaims those of an access token that is a JWT; all are JSON.
	Header, Claims                 string
	AccessClaims                   string
	Userinfo, Introspection, Scope string
	// Encrypted: the app would get the ID token encrypted to its own key.
	Encrypted bool
	Minutes   int
}

// Template implements Page.
func (ConsoleTry) Template() string { return "console-try" }
