// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package flow

import (
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// UnmetRequirements ends a flow whose essential acr cannot be reached (OpenID Connect Core Error Code
// unmet_authentication_requirements, RFC 9470 §5).
const UnmetRequirements Reason = "unmet_authentication_requirements"

// impossible: the essential acr names no class of ours. Nobody is asked for a password in vain.
func impossible(f *Flow, _ time.Time) bool {
	values := f.Request.EssentialACR
	return len(values) > 0 && !slices.Contains(values, authn.ACRPassword) && !slices.Contains(values, authn.ACRFactor)
}

// unmet: this account can reach none of the essential classes.
func unmet(f *Flow, _ time.Time) bool {
	values := f.Request.EssentialACR
	return len(values) > 0 && !slices.Contains(values, authn.ACR(f.Factors)) && f.reachable(values) == ""
}

// enrolForACR: an essential acr can be reached by a set-up alone. Values that are not essential open no set-up that
// policy does not want, and a factor that an admin took away comes back by the ways of policy.
func enrolForACR(f *Flow, _ time.Time) bool {
	return (f.Account.Factor == authn.FactorNever || f.Account.Factor == authn.FactorOff) && f.aimAt(f.Request.EssentialACR) == authn.ACRFactor
}

// passwordTooOld: the app set an age for the password of its own (claims lg_evidence), counted as max_age is.
func passwordTooOld(f *Flow, now time.Time) bool {
	age, ok := f.Request.EvidenceAge["pwd"]
	return ok && f.tooOld(f.PasswordAt, age, now)
}

// tooOld says whether something shown at is over age seconds old. What was shown in this very flow never is, so that
// a small age does not ask without end.
func (f *Flow) tooOld(at time.Time, age int64, now time.Time) bool {
	return at.Before(f.Created) && now.Sub(at) >= time.Duration(age)*time.Second
}

// factorTooOld: the app set an age for second factors (claims lg_evidence). They stand for each other: one pass within
// the age of its method is enough, and a remembered device is no pass. Ages of methods that cannot be shown ask
// nothing. Whoever has given a factor in this flow is not asked again: with a recovery code for a lost phone, no age
// for a code could ever be met.
func (f *Flow) factorTooOld(now time.Time) bool {
	for _, e := range f.Factors {
		if !e.Device && !e.At.Before(f.Created) {
			return false
		}
	}
	asked := false
	for method, age := range f.Request.EvidenceAge {
		if method == "pwd" || !f.Policy.shows(method) {
			continue
		}
		asked = true
		for _, e := range f.Factors {
			if !e.Device && e.Method == method && !f.tooOld(e.At, age, now) {
				return false
			}
		}
	}
	return asked
}

// shows says whether a second factor of the method can be asked for. Which of hwk and swk a passkey is shows only
// when it is used.
func (p Policy) shows(method string) bool {
	if p.Methods == nil {
		return true
	}
	if method == "hwk" || method == "swk" {
		return slices.Contains(p.Methods, "hwk") || slices.Contains(p.Methods, "swk")
	}
	return slices.Contains(p.Methods, method)
}

// aim is the context class that acr_values or an essential acr ask for and that can be reached; empty if none is
// asked for or it is reached.
func (f *Flow) aim() string {
	if f.aimAt(f.Request.EssentialACR) == authn.ACRFactor {
		return authn.ACRFactor
	}
	return f.aimAt(f.Request.ACRValues)
}

// aimAt: any listed value that is reached already is enough; else the first one that can be reached is aimed at.
func (f *Flow) aimAt(values []string) string {
	if len(values) == 0 || slices.Contains(values, authn.ACR(f.Factors)) {
		return ""
	}
	return f.reachable(values)
}

// reachable is the first of the classes that this account can reach; empty if there is none.
func (f *Flow) reachable(values []string) string {
	for _, v := range values {
		if v == authn.ACRPassword || (v == authn.ACRFactor && f.hasFactor()) {
			return v
		}
	}
	return ""
}

// hasFactor says whether the account has a second factor, or may set one up.
func (f *Flow) hasFactor() bool {
	switch f.Account.Factor {
	case authn.FactorOn:
		return true
	case authn.FactorNever, authn.FactorOff:
		return f.Policy.Factor != FactorOff
	default:
		return f.Policy.Factor.Wanted()
	}
}

// ACR is the context class that the answer states: the one that was reached. An essential acr is answered with one of
// its values (OIDC Core §5.5.1.1): who showed more than the password was asked for has shown the password.
func (f *Flow) ACR() string {
	have, values := authn.ACR(f.Factors), f.Request.EssentialACR
	if slices.Contains(values, authn.ACRPassword) && !slices.Contains(values, have) {
		return authn.ACRPassword
	}
	return have
}

// Kept is the evidence of second factors for the session: of each method the latest pass, and the remembered device
// beside it. Without this a session that is stepped up every few minutes would grow until nobody can read it.
func (f *Flow) Kept() []authn.Evidence {
	var out []authn.Evidence
	for _, e := range f.Factors {
		i := slices.IndexFunc(out, func(o authn.Evidence) bool { return o.Method == e.Method && o.Device == e.Device })
		switch {
		case i < 0:
			out = append(out, e)
		case e.At.After(out[i].At):
			out[i] = e
		}
	}
	return out
}

// Proved is the evidence of second factors for the answer, one for each method: a remembered device says nothing more
// where the factor itself was shown.
func (f *Flow) Proved() []authn.Evidence {
	kept := f.Kept()
	var out []authn.Evidence
	for _, e := range kept {
		shown := func(o authn.Evidence) bool { return !o.Device && o.Method == e.Method }
		if !e.Device || !slices.ContainsFunc(kept, shown) {
			out = append(out, e)
		}
	}
	return out
}
