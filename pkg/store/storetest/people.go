// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
)

// someone makes an account with a name.
func (s *Stores) someone(t *testing.T, company, name, person string, secret []byte) authn.Account {
	t.Helper()
	a, err := s.Accounts.Create(t.Context(), authn.NewAccount{
		Name: name, Company: company, PasswordRecord: "$argon2id$x", TOTPSecret: secret,
		Profile: authn.Profile{Name: name, Claims: map[string]any{"name": person}},
	})
	is(t, "create account", err, nil)
	return a
}

// names are the sign-in names of all pages of a query, sorted.
func (s *Stores) names(t *testing.T, q authn.PeopleQuery) string {
	t.Helper()
	var list []string
	for range 100 {
		page, err := s.People.Page(t.Context(), q)
		is(t, "Page", err, nil)
		for _, r := range page.People {
			if r.PasswordRecord != "" {
				t.Error("Page() holds a password record")
			}
			list = append(list, r.Name)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

func testPeople(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	s.someone(t, "acme", "anna@acme.example", "Anna van Dijk", nil)
	s.someone(t, "acme", "annelies@acme.example", "Annelies de Wit", totpSecret())
	s.someone(t, "beta", "anna@beta.example", "Anna-Lise O'Hara", nil)
	s.someone(t, "acme", "zed@acme.example", "Zed Li", nil)
	s.someone(t, "acme-2", "bob@acme2.example", "Bob", nil)
	for name, c := range map[string]struct {
		q    authn.PeopleQuery
		want string
	}{
		"a company":           {authn.PeopleQuery{Company: "acme"}, "anna@acme.example annelies@acme.example zed@acme.example"},
		"a company's prefix":  {authn.PeopleQuery{Company: "acme-2"}, "bob@acme2.example"},
		"no company":          {authn.PeopleQuery{}, ""},
		"all":                 {authn.PeopleQuery{Company: "*", Limit: 2}, "anna@acme.example anna@beta.example annelies@acme.example bob@acme2.example zed@acme.example"},
		"not set up":          {authn.PeopleQuery{Company: "acme", Show: authn.ShowWithout}, "anna@acme.example zed@acme.example"},
		"set up":              {authn.PeopleQuery{Company: "acme", Show: authn.ShowWith}, "annelies@acme.example"},
		"three letters":       {authn.PeopleQuery{Company: "acme", Text: "ANN"}, "anna@acme.example annelies@acme.example"},
		"four letters":        {authn.PeopleQuery{Company: "acme", Text: "anne"}, "annelies@acme.example"},
		"all companies":       {authn.PeopleQuery{Company: "*", Text: "anna", Limit: 1}, "anna@acme.example anna@beta.example"},
		"an address":          {authn.PeopleQuery{Company: "acme", Text: "annelies@acme.ex"}, "annelies@acme.example"},
		"a last name":         {authn.PeopleQuery{Company: "acme", Text: "dij"}, "anna@acme.example"},
		"a word after a dash": {authn.PeopleQuery{Company: "*", Text: "lise"}, "anna@beta.example"},
		"a short word":        {authn.PeopleQuery{Company: "acme", Text: "li"}, "zed@acme.example"},
		"two letters":         {authn.PeopleQuery{Company: "acme", Text: "an"}, ""},
		"nobody":              {authn.PeopleQuery{Company: "acme", Text: "annex"}, ""},
		"another company's":   {authn.PeopleQuery{Company: "beta", Text: "zed"}, ""},
		"search and show":     {authn.PeopleQuery{Company: "acme", Text: "ann", Show: authn.ShowWithout}, "anna@acme.example"},
	} {
		if got := s.names(t, c.q); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	n, err := s.People.Headcount(ctx, "acme")
	is(t, "Headcount", err, nil)
	if n != (authn.Headcount{All: 3, Without: 2}) {
		t.Errorf("Headcount() = %+v, want 3 and 2", n)
	}
	counts, err := s.People.Headcounts(ctx, []string{"acme", "nobody", authn.Anybody})
	is(t, "Headcounts", err, nil)
	if want := []authn.Headcount{n, {}, {All: 5, Without: 4}}; !slices.Equal(counts, want) {
		t.Errorf("Headcounts() = %+v, want %+v", counts, want)
	}
	if counts, err = s.People.Headcounts(ctx, nil); len(counts) != 0 || err != nil {
		t.Errorf("Headcounts() of no company = %v, %v", counts, err)
	}
	page, err := s.People.Page(ctx, authn.PeopleQuery{Company: "acme", Limit: 2})
	is(t, "Page", err, nil)
	if len(page.People) != 2 || page.Next == "" {
		t.Errorf("Page() of two = %d people, next %q", len(page.People), page.Next)
	}
	_, err = s.People.Page(ctx, authn.PeopleQuery{Company: "beta", After: page.Next})
	is(t, "Page with another company's cursor", err, authn.ErrGone)
}

func testPeopleChange(t *testing.T, open Open) { //nolint:thelper // a case, not a helper: its own lines are what failed
	s, ctx := open(t, Options{}), t.Context()
	a := s.someone(t, "acme", "anna@acme.example", "Anna Vermeer", nil)
	set := func(name string, groups ...string) func(authn.Record) (authn.Profile, error) {
		return func(r authn.Record) (authn.Profile, error) {
			p := r.Profile
			p.Claims = map[string]any{"name": name}
			p.Groups = append(slices.Clone(p.Groups), groups...)
			return p, nil
		}
	}
	_, err := s.People.EditProfile(ctx, a.ID, "beta", set("Taken"))
	is(t, "EditProfile by another company", err, authn.ErrNotFound)
	_, err = s.People.EditProfile(ctx, "nobody", "*", set("Taken"))
	is(t, "EditProfile of nobody", err, authn.ErrNotFound)
	r, err := s.People.EditProfile(ctx, a.ID, "acme", set("Anna Rembrandt", "lawyers"))
	is(t, "EditProfile", err, nil)
	if r.Contact.Person != "Anna Rembrandt" || !slices.Equal(r.Groups, []string{"lawyers"}) || !r.Created.Equal(a.Created) {
		t.Errorf("EditProfile() = %+v", r)
	}
	for text, want := range map[string]string{"remb": "anna@acme.example", "verm": "", "anna": "anna@acme.example"} {
		if got := s.names(t, authn.PeopleQuery{Company: "acme", Text: text}); got != want {
			t.Errorf("after a new name, %q finds %q, want %q", text, got, want)
		}
	}
	if got := s.names(t, authn.PeopleQuery{Company: "acme", Group: "lawyers"}); got != "anna@acme.example" {
		t.Errorf("the group holds %q", got)
	}
	// No change of 16 at once is lost.
	together(16, func(i int) {
		_, err := s.People.EditProfile(ctx, a.ID, "*", set("Anna Rembrandt", fmt.Sprintf("g%02d", i)))
		for errors.Is(err, authn.ErrBusy) {
			_, err = s.People.EditProfile(ctx, a.ID, "*", set("Anna Rembrandt", fmt.Sprintf("g%02d", i)))
		}
		is(t, "EditProfile", err, nil)
	})
	rec, err := s.Accounts.ByID(ctx, a.ID)
	is(t, "ByID", err, nil)
	if len(rec.Groups) != 17 {
		t.Errorf("%d groups after 17 changes", len(rec.Groups))
	}
	s.deleted(t, a)
}

// deleted removes an account: nothing finds it, and neither name nor id bring it back.
func (s *Stores) deleted(t *testing.T, a authn.Account) {
	t.Helper()
	ctx := t.Context()
	is(t, "Delete by another company", s.People.Delete(ctx, a.ID, "beta"), authn.ErrNotFound)
	is(t, "Delete", s.People.Delete(ctx, a.ID, "acme"), nil)
	is(t, "Delete again", s.People.Delete(ctx, a.ID, "acme"), authn.ErrNotFound)
	_, err := s.Accounts.ByName(ctx, a.Name)
	is(t, "ByName of who was deleted", err, authn.ErrNotFound)
	_, err = s.Accounts.ByID(ctx, a.ID)
	is(t, "ByID of who was deleted", err, authn.ErrNotFound)
	for _, text := range []string{"", "anna", "remb"} {
		if got := s.names(t, authn.PeopleQuery{Company: "*", Text: text}); got != "" {
			t.Errorf("%q finds %q after it was deleted", text, got)
		}
	}
	_, err = s.Accounts.Create(ctx, authn.NewAccount{ID: a.ID, Name: "somebody.else@acme.example", PasswordRecord: "x"})
	is(t, "Create with the id of who was deleted", err, authn.ErrExists)
	b := s.someone(t, "acme", a.Name, "Anna Again", nil)
	if b.ID == a.ID {
		t.Error("a new account has the id of one that was deleted")
	}
}
