// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/invitation"
)

const (
	guest    = "guest@acme.example"
	password = "a quiet morning by the canal"
	deadLink = "This link does not work"
)

// invited starts a provider that sends mail, and invites the guest to acme, whose policy wants a second factor.
func invited(t *testing.T) (*idptest.IDP, invitation.Invitation) {
	t.Helper()
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	p.AddCompany(t, company.Company{
		ID: "acme", Name: "Acme Legal", SecondFactor: "required", HelpEmail: "help@acme.example", Groups: []company.Group{{ID: "lawyers"}},
	})
	i, err := acmeAdmin(p).Invite(t.Context(), "acme", admin.Invitee{Email: "Guest@acme.example", Person: "Gus Guest", Groups: []string{"lawyers"}, Roles: []string{"clerk"}})
	if err != nil {
		t.Fatalf("Invite() = %v", err)
	}
	return p, i
}

func invitationLink(t *testing.T, p *idptest.IDP) string {
	t.Helper()
	mails := p.Mails(t, "Guest@acme.example")
	if len(mails) == 0 || mails[0].Subject != "Acme Legal invites you to sign in" {
		t.Fatalf("mails = %+v", mails)
	}
	return p.MailLink(t, mails[0])
}

// TestInvitationTaken is C1: the link leads to a password of one's own, and straight to the set-up that the policy asks
// for; mail scanners that open it spend nothing, and it works once.
func TestInvitationTaken(t *testing.T) {
	p, i := invited(t)
	link := invitationLink(t, p)
	scanner, b := p.Browser(t), p.Browser(t)
	for range 20 {
		if page := scanner.Get(t, link); page.Status != http.StatusOK {
			t.Fatalf("the link opened again: %d", page.Status)
		}
	}
	form := b.Get(t, link)
	if form.H1() != "Make your account" || form.Find("input[autocomplete=username]").AttrOr("value", "") != "Guest@acme.example" ||
		form.Find("input[name=name]").AttrOr("value", "") != "Gus Guest" {
		t.Fatalf("the page of an invitation: %s", form.Body)
	}
	for bad, want := range map[string]string{"x9qz": "too short", "guest-acme-legal-gus": "names"} {
		refused := form.Submit(t, url.Values{"new_password": {bad}})
		if !strings.Contains(refused.Alert(), want) || strings.Contains(refused.Body, bad) {
			t.Errorf("password %q: %s", bad, refused.Alert())
		}
	}
	next := form.Submit(t, url.Values{"new_password": {password}, "name": {"Gustav Guest"}})
	if next.H1() != "Secure your account" {
		t.Fatalf("after the password: %d %q", next.Status, next.H1())
	}
	rec, err := p.Node.Office.Find(t.Context(), guest)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Company != "acme" || rec.Contact.Person != "Gustav Guest" || rec.Claims["email_verified"] != true ||
		!slices.Equal(rec.Groups, []string{"lawyers"}) || !slices.Equal(rec.Roles, []string{"clerk"}) || rec.Admin != authn.AdminNone {
		t.Errorf("the account: %+v", rec)
	}
	if page := p.Browser(t).Get(t, link); page.Status != http.StatusBadRequest || page.H1() != deadLink {
		t.Errorf("the link again: %d %q", page.Status, page.H1())
	}
	if err := acmeAdmin(p).Withdraw(t.Context(), "acme", i.ID); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("Withdraw() of one that was taken = %v, want ErrNotFound", err)
	}
	if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, guest, password); page.H1() != "Secure your account" {
		t.Errorf("signing in with the new password: %d %q", page.Status, page.H1())
	}
}

// TestInvitationToAGroupThatIsGone: whoever takes an invitation is in no group that was removed meanwhile.
func TestInvitationToAGroupThatIsGone(t *testing.T) {
	p, _ := invited(t)
	p.AddCompany(t, company.Company{ID: "acme", Name: "Acme Legal", SecondFactor: "required", Groups: []company.Group{{ID: "clerks"}}})
	page := p.Browser(t).Get(t, invitationLink(t, p)).Submit(t, url.Values{"new_password": {password}, "name": {"Gus Guest"}})
	if page.H1() != "Secure your account" {
		t.Fatalf("after the password: %d %q", page.Status, page.H1())
	}
	rec, err := p.Node.Office.Find(t.Context(), guest)
	if err != nil || len(rec.Groups) != 0 || !slices.Equal(rec.Roles, []string{"clerk"}) {
		t.Errorf("the account: %+v, %v", rec, err)
	}
}

// TestInvitationOnce: of 24 who take one invitation at once, one gets an account.
func TestInvitationOnce(t *testing.T) {
	p, _ := invited(t)
	link := invitationLink(t, p)
	forms := make([]*idptest.Page, 24)
	for i := range forms {
		forms[i] = p.Browser(t).Get(t, link)
	}
	got := make([]string, len(forms))
	var wg sync.WaitGroup
	for i, form := range forms {
		wg.Go(func() { got[i] = form.Submit(t, url.Values{"new_password": {fmt.Sprintf("%s %d", password, i)}}).H1() })
	}
	wg.Wait()
	won := 0
	for _, h1 := range got {
		if h1 == "Secure your account" {
			won++
		} else if h1 != deadLink && h1 != "The service is busy" {
			t.Errorf("a loser sees %q", h1)
		}
	}
	if won != 1 {
		t.Errorf("%d got the account, want 1: %q", won, got)
	}
}

