// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
)

// hostileClaims are values of the claims parameter that are refused.
func hostileClaims() map[string]string {
	var many strings.Builder
	for i := range maxClaimMembers + 1 {
		fmt.Fprintf(&many, `,"c%d":null`, i)
	}
	return map[string]string{
		"deep":                  `{"x":{"x":{"x":{"x":{"x":{}}}}}}`,
		"deep lists":            `{"x":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}`,
		"deep, cut off":         strings.Repeat(`{"x":`, 3000),
		"huge":                  `{"x":"` + strings.Repeat("a", maxClaims) + `"}`,
		"many members":          `{` + many.String()[1:] + `}`,
		"many members inside":   `{"userinfo":{` + many.String()[1:] + `}}`,
		"many values":           `{"x":[1` + strings.Repeat(",1", maxClaimMembers) + `]}`,
		"twice":                 `{"id_token":{},"id_token":null}`,
		"twice, escaped":        `{"id_token":{"acr":null,"\u0061cr":null}}`,
		"no number":             `{"x":1e999}`,
		"no number inside":      `{"userinfo":{"age":{"value":-1e999}}}`,
		"list":                  `[]`,
		"text":                  `"x"`,
		"null":                  `null`,
		"two values":            `{} {}`,
		"rest":                  `{}x`,
		"comma":                 `{"a":1,}`,
		"no JSON":               `{a:1}`,
		"cut off":               `{"id_token":{"acr":`,
		"control characters":    "{\"x\":\"\x00\"}",
		"id_token is a list":    `{"id_token":[]}`,
		"userinfo is a text":    `{"userinfo":"acr"}`,
		"acr is a text":         `{"id_token":{"acr":"urn:lychgate:acr:mfa"}}`,
		"essential is a text":   `{"id_token":{"acr":{"essential":"true"}}}`,
		"values is a text":      `{"id_token":{"acr":{"values":"x"}}}`,
		"a value is a number":   `{"id_token":{"acr":{"values":["x",1]}}}`,
		"value is empty":        `{"id_token":{"acr":{"essential":true,"value":""}}}`,
		"acr contradicts":       `{"id_token":{"acr":{"essential":true,"value":"a"}},"userinfo":{"acr":{"essential":true,"value":"b"}}}`,
		"two subjects":          `{"id_token":{"sub":{"values":["a","b"]}}}`,
		"two subjects, apart":   `{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}`,
		"evidence is a list":    `{"id_token":{"lg_evidence":[]}}`,
		"max_age is a number":   `{"id_token":{"lg_evidence":{"max_age":300}}}`,
		"age is a text":         `{"id_token":{"lg_evidence":{"max_age":{"otp":"300"}}}}`,
		"age is no whole one":   `{"id_token":{"lg_evidence":{"max_age":{"otp":0.5}}}}`,
		"age under 0":           `{"id_token":{"lg_evidence":{"max_age":{"otp":-1}}}}`,
		"age over the limit":    `{"id_token":{"lg_evidence":{"max_age":{"otp":2147483648}}}}`,
		"age far over it":       `{"id_token":{"lg_evidence":{"max_age":{"otp":1e300}}}}`,
		"essential, no method":  `{"id_token":{"lg_evidence":{"essential":true,"max_age":{"sms":300}}}}`,
		"method in other case":  `{"id_token":{"lg_evidence":{"essential":true,"max_age":{"OTP":300}}}}`,
		"essential is a number": `{"userinfo":{"lg_evidence":{"essential":1}}}`,
	}
}

func claimsRequest(s string) (flow.Request, *fault) {
	var req flow.Request
	f := fillClaims(&client.Client{}, params{values: map[string]string{"claims": s}}, &req)
	return req, f
}

func TestHostileClaims(t *testing.T) {
	for name, s := range hostileClaims() {
		if req, f := claimsRequest(s); f == nil || f.code != codeInvalidRequest || f.reason != reasonClaims || f.detail != "claims" {
			t.Errorf("%s: accepted as %+v, fault %v", name, req, f)
		}
	}
}

// What is refused costs no more than what is taken: the reader stops at the bound.
func TestHostileClaimsAreBounded(t *testing.T) {
	deep := `{"x":` + strings.Repeat("[", 8000) + strings.Repeat("]", 8000) + `}`
	if n := testing.AllocsPerRun(10, func() { _, _ = readClaims(deep) }); n > 100 {
		t.Errorf("8,000 lists inside each other: %.0f allocations", n)
	}
	huge := `{"x":"` + strings.Repeat("a", 1<<20) + `"}`
	if n := testing.AllocsPerRun(10, func() { _, _ = readClaims(huge) }); n > 0 {
		t.Errorf("1 MiB: %.0f allocations", n)
	}
}

