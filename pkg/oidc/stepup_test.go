// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

const essentialPassword = `{"id_token":{"acr":{"essential":true,"value":"urn:lychgate:acr:pwd"}}}`

func evidenceOff(c *client.Client) { c.Evidence = "off" }

// A session that was stepped up has two passes; an answer tells of each method once, of the latest pass. Who showed more
// than an essential acr asks for is answered with a value that was asked for (OIDC Core §5.5.1.1).
func TestStepUpClaims(t *testing.T) {
	w := newWorld(t)
	w.client("app", jwtAccess)
	w.client("quiet", evidenceOff)
	old, now := start().Add(-time.Hour), start()
	factors := []authn.Evidence{
		{Method: "otp", At: old, Device: true}, {Method: "otp", At: old}, {Method: "otp", At: now},
	}
	want := []any{
		map[string]any{"method": "pwd", "at": float64(start().Unix())},
		map[string]any{"method": "otp", "at": float64(now.Unix()), "how": "fresh"},
	}
	for asked, acr := range map[string]string{"": authn.ACRFactor, essentialPassword: authn.ACRPassword} {
		f := w.flow(params("app", "claims", asked))
		f.Account.Factor, f.Factors = authn.FactorOn, factors
		r := w.redeem("app", w.answer(f).Get("code"))
		for where, got := range map[string]map[string]any{
			"ID token": w.verify(r.text("id_token"), "app"), "at+jwt": segment(t, r.text("access_token"), 1),
			"introspection": w.introspect("app", r.text("access_token")).json,
		} {
			if got["acr"] != acr || !cmp.Equal(list(got["amr"]), []string{"pwd", "otp", "mfa"}) {
				t.Errorf("%s: acr %v amr %v, want %s, each method once", where, got["acr"], got["amr"], acr)
			}
			if diff := cmp.Diff(want, got["lg_evidence"]); diff != "" {
				t.Errorf("%s: lg_evidence differs (-want +got):\n%s", where, diff)
			}
		}
	}
	r := w.tokens("quiet")
	if v, ok := w.verify(r.text("id_token"), "quiet")["lg_evidence"]; ok {
		t.Errorf("off: lg_evidence = %v in the ID token", v)
	}
	if w.userinfo(r.text("access_token")).json["lg_evidence"] == nil {
		t.Error("off: userinfo has no lg_evidence")
	}
}

// A client that acts for itself has shown nothing of a person.
func TestNoEvidenceForMachines(t *testing.T) {
	w := newWorld(t)
	w.client("machine", machine)
	w.client("machine-jwt", machine, jwtAccess)
	for _, id := range []string{"machine", "machine-jwt"} {
		token := w.post(w.p.ServeToken, id, "grant_type", "client_credentials").text("access_token")
		got := w.introspect(id, token).json
		if got["active"] != true || got["lg_evidence"] != nil || got["acr"] != nil || got["auth_time"] != nil {
			t.Errorf("%s: introspection = %v", id, got)
		}
		if id == "machine-jwt" {
			if c := segment(t, token, 1); c["lg_evidence"] != nil || c["acr"] != nil {
				t.Errorf("at+jwt = %v", c)
			}
		}
	}
}

// OIDC Registration §2: acr_values and a single acr override default_acr_values, which are wishes alone.
func TestClaimsAndDefaultACR(t *testing.T) {
	w := newWorld(t)
	w.client("app", func(c *client.Client) { c.DefaultACRValues = []string{"d"} })
	for _, tt := range []struct {
		acrValues, claims string
		wished, essential []string
	}{
		{"", "", []string{"d"}, nil},
		{"", `{"id_token":{"acr":{"essential":true}}}`, []string{"d"}, nil},
		{"", `{"id_token":{"acr":{"values":["a"]}}}`, []string{"a"}, nil},
		{"b a", `{"id_token":{"acr":{"values":["a","c"]}}}`, []string{"b", "a", "c"}, nil},
		{"", essentialPassword, nil, []string{authn.ACRPassword}},
		{"b", essentialPassword, []string{"b"}, []string{authn.ACRPassword}},
	} {
		q, err := w.p.Authorize(t.Context(), params("app", "acr_values", tt.acrValues, "claims", tt.claims))
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(q.ACRValues, tt.wished) || !cmp.Equal(q.EssentialACR, tt.essential) {
			t.Errorf("acr_values %q claims %s: wished %q essential %q", tt.acrValues, tt.claims, q.ACRValues, q.EssentialACR)
		}
		if q.Params.Has("claims") {
			t.Error("Params keeps claims")
		}
	}
}

// Claims that cannot be used are refused by redirect, with a text that names the parameter; what is not UTF-8 as well.
func TestClaimsRefused(t *testing.T) {
	w := newWorld(t)
	w.client("app")
	for _, s := range []string{"x", `{"id_token":[]}`, "{\"x\":\"\xff\"}"} {
		r := w.refusal(params("app", "claims", s))
		if r.Code != "invalid_request" || r.Parameter != "claims" || r.Redirect == nil {
			t.Errorf("claims %q: %+v", s, r)
		}
	}
	if r := w.refusal(params("app", "claims", `{"id_token":{"sub":{"value":"x"}}}`, "id_token_hint",
		w.tokens("app").text("id_token"))); r.Parameter != "claims" {
		t.Errorf("a hint and another subject: %+v", r)
	}
}
