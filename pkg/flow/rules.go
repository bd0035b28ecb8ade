// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Step is one page of a flow.
type Step string

// The steps, in the order a person meets them. StepRefused ends the flow with the Reason as error.
const (
	StepLogin   Step = "login"
	StepEnrol   Step = "enrol"
	StepFactor  Step = "factor"
	StepConsent Step = "consent"
	StepDone    Step = "done"
	StepRefused Step = "refused"
)

// Reason is the OAuth error that answers prompt=none at a step (OIDC Core §3.1.2.6), or ends the flow.
type Reason string

// The reasons.
const (
	ReasonNone         Reason = ""
	LoginRequired      Reason = "login_required"
	InteractionNeeded  Reason = "interaction_required"
	ConsentRequired    Reason = "consent_required"
	ReasonAccessDenied Reason = "access_denied"
)

// Pass proves that every rule was asked and none needs a step. Only Next makes a good one: the engine issues
// nothing without it.
type Pass struct {
	flow *Flow
}

// For says whether the pass was made for f.
func (p Pass) For(f *Flow) bool { return p.flow != nil && p.flow == f }

type rule struct {
	step   Step
	reason Reason
	need   func(f *Flow, now time.Time) bool
}

// rules lists the steps in the order a person meets them.
func rules() []rule {
	return []rule{
		{StepRefused, UnmetRequirements, impossible},
		{StepLogin, LoginRequired, needLogin},
		{StepLogin, LoginRequired, passwordTooOld},
		{StepRefused, LoginRequired, otherAccount},
		{StepRefused, ReasonAccessDenied, notAllowed},
		{StepRefused, UnmetRequirements, unmet},
		{StepEnrol, InteractionNeeded, needEnrol},
		{StepEnrol, InteractionNeeded, enrolForACR},
		{StepFactor, LoginRequired, needFactor},
		{StepEnrol, InteractionNeeded, needMore},
		{StepConsent, ConsentRequired, needConsent},
	}
}

// Next returns the first step still needed, with the error that answers prompt=none there, or StepDone with a
// Pass. StepRefused means that the flow ends with the Reason whatever the prompt.
func Next(f *Flow, now time.Time) (Step, Reason, Pass) {
	for _, r := range rules() {
		if r.need(f, now) {
			return r.step, r.reason, Pass{}
		}
	}
	return StepDone, ReasonNone, Pass{flow: f}
}

// Authenticated says whether only consent, if anything, is still missing: the session may be made.
func Authenticated(f *Flow, now time.Time) bool {
	step, _, _ := Next(f, now)
	return step == StepConsent || step == StepDone
}

// needLogin: no account yet; prompt=login or max_age ask for the password again (OIDC Core §3.1.2.1). A password
// given in this flow always counts, so that a small max_age does not ask twice. A session whose absolute end came
// while the flow was under way counts no more.
func needLogin(f *Flow, now time.Time) bool {
	if f.Account == nil || f.PasswordAt.IsZero() {
		return true
	}
	if !f.PasswordAt.Before(f.Created) {
		return false
	}
	if f.Request.HasPrompt("login") || f.Request.HasPrompt("select_account") {
		return true
	}
	if f.stale(f.PasswordAt) {
		return true
	}
	if f.Policy.PasswordLife > 0 && now.Sub(f.PasswordAt) >= f.Policy.PasswordLife {
		return true
	}
	return f.Request.MaxAge != nil && now.Sub(f.PasswordAt) >= time.Duration(*f.Request.MaxAge)*time.Second
}

// otherAccount: the id_token_hint named someone else (OIDC Core §3.1.2.1).
func otherAccount(f *Flow, _ time.Time) bool {
	return f.Request.HintSubject != "" && f.Request.HintSubject != f.Subject
}

// notAllowed: the client is for other companies or roles.
func notAllowed(f *Flow, _ time.Time) bool { return !f.Policy.Allowed }

// stale says whether what was shown at the given time is too old for the change that the flow is for. It is counted
// from the beginning of the flow, so that nobody is asked twice for taking their time.
func (f *Flow) stale(at time.Time) bool {
	return f.Policy.Fresh > 0 && at.Before(f.Created.Add(-f.Policy.Fresh))
}

// needEnrol: a factor is wanted and the account has none, or an admin took it away; not while the person may put it
// off and has.
func needEnrol(f *Flow, _ time.Time) bool {
	if f.Account.Factor == authn.FactorOn || !f.Policy.Factor.Wanted() {
		return false
	}
	return !f.Skipped || f.Account.Factor == authn.FactorReset
}

// needMore: the flow is there to set up one more authenticator, or the first one.
func needMore(f *Flow, _ time.Time) bool {
	return (f.Request.Purpose == PurposeAdd || f.Request.Purpose == PurposeReplace) && !f.Enrolled
}

// needFactor: policy, an acr, an age of evidence or max_age=0 ask for more than the evidence shows.
func needFactor(f *Flow, now time.Time) bool {
	if f.Account.Factor != authn.FactorOn {
		return false
	}
	if f.factorTooOld(now) {
		return true
	}
	aim := f.aim() == authn.ACRFactor
	if !aim && f.Policy.Factor == FactorOff {
		return false
	}
	for _, e := range f.Factors {
		if f.counts(e, aim) {
			return false
		}
	}
	return true
}

// counts says whether e is good enough. A remembered device stands for a factor where policy allows it, never for
// acr mfa; what was shown before the password of this flow does not count when that password was asked anew.
func (f *Flow) counts(e authn.Evidence, aim bool) bool {
	anew := f.Request.MaxAge != nil && *f.Request.MaxAge == 0
	if e.Device {
		return !aim && !anew && f.Policy.Factor != FactorAlways && f.Policy.Fresh == 0 && f.remembered(e)
	}
	if f.stale(e.At) {
		return false
	}
	if anew || f.Policy.Factor == FactorAlways {
		return !e.At.Before(f.Created)
	}
	return true
}

// remembered says whether the policy still lets a remembered device stand for its pass.
func (f *Flow) remembered(e authn.Evidence) bool {
	return f.Created.Before(e.At.Add(f.Policy.Remember))
}

// needConsent: scopes that the person has not allowed this client yet, or prompt=consent (OIDC Core §3.1.2.1).
func needConsent(f *Flow, _ time.Time) bool {
	if f.Allowed {
		return false
	}
	if f.Request.HasPrompt("consent") || f.Policy.ConsentEach {
		return true
	}
	if !f.Policy.Consent {
		return false
	}
	for _, s := range f.Request.Asked() {
		if s == "offline_access" {
			if f.Policy.AskOffline {
				return true
			}
			continue
		}
		if !slices.Contains(f.Consented, s) {
			return true
		}
	}
	return false
}

// Wanted says whether the mode asks everybody for a factor.
func (m FactorMode) Wanted() bool { return m == FactorRequired || m == FactorAlways }

// strictness orders the modes; an unknown one counts as the strictest, an empty one says nothing.
func (m FactorMode) strictness() int {
	i := slices.Index([]FactorMode{"", FactorOff, FactorOptional, FactorRequired, FactorAlways}, m)
	if i < 0 {
		return 4
	}
	return i
}

// Strictest returns the strictest of the modes that say something; FactorOptional if none does. A mode that is
// not known counts as FactorAlways.
func Strictest(modes ...FactorMode) FactorMode {
	best := FactorMode("")
	for _, m := range modes {
		if m.strictness() > best.strictness() {
			best = m
		}
	}
	switch best.strictness() {
	case 0:
		return FactorOptional
	case 4:
		return FactorAlways
	default:
		return best
	}
}
