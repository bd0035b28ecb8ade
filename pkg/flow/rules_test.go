// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// t0 is when the authorization request came.
func t0() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }

// signedIn is a flow that began with a session of an hour ago, enrolled, with a fresh TOTP pass then.
func signedIn(change func(f *Flow)) *Flow {
	before := t0().Add(-time.Hour)
	f := &Flow{
		Created: t0(), PasswordAt: before,
		Account: &authn.Account{ID: "a", State: authn.Active, Factor: authn.FactorOn},
		Factors: []authn.Evidence{{Method: "otp", At: before}},
		Policy:  Policy{Factor: FactorRequired, Allowed: true, Remember: 30 * 24 * time.Hour},
		Request: Request{Scopes: []string{"openid"}},
	}
	change(f)
	return f
}

func TestNext(t *testing.T) {
	device := []authn.Evidence{{Method: "otp", At: t0().Add(-48 * time.Hour), Device: true}}
	tests := []struct {
		name   string
		change func(f *Flow)
		step   Step
		reason Reason
	}{
		{"session satisfies: single sign-on, J12", func(*Flow) {}, StepDone, ReasonNone},
		{"no account (OIDC Core §3.1.2.3)", func(f *Flow) { f.Account = nil }, StepLogin, LoginRequired},
		{"prompt=login in spite of a session (OIDC Core §3.1.2.1)", func(f *Flow) { f.Request.Prompt = []string{"login"} }, StepLogin, LoginRequired},
		{"prompt=login, password given in this flow", func(f *Flow) {
			f.Request.Prompt, f.PasswordAt = []string{"login"}, t0()
		}, StepDone, ReasonNone},
		{"prompt=select_account asks who it is", func(f *Flow) { f.Request.Prompt = []string{"select_account"} }, StepLogin, LoginRequired},
		{"max_age passed", func(f *Flow) { f.Request.MaxAge = new(int64(3599)) }, StepLogin, LoginRequired},
		{"max_age not passed", func(f *Flow) { f.Request.MaxAge = new(int64(7200)) }, StepDone, ReasonNone},
		{"the session's end came on the way", func(f *Flow) { f.Policy.PasswordLife = time.Hour }, StepLogin, LoginRequired},
		{"the session's end is still to come", func(f *Flow) { f.Policy.PasswordLife = time.Hour + 1 }, StepDone, ReasonNone},
		{"PR-13 max_age=0 asks the password", func(f *Flow) { f.Request.MaxAge = new(int64(0)) }, StepLogin, LoginRequired},
		{"PR-13 max_age=0 asks the code as well", func(f *Flow) {
			f.Request.MaxAge, f.PasswordAt = new(int64(0)), t0().Add(time.Second)
		}, StepFactor, LoginRequired},
		{"PR-13 max_age=0, remembered device does not count", func(f *Flow) {
			f.Request.MaxAge, f.PasswordAt, f.Factors = new(int64(0)), t0().Add(time.Second), device
		}, StepFactor, LoginRequired},
		{"max_age=0, both given in this flow", func(f *Flow) {
			f.Request.MaxAge, f.PasswordAt = new(int64(0)), t0().Add(time.Second)
			f.Factors = []authn.Evidence{{Method: "otp", At: t0().Add(9 * time.Second)}}
		}, StepDone, ReasonNone},
		{"never enrolled and wanted", func(f *Flow) { f.Account.Factor, f.Factors = authn.FactorNever, nil }, StepEnrol, InteractionNeeded},
		{"reset by an admin and wanted", func(f *Flow) { f.Account.Factor, f.Factors = authn.FactorReset, nil }, StepEnrol, InteractionNeeded},
		{"never enrolled and optional", func(f *Flow) {
			f.Account.Factor, f.Factors, f.Policy.Factor = authn.FactorNever, nil, FactorOptional
		}, StepDone, ReasonNone},
		{"enrolled and optional: asked", func(f *Flow) { f.Factors, f.Policy.Factor = nil, FactorOptional }, StepFactor, LoginRequired},
		{"enrolled and off: not asked", func(f *Flow) { f.Factors, f.Policy.Factor = nil, FactorOff }, StepDone, ReasonNone},
		{"off, but acr_values aim at mfa (RFC 9470)", func(f *Flow) {
			f.Factors, f.Policy.Factor, f.Request.ACRValues = nil, FactorOff, []string{authn.ACRFactor}
		}, StepFactor, LoginRequired},
		{"acr mfa not reachable is no error", func(f *Flow) {
			f.Account.Factor, f.Factors, f.Policy.Factor = authn.FactorNever, nil, FactorOff
			f.Request.ACRValues = []string{authn.ACRFactor}
		}, StepDone, ReasonNone},
		{"any listed acr that is reached is enough", func(f *Flow) {
			f.Factors, f.Request.ACRValues = device, []string{authn.ACRFactor, authn.ACRPassword}
		}, StepDone, ReasonNone},
		{"remembered device satisfies the policy, J8", func(f *Flow) { f.Factors = device }, StepDone, ReasonNone},
		{"PR-17 remembered device never reaches mfa", func(f *Flow) {
			f.Factors, f.Request.ACRValues = device, []string{authn.ACRFactor}
		}, StepFactor, LoginRequired},
		{"RD-10 always: remembered device does not count", func(f *Flow) { f.Factors, f.Policy.Factor = device, FactorAlways }, StepFactor, LoginRequired},
		{"always: an older pass does not count", func(f *Flow) { f.Policy.Factor = FactorAlways }, StepFactor, LoginRequired},
		{"id_token_hint names somebody else", func(f *Flow) { f.Request.HintSubject = "b" }, StepRefused, LoginRequired},
		{"client is not for this account", func(f *Flow) { f.Policy.Allowed = false }, StepRefused, ReasonAccessDenied},
		{"third party: consent, J14", func(f *Flow) { f.Policy.Consent = true }, StepConsent, ConsentRequired},
		{"third party: remembered consent", func(f *Flow) { f.Policy.Consent, f.Consented = true, []string{"openid"} }, StepDone, ReasonNone},
		{"third party: one more scope", func(f *Flow) {
			f.Policy.Consent, f.Consented, f.Request.Scopes = true, []string{"openid"}, []string{"openid", "email"}
		}, StepConsent, ConsentRequired},
		{"offline_access alone shows no page", func(f *Flow) {
			f.Policy.Consent, f.Consented, f.Request.Scopes = true, []string{"openid"}, []string{"openid", "offline_access"}
		}, StepDone, ReasonNone},
		{"prompt=consent always shows the page, own apps too", func(f *Flow) {
			f.Request.Prompt, f.Consented = []string{"consent"}, []string{"openid"}
		}, StepConsent, ConsentRequired},
		{"prompt=consent, answered", func(f *Flow) { f.Request.Prompt, f.Allowed = []string{"consent"}, true }, StepDone, ReasonNone},
		{"RD-02 device on day 31: asked, whatever its cookie says", func(f *Flow) {
			f.Factors = []authn.Evidence{{Method: "otp", At: t0().Add(-31 * 24 * time.Hour), Device: true}}
		}, StepFactor, LoginRequired},
		{"company never remembers: device does not count", func(f *Flow) { f.Factors, f.Policy.Remember = device, 0 }, StepFactor, LoginRequired},
		{"company remembers for a day: an older pass does not count", func(f *Flow) {
			f.Factors, f.Policy.Remember = device, 24*time.Hour
		}, StepFactor, LoginRequired},
		{"SF-21 a change wants the password anew", func(f *Flow) {
			f.Policy.Fresh, f.PasswordAt = 5*time.Minute, f.Created.Add(-5*time.Minute-time.Millisecond)
		}, StepLogin, LoginRequired},
		{"SF-21 a change wants the factor anew", func(f *Flow) {
			f.Policy.Fresh, f.PasswordAt = 5*time.Minute, f.Created
			f.Factors = []authn.Evidence{{Method: "otp", At: f.Created.Add(-5*time.Minute - time.Millisecond)}}
		}, StepFactor, LoginRequired},
		{"SF-21 both shown lately", func(f *Flow) {
			f.Policy.Fresh, f.PasswordAt = 5*time.Minute, f.Created.Add(-5*time.Minute)
			f.Factors = []authn.Evidence{{Method: "otp", At: f.Created.Add(-5 * time.Minute)}}
		}, StepDone, ReasonNone},
		{"SF-21 a remembered device is not enough for a change", func(f *Flow) {
			f.Policy.Fresh, f.PasswordAt = 5*time.Minute, f.Created
			f.Factors = []authn.Evidence{{Method: "otp", At: f.Created, Device: true}}
		}, StepFactor, LoginRequired},
		{"one more authenticator: after the factor", func(f *Flow) { f.Request.Purpose = PurposeAdd }, StepEnrol, InteractionNeeded},
		{"one more authenticator: never before the factor", func(f *Flow) { f.Request.Purpose, f.Factors = PurposeAdd, nil }, StepFactor, LoginRequired},
		{"one more authenticator: set up", func(f *Flow) { f.Request.Purpose, f.Enrolled = PurposeAdd, true }, StepDone, ReasonNone},
		{"C2 put off: not asked", func(f *Flow) { f.Account.Factor, f.Factors, f.Skipped = authn.FactorNever, nil, true }, StepDone, ReasonNone},
		{"C2 put off before a reset: asked", func(f *Flow) { f.Account.Factor, f.Factors, f.Skipped = authn.FactorReset, nil, true }, StepEnrol, InteractionNeeded},
		{"turned off by its person, wanted again: asked", func(f *Flow) { f.Account.Factor, f.Factors = authn.FactorOff, nil }, StepEnrol, InteractionNeeded},
		{"SF-24 consent never before the factor", func(f *Flow) { f.Policy.Consent, f.Factors = true, nil }, StepFactor, LoginRequired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := signedIn(tt.change)
			step, reason, pass := Next(f, t0())
			if step != tt.step || reason != tt.reason {
				t.Errorf("Next() = %v, %v, want %v, %v", step, reason, tt.step, tt.reason)
			}
			if got := pass.For(f); got != (tt.step == StepDone) {
				t.Errorf("pass.For(f) = %v at step %v", got, step)
			}
		})
	}
}

func TestPassIsForOneFlow(t *testing.T) {
	f, other := signedIn(func(*Flow) {}), signedIn(func(*Flow) {})
	_, _, pass := Next(f, t0())
	if !pass.For(f) || pass.For(other) || (Pass{}).For(f) || (Pass{}).For(nil) {
		t.Errorf("a pass has to count for the flow it was made for, and for no other")
	}
}

func TestStrictest(t *testing.T) {
	tests := []struct {
		modes []FactorMode
		want  FactorMode
	}{
		{nil, FactorOptional},
		{[]FactorMode{"", ""}, FactorOptional},
		{[]FactorMode{FactorOff, ""}, FactorOff},
		{[]FactorMode{FactorOff, FactorRequired}, FactorRequired},
		{[]FactorMode{FactorAlways, FactorOff}, FactorAlways},
		{[]FactorMode{FactorOptional, FactorOff}, FactorOptional},
		{[]FactorMode{"misspelt", FactorOff}, FactorAlways},
	}
	for _, tt := range tests {
		if got := Strictest(tt.modes...); got != tt.want {
			t.Errorf("Strictest(%q) = %v, want %v", tt.modes, got, tt.want)
		}
	}
}