// TestInvitationEnds: a week later, sent again, or withdrawn: the older link is dead, in the same words.
func TestInvitationEnds(t *testing.T) {
	p, i := invited(t)
	clerk := acmeAdmin(p)
	link := invitationLink(t, p)
	p.Advance(invitation.Life - time.Minute)
	form := p.Browser(t).Get(t, link)
	if form.Status != http.StatusOK {
		t.Fatalf("a minute before its end: %d", form.Status)
	}
	isDead := func(what string, page *idptest.Page) {
		t.Helper()
		if page.Status != http.StatusBadRequest || page.H1() != deadLink {
			t.Errorf("%s: %d %q", what, page.Status, page.H1())
		}
	}
	p.Advance(time.Minute)
	isDead("a week later", p.Browser(t).Get(t, link))
	isDead("a form that was opened before", form.Submit(t, url.Values{"new_password": {password}}))

	first, err := clerk.Resend(t.Context(), "acme", i.ID)
	if err != nil || first.Serial != 2 {
		t.Fatalf("Resend() = %+v, %v", first, err)
	}
	older := invitationLink(t, p)
	p.Advance(time.Hour)
	if _, err := clerk.Resend(t.Context(), "acme", i.ID); err != nil {
		t.Fatal(err)
	}
	newer := invitationLink(t, p)
	isDead("the link before the last", p.Browser(t).Get(t, older))
	if page := p.Browser(t).Get(t, newer); page.Status != http.StatusOK {
		t.Errorf("the last link: %d", page.Status)
	}
	if err := clerk.Withdraw(t.Context(), "acme", i.ID); err != nil {
		t.Fatal(err)
	}
	isDead("a withdrawn invitation", p.Browser(t).Get(t, newer))
}

// TestInvitees: every line that cannot be invited says why, and nobody is invited then or twice.
func TestInvitees(t *testing.T) {
	p, _ := invited(t)
	p.AddAccount(t, "has@acme.example", "acme")
	clerk := acmeAdmin(p)
	list := []admin.Invitee{
		{Email: "fine@acme.example"},
		{Email: "no address"},
		{Email: "guest@ACME.example"},
		{Email: "has@acme.example"},
		{Email: "Fine@acme.example"},
		{Email: "g@acme.example", Groups: []string{"none"}},
		{Email: "r@acme.example", Roles: []string{""}},
		{Email: "l@acme.example", Lang: "xx"},
		{Email: "it@acme.example", Admin: authn.AdminIT},
		{Email: "boss@acme.example", Admin: authn.AdminCompany},
	}
	problems, err := clerk.CheckInvitees(t.Context(), "acme", list)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"", "email", "email", "email", "email", "groups", "roles", "language", "admin", ""} {
		var f *client.FieldError
		if got := problems[i]; (got == nil) != (want == "") || got != nil && (!errors.As(got, &f) || f.Field != want) {
			t.Errorf("line %d: %v, want a problem of %q", i+1, got, want)
		}
	}
	if _, err := clerk.Invite(t.Context(), "acme", list[2]); !errors.Is(err, authn.ErrExists) {
		t.Errorf("Invite() again = %v, want ErrExists", err)
	}
	for what, err := range map[string]error{
		"Invite":          second(clerk.Invite(t.Context(), "plain", list[0])),
		"CheckInvitees":   second(clerk.CheckInvitees(t.Context(), "plain", list[:1])),
		"ListInvitations": second(clerk.ListInvitations(t.Context(), "plain", "", 0)),
	} {
		if !errors.Is(err, authn.ErrNotFound) {
			t.Errorf("%s at another company = %v, want ErrNotFound", what, err)
		}
	}
	page, err := clerk.ListInvitations(t.Context(), "acme", "", 0)
	if err != nil || page.Total != 1 {
		t.Errorf("ListInvitations() = %d, %v, want the guest alone", page.Total, err)
	}
}

// TestSetUpOnce: of 50 set-ups at once, on three nodes, one wins; its link makes the first of the IT team, who has to set
// a second factor up before anything else at the console.
func TestSetUpOnce(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
	links := make(chan string, 50)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			link, err := nodes[i%3].Office.SetUp(t.Context(), fmt.Sprintf("it%d@team.example", i))
			if err == nil {
				links <- link
			} else if !errors.Is(err, admin.ErrSetUp) {
				t.Errorf("SetUp() = %v", err)
			}
		})
	}
	wg.Wait()
	close(links)
	if len(links) != 1 {
		t.Fatalf("%d set-ups won, want 1", len(links))
	}
	form := p.Browser(t).Get(t, <-links)
	if form.H1() != "Make your account" {
		t.Fatalf("the link: %d %q", form.Status, form.H1())
	}
	name := form.Find("input[autocomplete=username]").AttrOr("value", "")
	form.Submit(t, url.Values{"new_password": {password}})
	rec, err := p.Node.Office.Find(t.Context(), name)
	if err != nil || rec.Admin != authn.AdminIT || rec.Company != "" {
		t.Errorf("the first of the IT team: %+v, %v", rec.Account, err)
	}
	if _, err := p.Node.Office.SetUp(t.Context(), "late@team.example"); !errors.Is(err, admin.ErrSetUp) {
		t.Errorf("SetUp() again = %v, want ErrSetUp", err)
	}
}
