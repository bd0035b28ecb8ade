// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

const policyPage = home + "/policy"

func (p *Pages) policyRoutes() []route {
	return []route{
		get(policyPage, NeedCompany, servePolicy),
		post(policyPage, NeedCompany, chosen(policyPage), submitPolicy).keeps().slowly(),
	}
}

// chosen is a page of the company that an IT team has chosen.
func chosen(page string) func(*http.Request) string {
	return func(r *http.Request) string { return forCompany(page, r.URL.Query().Get("company")) }
}

// ofCompany is the address of a page that shows a company.
func forCompany(page, id string) string {
	if id == "" {
		return page
	}
	return page + "?" + url.Values{"company": {id}}.Encode()
}

// servePolicy shows what a company asks of its people's sign-ins, C2.
func servePolicy(v *visit) error {
	if v.of == "" {
		return v.choosePolicy()
	}
	co, err := v.clerk.Company(v.r.Context(), v.of)
	if err != nil {
		return err
	}
	if kept := v.draft(); kept != nil {
		return v.policy(co, policyInput(kept), "proof")
	}
	return v.policy(co, policyWritten(co), "")
}

// choosePolicy has an IT team choose whose policy it is.
func (v *visit) choosePolicy() error {
	all, err := v.companies()
	if err != nil {
		return err
	}
	return v.page(templates.ConsoleChoose{Console: v.frame("policy"), Action: policyPage, Companies: all})
}

// policy shows the form of the company's policy with what it would do.
func (v *visit) policy(before company.Company, in templates.ConsolePolicyInput, problem string) error {
	page := templates.ConsolePolicy{Console: v.frame("policy"), IT: v.it, In: in, Problem: problem, Mails: v.clerk.Mails()}
	page.Company = before.Name
	page.Groups = groupsOf(before, in.Groups)
	page.Skips = skipChoices(in.Skips)
	page.Always = before.SecondFactor == always
	if page.Done = v.done("saved", "told", "mute", "partly"); page.Done != "" {
		page.Told, _ = strconv.Atoi(v.r.URL.Query().Get("n"))
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	after, wrong := wished(in, before)
	p, err := v.clerk.PreviewPolicy(v.r.Context(), after)
	if err := errors.Join(wrong, err); err != nil {
		if page.Problems, err = policyProblems(err); err != nil {
			return err
		}
		page.Problem, page.In.Seen = "", ""
		return v.page(page)
	}
	page.Preview = &templates.ConsolePreview{
		Wanted: after.SecondFactor.Wanted(), Concerned: p.Concerned, Set: p.Set, Without: p.Without, More: p.More,
		Steps: policySteps(after, v.cfg.Now()),
	}
	page.Tightens = tightens(before, after)
	page.PeopleURL = v.without(v.of)
	return v.page(page)
}

// without leads to the people of a company who have not set a factor up; empty: there is no such page.
func (v *visit) without(companyID string) string {
	if !v.has(home + "/people") {
		return ""
	}
	q := url.Values{"show": {"without"}}
	if v.it && companyID != "" {
		q.Set("company", companyID)
	}
	return home + "/people?" + q.Encode()
}

// submitPolicy shows what the policy would do, or saves it and tells whom it concerns. A stricter one is saved by whoever
// has seen what exactly this one does: the form carries its digest from the preview.
func submitPolicy(v *visit) error {
	if v.of == "" {
		return v.see(policyPage)
	}
	before, err := v.clerk.Company(v.r.Context(), v.of)
	if err != nil {
		return err
	}
	in := policyInput(v.form)
	after, wrong := wished(in, before)
	if wrong != nil {
		return v.policy(before, in, "")
	}
	seen, stricter := digest(after), tightens(before, after)
	looks := v.form.Get("action") == "preview"
	if looks || stricter && in.Seen != seen {
		in.Seen = seen
		problem := "look"
		if looks {
			problem = ""
		}
		return v.policy(before, in, problem)
	}
	_, err = v.clerk.ChangeCompany(v.r.Context(), v.of, in.Tag, after)
	switch {
	case errors.Is(err, admin.ErrStale):
		// Whoever has looked at it may put this in its place.
		in.Tag, in.Seen = admin.CompanyTag(before), seen
		return v.policy(before, in, "stale")
	case len(fieldErrors(err)) > 0:
		return v.policy(before, in, "")
	case err != nil:
		return err
	}
	back := url.Values{"done": {"saved"}}
	if v.it {
		back.Set("company", v.of)
	}
	if stricter {
		v.tellPolicy(back)
	}
	return v.see(policyPage + "?" + back.Encode())
}

// tellPolicy tells whom a stricter policy concerns, and puts what the page has to say of it into its address.
func (v *visit) tellPolicy(back url.Values) {
	back.Set("done", "told")
	told, err := v.clerk.TellPolicy(v.r.Context(), v.of)
	switch {
	case err != nil:
		// The policy is in force: that is what the page has to say.
		back.Set("done", "partly")
	case !v.clerk.Mails():
		back.Set("done", "mute")
	}
	back.Set("n", strconv.Itoa(told))
}

// tightens says whether people are asked for more than before, or for the same in another way: they are shown what will
// happen, and told.
func tightens(before, after company.Company) bool {
	return after.SecondFactor.Wanted() && digest(before) != digest(after)
}

// digest names what a policy asks of whom, from when.
func digest(co company.Company) string {
	days := -1
	if co.SetupDays != nil {
		days = *co.SetupDays
	}
	b, err := json.Marshal([]any{co.ID, co.SecondFactor, co.FactorGroups, co.From.Unix(), co.Skips, days})
	if err != nil {
		// None of these can fail; if one did, nothing would ever have been seen.
		return fmt.Sprint(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