func TestClaimsParameter(t *testing.T) {
	const mfa = "urn:lychgate:acr:mfa"
	for name, tt := range map[string]struct {
		claims string
		want   flow.Request
	}{
		"empty":                  {`{}`, flow.Request{}},
		"line ends":              {"{\r\n\t\"id_token\": null\n}", flow.Request{}},
		"unknown is ignored":     {`{"x":{"acr":1},"id_token":{"name":true,"email":{"essential":true}}}`, flow.Request{}},
		"the example of §5.5":    {`{"userinfo":{"given_name":{"essential":true},"nickname":null,"http://example.info/claims/groups":null},"id_token":{"auth_time":{"essential":true},"acr":{"values":["urn:mace:incommon:iap:silver"]}}}`, flow.Request{ACRValues: []string{"urn:mace:incommon:iap:silver"}}},
		"acr, any":               {`{"id_token":{"acr":null}}`, flow.Request{}},
		"essential acr, any":     {`{"id_token":{"acr":{"essential":true}}}`, flow.Request{}},
		"acr, value":             {`{"id_token":{"acr":{"value":"` + mfa + `"}}}`, flow.Request{ACRValues: []string{mfa}}},
		"essential acr, value":   {`{"id_token":{"acr":{"essential":true,"value":"` + mfa + `"}}}`, flow.Request{EssentialACR: []string{mfa}}},
		"essential acr, values":  {`{"userinfo":{"acr":{"values":["a","` + mfa + `","a"],"essential":true}}}`, flow.Request{EssentialACR: []string{"a", mfa}}},
		"essential acr, in both": {`{"id_token":{"acr":{"essential":true,"values":["a","b"]}},"userinfo":{"acr":{"essential":true,"values":["c","b"]}}}`, flow.Request{EssentialACR: []string{"b"}}},
		"sub":                    {`{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"values":["a"]}}}`, flow.Request{HintSubject: "a"}},
		"sub, any":               {`{"id_token":{"sub":{"essential":true}}}`, flow.Request{}},
		"evidence, any":          {`{"userinfo":{"lg_evidence":{"essential":true}}}`, flow.Request{}},
		"evidence, ages": {
			`{"id_token":{"lg_evidence":{"max_age":{"otp":300,"pwd":0,"recovery":2147483647}}}}`,
			flow.Request{EvidenceAge: map[string]int64{"otp": 300, "pwd": 0, "recovery": 2147483647}},
		},
		"evidence, in both: the smaller": {
			`{"id_token":{"lg_evidence":{"max_age":{"otp":300,"hwk":60}}},"userinfo":{"lg_evidence":{"max_age":{"otp":60,"hwk":300,"swk":1}}}}`,
			flow.Request{EvidenceAge: map[string]int64{"otp": 60, "hwk": 60, "swk": 1}},
		},
		"evidence, unknown method": {`{"id_token":{"lg_evidence":{"max_age":{"sms":300}}}}`, flow.Request{}},
	} {
		got, f := claimsRequest(tt.claims)
		if f != nil {
			t.Errorf("%s: %v", name, f)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: request differs (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever is sent as claims is refused, or was one bounded JSON object that every other reader sees as we do.
func FuzzClaims(f *testing.F) {
	for _, s := range hostileClaims() {
		f.Add(s)
	}
	f.Add(`{"id_token":{"lg_evidence":{"max_age":{"otp":300}},"acr":{"essential":true,"values":["a"]},"sub":{"value":"b"}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		all, err := readClaims(s)
		if err != nil {
			return
		}
		var plain map[string]any
		if err := json.Unmarshal([]byte(s), &plain); err != nil || len(s) > maxClaims {
			t.Fatalf("accepted %q, which is no JSON object: %v", s, err)
		}
		if diff := cmp.Diff(plain, all); diff != "" {
			t.Errorf("%q is read in two ways:\n%s", s, diff)
		}
		req, fault := claimsRequest(s)
		if fault != nil {
			return
		}
		for method, age := range req.EvidenceAge {
			if !strings.Contains(" pwd otp recovery hwk swk ", " "+method+" ") || age < 0 || age > client.MaxAgeLimit {
				t.Errorf("%q: age %d of %q", s, age, method)
			}
		}
		if len(req.ACRValues) > maxACRValues || len(req.EssentialACR) > maxClaimMembers+1 {
			t.Errorf("%q: %d and %d values of acr", s, len(req.ACRValues), len(req.EssentialACR))
		}
	})
}
