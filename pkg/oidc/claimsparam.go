// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"slices"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// maxACRValues are the most voluntary values of acr that are looked at.
const maxACRValues = 16

// fillClaims reads the parameters claims and acr_values (OIDC Core §5.5, §3.1.2.1). Of the claims that can be asked for
// one by one, acr, auth_time (which is always given), lg_evidence and sub mean something here. All others are returned
// as the scopes allow, nothing more: an OP may leave out even essential ones (§5.5.1).
func fillClaims(c *client.Client, q params, req *flow.Request) *fault {
	asked := claimsAsked{req: req, registered: c.Scopes()}
	if s := q.get("claims"); s != "" {
		all, err := readClaims(s)
		if err != nil || !asked.read(all) {
			return invalidRequest(reasonClaims, "claims")
		}
	}
	voluntary := words(q.get("acr_values"))
	for _, v := range asked.acr {
		if !slices.Contains(voluntary, v) {
			voluntary = append(voluntary, v)
		}
	}
	req.ACRValues = voluntary[:min(len(voluntary), maxACRValues)]
	if len(voluntary) == 0 && len(req.EssentialACR) == 0 {
		// OIDC Registration §2: either parameter overrides the default.
		req.ACRValues = c.DefaultACRValues
	}
	return nil
}

// claimsAsked gathers what both members of the claims parameter ask for. What is not essential goes to acr.
type claimsAsked struct {
	req        *flow.Request
	registered []string
	acr        []string
}

// read answers false for what has not the form of OIDC Core §5.5. Members and claims that are not known are ignored.
func (a *claimsAsked) read(all map[string]any) bool {
	for _, member := range []string{"id_token", "userinfo"} {
		claims, ok := object(all[member])
		if !ok || !a.readACR(claims["acr"]) || !a.readSubject(claims["sub"]) || !a.readEvidence(claims["lg_evidence"]) {
			return false
		}
		if member == typeIDToken {
			a.req.IDClaims = a.standard(claims)
		} else {
			a.req.UserClaims = a.standard(claims)
		}
	}
	return true
}

// standard are the standard claims among those asked for that the client may have: the ones of its registered scopes.
// Values asked for are wishes: an account has the value it has (OIDC Core §5.5.1).
func (a *claimsAsked) standard(claims map[string]any) []string {
	var out []string
	for _, scope := range knownScopes() {
		for _, name := range claimsOf(scope) {
			v, asked := claims[name]
			if _, ok := object(v); !asked || !ok || !slices.Contains(a.registered, scope) {
				continue
			}
			out = append(out, name)
			if !slices.Contains(a.req.Claimed, scope) {
				a.req.Claimed = append(a.req.Claimed, scope)
			}
		}
	}
	return out
}

// object takes null, and what is not there, for an empty object.
func object(v any) (map[string]any, bool) {
	if v == nil {
		return nil, true
	}
	m, ok := v.(map[string]any)
	return m, ok
}

// individual is a request for one claim (OIDC Core §5.5.1), with value as a list of one.
func individual(v any) (values []string, essential, ok bool) {
	m, ok := object(v)
	if !ok {
		return nil, false, false
	}
	if e, given := m["essential"]; given {
		if essential, ok = e.(bool); !ok {
			return nil, false, false
		}
	}
	list := []any{}
	if many, given := m["values"]; given {
		if list, ok = many.([]any); !ok {
			return nil, false, false
		}
	}
	if one, given := m["value"]; given {
		list = append(list, one)
	}
	for _, item := range list {
		s, isText := item.(string)
		if !isText || s == "" {
			return nil, false, false
		}
		if !slices.Contains(values, s) {
			values = append(values, s)
		}
	}
	return values, essential, true
}

// readACR: asked for as essential in both members, only what both name will do. If that is nothing, the request
// contradicts itself.
func (a *claimsAsked) readACR(v any) bool {
	values, essential, ok := individual(v)
	if !ok || len(values) == 0 {
		return ok
	}
	if !essential {
		a.acr = append(a.acr, values...)
		return true
	}
	if before := a.req.EssentialACR; before != nil {
		values = slices.DeleteFunc(values, func(s string) bool { return !slices.Contains(before, s) })
	}
	a.req.EssentialACR = values
	return len(values) > 0
}

// readSubject: a subject asked for by its value counts as an id_token_hint does (OIDC Core §3.1.2.1). It can be one
// alone.
func (a *claimsAsked) readSubject(v any) bool {
	values, _, ok := individual(v)
	if !ok || len(values) == 0 {
		return ok
	}
	if len(values) > 1 || (a.req.HintSubject != "" && a.req.HintSubject != values[0]) {
		return false
	}
	a.req.HintSubject = values[0]
	return true
}

// readEvidence takes the greatest ages of factors in seconds; the smaller one where both members give one. A method
// that is not known is an error only where the claim is essential.
func (a *claimsAsked) readEvidence(v any) bool {
	_, essential, ok := individual(v)
	if !ok {
		return false
	}
	m, _ := object(v)
	ages, ok := object(m["max_age"])
	if !ok {
		return false
	}
	for method, age := range ages {
		if !slices.Contains(evidenceMethods(), method) {
			if essential {
				return false
			}
			continue
		}
		seconds, ok := number(age)
		n, isInt := seconds.(int64)
		if !ok || !isInt || n > client.MaxAgeLimit {
			return false
		}
		if before, given := a.req.EvidenceAge[method]; given && before <= n {
			continue
		}
		if a.req.EvidenceAge == nil {
			a.req.EvidenceAge = map[string]int64{}
		}
		a.req.EvidenceAge[method] = n
	}
	return true
}

// evidenceMethods are the methods that the claim lg_evidence may name.
func evidenceMethods() []string { return []string{"pwd", "otp", "recovery", "hwk", "swk"} }
