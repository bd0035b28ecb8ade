// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// mailing is start, where every node keeps its mails.
func mailing(t *testing.T) *idptest.IDP {
	t.Helper()
	return startWith(t, idptest.Setup{Change: idptest.WithMail})
}

// record is the account of an id as the store has it.
func record(t *testing.T, p *idptest.IDP, id string) authn.Record {
	t.Helper()
	r, err := p.Node.Office.Accounts.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestPeopleList: who has set up and who has not, bounded to the company, searched and filtered.
func TestPeopleList(t *testing.T) {
	p := start(t)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: "required", Groups: []company.Group{{ID: "lawyers", Name: "The lawyers"}}})
	p.AddAccount(t, "norman@acme.example", "acme")
	p.AddAccount(t, "other@plain.example", "plain")
	if _, err := p.Node.Office.Add(t.Context(), admin.Entry{
		Username: "lara@acme.example", Company: "acme", Password: idptest.Password, Groups: []string{"lawyers"}, Claims: map[string]any{"name": "Lara Law"},
	}); err != nil {
		t.Fatal(err)
	}
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/people").Prove(t, carla), "People")
	for _, part := range []string{"3 accounts. 1 have set up an authenticator, 2 have not.", "norman@acme.example", "Lara Law", "The lawyers", "Not set up yet"} {
		if !strings.Contains(page.Text(), part) {
			t.Errorf("the list does not say %q", part)
		}
	}
	for query, names := range map[string][]string{
		"?show=without": {"norman", "lara"}, "?show=with": {"carla"}, "?q=law": {"lara"}, "?group=lawyers": {"lara"}, "?q=nobody": nil, "?group=none&show=x": {"carla", "lara", "norman"},
	} {
		page := want(t, b.Get(t, "/admin/people"+query), "People")
		rows := page.Find("main tbody tr").Length()
		for _, name := range names {
			if !strings.Contains(page.Find("main tbody").Text(), name+"@acme.example") {
				t.Errorf("%s does not show %s", query, name)
			}
		}
		if rows != len(names) || strings.Contains(page.Body, "plain.example") {
			t.Errorf("%s shows %d people, want %v", query, rows, names)
		}
	}
	p.NextStep()
	all := want(t, as(t, p, ivy, "/admin/people"), "People")
	if !strings.Contains(all.Body, "other@plain.example") || !strings.Contains(all.Find("main tbody").Text(), "Plain Estates") {
		t.Error("the IT team does not see everybody, with the company")
	}
	one := want(t, all.Follow(t, "/admin/people?company=plain"), "People")
	if strings.Contains(one.Body, "@acme.example") || one.Find("main form[action^='/admin/people/remind']").Length() != 0 {
		t.Error("the chosen company is not the only one, or a reminder is offered where nothing is asked for")
	}
}

// TestPeoplePages: the next page is reached by an address that names nobody, and that no other list or admin opens.
func TestPeoplePages(t *testing.T) {
	p := start(t)
	for i := range 51 {
		p.AddAccount(t, fmt.Sprintf("n%02d@acme.example", i), "acme")
	}
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/people?show=without").Prove(t, carla), "People")
	next := page.Find("main a.button[href*='after=']").AttrOr("href", "")
	if page.Find("main tbody tr").Length() != 50 || next == "" || !strings.Contains(next, "show=without") || strings.Contains(next, "acme") {
		t.Fatalf("%d people, next %q", page.Find("main tbody tr").Length(), next)
	}
	if page = want(t, b.Get(t, next), "People"); page.Find("main tbody tr").Length() != 1 {
		t.Errorf("%d people on the second page, want 1", page.Find("main tbody tr").Length())
	}
	for _, address := range []string{"/admin/people?after=x", strings.Replace(next, "after=", "after=A", 1)} {
		if got := b.Get(t, address); got.Status != http.StatusBadRequest {
			t.Errorf("%s = %d %q", address, got.Status, got.H1())
		}
	}
	other := as(t, p, ivy, "/admin/people?company=acme")
	if got := other.Follow(t, next+"&company=acme"); got.Status != http.StatusBadRequest {
		t.Errorf("somebody else's cursor = %d %q", got.Status, got.H1())
	}
}

