// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/notify"
)

// TestClerkForeignPeople: another company's people are not there, whatever is asked; each question is written down.
func TestClerkForeignPeople(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	id := p.AddEnrolled(t, "sam@plain.example", "plain")
	clerk, ctx := acmeAdmin(p), t.Context()
	asked := 0
	for what, err := range map[string]error{
		"Person":       second(clerk.Person(ctx, id)),
		"ListPeople":   second(clerk.ListPeople(ctx, authn.PeopleQuery{Company: "plain"})),
		"anybody":      second(clerk.ListPeople(ctx, authn.PeopleQuery{Company: authn.Anybody})),
		"Headcount":    second(clerk.Headcount(ctx, "plain")),
		"Headcounts":   second(clerk.Headcounts(ctx, []string{"acme", "plain"})),
		"Missing":      second(clerk.Missing(ctx, "plain")),
		"EditPerson":   second(clerk.EditPerson(ctx, id, "", admin.PersonEdit{Claims: map[string]any{"name": "Taken"}})),
		"Disable":      second(clerk.ChangePerson(ctx, id, authn.Disable)),
		"Delete":       clerk.DeletePerson(ctx, id),
		"Reset":        second(clerk.ResetPerson(ctx, id)),
		"Holdings":     second(clerk.Holdings(ctx, id)),
		"EndSession":   clerk.EndSession(ctx, id, "x"),
		"ForgetDevice": clerk.ForgetDevice(ctx, id, "x"),
		"WithdrawApp":  clerk.WithdrawApp(ctx, id, "cases"),
		"Company":      second(clerk.Company(ctx, "plain")),
		"policy":       second(clerk.PreviewPolicy(ctx, company.Company{ID: "plain", Name: "Plain"})),
		"TellPolicy":   second(clerk.TellPolicy(ctx, "plain")),
		"Remind":       second(clerk.Remind(ctx, "plain")),
		"change":       second(clerk.ChangeCompany(ctx, "plain", "", company.Company{ID: "plain", Name: "Taken"})),
	} {
		asked++
		if !errors.Is(err, authn.ErrNotFound) {
			t.Errorf("%s of another company = %v, want ErrNotFound", what, err)
		}
	}
	n := 0
	for _, r := range journal(t, []*idptest.Node{p.Node}, 0) {
		if r.Event == audit.AdminRefused && r.Actor == "acme-admin" {
			n++
		}
	}
	if n != asked {
		t.Errorf("%d events admin.refused, want %d", n, asked)
	}
	rec, err := p.Node.Office.Find(ctx, "sam@plain.example")
	if err != nil || rec.State != authn.Active || rec.Factor != authn.FactorOn || rec.Contact.Person != "Anna Example" {
		t.Errorf("the account afterwards: %+v, %v", rec, err)
	}
}

// TestClerkRoles: a company's admin appoints admins of the company, and none of the IT team; nobody resets or deletes
// himself, and the IT team is out of a company admin's reach.
func TestClerkRoles(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	boss, ctx := acmeAdmin(p), t.Context()
	id := p.AddEnrolled(t, anna, "acme")
	team := p.AddAdmin(t, "it@acme.example", "acme", authn.AdminIT)
	to := func(role authn.AdminRole) admin.PersonEdit { return admin.PersonEdit{Admin: &role} }
	if r, err := boss.EditPerson(ctx, id, "", to(authn.AdminCompany)); err != nil || r.Admin != authn.AdminCompany {
		t.Errorf("a company admin appoints another: %+v, %v", r.Admin, err)
	}
	for what, err := range map[string]error{
		"appoint the IT team": second(boss.EditPerson(ctx, id, "", to(authn.AdminIT))),
		"dismiss the IT team": second(boss.EditPerson(ctx, team, "", to(authn.AdminNone))),
	} {
		var f *client.FieldError
		if !errors.As(err, &f) || f.Field != "admin" {
			t.Errorf("%s = %v, want the field admin refused", what, err)
		}
	}
	for what, err := range map[string]error{
		"disable": second(boss.ChangePerson(ctx, team, authn.Disable)), "delete": boss.DeletePerson(ctx, team),
		"reset": second(boss.ResetPerson(ctx, team)), "end a session": boss.EndSession(ctx, team, "x"),
		"add a company":    second(boss.CreateCompany(ctx, company.Company{ID: "new", Name: "New"})),
		"remove a company": boss.RemoveCompany(ctx, "acme", ""),
	} {
		if !errors.Is(err, admin.ErrForbidden) {
			t.Errorf("a company admin may not %s: %v, want ErrForbidden", what, err)
		}
	}
	self := p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: id, Company: "acme"})
	for what, err := range map[string]error{"delete": self.DeletePerson(ctx, id), "reset": second(self.ResetPerson(ctx, id))} {
		if !errors.Is(err, authn.ErrConflict) {
			t.Errorf("an admin may not %s the own account: %v, want ErrConflict", what, err)
		}
	}
	if _, err := p.Node.Office.Add(ctx, admin.Entry{Username: "x@x.example", Password: idptest.Password, Admin: authn.AdminCompany}); err == nil {
		t.Error("a company admin without a company was added")
	}
}

