// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package flow is one authorization request on its way through login, set-up, factor and consent.
//
// The request is stored; Next names the first step still needed; steps come back to it and never name each
// other. Nothing in here does I/O. The only way to an answer is a Pass, which only Next can make.
package flow

import (
	"context"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/session"
)

// Lifetime is how long a flow may take from the authorization request to the answer.
const Lifetime = 10 * time.Minute

// Purpose says what a flow is for: a client's authorization request, or an act on the person's own account page.
type Purpose string

// The purposes. PurposeView shows the account page; PurposeProve leads back to it with password and factor shown
// lately; PurposeAdd and PurposeReplace set up one more authenticator, or one in the place of another. PurposeConsole
// shows the console for admins, PurposeConsoleAct leads back to it for a change. PurposeTry is a sign-in at a client
// whose answer an admin looks at, in place of the client.
const (
	PurposeClient  Purpose = ""
	PurposeView    Purpose = "view"
	PurposeProve   Purpose = "prove"
	PurposeAdd     Purpose = "add"
	PurposeReplace Purpose = "replace"

	PurposeConsole    Purpose = "console"
	PurposeConsoleAct Purpose = "console-act"
	PurposeTry        Purpose = "try"
)

// AtClient says whether the policy of a client is asked.
func (p Purpose) AtClient() bool { return p == PurposeClient || p == PurposeTry }

// ForAdmins says whether the flow leads to the console.
func (p Purpose) ForAdmins() bool { return p == PurposeConsole || p == PurposeConsoleAct }

// Request is a validated authorization request, or what the account page asks for.
type Request struct {
	Purpose Purpose
	// Return is the path of ours that a flow of the account page leads back to; Replaces is the authenticator that
	// PurposeReplace takes away.
	Return, Replaces string

	// Pushed is the id under which the client sent the request ahead (RFC 9126), which is spent at the answer; empty if it
	// came with the browser.
	Pushed string

	// Params are the merged, validated parameters as the protocol engine replays them at the answer.
	Params   url.Values
	ClientID string
	// RedirectURI is registered for the client; ResponseType is in its registered spelling, ResponseMode is query,
	// fragment or form_post.
	RedirectURI, ResponseType, ResponseMode, State string
	Scopes                                         []string
	// IDClaims and UserClaims are the standard claims that the request names one by one (OIDC Core §5.5), Claimed the
	// scopes they belong to: consent is asked for these too.
	IDClaims, UserClaims, Claimed []string
	// Prompt holds none, login, consent, select_account.
	Prompt []string
	// MaxAge is in seconds; nil when the request has none. 0 asks for everything anew.
	MaxAge    *int64
	ACRValues []string
	// EssentialACR are the values of an essential acr in the claims parameter (OIDC Core §5.5.1.1): one of them has
	// to be reached, else the request ends with unmet_authentication_requirements.
	EssentialACR []string
	// EvidenceAge is the greatest age in seconds that a fresh pass of a method may have (claims lg_evidence max_age);
	// second factors stand for each other.
	EvidenceAge map[string]int64
	LoginHint   string
	// HintSubject is the subject of a verified id_token_hint, as the client sees it.
	HintSubject string
	UILocales   []string
}

// HasPrompt says whether the request asks for prompt p.
func (r *Request) HasPrompt(p string) bool {
	return slices.Contains(r.Prompt, p)
}

