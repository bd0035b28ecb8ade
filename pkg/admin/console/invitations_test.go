// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/invitation"
)

const lara = "lara@acme.example"

// invited are the invitations of acme.
func invited(t *testing.T, p *idptest.IDP) []invitation.Invitation {
	t.Helper()
	page, err := p.Node.Office.Clerk(admin.CommandLine()).ListInvitations(t.Context(), "acme", "", 50)
	if err != nil {
		t.Fatal(err)
	}
	return page.Invitations
}

func withGroups(t *testing.T, p *idptest.IDP) {
	t.Helper()
	p.AddCompany(t, company.Company{
		ID: "acme", Name: "Acme Legal", SecondFactor: "required", Groups: []company.Group{{ID: "lawyers", Name: "The lawyers"}, {ID: "clerks"}},
	})
}

// TestInviteOne: an invitation is sent, stands in the list, is sent again and withdrawn; wrong input stands at its field.
func TestInviteOne(t *testing.T) {
	p := mailing(t)
	withGroups(t, p)
	page := want(t, as(t, p, carla, "/admin/invitations"), "Invitations")
	page = want(t, page.Follow(t, "/admin/invitations/acme/new"), "Invite a person to Acme Legal")
	page = want(t, page.Press(t, "main", "Send the invitation", url.Values{"email": {"no address"}, "roles": {"partner"}}), "Invite a person to Acme Legal")
	if page.Find("#email-error").Length() != 1 || page.Find("#email").AttrOr("value", "") != "no address" {
		t.Errorf("alert %q", page.Alert())
	}
	page = want(t, page.Press(t, "main", "Send the invitation", url.Values{
		"email": {lara}, "name": {"Lara <Law>"}, "language": {"nl"}, "roles": {"partner"}, "group.lawyers": {"1"}, "admin": {"company"},
	}), "Invitations")
	list := invited(t, p)
	if len(list) != 1 || list[0].Lang != "nl" || list[0].Admin != "company" || len(list[0].Groups) != 1 || list[0].Roles[0] != "partner" || list[0].By == "" {
		t.Fatalf("invitations %+v", list)
	}
	if !strings.Contains(page.Text(), "Lara <Law>") || !strings.Contains(page.Text(), "The lawyers") || len(p.Mails(t, lara)) != 1 {
		t.Errorf("the list says %q, %d mails", page.Find("main tbody").Text(), len(p.Mails(t, lara)))
	}
	again := want(t, page.Follow(t, "/admin/invitations/acme/new").Press(t, "main", "Send the invitation", url.Values{"email": {lara}}), "Invite a person to Acme Legal")
	if !strings.Contains(again.Find("#email-error").Text(), "invited already") {
		t.Errorf("alert %q", again.Alert())
	}
	p.Advance(3 * time.Minute)
	page = want(t, page.Press(t, "main", "Send again", nil), "Invitations")
	if !strings.Contains(page.Note(), "on its way again") || len(p.Mails(t, lara)) != 2 {
		t.Errorf("note %q, %d mails", page.Note(), len(p.Mails(t, lara)))
	}
	gone := page
	page = want(t, page.Press(t, "main", "Withdraw", nil), "Invitations")
	if !strings.Contains(page.Note(), "withdrawn") || len(invited(t, p)) != 0 {
		t.Errorf("note %q", page.Note())
	}
	if page = want(t, gone.Press(t, "main", "Send again", nil), "Invitations"); !strings.Contains(page.Note(), "not there any more") {
		t.Errorf("note %q", page.Note())
	}
}

// TestEndedInvitation is marked, and can be sent again.
func TestEndedInvitation(t *testing.T) {
	p := mailing(t)
	if _, err := p.Node.Office.Clerk(admin.CommandLine()).Invite(t.Context(), "acme", admin.Invitee{Email: lara}); err != nil {
		t.Fatal(err)
	}
	p.Advance(8 * 24 * time.Hour)
	page := want(t, as(t, p, ivy, "/admin/invitations?company=acme"), "Invitations")
	if !strings.Contains(page.Find("main tbody .badge.warn").Text(), "Ended") {
		t.Errorf("the list says %q", page.Find("main tbody").Text())
	}
	if got := page.Press(t, "main", "Send again", nil); !strings.Contains(got.Note(), "on its way again") || got.URL.Query().Get("company") != "acme" {
		t.Errorf("note %q at %s", got.Note(), got.URL)
	}
	none := want(t, page.Follow(t, "/admin/invitations"), "Invitations")
	if none.Find("main tbody").Length() != 0 || !strings.Contains(none.Text(), "Choose the company") {
		t.Error("without a company something is listed")
	}
}