// TestPL08Erased is PL-08: of a person who is deleted nothing is left but the id, in the journal and as what keeps it from
// being used again.
func TestPL08Erased(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail, Log: &log})
	id := p.AddEnrolled(t, "erased.person@acme.example", "acme")
	rec, err := p.Node.Office.Accounts.ByID(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	b := p.Browser(t)
	scope := idptest.With("scope", "openid profile email offline_access")
	tokens := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(scope)).Login(t, "erased.person@acme.example", idptest.Password).Remember(t, p.Code(t, 0)))
	if _, err := it(p).EditPerson(t.Context(), id, "", admin.PersonEdit{Claims: map[string]any{"name": "Erasmus Gone", "email": "other.address@erased.example"}}); err != nil {
		t.Fatal(err)
	}
	if err := it(p).DeletePerson(t.Context(), id); err != nil {
		t.Fatalf("DeletePerson() = %v", err)
	}
	mails := p.Mails(t, "erased.person@acme.example")
	if !slices.ContainsFunc(mails, func(m notify.Mail) bool { return m.Subject == "Your account was deleted" }) {
		t.Errorf("the person is not told: %+v", mails)
	}
	if page := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none"))); p.RP.Answer(t, page).Get("error") != "login_required" {
		t.Error("the session lives on")
	}
	if status, _ := p.RP.Refresh(t, tokens.RefreshToken); status == 200 {
		t.Error("the refresh token lives on")
	}
	if again := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, "erased.person@acme.example", idptest.Password); again.Alert() == "" {
		t.Errorf("signing in: %q", again.H1())
	}
	events := journal(t, []*idptest.Node{p.Node}, 0)
	if !slices.ContainsFunc(events, func(r audit.Record) bool { return r.Event == audit.AccountDeleted && r.Account == id }) {
		t.Error("the journal does not tell of the deletion")
	}
	nothingOf(t, events)
	if text := log.String(); strings.Contains(text, "erased.person") || strings.Contains(text, "Erasmus") || strings.Contains(text, "other.address") {
		t.Error("the log tells of the person")
	}
	if _, err := p.Node.Office.Accounts.ByID(t.Context(), id); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("ByID() = %v, want ErrNotFound", err)
	}
	nothingLeft(t, p, rec.Tag)
	if _, err := p.Node.Office.Add(t.Context(), admin.Entry{Username: "next@acme.example", Password: idptest.Password, Subject: id}); err == nil {
		t.Error("the subject is given to somebody else")
	}
}

// nothingOf holds that no event tells of the person.
func nothingOf(t *testing.T, events []audit.Record) {
	t.Helper()
	for _, r := range events {
		for _, text := range append([]string{r.Result, r.Browser}, values(r.Detail)...) {
			if strings.Contains(text, "erased") || strings.Contains(text, "Erasmus") {
				t.Errorf("the journal tells of the person: %+v", r)
			}
		}
	}
}

// nothingLeft holds that the account's slot has nothing that stays, but for the mark that keeps its id from being used.
func nothingLeft(t *testing.T, p *idptest.IDP, tag string) {
	t.Helper()
	for _, key := range p.Store.Redis().Keys() {
		if strings.Contains(key, "{"+tag+"}") && !strings.HasSuffix(key, ":erased") && p.Store.Redis().TTL(key) == 0 {
			t.Errorf("%s is left for good", key)
		}
	}
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestHoldingsOfDisabled: an admin sees what a disabled person has, and that nothing of it is under way any more.
func TestHoldingsOfDisabled(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	id := p.AddEnrolled(t, anna, "acme")
	p.Browser(t).Own(t, anna)
	clerk := acmeAdmin(p)
	h, err := clerk.Holdings(t.Context(), id)
	if err != nil || len(h.Factors.List) != 1 || len(h.Sessions) != 1 {
		t.Fatalf("Holdings() = %+v, %v", h, err)
	}
	if _, err := clerk.ChangePerson(t.Context(), id, authn.Disable); err != nil {
		t.Fatal(err)
	}
	if h, err = clerk.Holdings(t.Context(), id); err != nil || len(h.Factors.List) != 1 || len(h.Sessions) != 0 || len(h.Devices) != 0 {
		t.Errorf("Holdings() of a disabled account = %+v, %v", h, err)
	}
	if !slices.ContainsFunc(p.Mails(t, anna), func(m notify.Mail) bool { return m.Subject == "Your account was closed by an admin" }) {
		t.Error("the person is not told that the account was disabled")
	}
}