// Asked are the scopes that consent is asked for: those of the request, and those whose claims it names one by one.
func (r *Request) Asked() []string {
	out := slices.Clone(r.Scopes)
	for _, s := range r.Claimed {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// FactorMode is a policy on the second factor; the strictest of company and client wins.
type FactorMode string

// The modes, from the mildest to the strictest.
const (
	// FactorOff never asks. FactorOptional asks those who have set one up. FactorRequired asks everybody.
	// FactorAlways is FactorRequired, and neither a remembered device nor an older pass counts.
	FactorOff      FactorMode = "off"
	FactorOptional FactorMode = "optional"
	FactorRequired FactorMode = "required"
	FactorAlways   FactorMode = "always"
)

// Policy is what client and company ask of a sign-in.
type Policy struct {
	Factor FactorMode
	// Consent is true for clients that need the person's word (third party), ConsentEach for those that need it each
	// time. AskOffline asks each time for access
	// without the person: the client registered itself.
	Consent, ConsentEach, AskOffline bool
	// Allowed is false if the client is not for this account (company or role).
	Allowed bool
	// PasswordLife is how long the password of a session counts, in all; 0: no bound.
	PasswordLife time.Duration
	// Fresh, if not 0, is how long before the flow began password and factor may have been shown at the earliest, and
	// a remembered device does not count: an account page is about to change something (ASVS 7.5.1).
	Fresh time.Duration
	// Remember is how long a remembered device stands for a factor after its pass; 0: never.
	Remember time.Duration
	// SkipsLeft is how often the person may still put a set-up off; SkipUntil is when that ends, zero: no date.
	SkipsLeft int
	SkipUntil time.Time
	// Closed says that the time for a first set-up by password alone is over: a ticket is wanted.
	Closed bool
	// Methods are the second factors that can be asked for, by their names in lg_evidence; nil: not known.
	Methods []string
}

// Flow is an authorization request under way.
type Flow struct {
	// ID is 22 characters of base64url before the password, lgf_… after it. Secret only together with the cookie.
	ID      string
	Request Request
	// Created is the time of the authorization request.
	Created time.Time
	// Account is nil before the password; else as read together with the flow.
	Account *authn.Account
	// Subject is the account as the client sees it (claim sub).
	Subject string
	// AccountName is the name the person typed, for the page.
	AccountName string
	// Epoch and PasswordGen are as of the password, or of the session that the flow began with.
	Epoch, PasswordGen int64
	PasswordAt         time.Time
	Factors            []authn.Evidence
	// Session is the handle of the session the flow began with or made; empty if none.
	Session string
	// BrowserState is what the browser's sign-in is known by to the apps that watch it (Session Management 1.0). It is set
	// for the answer alone and never stored; empty: nothing is said of it.
	BrowserState string
	// Consented are the scopes that the account has allowed this client before; Allowed says that the person has
	// answered the consent page of this flow with yes.
	Consented []string
	Allowed   bool
	// Ticket is a set-up ticket that the person has typed; Enrolled says that a set-up was confirmed in this flow.
	Ticket   string
	Enrolled bool
	// Skipped says that the person has put a set-up off, in this flow or in the session that it began with.
	Skipped bool
	Policy  Policy
}

// SID is the session id that clients see (claim sid); empty without a session.
func (f *Flow) SID() string { return session.ID(f.Session) }

// LogValue keeps the id and the session out of the logs.
func (f *Flow) LogValue() slog.Value {
	return slog.StringValue("[redacted] client " + f.Request.ClientID)
}

// Update is a set of marks to add to a flow; nil and empty fields change nothing.
type Update struct {
	// Device is the evidence of a remembered device.
	Device  *authn.Evidence
	Session string
	Allowed bool
	Ticket  string
}

// Store keeps flows for Lifetime. bind are the secrets of the browser's binding cookie, newest first: a flow of
// another browser answers authn.ErrGone, like one that is unknown or expired. Every method may answer
// authn.ErrUnavailable or authn.ErrLost.
type Store interface {
	// Create stores f and sets its ID. With f.Account it is stored in the account's slot. An empty bind stores it
	// unbound (POST /authorize from another site); then Bind must follow.
	Create(ctx context.Context, f *Flow, bind string) error
	// Bind ties an unbound flow to a browser, once.
	Bind(ctx context.Context, id, bind string) error
	// Load reads the flow together with its account's present state and the consented scopes, in one round trip.
	// authn.ErrMoved if the account is not active any more or its epoch or password generation moved.
	Load(ctx context.Context, id string, bind []string) (*Flow, error)
	// Identify ends the flow before the password and stores it anew for f.Account, bound to newBind, with a new ID.
	// Of two posts that race, one gets authn.ErrGone.
	Identify(ctx context.Context, f *Flow, bind []string, newBind string) error
	// Skip puts a set-up off, if the account has done so fewer than most times; authn.ErrConflict if not. It is counted
	// once a flow.
	Skip(ctx context.Context, id string, bind []string, most int) error
	// Mark adds u to a flow after the password.
	Mark(ctx context.Context, id string, bind []string, u Update) error
	// End removes the flow and answers authn.ErrGone if it was gone already (an error is sent once).
	End(ctx context.Context, id string, bind []string) error
}
