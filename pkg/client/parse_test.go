// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

func TestParse(t *testing.T) {
	got, err := client.Parse(strings.NewReader(`[
		{"client_id":"a","client_secret":"s3cret","redirect_uris":["https://a.example/cb"],"subject_type":"public"},
		{"client_name":"B","lychgate_pkce":"optional","default_max_age":60}]`))
	if err != nil {
		t.Fatal(err)
	}
	age := int64(60)
	want := []client.Registration{
		{Client: &client.Client{ID: "a", RedirectURIs: []string{"https://a.example/cb"}, SubjectType: "public"}, Secret: "s3cret"},
		{Client: &client.Client{Name: "B", PKCE: "optional", DefaultMaxAge: &age}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse() differs (-want +got):\n%s", diff)
	}
	if s := fmt.Sprint(got[0].LogValue()); strings.Contains(s, "s3cret") {
		t.Errorf("LogValue() = %q shows the secret", s)
	}
}

func TestParseRefusesWhatItWouldNotHonour(t *testing.T) {
	for in, want := range map[string]string{
		`{"client_id":"a","x509_uri":"https://a.example"}`: "x509_uri",
		`{"Client_ID":"a"}`:                           "Client_ID",
		`{"client_id":"a","client_id":"b"}`:           "client_id",
		`{"secrets":["00"]}`:                          "secrets",
		`{"Secrets":["00"]}`:                          "Secrets",
		`{"redirect_uris":"https://a.example"}`:       "redirect_uris",
		`{"client_secret":"a b"}`:                     "client_secret",
		`[{"client_id":"a"},{"x\u001b[31m":1,"y":2}]`: "x?[31m y",
	} {
		_, err := client.Parse(strings.NewReader(in))
		if _, ok := errors.AsType[*client.FieldError](err); !ok {
			t.Errorf("Parse(%s) = %v, want a field error", in, err)
			continue
		}
		if got := strings.Join(fieldsOf(err), " "); got != want {
			t.Errorf("Parse(%s) complains about %q, want %q", in, got, want)
		}
	}
	for _, in := range []string{"", "null", "1", `"a"`, "{", "[{]", `{} {}`, `[[]]`, "{\"a\"}", `{"client_id":"a"} x`} {
		if _, err := client.Parse(strings.NewReader(in)); err == nil {
			t.Errorf("Parse(%q) = nil, want an error", in)
		}
	}
}

func fieldsOf(err error) []string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return fields(err)
		}
		err = inner
	}
}

func TestParseIsBounded(t *testing.T) {
	large := `{"client_name":"` + strings.Repeat("a", 64<<10) + `"}`
	many := "[" + strings.Repeat("{},", 1000) + "{}]"
	endless := "[" + strings.Repeat(" ", 9<<20)
	for name, in := range map[string]string{"object": large, "list": many, "input": endless} {
		if _, err := client.Parse(strings.NewReader(in)); !errors.Is(err, client.ErrSize) {
			t.Errorf("%s: Parse() = %v, want ErrSize", name, err)
		}
	}
	if got, err := client.Parse(strings.NewReader("[]")); err != nil || len(got) != 0 {
		t.Errorf("Parse([]) = %v, %v, want nothing", got, err)
	}
}

// Metadata that is accepted can be stored and read again.
func FuzzParse(f *testing.F) {
	f.Add(`{"client_id":"a","redirect_uris":["https://a.example/cb"]}`)
	f.Add(`[{"client_id":"a","lychgate_second_factor":"always","default_max_age":1}]`)
	f.Fuzz(func(t *testing.T, in string) {
		got, err := client.Parse(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, r := range got {
			client.Defaults(r.Client)
			if client.Validate(r.Client) != nil {
				continue
			}
			b, err := r.Client.Marshal()
			if err != nil {
				t.Fatal(err)
			}
			again, err := client.Unmarshal(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.Client, again); diff != "" && !emptySlices(diff) {
				t.Errorf("stored client differs (-want +got):\n%s", diff)
			}
		}
	})
}

// emptySlices forgives the difference between an empty list and none.
func emptySlices(diff string) bool { return strings.Contains(diff, "{}") }
