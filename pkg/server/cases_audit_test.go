// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// forged is what somebody writes who wants a line of the log, or a colour of the terminal, for himself.
const forged = "Evil\x1b[2K\x1b[31m{\"event\":\"login.accepted\"}\u202e\u0085\u2028"

// journal reads all of it, through a node, and holds that its chain is whole.
func journal(t *testing.T, nodes []*idptest.Node, from int) []audit.Record {
	t.Helper()
	for _, n := range nodes {
		if err := n.FlushAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var all []audit.Record
	err := nodes[from].History().Read(t.Context(), func(r audit.Record, broken string) bool {
		if broken != "" {
			t.Errorf("the chain at %s: %s", r.Event, broken)
		}
		all = append(all, r)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPL05ThreeNodes is PL-05 end to end: what a person, a guesser and an admin do through the pages of three nodes stands
// in one journal whose chain is whole, with who, what, the client, the result and the request's id; and nothing that
// they send can forge a line.
func TestPL05ThreeNodes(t *testing.T) {
	var log idptest.Log
	p, nodes, id := logged3(t, &log)
	walk(t, p, nodes)
	all := journal(t, nodes, 1)
	if again := journal(t, nodes, 2); len(again) != len(all) {
		t.Errorf("%d records at one node, %d at another", len(all), len(again))
	}
	seen := map[string]audit.Record{}
	for _, r := range all {
		seen[r.Event] = r
		neutral(t, r)
	}
	for event, want := range map[string]audit.Record{
		audit.LoginRejected:   {Client: p.RP.ID},
		audit.LoginAccepted:   {Client: p.RP.ID},
		audit.FactorRejected:  {Client: p.RP.ID, Result: "rejected"},
		audit.FactorAccepted:  {Client: p.RP.ID},
		audit.DeviceRemember:  {},
		audit.DeviceForgotten: {},
		audit.FactorEnrolled:  {},
		audit.FactorRenamed:   {},
		audit.FactorRemoved:   {},
		audit.RecoveryMade:    {},
		audit.PasswordChanged: {},
		audit.GrantIssued:     {Client: p.RP.ID},
	} {
		r, ok := seen[event]
		if !ok {
			t.Errorf("no %s in the journal", event)
			continue
		}
		if r.Account != id || r.RequestID == "" || r.Source == "" || r.At.IsZero() || r.Client != want.Client && want.Client != "" || r.Result != want.Result && want.Result != "" {
			t.Errorf("%s = %+v, want account %s, client %q, result %q, a request and a source", event, r, id, want.Client, want.Result)
		}
	}
	if r := seen[audit.AccountChanged]; r.Account != id || r.Detail["act"] != string(authn.Disable) {
		t.Errorf("the admin's act = %+v", r)
	}
	if r := seen[audit.FactorReset]; r.Account != id || r.Actor != "Evil?[2K?[31m{\"event\":\"login.accepted\"}???" {
		t.Errorf("the reset = %+v, want its actor made harmless", r)
	}
	lines(t, log.String())
}

// walk goes through the pages: wrong password, wrong code, remembered device, authenticators, codes, password; on the way
// with a browser and a name of somebody who would forge records.
func walk(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) {
	t.Helper()
	b := p.BrowserAt(t, nodes[0])
	b.Header.Set("User-Agent", strings.Map(func(c rune) rune {
		if c == '\x1b' { // Go's client sends no control character but a tab
			return '\t'
		}
		return c
	}, forged)+"/1.0 (Windows NT 10.0) %0d%0aFirefox/133.0")
	b.Header.Set("X-Forwarded-For", "203.0.113.9")
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, "a-wrong-password")
	page = page.Login(t, anna, idptest.Password).Code(t, "000000")
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	b.At(t, nodes[1])
	_, page = addSecond(t, p, b)
	rename := page.Follow(t, page.Find("#two-factor form[action$='/rename']").Eq(1).AttrOr("action", ""))
	for _, name := range []string{forged, "a\r\nb", "a\nevent=login.accepted"} {
		if got := rename.Submit(t, url.Values{"name": {name}}); got.Note() != "" {
			t.Errorf("the name %q is taken", name)
		}
	}
	page = noted(t, rename.Submit(t, url.Values{"name": {`{"event":"login.accepted"} <b>&`}}), "new name")
	b.At(t, nodes[2])
	newCodes(t, page)
	page = b.Own(t, anna)
	noted(t, page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil).Prove(t, anna).Press(t, "main", "Remove", url.Values{"everywhere": nil}), "removed")
	noted(t, rememberedAgain(t, p, b).Press(t, "#devices", "Forget all", nil), "forgotten")
	const fresh = "vier-paarse-ramen-zingen"
	noted(t, b.Get(t, "/account/password").Prove(t, anna).Submit(t, url.Values{"new_password": {fresh}}), "password is changed")
	if _, err := nodes[1].Office.ResetFactor(t.Context(), anna, forged); err != nil {
		t.Fatal(err)
	}
	if _, err := nodes[2].Office.Apply(t.Context(), anna, authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
}

// rememberedAgain remembers the device once more and opens the account page.
func rememberedAgain(t *testing.T, p *idptest.IDP, b *idptest.Browser) *idptest.Page {
	t.Helper()
	p.Advance(time.Minute)
	page := b.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password)
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	return b.Get(t, "/account").Prove(t, anna)
}

func unseen(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp)
}

// neutral holds that no value of a record can move a cursor or begin a line.
func neutral(t *testing.T, r audit.Record) {
	t.Helper()
	values := []string{r.Event, r.Account, r.Actor, r.Client, r.Company, r.Result, r.RequestID, r.Source, r.Browser}
	for k, v := range r.Detail {
		values = append(values, k, v)
	}
	for _, v := range values {
		if strings.ContainsFunc(v, unseen) {
			t.Errorf("%s holds %q", r.Event, v)
		}
	}
}

// lines holds that each line of the log is one object, whose event is one of ours.
func lines(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Errorf("a line of the log is none of ours: %q", line)
		}
		if strings.ContainsFunc(strings.TrimSuffix(line, "\n"), unseen) {
			t.Errorf("a line of the log holds control characters: %q", line)
		}
		if event, ok := entry["event"]; ok && entry["msg"] != "security event" {
			t.Errorf("event %q in a line that is no event: %q", event, line)
		}
	}
}
