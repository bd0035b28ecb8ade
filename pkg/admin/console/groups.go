// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

// regroup changes the groups of the company that a request is about, as they were looked at. change answers another done
// where it changes nothing.
func (v *visit) regroup(done string, change func(co *company.Company) (string, error)) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	if v.form.Get("tag") == "" {
		return v.see(companyPage(co.ID) + "?done=stale")
	}
	before := co
	co.Groups = slices.Clone(co.Groups)
	refused, err := change(&co)
	if err != nil {
		return err
	}
	if refused != "" {
		return v.see(companyPage(co.ID) + "?done=" + refused + "#groups")
	}
	_, err = v.clerk.ChangeCompany(v.r.Context(), co.ID, v.form.Get("tag"), co)
	switch {
	case err == nil:
		return v.see(companyPage(co.ID) + "?done=" + done + "#groups")
	case errors.Is(err, admin.ErrStale):
		return v.see(companyPage(co.ID) + "?done=stale")
	}
	wrong := fieldErrors(err)
	if len(wrong) == 0 {
		return err
	}
	p := templates.ConsoleProblem{Field: "group-id", Kind: "id"}
	switch {
	case strings.Contains(wrong[0].Problem, "twice"):
		p.Kind = "taken"
	case strings.Contains(wrong[0].Problem, "the name"):
		p = templates.ConsoleProblem{Field: "group-name", Kind: "name"}
	}
	return v.company(before, "", p)
}

// submitAddGroup adds a group.
func submitAddGroup(v *visit) error {
	return v.regroup("group-added", func(co *company.Company) (string, error) {
		co.Groups = append(co.Groups, company.Group{ID: strings.TrimSpace(v.form.Get("id")), Name: strings.TrimSpace(v.form.Get("name"))})
		return "", nil
	})
}

// submitRenameGroup changes how a group is called; its id, which apps know it by, stays.
func submitRenameGroup(v *visit) error {
	return v.regroup("group-renamed", func(co *company.Company) (string, error) {
		i := v.group(*co)
		if i < 0 {
			return "stale", nil
		}
		co.Groups[i].Name = strings.TrimSpace(v.form.Get("name"))
		return "", nil
	})
}

// submitRemoveGroup removes a group that nothing uses any more: a policy that names one that is gone would concern nobody,
// and people would lose what apps give the group without anybody saying so.
func submitRemoveGroup(v *visit) error {
	return v.regroup("group-removed", func(co *company.Company) (string, error) {
		i := v.group(*co)
		if i < 0 {
			return "stale", nil
		}
		id := co.Groups[i].ID
		if slices.Contains(co.FactorGroups, id) {
			return "used-policy", nil
		}
		used, err := v.inGroup(co.ID, id)
		if err != nil {
			return "", err
		}
		if used {
			return "used-people", nil
		}
		co.Groups = slices.Delete(co.Groups, i, i+1)
		return "", nil
	})
}

// group is the place of the group that a form names; -1: there is none.
func (v *visit) group(co company.Company) int {
	return slices.IndexFunc(co.Groups, func(g company.Group) bool { return g.ID == v.form.Get("group") })
}

// maxLooked is how many pages of people are looked at for one in a group.
const maxLooked = 20

// inGroup says whether somebody is in a group. Where that is not known after so many people, it is taken to be so.
func (v *visit) inGroup(companyID, group string) (bool, error) {
	q := authn.PeopleQuery{Company: companyID, Group: group, Limit: 200}
	for range maxLooked {
		page, err := v.clerk.ListPeople(v.r.Context(), q)
		if err != nil || len(page.People) > 0 {
			return true, err
		}
		if page.Next == "" {
			return false, nil
		}
		q.After = page.Next
	}
	return true, nil
}