// TestRemind: everybody without a factor is written to once a day.
func TestRemind(t *testing.T) {
	p := mailing(t)
	p.AddAccount(t, "norman@acme.example", "acme")
	page := want(t, as(t, p, carla, "/admin/people"), "People")
	page = page.Press(t, "main", "Send a reminder to 1 person", nil)
	if !strings.Contains(want(t, page, "People").Note(), "on its way") || len(p.Mails(t, "norman@acme.example")) != 1 {
		t.Errorf("note %q, %d mails", page.Note(), len(p.Mails(t, "norman@acme.example")))
	}
	if len(p.Mails(t, carla)) != 0 {
		t.Error("somebody who has a factor is reminded")
	}
}

// TestPersonPage: what is known, without secrets; its buttons do what they say.
func TestPersonPage(t *testing.T) {
	p := mailing(t)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	n := p.Browser(t)
	p.RP.Exchange(t, n.Get(t, p.RP.AuthURL()).Login(t, "norman@acme.example", idptest.Password).Remember(t, p.Code(t, 0)))
	page := want(t, as(t, p, carla, "/admin/people/"+id), "norman@acme.example")
	for _, part := range []string{"Acme Legal", "Authenticator app", "Case App", "recovery codes are left"} {
		if !strings.Contains(page.Text(), part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	if got := page.Find("header .quiet-text").Text(); got != carla {
		t.Errorf("the head names %q, not whoever looks", got)
	}
	if page.Find("input[type=password]").Length() != 0 || strings.Contains(page.Body, "$argon2") {
		t.Error("something of the password is on the page")
	}
	for _, act := range [][3]string{
		{"#devices", "Forget", "The device is forgotten"},
		{"#apps", "Withdraw", "no access any more"},
		{"#sessions", "End", "session is ended"},
		{"#sessions", "Sign out everywhere", "signed out everywhere"},
		{"#acts", "Disable the account", "disabled"},
		{"#acts", "Enable the account", "enabled again"},
	} {
		page = page.Press(t, act[0], act[1], nil)
		if page.Status != 200 || !strings.Contains(page.Note(), act[2]) {
			t.Fatalf("%s: %d %q, note %q", act[1], page.Status, page.H1(), page.Note())
		}
	}
	if left := page.Find("#sessions li, #devices li, #apps li").Length(); left != 0 {
		t.Errorf("%d things are left", left)
	}
}

// TestCA08Console is CA-08 at the console: a reset that comes without a proof of the last minutes does nothing; after it, it
// is written down and told, the generation rises, and the link goes to the person alone.
func TestCA08Console(t *testing.T) {
	const norman, h1 = "norman@acme.example", "Reset the second factor of norman@acme.example?"
	p := mailing(t)
	id := p.AddEnrolled(t, norman, "acme")
	before := record(t, p, id)
	page := want(t, as(t, p, carla, "/admin/people/"+id+"/reset"), h1)
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Reset the second factor", nil), "Sign in")
	if now := record(t, p, id); now.Factor != authn.FactorOn || now.FactorGen != before.FactorGen || len(p.Mails(t, norman)) != 0 || len(happened(t, p, audit.FactorReset)) != 0 {
		t.Errorf("without a proof: %+v", now)
	}
	page = want(t, page.Prove(t, carla), h1)
	page = want(t, page.Press(t, "main", "Reset the second factor", nil), norman)
	mails := p.Mails(t, norman)
	if !strings.Contains(page.Note(), "reset") || len(mails) != 1 || strings.Contains(page.Body, p.MailLink(t, mails[0])) {
		t.Errorf("note %q, %d mails", page.Note(), len(mails))
	}
	if now := record(t, p, id); now.Factor != authn.FactorReset || now.FactorGen != before.FactorGen+1 {
		t.Errorf("after a proof: %+v", now)
	}
	if did := happened(t, p, audit.FactorReset); len(did) != 1 || did[0].Account != id || did[0].Actor == "" {
		t.Errorf("audit log: %+v", did)
	}
}

// TestResetByTwo: where the company wants two admins the first only asks, and the page says who asked and when.
func TestResetByTwo(t *testing.T) {
	p := mailing(t)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: "required", Policy: company.Policy{ResetAdmins: 2, ResetWait: 1}})
	p.AddAdmin(t, "cora@acme.example", "acme", authn.AdminCompany)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	page := want(t, as(t, p, carla, "/admin/people/"+id+"/reset"), "Reset the second factor of norman@acme.example?")
	if !strings.Contains(page.Text(), "two admins") || !strings.Contains(page.Text(), "1 hour") {
		t.Error("the page does not say what the company wants")
	}
	page = want(t, page.Press(t, "main", "Reset the second factor", nil), "norman@acme.example")
	for _, part := range []string{"asked for", "carla@acme.example asked for it on", "Another admin has to", "It can be done from"} {
		if !strings.Contains(page.Find("main").Text(), part) {
			t.Errorf("the page does not say %q", part)
		}
	}
	p.Advance(61 * time.Minute)
	page = want(t, as(t, p, "cora@acme.example", "/admin/people/"+id+"/reset"), "Reset the second factor of norman@acme.example?")
	if strings.Contains(page.Find("main").Text(), "Another admin has to") {
		t.Error("the second admin is told that another one has to")
	}
	page = want(t, page.Press(t, "main", "Reset the second factor", nil), "norman@acme.example")
	if record(t, p, id).Factor != authn.FactorReset {
		t.Errorf("the second admin does not reset it: %q", page.Note())
	}
}

