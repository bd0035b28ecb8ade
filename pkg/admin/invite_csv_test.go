// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
)

func TestReadInvitees(t *testing.T) {
	norman := admin.Invitee{Email: "n@acme.example", Person: "Law, Norman", Groups: []string{"lawyers", "clerks"}, Roles: []string{"partner"}, Lang: "nl"}
	for name, text := range map[string]string{
		"commas":        `n@acme.example,"Law, Norman",lawyers clerks,partner,nl`,
		"semicolons":    `n@acme.example;Law, Norman;lawyers  clerks;partner;NL`,
		"mark and CRLF": "\uFEFFemail;name;groups;roles;language\r\nn@acme.example;Law, Norman;lawyers clerks;partner;nl\r\n",
		"old Mac":       "email;name;groups;roles;language\rn@acme.example;Law, Norman;lawyers clerks;partner;nl\r",
		"Dutch":         "Naam;E-mailadres;Taal;Rollen;Groepen\nLaw, Norman;n@acme.example;nl;partner;lawyers clerks\n",
		"empty lines":   "\n\nn@acme.example;Law, Norman;lawyers clerks;partner;nl\n;;;;\n\n",
	} {
		got, err := admin.ReadInvitees(text)
		if err != nil || len(got) != 1 || got[0].Err != nil {
			t.Errorf("%s: ReadInvitees() = %+v, %v", name, got, err)
			continue
		}
		if diff := cmp.Diff(norman, got[0].Invitee); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestReadInviteesLines(t *testing.T) {
	got, err := admin.ReadInvitees("email,name\na@acme.example,A\n\"b@acme.example\",\"say \"\"B\"\"\"\nc@acme.example,C,D\n\"d,D\nbroken\"x,y\n=1+1,E\nf@acme.example,=cmd|'/c calc'!A1\n")
	if err != nil {
		t.Fatal(err)
	}
	problems := map[string]string{}
	for _, l := range got {
		if l.Err != nil {
			problems[l.Invitee.Email] = l.Err.Error()
		}
	}
	if got[0].Number != 2 || got[1].Invitee.Person != `say "B"` {
		t.Errorf("lines %+v", got[:2])
	}
	want := map[string]string{
		"c@acme.example": "line has more cells than columns", "": "line has a cell that begins like a formula", "f@acme.example": "line has a cell that begins like a formula",
	}
	for email, problem := range want {
		if problems[email] != problem {
			t.Errorf("line of %q: %q, want %q", email, problems[email], problem)
		}
	}
}

func TestReadInviteesRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"":                                    admin.ErrFileEmpty,
		"email,name\n":                        admin.ErrFileEmpty,
		"email,password\n":                    admin.ErrFileHeader,
		"name,groups\n":                       admin.ErrFileHeader,
		"email,email\n":                       admin.ErrFileHeader,
		"a\xff@acme.example":                  admin.ErrFileText,
		"a@acme.example\x00":                  admin.ErrFileText,
		strings.Repeat("a@b.example\n", 1001): admin.ErrFileLines,
		strings.Repeat("a", 256<<10+1):        admin.ErrFileSize,
	} {
		if got, err := admin.ReadInvitees(text); !errors.Is(err, want) {
			t.Errorf("ReadInvitees(%.30q) = %d lines, %v, want %v", text, len(got), err, want)
		}
	}
	if got, err := admin.ReadInvitees("email\n" + strings.Repeat("a@b.example\n", 1000)); err != nil || len(got) != 1000 {
		t.Errorf("ReadInvitees of 1,000 lines = %d, %v", len(got), err)
	}
}

// FuzzReadInvitees: whatever is sent, lines are within the bounds, numbered upwards, and no cell begins like a formula.
func FuzzReadInvitees(f *testing.F) {
	for _, seed := range []string{"email,name\na@b.example,A", "a@b.example;A;x y;z;nl\r\n", "\uFEFF\"a@b.example\",\"x\"\"y\"\n", "\"", "=1\n", "a,b\n\"c\nd\",e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines, err := admin.ReadInvitees(text)
		if (err == nil) == (len(lines) == 0) || len(lines) > admin.MaxInviteLines {
			t.Fatalf("%d lines, %v", len(lines), err)
		}
		last := 0
		for _, l := range lines {
			if l.Number <= last {
				t.Fatalf("line %d after %d", l.Number, last)
			}
			last = l.Number
			for _, cell := range []string{l.Invitee.Email, l.Invitee.Person, strings.Join(l.Invitee.Roles, " "), strings.Join(l.Invitee.Groups, " "), l.Invitee.Lang} {
				if cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
					t.Fatalf("cell %q", cell)
				}
			}
		}
	})
}
