// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// records are the account's events of one name, the newest first.
func records(t *testing.T, n *idptest.Node, id, event string) []audit.Record {
	t.Helper()
	if err := n.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := n.History().Recent(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	var out []audit.Record
	for _, r := range list {
		if r.Event == event {
			out = append(out, r)
		}
	}
	return out
}

// subjects are those of the mails to an address, the newest first.
func subjects(t *testing.T, p *idptest.IDP, to string) string {
	t.Helper()
	var list []string
	for _, m := range p.Mails(t, to) {
		list = append(list, m.Subject)
	}
	return strings.Join(list, "\n")
}

// TestCA08ThreeNodes is CA-08 for a company that wants two admins and a wait: asked for, refused, then done; audited with
// the admins' names, told, with no secret anywhere, and one ticket for one set-up. Until it is done nothing changes.
func TestCA08ThreeNodes(t *testing.T) {
	const carol, dave = "carol@acme.example", "dave@acme.example"
	var log idptest.Log
	p, nodes, id := logged3(t, &log)
	p.AddCompany(t, company.Company{
		ID: "acme", Name: "Acme Legal", SecondFactor: "required", HelpEmail: "help@acme.example", AdminEmails: []string{"it@acme.example"},
		Policy: company.Policy{ResetAdmins: 2, ResetWait: 24},
	})
	p.Advance(2 * time.Second) // a node's view of the companies is at most 1 s old
	h := hold(t, p, nodes)
	reset := func(n *idptest.Node, by string) admin.Reset {
		t.Helper()
		r, err := n.Office.ResetFactor(t.Context(), anna, by)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r, err := nodes[0].Office.ResetFactor(t.Context(), anna, ""); !errors.Is(err, admin.ErrAdmin) || r.Done {
		t.Fatalf("without a name: %+v, %v, want ErrAdmin", r, err)
	}
	for what, r := range map[string]admin.Reset{"first": reset(nodes[0], carol), "again by the same": reset(nodes[1], carol)} {
		if r.Done || r.Ticket != "" || r.By != carol || !r.Another {
			t.Errorf("%s: %+v, want it to wait for another admin", what, r)
		}
	}
	if r := reset(nodes[2], dave); r.Done || r.Ticket != "" || r.After.IsZero() {
		t.Errorf("a second admin within the wait: %+v, want it to wait", r)
	}
	// Nothing is taken away by asking.
	h.device = h.device.passesEverywhere(t, p, nodes)
	p.NextStep()
	p.RP.Exchange(t, asked(t, p, nodes[1]).Code(t, p.Code(t, 0)))
	p.Advance(25 * time.Hour)
	if r := reset(nodes[1], carol); r.Done || !r.Another {
		t.Errorf("the same admin after the wait: %+v, want it to wait for another", r)
	}
	h = hold(t, p, nodes)
	parked := asked(t, p, nodes[0])
	done := reset(nodes[2], dave)
	if !done.Done || done.Ticket == "" || done.Mailed != 1 {
		t.Fatalf("two admins after the wait: %+v, want it done", done)
	}
	h.refusedEverywhere(t, p, nodes)
	p.NextStep()
	if page := parked.Code(t, p.Code(t, 0)); strings.HasPrefix(page.URL.String(), p.RP.URL) {
		t.Errorf("the old authenticator lets somebody in")
	}
	audited(t, nodes, id, carol, dave)
	toldOfReset(t, p)
	secretNowhere(t, p, &log, done.Ticket)
	oneTicket(t, p, nodes, done.Ticket)
}

// audited holds the two events of the reset, with who asked and who did it.
func audited(t *testing.T, nodes []*idptest.Node, id, asked, did string) {
	t.Helper()
	for _, n := range nodes {
		if err := n.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for event, actor := range map[string]string{audit.FactorResetAsked: asked, audit.FactorReset: did} {
		list := records(t, nodes[0], id, event)
		if len(list) != 1 || list[0].Account != id || list[0].Actor != actor || list[0].Company != "acme" {
			t.Errorf("%s = %+v, want one by %s", event, list, actor)
		}
	}
}

// toldOfReset holds that the person and the company's admins know of both.
func toldOfReset(t *testing.T, p *idptest.IDP) {
	t.Helper()
	for to, want := range map[string][]string{
		anna:              {"Somebody asked to reset your second step", "Your second step was reset"},
		"it@acme.example": {"An admin asked to reset the second step", "The second step of a person in your company was reset"},
	} {
		got := subjects(t, p, to)
		for _, subject := range want {
			if strings.Count(got, subject) != 1 {
				t.Errorf("mails to %s: %q, want one %q", to, got, subject)
			}
		}
	}
}

// secretNowhere holds that the old secret is in no mail, log or record, and the ticket in none but as the person's link.
func secretNowhere(t *testing.T, p *idptest.IDP, log *idptest.Log, ticket string) {
	t.Helper()
	var all strings.Builder
	err := p.Node.History().Read(t.Context(), func(r audit.Record, broken string) bool {
		if broken != "" {
			t.Errorf("the journal: %s", broken)
		}
		for k, v := range r.Detail {
			all.WriteString(k + "=" + v + "\n")
		}
		all.WriteString(strings.Join([]string{r.Event, r.Account, r.Actor, r.Result}, " ") + "\n")
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range p.Node.Mails() {
		all.WriteString(m.Subject + m.Text + m.HTML)
		if m.To != anna && strings.Contains(m.Text, "/link/") {
			t.Errorf("the link is mailed to %s", m.To)
		}
	}
	all.WriteString(log.String())
	key := strings.TrimRight(base32.StdEncoding.EncodeToString(idptest.Secret()), "=")
	for what, secret := range map[string]string{"secret": string(idptest.Secret()), "key": key, "ticket": ticket, "password": idptest.Password} {
		if strings.Contains(all.String(), secret) {
			t.Errorf("the %s stands in a mail, the log or the journal", what)
		}
	}
}

// oneTicket holds that the password alone opens no set-up, and the ticket one.
func oneTicket(t *testing.T, p *idptest.IDP, nodes []*idptest.Node, ticket string) {
	t.Helper()
	begin := func(n *idptest.Node) *idptest.Page {
		return p.BrowserAt(t, n).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	}
	for i, n := range nodes {
		if page := begin(n); page.Find("#totp-key").Length() != 0 || page.Find("input[name=ticket]").Length() != 1 {
			t.Fatalf("node %d: %d %q, want to be asked for the ticket", i, page.Status, page.H1())
		}
	}
	setup := begin(nodes[0]).Submit(t, url.Values{"ticket": {ticket}})
	secret := setup.Key(t)
	if string(secret) == string(idptest.Secret()) {
		t.Errorf("the old secret is shown again")
	}
	if done := setup.Code(t, idptest.CodeOf(t, secret, p.Now())); done.H1() != "Set-up complete" {
		t.Fatalf("set-up: %d %q %q", done.Status, done.H1(), done.Alert())
	}
	for i, n := range nodes {
		page := begin(n)
		if page.H1() != "Enter your code" {
			t.Errorf("node %d: after the set-up: %q", i, page.H1())
		}
		enrol := strings.TrimSuffix(page.URL.Path, "/factor") + "/enrol"
		if got := page.Follow(t, enrol); got.Find("#totp-key").Length() != 0 || got.Find("input[name=ticket]").Length() != 0 {
			t.Errorf("node %d: another set-up with the ticket: %q", i, got.H1())
		}
	}
}
