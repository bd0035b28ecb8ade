// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

func ofID(t *testing.T, p *idptest.IDP, id string) company.Company {
	t.Helper()
	all, err := p.Node.Office.Companies.Companies(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, co := range all {
		if co.ID == id {
			return co
		}
	}
	return company.Company{}
}

// TestCompanies: the IT team adds, finds, changes and removes a company.
func TestCompanies(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, ivy, "/admin/companies"), "Companies")
	if !strings.Contains(page.Text(), "Acme Legal") || !strings.Contains(page.Text(), "Plain Estates") {
		t.Error("not every company is listed")
	}
	page = want(t, page.Follow(t, "/admin/companies/new"), "Add a company")
	typed := url.Values{"name": {"Tide: <b>Law</b>"}, "id": {"Tide Law"}, "help_email": {"help"}, "admin_emails": {"boss@tide.example\r\nx"}}
	page = want(t, page.Press(t, "main", "Add a company", typed), "Add a company")
	if n := page.Find("main .error-text").Length(); n != 4 || page.Find("#id").AttrOr("value", "") != "Tide Law" {
		t.Errorf("%d problems at their fields, alert %q", n, page.Alert())
	}
	typed = url.Values{"name": {"Tide <b>Law</b>"}, "id": {"tide"}, "help_email": {"help@tide.example"}, "help_phone": {"020 1"}, "admin_emails": {"boss@tide.example"}}
	page = want(t, page.Press(t, "main", "Add a company", typed), "Tide <b>Law</b>")
	if co := ofID(t, p, "tide"); co.HelpEmail != "help@tide.example" || len(co.AdminEmails) != 1 || strings.Contains(page.Body, "<b>Law") {
		t.Errorf("company %+v", co)
	}
	again := want(t, page.Follow(t, "/admin/companies/new").Press(t, "main", "Add a company", typed), "Add a company")
	if !strings.Contains(again.Find("#id-error").Text(), "taken") {
		t.Errorf("alert %q", again.Alert())
	}
	found := want(t, page.Follow(t, "/admin/companies?q=tide"), "Companies")
	if found.Find("main tbody tr").Length() != 1 || strings.Contains(found.Body, "<b>Law") {
		t.Error("the search does not find it, or shows its name as markup")
	}
	page = page.Follow(t, "/admin/companies/tide/remove")
	page = want(t, page.Press(t, "main", "Remove it now", nil), "Companies")
	if !strings.Contains(page.Note(), "removed") || ofID(t, p, "tide").ID != "" {
		t.Errorf("note %q", page.Note())
	}
	page = page.Follow(t, "/admin/companies/acme/remove").Press(t, "main", "Remove it now", nil)
	if !strings.Contains(want(t, page, "Acme Legal").Note(), "still has people") {
		t.Errorf("note %q", page.Note())
	}
}

// TestOwnCompany: a company's admin has the own one alone, and changes help and addresses, not its name.
func TestOwnCompany(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, carla, "/admin/companies"), "Acme Legal")
	page = want(t, page.Follow(t, "/admin/companies/acme/edit"), "Change Acme Legal")
	one := page
	page = want(t, page.Press(t, "main", "Save", url.Values{"help_phone": {"020 2"}, "name": {"Another"}, "help_email": {"help@acme.example"}}), "Acme Legal")
	if co := ofID(t, p, "acme"); co.HelpPhone != "020 2" || co.Name != "Acme Legal" || co.SecondFactor != "required" {
		t.Errorf("company %+v", co)
	}
	// Somebody who looked at it before is told.
	stale := want(t, one.Press(t, "main", "Save", url.Values{"help_phone": {"020 3"}, "help_email": {""}}), "Change Acme Legal")
	if !strings.Contains(stale.Alert(), "Somebody else") || stale.Find("#help_phone").AttrOr("value", "") != "020 3" {
		t.Errorf("alert %q", stale.Alert())
	}
	for _, at := range []string{"", "/edit", "/remove"} {
		nothing(t, page.Follow(t, "/admin/companies/plain"+at))
	}
	nothing(t, page.Follow(t, "/admin/companies/new"))
	nothing(t, page.Follow(t, "/admin/companies/acme/remove"))
	if got := len(happened(t, p, audit.AdminRefused)); got < 5 {
		t.Errorf("%d refusals in the audit log", got)
	}
}

// TestGroups are added, renamed and removed; one that people or the policy still use stays.
func TestGroups(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, carla, "/admin/companies/acme"), "Acme Legal")
	page = want(t, page.Press(t, "#groups", "Add the group", url.Values{"id": {"The Lawyers"}, "name": {"The <lawyers>"}}), "Acme Legal")
	if page.Find("#group-id-error").Length() != 1 || page.Find("#group-id").AttrOr("value", "") != "The Lawyers" {
		t.Errorf("alert %q", page.Alert())
	}
	stale := page
	for _, id := range []string{"lawyers", "clerks", "others"} {
		page = want(t, page.Press(t, "#groups", "Add the group", url.Values{"id": {id}, "name": {"The <lawyers>"}}), "Acme Legal")
	}
	if got := want(t, stale.Press(t, "#groups", "Add the group", url.Values{"id": {"x"}}), "Acme Legal"); !strings.Contains(got.Note(), "Nothing was changed") {
		t.Errorf("note %q of a stale form", got.Note())
	}
	page = want(t, page.Press(t, "#groups", "Rename", url.Values{"group": {"clerks"}, "name": {"The clerks"}}), "Acme Legal")
	co := ofID(t, p, "acme")
	if len(co.Groups) != 3 || co.Groups[1].Name != "The clerks" || strings.Contains(page.Body, "<lawyers>") {
		t.Fatalf("groups %+v", co.Groups)
	}
	co.FactorGroups = []string{"others"}
	p.AddCompany(t, co)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	p.Advance(time.Second)
	edit := page.Follow(t, "/admin/people/"+id+"/edit")
	want(t, edit.Press(t, "main", "Save", url.Values{"group.lawyers": {"1"}}), "norman@acme.example")
	for group, says := range map[string]string{"others": "policy names", "lawyers": "people in this group", "clerks": "is removed"} {
		page = page.Follow(t, "/admin/companies/acme")
		page = want(t, page.Press(t, "#groups", "Remove", url.Values{"group": {group}}), "Acme Legal")
		if !strings.Contains(page.Note(), says) {
			t.Errorf("%s: note %q, want %q", group, page.Note(), says)
		}
	}
	if co = ofID(t, p, "acme"); len(co.Groups) != 2 {
		t.Errorf("groups %+v", co.Groups)
	}
}
