// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

const people = home + "/people"

func (p *Pages) peopleRoutes() []route {
	const one = people + "/{person}"
	return []route{
		get(people, NeedCompany, servePeople),
		post(people+"/remind", NeedCompany, ofCompany(people), submitRemind),
		get(one, NeedCompany, servePerson),
		get(one+"/edit", NeedCompany, serveEditPerson),
		post(one+"/edit", NeedCompany, atPerson("/edit"), submitEditPerson).keeps("roles"),
		post(one+"/disable", NeedCompany, atPerson("#acts"), submitDisable),
		post(one+"/enable", NeedCompany, atPerson("#acts"), submitEnable),
		post(one+"/sign-out", NeedCompany, atPerson("#sessions"), submitSignOut),
		post(one+"/forget", NeedCompany, atPerson("#devices"), submitForget),
		post(one+"/devices/forget", NeedCompany, atPerson("#devices"), submitForgetDevice),
		post(one+"/sessions/end", NeedCompany, atPerson("#sessions"), submitEndSession),
		post(one+"/apps/withdraw", NeedCompany, atPerson("#apps"), submitWithdrawApp),
		get(one+"/reset", NeedCompany, serveReset),
		post(one+"/reset", NeedCompany, atPerson("/reset"), submitReset),
		get(one+"/delete", NeedCompany, serveDelete),
		post(one+"/delete", NeedCompany, atPerson("/delete"), submitDelete),
	}
}

// atPerson is the page of the person that a request is about, with a path behind it.
func atPerson(rest string) func(*http.Request) string {
	return func(r *http.Request) string { return personPage(r.PathValue("person")) + rest }
}

// ofCompany is a page with the company that a request has chosen.
func ofCompany(page string) func(*http.Request) string {
	return func(r *http.Request) string { return withCompany(page, r.URL.Query().Get("company")) }
}

func withCompany(page, id string) string {
	if id == "" {
		return page
	}
	return page + "?" + url.Values{"company": {id}}.Encode()
}

func personPage(id string) string { return people + "/" + url.PathEscape(id) }

// servePeople lists the accounts, C3. When somebody signed in last is in no index of the store, so the list does not say.
func servePeople(v *visit) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	after, err := v.opened("people")
	if err != nil {
		return err
	}
	page := templates.ConsolePeople{
		Console: v.frame("people"), IT: v.it, Query: strings.TrimSpace(q.Get("q")), Show: string(shown(q.Get("show"))), Group: q.Get("group"),
		Done: v.done("reminded", "nobody", "mute", "deleted", "unasked"),
	}
	cos, err := v.known(&page)
	if err != nil {
		return err
	}
	list, err := v.clerk.ListPeople(ctx, authn.PeopleQuery{
		Company: v.of, Show: shown(page.Show), Text: page.Query, Group: page.Group, After: after, Limit: pageSize,
	})
	if err != nil {
		return err
	}
	n, err := v.clerk.Headcount(ctx, v.of)
	if err != nil {
		return err
	}
	page.All, page.Without, page.Set = n.All, n.Without, n.All-n.Without
	if page.Remind, err = v.toRemind(cos[v.of], n); err != nil {
		return err
	}
	for _, r := range list.People {
		row := personRow(r, cos[r.Company])
		if v.of == "" {
			row.Company = cos[r.Company].Name
		}
		page.Rows = append(page.Rows, row)
	}
	next, err := v.sealed("people", list.Next)
	if next != "" {
		page.Next = people + "?" + v.same(next).Encode()
	}
	if err != nil {
		return err
	}
	return v.page(page)
}

// known returns the companies that the page can be about, by their ids, and fills in what there is to choose from.
func (v *visit) known(page *templates.ConsolePeople) (map[string]company.Company, error) {
	cos := map[string]company.Company{}
	if v.of != "" {
		co, err := v.clerk.Company(v.r.Context(), v.of)
		if err != nil {
			return nil, err
		}
		cos[co.ID] = co
		for _, g := range co.Groups {
			page.Groups = append(page.Groups, [2]string{g.ID, g.Title()})
		}
		if !slices.ContainsFunc(co.Groups, func(g company.Group) bool { return g.ID == page.Group }) {
			page.Group = ""
		}
	} else {
		page.Group = ""
	}
	if !v.it {
		return cos, nil
	}
	all, err := v.cfg.Companies.Companies(v.r.Context())
	if err != nil {
		return nil, err
	}
	for _, co := range all {
		cos[co.ID] = co
	}
	page.Companies, err = v.companies()
	return cos, err
}

// same are what was searched for and chosen, with another beginning.
func (v *visit) same(after string) url.Values {
	out := url.Values{"after": {after}}
	for _, name := range []string{"company", "q", "show", "group"} {
		if value := v.r.URL.Query().Get(name); value != "" {
			out.Set(name, value)
		}
	}
	return out
}

// shown is which accounts are asked for; anything else: everyone.
func shown(text string) authn.PeopleShow {
	if s := authn.PeopleShow(text); s == authn.ShowWith || s == authn.ShowWithout {
		return s
	}
	return authn.ShowAll
}

// toRemind is how many people a reminder would go to; 0: none can be sent.
func (v *visit) toRemind(co company.Company, n authn.Headcount) (int, error) {
	if co.ID == "" || !co.SecondFactor.Wanted() {
		return 0, nil
	}
	if len(co.FactorGroups) == 0 {
		return n.Without, nil
	}
	p, err := v.clerk.PreviewPolicy(v.r.Context(), co)
	return p.Without, err
}

func personRow(r authn.Record, co company.Company) templates.ConsolePersonRow {
	return templates.ConsolePersonRow{
		ID: r.ID, Account: r.Name, Name: r.Contact.Person, Created: utc(r.Created), Disabled: r.State == authn.Disabled,
		State: factorState(r.Account), Skips: r.Skips, Most: co.Skips, Groups: groupNames(r.Groups, co),
	}
}

// factorState is where somebody stands with the second factor: on, off, reset, skipped or never.
func factorState(a authn.Account) string {
	if a.Factor == authn.FactorNever && a.Skips > 0 {
		return "skipped"
	}
	return string(a.Factor)
}

// groupNames are groups as people see them.
func groupNames(ids []string, co company.Company) []string {
	var out []string
	for _, id := range ids {
		title := id
		for _, g := range co.Groups {
			if g.ID == id {
				title = g.Title()
			}
		}
		out = append(out, title)
	}
	return out
}

// submitRemind writes to everybody of the company who has to set a second factor up and has not, C3.
func submitRemind(v *visit) error {
	if v.of == "" {
		return v.see(people)
	}
	told, err := v.clerk.Remind(v.r.Context(), v.of)
	done := "reminded"
	switch {
	case errors.Is(err, authn.ErrConflict):
		co, err := v.clerk.Company(v.r.Context(), v.of)
		if err != nil {
			return err
		}
		done = "mute"
		if !co.SecondFactor.Wanted() {
			done = "unasked"
		}
	case err != nil:
		return err
	case told == 0:
		done = "nobody"
	}
	q := url.Values{"done": {done}, "show": {string(authn.ShowWithout)}}
	if v.it {
		q.Set("company", v.of)
	}
	return v.see(people + "?" + q.Encode())
}