// TestInviteFile: every line is shown with what is wrong with it; the good ones alone are invited, and what became of each
// is said.
func TestInviteFile(t *testing.T) {
	p := mailing(t)
	withGroups(t, p)
	p.AddAccount(t, "there@acme.example", "acme")
	text := "email;name;groups;roles;language\r\n" + lara + ";\"Law; Lara\";lawyers clerks;partner;nl\r\nthere@acme.example;T;;;\r\n" +
		"x;y;;;\r\n=cmd@acme.example;F;;;\r\nq@acme.example;Q;none;;fr\r\n" + lara + ";Twice;;;\r\n<b>@acme.example;<script>;;;\r\nz@acme.example;Z;;;\r\n"
	page := want(t, as(t, p, carla, "/admin/invitations/acme/file"), "Invite people to Acme Legal from a file")
	page = want(t, page.Press(t, "main", "Look at the lines", url.Values{"lines": {text}}), "Look at the lines")
	for _, part := range []string{"2 lines are fine, 6", "Law; Lara", "has an account already", "no e-mail address", "begins with =", "none of the company", "en or nl", "stands there twice"} {
		if !strings.Contains(page.Text(), part) {
			t.Errorf("the preview does not say %q", part)
		}
	}
	if len(invited(t, p)) != 0 || len(p.Mails(t, lara)) != 0 || strings.Contains(page.Body, "<script>;") || strings.Contains(page.Body, "<b>@") {
		t.Error("the preview sends something, or shows a cell as markup")
	}
	sent := want(t, page.Press(t, "main", "Invite 2 people", nil), "2 people are invited")
	if len(invited(t, p)) != 2 || len(p.Mails(t, lara)) != 1 || !strings.Contains(sent.Text(), "6 lines were left out") {
		t.Errorf("%d invitations, %q", len(invited(t, p)), sent.Find(".lead").Text())
	}
	// The same form again invites nobody twice.
	sent = want(t, page.Press(t, "main", "Invite 2 people", nil), "0 people are invited")
	if len(invited(t, p)) != 2 || len(p.Mails(t, lara)) != 1 || !strings.Contains(sent.Text(), "is invited already") {
		t.Error("somebody is invited twice")
	}
}

// TestInviteUpload: a file comes in parts, wins over the field, and has its bounds.
func TestInviteUpload(t *testing.T) {
	p := mailing(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/invitations/acme/file").Prove(t, carla), "Invite people to Acme Legal from a file")
	for name, c := range map[string]struct {
		file, says string
		status     int
	}{
		"good":      {"\uFEFFz@acme.example;Zoë\r\n", "1 line is fine", 200},
		"no text":   {"z@acme.example;Zo\xeb\r\n", "not UTF-8", 200},
		"empty":     {"\r\n", "There is nobody in it", 200},
		"too many":  {strings.Repeat("z@acme.example\n", 1001), "more than 1,000 lines", 200},
		"too large": {strings.Repeat("z", 300<<10), "larger than 256 KiB", 200},
		"huge":      {strings.Repeat("z", 900<<10), "", http.StatusRequestEntityTooLarge},
		"password":  {"email,password\nz@acme.example,x\n", "a column that is not known", 200},
	} {
		status, body := upload(t, p, b, c.file)
		if status != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s = %d, %.300s", name, status, body)
		}
	}
	if len(invited(t, p)) != 0 {
		t.Error("the preview invites")
	}
}

// upload sends a file as a browser does, beside an empty field.
func upload(t *testing.T, p *idptest.IDP, b *idptest.Browser, file string) (int, string) {
	t.Helper()
	var buf bytes.Buffer
	m := multipart.NewWriter(&buf)
	part, err := m.CreateFormFile("file", "people.csv")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write([]byte(file))
	_ = m.WriteField("lines", "")
	_ = m.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.Issuer+"/admin/invitations/acme/file", &buf)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", m.FormDataContentType())
	res, err := b.Client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var body bytes.Buffer
	_, _ = body.ReadFrom(res.Body)
	return res.StatusCode, strings.Join(strings.Fields(body.String()), " ")
}

