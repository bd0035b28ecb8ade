// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
)

const hardware = "urn:example:acr:hardware"

// never is an account that has no factor under a policy.
func never(f *Flow, m FactorMode) {
	f.Account.Factor, f.Factors, f.Policy.Factor = authn.FactorNever, nil, m
}

// ages asks for evidence by age at an account whose policy asks for no factor, so that nothing else does.
func ages(f *Flow, a map[string]int64) { f.Policy.Factor, f.Request.EvidenceAge = FactorOff, a }

func remembered() []authn.Evidence {
	return []authn.Evidence{{Method: "otp", At: t0().Add(-time.Minute), Device: true}}
}

func TestStepUp(t *testing.T) {
	mfa, pwd := []string{authn.ACRFactor}, []string{authn.ACRPassword}
	tests := []struct {
		name   string
		change func(f *Flow)
		step   Step
		reason Reason
	}{
		{"essential mfa, reached (OIDC Core §5.5.1.1)", func(f *Flow) { f.Request.EssentialACR = mfa }, StepDone, ReasonNone},
		{"essential mfa, enrolled, optional", func(f *Flow) {
			f.Factors, f.Policy.Factor, f.Request.EssentialACR = nil, FactorOptional, mfa
		}, StepFactor, LoginRequired},
		{"essential mfa, enrolled, off", func(f *Flow) {
			f.Factors, f.Policy.Factor, f.Request.EssentialACR = nil, FactorOff, mfa
		}, StepFactor, LoginRequired},
		{"PR-17 essential mfa, remembered device (NIST SP 800-63B §5.1)", func(f *Flow) {
			f.Factors, f.Request.EssentialACR = remembered(), mfa
		}, StepFactor, LoginRequired},
		{"essential mfa, may be set up", func(f *Flow) {
			never(f, FactorOptional)
			f.Request.EssentialACR = mfa
		}, StepEnrol, InteractionNeeded},
		{"mfa that is not essential sets nothing up", func(f *Flow) {
			never(f, FactorOptional)
			f.Request.ACRValues = mfa
		}, StepDone, ReasonNone},
		{"essential mfa, set up in this flow", func(f *Flow) {
			f.Policy.Factor, f.Request.EssentialACR = FactorOptional, mfa
			f.Factors = []authn.Evidence{{Method: "otp", At: t0().Add(time.Second)}}
		}, StepDone, ReasonNone},
		{"PR-17 essential mfa, off and not enrolled (RFC 9470 §5)", func(f *Flow) {
			never(f, FactorOff)
			f.Request.EssentialACR = mfa
		}, StepRefused, UnmetRequirements},
		{"essential mfa, reset by an admin, optional", func(f *Flow) {
			never(f, FactorOptional)
			f.Account.Factor, f.Request.EssentialACR = authn.FactorReset, mfa
		}, StepRefused, UnmetRequirements},
		{"essential mfa, reset by an admin, required: the ticket helps", func(f *Flow) {
			never(f, FactorRequired)
			f.Account.Factor, f.Request.EssentialACR = authn.FactorReset, mfa
		}, StepEnrol, InteractionNeeded},
		{"PR-17 essential class that nobody knows", func(f *Flow) { f.Request.EssentialACR = []string{hardware} }, StepRefused, UnmetRequirements},
		{"PR-17 the same, before the password: nothing would help", func(f *Flow) {
			f.Account, f.Request.EssentialACR = nil, []string{hardware, "0"}
		}, StepRefused, UnmetRequirements},
		{"essential mfa before the password: signing in might help", func(f *Flow) { f.Account, f.Request.EssentialACR = nil, mfa }, StepLogin, LoginRequired},
		{"one essential value can be reached", func(f *Flow) {
			f.Factors, f.Request.EssentialACR = remembered(), []string{hardware, authn.ACRFactor}
		}, StepFactor, LoginRequired},
		{"any essential value that is reached is enough", func(f *Flow) {
			f.Factors, f.Request.EssentialACR = remembered(), []string{authn.ACRFactor, authn.ACRPassword}
		}, StepDone, ReasonNone},
		{"essential pwd, wished mfa", func(f *Flow) {
			f.Factors, f.Request.EssentialACR, f.Request.ACRValues = remembered(), pwd, mfa
		}, StepFactor, LoginRequired},
		{"essential pwd after more than that", func(f *Flow) { f.Request.EssentialACR = pwd }, StepDone, ReasonNone},
		{"client not for this account comes before", func(f *Flow) {
			never(f, FactorOff)
			f.Policy.Allowed, f.Request.EssentialACR = false, mfa
		}, StepRefused, ReasonAccessDenied},

		{"otp young enough", func(f *Flow) { ages(f, map[string]int64{"otp": 3601}) }, StepDone, ReasonNone},
		{"otp too old, policy off", func(f *Flow) { ages(f, map[string]int64{"otp": 3599}) }, StepFactor, LoginRequired},
		{"otp by a remembered device is no pass", func(f *Flow) {
			ages(f, map[string]int64{"otp": 300})
			f.Factors = remembered()
		}, StepFactor, LoginRequired},
		{"otp not shown at all", func(f *Flow) {
			ages(f, map[string]int64{"otp": 300})
			f.Factors = nil
		}, StepFactor, LoginRequired},
		{"age 0, given in this flow", func(f *Flow) {
			ages(f, map[string]int64{"otp": 0, "pwd": 0})
			f.PasswordAt = t0()
			f.Factors = []authn.Evidence{{Method: "otp", At: t0().Add(time.Second)}}
		}, StepDone, ReasonNone},
		{"age 0, given before", func(f *Flow) { ages(f, map[string]int64{"otp": 0}) }, StepFactor, LoginRequired},
		{"recovery code in this flow in place of otp", func(f *Flow) {
			ages(f, map[string]int64{"otp": 300})
			f.Factors = []authn.Evidence{{Method: "recovery", At: t0().Add(time.Second)}}
		}, StepDone, ReasonNone},
		{"recovery code before this flow is no otp", func(f *Flow) {
			ages(f, map[string]int64{"otp": 300})
			f.Factors = []authn.Evidence{{Method: "recovery", At: t0().Add(-time.Second)}}
		}, StepFactor, LoginRequired},
		{"factors stand for each other", func(f *Flow) { ages(f, map[string]int64{"hwk": 300, "otp": 3601}) }, StepDone, ReasonNone},
		{"each by its own age", func(f *Flow) { ages(f, map[string]int64{"hwk": 7200, "otp": 300}) }, StepFactor, LoginRequired},
		{"method that cannot be shown asks nothing", func(f *Flow) {
			ages(f, map[string]int64{"hwk": 300, "recovery": 300})
			f.Policy.Methods = []string{"otp"}
		}, StepDone, ReasonNone},
		{"a passkey may turn out as hwk or swk", func(f *Flow) {
			ages(f, map[string]int64{"swk": 300})
			f.Policy.Methods = []string{"otp", "hwk"}
		}, StepFactor, LoginRequired},
		{"otp asked by age, not enrolled: no error, no set-up", func(f *Flow) {
			ages(f, map[string]int64{"otp": 300})
			never(f, FactorOptional)
		}, StepDone, ReasonNone},
		{"pwd too old: as max_age (OIDC Core §3.1.2.1)", func(f *Flow) { ages(f, map[string]int64{"pwd": 3599}) }, StepLogin, LoginRequired},
		{"pwd young enough", func(f *Flow) { ages(f, map[string]int64{"pwd": 3601}) }, StepDone, ReasonNone},
		{"pwd 0 asks no factor", func(f *Flow) {
			ages(f, map[string]int64{"pwd": 0})
			f.PasswordAt = t0()
		}, StepDone, ReasonNone},

		{"PR-15 prompt=login, policy wants mfa: the code again", func(f *Flow) {
			f.Request.Prompt, f.PasswordAt, f.Factors = []string{"login"}, t0(), nil
		}, StepFactor, LoginRequired},
		{"PR-15 prompt=login on a remembered device", func(f *Flow) {
			f.Request.Prompt, f.PasswordAt, f.Factors = []string{"login"}, t0(), remembered()
		}, StepDone, ReasonNone},
		{"max_age passed, this sign-in wants mfa: a remembered device does not do", func(f *Flow) {
			f.Request.MaxAge, f.Request.ACRValues = new(int64(60)), mfa
			f.PasswordAt, f.Factors = t0(), remembered()
		}, StepFactor, LoginRequired},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := signedIn(tt.change)
			step, reason, pass := Next(f, t0())
			if step != tt.step || reason != tt.reason || pass.For(f) != (tt.step == StepDone) {
				t.Errorf("Next() = %v, %v, want %v, %v", step, reason, tt.step, tt.reason)
			}
		})
	}
}

