// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

// TestClaimsComeBack: every claim that can be declared is written so that it is read back as it was.
func TestClaimsComeBack(t *testing.T) {
	claims := map[string]client.Mapping{}
	add := func(m client.Mapping) { claims[fmt.Sprint("c", len(claims))] = m }
	for _, from := range []string{"roles", "groups", "company", "username", "claims.name", "attributes.a=b", "attributes.\"x\"", "claims.{"} {
		add(client.Mapping{From: from})
	}
	for _, prefix := range []string{"cases:", " cases", "cases ", " ", `"`, `"cases"`, `a "b"`, "= x", "é <b>", `\`, `a\u0041`, "a  b"} {
		add(client.Mapping{From: "roles", Prefix: prefix})
		add(client.Mapping{From: "groups", Prefix: prefix})
	}
	for _, v := range []string{`"gold"`, `""`, `" = "`, `1`, `-1.50`, `1e9`, `true`, `false`, `null`, `{}`, `[]`, `{"a":[1,{"b":null}]}`, `"a\nb <b> é = "`} {
		add(client.Mapping{Value: json.RawMessage(v)})
	}
	for _, name := range []string{"a=b", "=", "==", "https://x.example/?a=b", `"quoted"`, "#", "{}", "a:b,c"} {
		claims[name] = client.Mapping{From: "roles", Prefix: "x"}
	}
	if err := client.ValidateScope(client.Scope{Name: "x", Claims: claims}, nil); err != nil && len(claims) <= 50 {
		t.Fatal(err)
	}
	got := readClaims(claimsText(claims))
	if d := cmp.Diff(claims, got.claims); d != "" || len(got.problems) != 0 {
		t.Errorf("problems %v (-written +read):\n%s", got.problems, d)
	}
}

// TestClaimsAsPeopleType: blanks and empty lines do not matter; what is wrong is told with its line.
func TestClaimsAsPeopleType(t *testing.T) {
	got := readClaims("\r\n  department=attributes.department  \r\n\r\ncase_roles =roles   cases: \r\ntenant= { \"a\" : 1 }\n")
	want := map[string]client.Mapping{
		"department": {From: "attributes.department"}, "case_roles": {From: "roles", Prefix: "cases:"}, "tenant": {Value: json.RawMessage(`{ "a" : 1 }`)},
	}
	if d := cmp.Diff(want, got.claims); d != "" || len(got.problems) != 0 || got.lines["tenant"] != 5 {
		t.Errorf("problems %v, lines %v (-want +got):\n%s", got.problems, got.lines, d)
	}
	for text, kind := range map[string]string{
		"department": "form", "= roles": "form", "a =": "form", "a b = roles": "claim-name", `a = "b`: "json", "a = 01": "json", `a = roles "b`: "json",
		`a = roles "b" c`: "json", "a = {": "json", "x = roles\na = roles\na = groups": "twice",
	} {
		got := readClaims("\n" + text)
		if len(got.problems) != 1 || got.problems[0].Kind != kind || got.problems[0].Field != "claims" {
			t.Errorf("%q: problems %+v, want %s", text, got.problems, kind)
		}
		if want := 2; kind != "twice" && got.problems[0].Entry != want || kind == "twice" && got.problems[0].Entry != 4 {
			t.Errorf("%q: line %d", text, got.problems[0].Entry)
		}
	}
}