// TestForeignInvitations: another company's invitations are not there, and who asked stands in the audit log.
func TestForeignInvitations(t *testing.T) {
	p := mailing(t)
	i, err := p.Node.Office.Clerk(admin.CommandLine()).Invite(t.Context(), "acme", admin.Invitee{Email: lara})
	if err != nil {
		t.Fatal(err)
	}
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/invitations").Prove(t, pete), "Invitations")
	nothing(t, b.Get(t, "/admin/invitations?company=acme"))
	for _, at := range []string{"new", "file"} {
		nothing(t, b.Get(t, "/admin/invitations/acme/"+at))
	}
	for _, at := range []string{"new", "file", "send", i.ID + "/resend", i.ID + "/withdraw"} {
		nothing(t, b.Post(t, "/admin/invitations/acme/"+at, url.Values{"lines": {"x@acme.example"}, "email": {"x@acme.example"}}))
	}
	if got := len(happened(t, p, audit.AdminRefused)); got < 8 {
		t.Errorf("%d refusals in the audit log", got)
	}
	// By the own company's path it is not there either.
	if page := b.Post(t, "/admin/invitations/plain/"+i.ID+"/withdraw", url.Values{}); !strings.Contains(page.Note(), "not there any more") {
		t.Errorf("note %q", page.Note())
	}
	if list := invited(t, p); len(list) != 1 || list[0].Serial != 1 {
		t.Errorf("invitations %+v", list)
	}
	// A company's admin makes nobody one of the IT team.
	page := b.Post(t, "/admin/invitations/plain/new", url.Values{"email": {"x@plain.example"}, "admin": {"it"}})
	if !strings.Contains(page.Find("#admin-error").Text(), "Only the IT team") {
		t.Errorf("alert %q", page.Alert())
	}
}

// TestInviteIsKeptOverAProof: sending wants a proof of the last minutes; what was typed is there again after it.
func TestInviteIsKeptOverAProof(t *testing.T) {
	p := mailing(t)
	page := want(t, as(t, p, carla, "/admin/invitations/acme/new"), "Invite a person to Acme Legal")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Send the invitation", url.Values{"email": {lara}}), "Sign in")
	page = want(t, page.Prove(t, carla), "Invite a person to Acme Legal")
	if page.Find("#email").AttrOr("value", "") != lara || len(invited(t, p)) != 0 {
		t.Error("what was typed is gone, or was sent without a proof")
	}
	p.Advance(6 * time.Minute)
	file := want(t, page.Follow(t, "/admin/invitations/acme/file"), "Invite people to Acme Legal from a file")
	file = want(t, file.Press(t, "main", "Look at the lines", url.Values{"lines": {"z@acme.example"}}), "Look at the lines")
	want(t, file.Press(t, "main", "Invite 1 person", nil), "Sign in")
	if len(invited(t, p)) != 0 {
		t.Error("a file is sent without a proof")
	}
}

// TestInviteWithoutMail: where no mail is sent, nobody is invited, and the page says why.
func TestInviteWithoutMail(t *testing.T) {
	p := start(t)
	page := want(t, as(t, p, carla, "/admin/invitations/acme/file"), "Invite people to Acme Legal from a file")
	page = want(t, page.Press(t, "main", "Look at the lines", url.Values{"lines": {lara}}), "Look at the lines")
	page = want(t, page.Press(t, "main", "Invite 1 person", nil), "0 people are invited")
	if !strings.Contains(page.Text(), "sending mail is not set up") || len(invited(t, p)) != 0 {
		t.Errorf("the page says %q", page.Find("main tbody").Text())
	}
	page = want(t, page.Follow(t, "/admin/invitations/acme/new"), "Invite a person to Acme Legal")
	if page = page.Press(t, "main", "Send the invitation", url.Values{"email": {lara}}); !strings.Contains(page.Alert(), "sending mail is not set up") {
		t.Errorf("alert %q", page.Alert())
	}
}
