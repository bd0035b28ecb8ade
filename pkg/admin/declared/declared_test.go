// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package declared_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin/declared"
	"github.com/lychgate/lychgate/pkg/client"
)

var update = flag.Bool("update", false, "write the published schema anew") //nolint:gochecknoglobals // a flag of the test

func none(declared.SecretRef) (string, error) { return "", errors.New("no secrets here") }

func read(text string) declared.Doc {
	return declared.Read([]declared.File{{Name: "f.yaml", Text: []byte(text)}}, none)
}

// TestProblems: each with its line; what is fine beside it is read all the same.
func TestProblems(t *testing.T) {
	for text, want := range map[string]string{
		"companies:\n  - id: a\n    help_emial: x\n":                         "f.yaml:3: help_emial is not known",
		"companies:\n  - id: a\n    second_factor_skips: many\n":             "f.yaml:3: second_factor_skips must be a whole number, not string",
		"companies:\n  - id: a\n  - id: b\n  - id: a\n":                      "f.yaml:4: id: \"a\" stands at f.yaml:2 already",
		"companies:\n  - id: a\n    id: b\n":                                 "f.yaml:3: id stands there twice",
		"company:\n  - id: a\n":                                              "f.yaml:1: \"company\" is not known",
		"companies: 7\n":                                                     "f.yaml:1: companies must be a list",
		"companies:\n  - 7\n":                                                "f.yaml:2: must be a mapping",
		"- id: a\n":                                                          "must be a mapping of companies",
		"companies:\n  - &x {id: a}\n  - *x\n":                               "f.yaml:3: must be a mapping",
		"clients:\n  - client_name: x\n":                                     "f.yaml:2: client_id is missing",
		"clients:\n  - client_id: x\n    client_secret: plain\n":             "f.yaml:3: client_secret must be a mapping, not string",
		"clients:\n  - client_id: x\n    client_secret: {env: X}\n":          "f.yaml:3: client_secret: no secrets here",
		"clients:\n  - client_id: x\n    redirect_uris: https://a.example":   "f.yaml:3: redirect_uris must be a list, not string",
		"clients: []\n---\nclients: []\n":                                    "a second document",
		"scopes:\n  - name: x\n    claims: {a: {form: roles}}\n":             "unknown field \"form\"",
		"roles: [" + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "]": "f.yaml:1: must be a mapping",
		"scopes: [{name: x, claims: {a: {value: " + strings.Repeat("[", 40) + strings.Repeat("]", 40) + "}}}]": "deeper than",
		"\tcompanies:": "not YAML",
	} {
		doc := read(text)
		if got := errors.Join(doc.Problems...); got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%q: %v, want %q", text, got, want)
		}
	}
	doc := read("companies:\n  - id: a\n  - idd: b\n  - id: c\n")
	if len(doc.Problems) != 1 || len(doc.Companies) != 2 || doc.Companies[1].At("id").Line != 4 {
		t.Errorf("beside a problem: %+v", doc)
	}
	for _, empty := range []string{"", "# nothing\n", "companies:\n"} {
		if doc := read(empty); len(doc.Problems) != 0 {
			t.Errorf("%q: %v", empty, doc.Problems)
		}
	}
}

// TestWriteReadsBack: texts that look like something else stay what they are.
func TestWriteReadsBack(t *testing.T) {
	var doc declared.Doc
	for _, text := range []string{"off", "1e5", "0123", "null", "~", "2026-12-31", "a: b", "# no", "'", "\"", "x\ny", "- x", "é", "true", " x", "*a", "&a", "!t", "%", "@", "`"} {
		doc.Roles = append(doc.Roles, declared.Of[client.Role]{Value: client.Role{Name: "r" + text, Text: text}})
		c := declared.Client{Client: client.Client{ID: "id" + text, Name: text}, Kept: []client.Secret{{Digest: text, Hint: "1e10"}}}
		doc.Clients = append(doc.Clients, declared.Of[declared.Client]{Value: c})
	}
	text, err := declared.Write(doc)
	if err != nil {
		t.Fatal(err)
	}
	back := read(string(text))
	if len(back.Problems) > 0 {
		t.Fatalf("Read() = %v\n%s", back.Problems, text)
	}
	for i := range doc.Roles {
		if back.Roles[i].Value != doc.Roles[i].Value {
			t.Errorf("role %+v came back as %+v", doc.Roles[i].Value, back.Roles[i].Value)
		}
		if d := cmp.Diff(doc.Clients[i].Value.Kept, back.Clients[i].Value.Kept); d != "" {
			t.Errorf("digests (-want +got):\n%s", d)
		}
	}
}

// TestSchema: the published schema is the one that the program prints (-update writes it).
func TestSchema(t *testing.T) {
	got, err := declared.Schema()
	if err != nil || !json.Valid(got) {
		t.Fatalf("Schema() = %v", err)
	}
	const file = "../../../docs/declared.schema.json"
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/declared.schema.json is not what Schema() says (%v); run with -update", err)
	}
}

// TestDocumented: what docs/declared.md shows is read as it stands.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../docs/declared.md")
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	in := false
	for line := range strings.Lines(string(text)) {
		in = in && strings.HasPrefix(line, "    ") || line == "    companies:\n"
		if in {
			shown.WriteString(strings.TrimPrefix(line, "    "))
		}
	}
	doc := declared.Read([]declared.File{{Name: "declared.md", Text: []byte(shown.String())}}, func(declared.SecretRef) (string, error) { return "s", nil })
	if len(doc.Problems) > 0 || len(doc.Companies) != 1 || len(doc.Roles) != 1 || len(doc.Scopes) != 1 || len(doc.Clients) != 1 {
		t.Errorf("the file in docs/declared.md: %v\n%s", doc.Problems, shown.String())
	}
}

func FuzzRead(f *testing.F) {
	f.Add("companies:\n  - id: a\n    second_factor_from: 2026-12-31\n")
	f.Add("clients: [{client_id: x, client_secret: {env: A}}]\nscopes: [{name: x, claims: {a: {value: [1]}}}]")
	f.Add("a: &a [*a]")
	f.Fuzz(func(t *testing.T, text string) {
		doc := read(text)
		if len(doc.Problems) > 0 {
			return
		}
		out, err := declared.Write(doc)
		if err != nil {
			t.Fatalf("Write() of what was read = %v", err)
		}
		if again := read(string(out)); len(again.Problems) > 0 {
			t.Errorf("what was written is not read: %v\n%s", again.Problems, out)
		}
	})
}