// TestTwoAdminsEditAtOnce: the second is told, loses nothing, and may put it in the place of the first.
func TestTwoAdminsEditAtOnce(t *testing.T) {
	p := start(t)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: "required", Groups: []company.Group{{ID: "lawyers"}, {ID: "clerks"}}})
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	one := want(t, as(t, p, carla, "/admin/people/"+id+"/edit"), "Change norman@acme.example")
	two := want(t, as(t, p, ivy, "/admin/people/"+id+"/edit"), "Change norman@acme.example")
	want(t, one.Press(t, "main", "Save", url.Values{"name": {"Norman"}, "group.lawyers": {"1"}, "admin": {""}, "roles": {"partner\r\nreader"}}), "norman@acme.example")
	two = want(t, two.Press(t, "main", "Save", url.Values{"name": {"Norbert"}, "admin": {"company"}}), "Change norman@acme.example")
	if !strings.Contains(two.Alert(), "Somebody else changed this") || two.Find("#name").AttrOr("value", "") != "Norbert" {
		t.Errorf("alert %q, name %q", two.Alert(), two.Find("#name").AttrOr("value", ""))
	}
	if r := record(t, p, id); r.Contact.Person != "Norman" || len(r.Groups) != 1 || len(r.Roles) != 2 || r.Admin != "" {
		t.Errorf("record %+v", r.Profile)
	}
	want(t, two.Press(t, "main", "Save", url.Values{"admin": {"company"}}), "norman@acme.example")
	if r := record(t, p, id); r.Contact.Person != "Norbert" || r.Admin != authn.AdminCompany {
		t.Errorf("record %+v", r.Profile)
	}
	// Whom a company's admin makes of the IT team is nobody.
	one = one.Follow(t, "/admin/people/"+id+"/edit")
	want(t, one.Press(t, "main", "Save", url.Values{"admin": {"it"}, "roles": {strings.Repeat("x", 65)}}), "Change norman@acme.example")
	one = one.Follow(t, "/admin/people/"+id+"/edit")
	want(t, one.Press(t, "main", "Save", url.Values{"admin": {"it"}}), "norman@acme.example")
	if r := record(t, p, id); r.Admin == authn.AdminIT {
		t.Error("a company's admin makes somebody one of the IT team")
	}
}

// TestDeletePerson: the page names the person; the account and its page are gone.
func TestDeletePerson(t *testing.T) {
	p := mailing(t)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	page := want(t, as(t, p, carla, "/admin/people/"+id+"/delete"), "Delete norman@acme.example?")
	if got := want(t, page.Press(t, "main", "Delete the account", url.Values{"tag": {"other"}}), "norman@acme.example"); !strings.Contains(got.Note(), "Nothing was changed") {
		t.Errorf("note %q of a stale page", got.Note())
	}
	page = want(t, page.Press(t, "main", "Delete the account", nil), "People")
	if !strings.Contains(page.Note(), "deleted") || strings.Contains(page.Body, "norman@") {
		t.Errorf("note %q", page.Note())
	}
	nothing(t, page.Follow(t, "/admin/people/"+id))
}

