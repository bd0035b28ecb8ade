// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// grouped returns a provider whose acme has two groups: bo is a lawyer without a factor, cy a clerk without one.
func grouped(t *testing.T) *idptest.IDP {
	t.Helper()
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	p.AddAdmin(t, ivy, "", authn.AdminIT)
	p.AddAdmin(t, carla, "acme", authn.AdminCompany)
	p.AddAdmin(t, pete, "plain", authn.AdminCompany)
	co := acme(t, p)
	co.SecondFactor, co.Groups = flow.FactorOptional, []company.Group{{ID: "lawyers", Name: "Lawyers"}, {ID: "clerks"}}
	p.AddCompany(t, co)
	for name, group := range map[string]string{"bo@acme.example": "lawyers", "cy@acme.example": "clerks"} {
		e := admin.Entry{Username: name, Company: "acme", Password: idptest.Password, Groups: []string{group}, Claims: map[string]any{"email": name, "email_verified": true}}
		if _, err := p.Node.Office.Add(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func acme(t *testing.T, p *idptest.IDP) company.Company {
	t.Helper()
	co, err := p.Node.Office.Companies.Company(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	return co
}

// asked is what the form is sent with; the tag and the digest are those of the page.
func asked(kv ...string) url.Values {
	v := url.Values{"who": {"groups"}, "group": {"lawyers"}, "from": {"2999-01-02"}, "skips": {"3"}, "admins": {"1"}, "wait": {"0"}, "remember": {"1"}}
	for i := 0; i < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v
}

// TestPolicyIsLookedAtFirst: a stricter policy is saved by whoever has seen what it does; then its people are told.
func TestPolicyIsLookedAtFirst(t *testing.T) {
	p := grouped(t)
	page := want(t, as(t, p, carla, "/admin/policy"), "Sign-in policy")
	page = want(t, page.Press(t, "main", "Save", asked()), "Sign-in policy")
	if !strings.Contains(page.Alert(), "Nothing is saved yet") || acme(t, p).SecondFactor != flow.FactorOptional {
		t.Fatalf("alert %q, saved %+v", page.Alert(), acme(t, p))
	}
	if got := page.Find("#preview").Parent().Text(); !strings.Contains(got, "Until 1 January 2999") || !strings.Contains(got, "skip it 3 times") {
		t.Errorf("preview %q", got)
	}
	// Other values than were shown are shown first too.
	page = page.Press(t, "main", "Save and tell 1 person", asked("skips", "5"))
	if !strings.Contains(page.Alert(), "Nothing is saved yet") {
		t.Fatalf("saved unseen: %q", page.Alert())
	}
	page = page.Press(t, "main", "Save and tell 1 person", asked("skips", "5"))
	if got := page.Note(); !strings.Contains(got, "The policy is saved.") || !strings.Contains(got, "1 person is told") {
		t.Errorf("note %q", got)
	}
	co := acme(t, p)
	if co.SecondFactor != flow.FactorRequired || len(co.FactorGroups) != 1 || co.Skips != 5 || co.From.Format(time.DateOnly) != "2999-01-02" || co.RememberDays != nil {
		t.Errorf("saved %+v", co)
	}
	if n := len(p.Mails(t, "bo@acme.example")); n != 1 {
		t.Errorf("%d mails to bo, want 1", n)
	}
	if n := len(p.Mails(t, "cy@acme.example")); n != 0 {
		t.Errorf("%d mails to cy, want none", n)
	}
	if got := happened(t, p, audit.CompanyChanged); len(got) == 0 || got[0].Company != "acme" || got[0].Actor == "" {
		t.Errorf("the journal says %+v", got)
	}
	// What asks nobody for more is saved at once, and tells nobody.
	page = page.Press(t, "main", "Save", asked("skips", "5", "days", "7", "admins", "2", "wait", "24"))
	co = acme(t, p)
	if page.Note() != "The policy is saved. It is in force within a second." || *co.RememberDays != 7 || co.ResetAdmins != 2 || co.ResetWait != 24 {
		t.Errorf("note %q, saved %+v", page.Note(), co)
	}
	if n := len(p.Mails(t, "bo@acme.example")); n != 1 {
		t.Errorf("%d mails to bo, want 1 still", n)
	}
}

// TestPolicyProblemsStandAtTheirFields: nothing is changed by a form with something wrong in it.
func TestPolicyProblemsStandAtTheirFields(t *testing.T) {
	p := grouped(t)
	before := admin.CompanyTag(acme(t, p))
	page := as(t, p, carla, "/admin/policy")
	for field, kv := range map[string][]string{
		"who": {"who", "all"}, "groups": {"group", ""}, "from": {"from", "soon"}, "skips": {"skips", "21"}, "days": {"days", "0"},
		"setup": {"setup", "366"}, "admins": {"admins", "3"}, "wait": {"wait", "x"},
	} {
		f := asked(kv...)
		if field == "groups" {
			f.Del("group")
		}
		got := want(t, page.Press(t, "main", "Save", f), "Sign-in policy")
		if got.Find("#"+field+"-error").Length() != 1 || got.Find("#error a[href='#"+field+"']").Length() != 1 || got.Find("#"+field).Length() != 1 {
			t.Errorf("%s: alert %q", field, got.Alert())
		}
	}
	if admin.CompanyTag(acme(t, p)) != before {
		t.Error("something was saved")
	}
}

// TestPolicyChangedMeanwhile: the second of two is told, and may go on.
func TestPolicyChangedMeanwhile(t *testing.T) {
	p := grouped(t)
	page := as(t, p, carla, "/admin/policy")
	page = page.Press(t, "main", "Update the preview", asked("action", "preview"))
	co := acme(t, p)
	co.HelpPhone = "1"
	p.AddCompany(t, co)
	page = page.Press(t, "main", "Save and tell 1 person", asked())
	if !strings.Contains(page.Alert(), "Somebody else changed this company") || acme(t, p).SecondFactor.Wanted() {
		t.Fatalf("alert %q", page.Alert())
	}
	page = page.Press(t, "main", "Save and tell 1 person", asked())
	if co := acme(t, p); !co.SecondFactor.Wanted() || co.HelpPhone != "1" {
		t.Errorf("saved %+v, note %q", co, page.Note())
	}
}

// TestPolicyIsTheOwn: a company's admin neither sees nor changes another one's; an IT team chooses.
func TestPolicyIsTheOwn(t *testing.T) {
	p := grouped(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/policy").Prove(t, pete), "Sign-in policy")
	nothing(t, b.Get(t, "/admin/policy?company=acme"))
	nothing(t, b.Post(t, "/admin/policy?company=acme", asked()))
	if got := happened(t, p, audit.AdminRefused); len(got) != 2 || acme(t, p).SecondFactor.Wanted() {
		t.Errorf("refusals %+v, policy %+v", got, acme(t, p))
	}
	page := want(t, as(t, p, ivy, "/admin/policy"), "Choose a company")
	page = want(t, page.Follow(t, "/admin/policy?company=acme"), "Sign-in policy")
	page = page.Press(t, "main", "Update the preview", asked("action", "preview", "who", "everyone", "from", ""))
	page = page.Press(t, "main", "Save and tell 2 people", asked("who", "everyone", "from", ""))
	if !strings.Contains(page.Note(), "2 people are told") || page.URL.Query().Get("company") != "acme" {
		t.Errorf("note %q at %s", page.Note(), page.URL)
	}
}

// TestPolicyKeepsWhatTheFormDoesNotShow: a code at every sign-in stays; nobody means that those with a factor are asked.
func TestPolicyKeepsWhatTheFormDoesNotShow(t *testing.T) {
	p := grouped(t)
	co := acme(t, p)
	co.SecondFactor = flow.FactorAlways
	p.AddCompany(t, co)
	page := as(t, p, carla, "/admin/policy")
	page = page.Press(t, "main", "Save", asked("who", "everyone", "from", "", "skips", "0"))
	if got := acme(t, p).SecondFactor; got != flow.FactorAlways {
		t.Errorf("mode %q, alert %q", got, page.Alert())
	}
	page.Press(t, "main", "Save", asked("who", "nobody", "from", "", "skips", "0"))
	if got := acme(t, p).SecondFactor; got != flow.FactorOptional {
		t.Errorf("mode %q after nobody", got)
	}
}

// TestPolicyWithoutAProof: a form that came too late is kept, for a company that an IT team has chosen too.
func TestPolicyWithoutAProof(t *testing.T) {
	p := grouped(t)
	page := want(t, as(t, p, ivy, "/admin/policy?company=acme"), "Sign-in policy")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Save", asked("skips", "5")), "Sign in")
	page = want(t, page.Prove(t, ivy), "Sign-in policy")
	if got := page.Find("#skips option[selected]").Text(); got != "5" || acme(t, p).SecondFactor.Wanted() {
		t.Errorf("kept %q at %s", got, page.URL)
	}
}