// The answer states one of the essential values (OIDC Core §5.5.1.1), and never more than was shown.
func TestStatedACR(t *testing.T) {
	fresh := []authn.Evidence{{Method: "otp", At: t0()}}
	for _, tt := range []struct {
		factors   []authn.Evidence
		essential []string
		want      string
	}{
		{fresh, nil, authn.ACRFactor},
		{fresh, []string{authn.ACRPassword, authn.ACRFactor}, authn.ACRFactor},
		{fresh, []string{authn.ACRPassword}, authn.ACRPassword},
		{remembered(), []string{authn.ACRFactor}, authn.ACRPassword},
		{nil, nil, authn.ACRPassword},
	} {
		f := signedIn(func(f *Flow) { f.Factors, f.Request.EssentialACR = tt.factors, tt.essential })
		if got := f.ACR(); got != tt.want {
			t.Errorf("ACR() = %s with %v of %v, want %s", got, tt.factors, tt.essential, tt.want)
		}
	}
}

// One entry for each method: a step-up leaves the older ones behind.
func TestKeptAndProved(t *testing.T) {
	old, now := t0().Add(-time.Hour), t0()
	device, fresh := authn.Evidence{Method: "otp", At: old, Device: true}, authn.Evidence{Method: "otp", At: now}
	code, key := authn.Evidence{Method: "recovery", At: old}, authn.Evidence{Method: "hwk", At: old, Device: true}
	f := &Flow{Factors: []authn.Evidence{device, {Method: "otp", At: old}, code, fresh, {Method: "otp", At: old}, device, key}}
	if diff := cmp.Diff([]authn.Evidence{device, fresh, code, key}, f.Kept()); diff != "" {
		t.Errorf("Kept() differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]authn.Evidence{fresh, code, key}, f.Proved()); diff != "" {
		t.Errorf("Proved() differs (-want +got):\n%s", diff)
	}
}