// TestForeignPeople: somebody of another company is not there, and who asked stands in the audit log.
func TestForeignPeople(t *testing.T) {
	p := mailing(t)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/people").Prove(t, pete), "People")
	for _, at := range []string{"", "/edit", "/reset", "/delete"} {
		nothing(t, b.Get(t, "/admin/people/"+id+at))
	}
	acts := []string{"edit", "disable", "sign-out", "forget", "devices/forget", "sessions/end", "apps/withdraw", "reset", "delete"}
	for _, act := range acts {
		nothing(t, b.Post(t, "/admin/people/"+id+"/"+act, url.Values{"tag": {"x"}}))
	}
	nothing(t, b.Get(t, "/admin/people?company=acme"))
	nothing(t, b.Post(t, "/admin/people/remind?company=acme", url.Values{}))
	if got := len(happened(t, p, audit.AdminRefused)); got < len(acts)+6 {
		t.Errorf("%d refusals in the audit log", got)
	}
	if r := record(t, p, id); r.State != authn.Active || r.Factor != authn.FactorOn || len(p.Mails(t, "norman@acme.example")) != 0 {
		t.Error("something was done to somebody of another company")
	}
}

// TestOwnAccountAndIT: nobody locks the own account, and a company's admin does not touch the IT team.
func TestOwnAccountAndIT(t *testing.T) {
	p := mailing(t)
	ian := p.AddAdmin(t, "ian@acme.example", "acme", authn.AdminIT)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/people").Prove(t, carla), "People")
	own, err := p.Node.Office.Find(t.Context(), carla)
	if err != nil {
		t.Fatal(err)
	}
	for id, says := range map[string]string{ian: "one of the IT team", own.ID: "your own account"} {
		for _, act := range []string{"disable", "reset", "delete"} {
			if page := b.Post(t, "/admin/people/"+id+"/"+act, url.Values{"tag": {"x"}}); !strings.Contains(page.Note(), says) && !strings.Contains(page.Note(), "Nothing was changed") {
				t.Errorf("%s = %d, note %q, want %q", act, page.Status, page.Note(), says)
			}
		}
		page := b.Get(t, "/admin/people/"+id)
		if page.Find("#acts").Length() != 0 || record(t, p, id).State != authn.Active || record(t, p, id).Factor != authn.FactorOn {
			t.Error("there are acts on the page, or something was done")
		}
	}
}

// TestPersonFormIsKept: what was typed about a person is there again after the proof.
func TestPersonFormIsKept(t *testing.T) {
	p := start(t)
	id := p.AddEnrolled(t, "norman@acme.example", "acme")
	page := want(t, as(t, p, carla, "/admin/people/"+id+"/edit"), "Change norman@acme.example")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Save", url.Values{"name": {"<b>Norman</b>"}, "roles": {"a\r\nb"}}), "Sign in")
	page = want(t, page.Prove(t, carla), "Change norman@acme.example")
	if page.Find("#name").AttrOr("value", "") != "<b>Norman</b>" || !strings.Contains(page.Find("#roles").Text(), "b") || strings.Contains(record(t, p, id).Contact.Person, "<b>") {
		t.Errorf("name %q, roles %q: not what was typed, or saved without a proof", page.Find("#name").AttrOr("value", ""), page.Find("#roles").Text())
	}
	page = want(t, page.Press(t, "main", "Save", url.Values{"roles": {"a\r\nb"}}), "norman@acme.example")
	for _, at := range []string{"/admin/people", "/admin/people/" + id} {
		if shown := page.Follow(t, at); strings.Contains(shown.Body, "<b>Norman") || !strings.Contains(shown.Text(), "<b>Norman</b>") {
			t.Errorf("%s shows the name as markup, or not at all", at)
		}
	}
}
