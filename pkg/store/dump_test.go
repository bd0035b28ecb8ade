// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// used is what a full run leaves behind, and every secret that was seen outside in it.
func used(t *testing.T, s *store.Store, now func() time.Time) []string {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	secret := "TOTP-SECRET-TOTP-SEC"
	a, err := s.Accounts().Create(ctx, authn.NewAccount{
		Name: "ann.lastname@example.org", Company: "acme", PasswordRecord: "$argon2id$v=19$PASSWORDRECORD", TOTPSecret: []byte(secret),
		Profile: authn.Profile{Name: "Ann.Lastname@example.org", Claims: map[string]any{"given_name": "Annabel"}, Roles: []string{"case-lead"}},
	})
	must(err)
	f := &flow.Flow{Request: flow.Request{ClientID: "app", State: "STATE-SECRET", RedirectURI: "https://app.example/cb"}, Created: now()}
	must(s.Flows().Create(ctx, f, "BIND-BEFORE"))
	anonymous := &flow.Flow{Request: f.Request, Created: now()}
	must(s.Flows().Create(ctx, anonymous, "BIND-OTHER"))
	f.Account, f.AccountName, f.Epoch, f.PasswordGen, f.PasswordAt = &a, "Ann.Lastname", 1, 1, now()
	must(s.Flows().Identify(ctx, f, []string{"BIND-BEFORE"}, "BIND-AFTER"))
	bind := []string{"BIND-AFTER", "BIND-BEFORE"}
	at := authn.Attempt{Account: a, Flow: f.ID, Bind: bind, Kind: "totp"}
	c, err := s.Credentials().Charge(ctx, at, "271828")
	must(err)
	_, err = s.Credentials().Consume(ctx, at, c, []authn.Match{{Credential: c.Credentials[0].ID, Step: 3}})
	must(err)
	n, err := s.Sessions().Create(ctx, session.Session{AccountID: a.ID, Epoch: 1, PasswordGen: 1, FactorGen: 1, End: now().Add(time.Hour)}, "")
	must(err)
	must(s.Flows().Mark(ctx, f.ID, bind, flow.Update{Session: n.Handle, Ticket: "TICKET-TYPED"}))
	must(s.Consents().Allow(ctx, a, "app", []string{"openid"}))
	cookie, _, err := s.Devices().Remember(ctx, a, "Firefox on a LAPTOP", authn.Evidence{Method: "otp", At: now()}, time.Hour)
	must(err)
	tr, err := s.Devices().Use(ctx, a, cookie)
	must(err)
	out, err := s.Grants().Issue(ctx, grant.NewCode{
		Grant: grant.Grant{ClientID: "app", Subject: a.ID, Nonce: "NONCE-SECRET", RedirectURI: f.Request.RedirectURI}, Account: a, Offline: true, Rotate: true,
	}, nil)
	must(err)
	i, err := s.Grants().Redeem(ctx, out.Code, "app", f.Request.RedirectURI, "", grant.Access{Life: time.Hour, Stored: true})
	must(err)
	must(s.Clients().PutClient(ctx, &client.Client{ID: "told", BackchannelURI: "https://told.example/bye"}))
	for _, ends := range []bool{true, false} {
		m, err := s.Sessions().Create(ctx, session.Session{AccountID: a.ID, Epoch: 1, PasswordGen: 1, FactorGen: a.FactorGen, End: now().Add(time.Hour)}, "")
		must(err)
		_, err = s.Grants().Issue(ctx, grant.NewCode{Grant: grant.Grant{ClientID: "told", SID: "SESSION-ID"}, Account: a, Session: m.Handle}, nil)
		must(err)
		if ends {
			must(s.Sessions().End(ctx, m.Handle))
		}
	}
	if ended, err := s.Ends().Claim(ctx, 1, time.Hour); err != nil || len(ended) != 1 {
		t.Fatalf("ended sessions %v, %v", ended, err)
	}
	k, err := s.Grants().IssueClient(ctx, grant.Grant{ClientID: "robot"}, grant.Access{Life: time.Hour, Stored: true})
	must(err)
	must(s.Throttle().Charge(ctx, throttle.Guess{Limit: throttle.Limit{Kind: "n", Free: 9, First: time.Second}, Name: "ann.lastname@example.org", Subject: "192.0.2.77"}))
	pushed, err := s.Pushed().Push(ctx, &f.Request, time.Minute)
	must(err)
	must(s.Proofs().Spend(ctx, "app", "ASSERTION-ID", time.Minute))
	must(s.Clients().PutClient(ctx, &client.Client{ID: "app", Name: "CLIENT-NAME", Secrets: []client.Secret{{Digest: "CLIENT-DIGEST", Plain: "CLIENT-SECRET"}}}))
	must(s.Companies().PutCompany(ctx, company.Company{ID: "acme", Name: "COMPANY-NAME"}))
	must(s.SigningKeys().SaveKeys(ctx, []byte("SIGNING-KEYS"), 0))
	must(s.Invitations().Add(ctx, invitation.Invitation{ID: "invited", Company: "acme", Email: "INVITED-ADDRESS", Sent: now(), Ends: now(), Serial: 1}))
	gone, err := s.Accounts().Create(ctx, authn.NewAccount{Name: "gone.lastname@example.org", PasswordRecord: "$argon2id$GONE"})
	must(err)
	must(s.People().Delete(ctx, gone.ID, "*"))
	b, err := s.Accounts().Create(ctx, authn.NewAccount{Name: "ben", PasswordRecord: "$argon2id$BEN", TOTPSecret: []byte(secret)})
	must(err)
	b, err = s.Accounts().Apply(ctx, b.ID, "*", authn.ResetFactor, "")
	must(err)
	ticket, err := s.Accounts().NewTicket(ctx, b.ID)
	must(err)
	g := &flow.Flow{Request: f.Request, Created: now(), Account: &b, Epoch: b.Epoch, PasswordGen: 1, PasswordAt: now()}
	must(s.Flows().Create(ctx, g, "BIND-BEN"))
	_, err = s.Credentials().Begin(ctx, authn.Attempt{Account: b, Flow: g.ID, Bind: []string{"BIND-BEN"}, Kind: "totp"}, []byte("PENDING-SECRET-PENDI"))
	must(err)
	for _, event := range []string{"EVENT-SENT", "EVENT-WAITS"} {
		must(s.Outbox().Put(ctx, notify.Message{
			Kind: notify.ResetAsked, Event: event, To: []string{"ann.lastname@example.org"}, Name: "Annabel", Link: "https://id.example/LINK-SECRET",
		}))
	}
	mails, err := s.Outbox().Claim(ctx, 1, time.Minute)
	must(err)
	must(s.Outbox().Done(ctx, mails[0].ID))
	return []string{
		"EVENT-", "SESSION-ID", "told.example", "ASSERTION-ID", pushed, "LINK-SECRET", secret, "PASSWORDRECORD", "lastname", "Annabel", "case-lead", "STATE-SECRET", "app.example", "BIND-", "271828", "TICKET-TYPED",
		"LAPTOP", "NONCE-SECRET", "192.0.2.77", "CLIENT-NAME", "INVITED-ADDRESS", "CLIENT-DIGEST", "CLIENT-SECRET", "COMPANY-NAME", "SIGNING-KEYS", "PENDING-SECRET",
		ticket, strings.ReplaceAll(ticket, "-", ""), out.Code[4:], i.Access[4:], i.Refresh[4:], k.Access[4:], n.Handle[4:], f.ID[4:],
		anonymous.ID, cookie, cookie[22:], tr.Cookie[22:], "argon2id",
	}
}

// TestDumpHoldsNothingToSignInWith: who steals the store's file can neither sign in nor read about people.
func TestDumpHoldsNothingToSignInWith(t *testing.T) {
	s, e := mini(t, nil)
	secrets := used(t, s, e.Now)
	dump := strings.ToLower(rawDump(t, e.Redis().Keys(), e.Addr()))
	if len(dump) < 3000 {
		t.Fatalf("the dump has %d bytes only", len(dump))
	}
	for _, secret := range secrets {
		if strings.Contains(dump, strings.ToLower(secret)) {
			t.Errorf("the dump holds %q", secret)
		}
	}
}

// TestEveryKeyEnds: what is not in the permanent set has an expiry, so the store does not fill up.
func TestEveryKeyEnds(t *testing.T) {
	s, e := mini(t, nil)
	used(t, s, e.Now)
	permanent := []string{
		"lg:{*}:acct", "lg:{*}:prof", "lg:{*}:mfa", "lg:{*}:con", "lg:n:*", "lg:{*}:px", "lg:{*}:erased", "lg:{reg}:v", "lg:{reg}:cl", "lg:{reg}:co", "lg:keys", "lg:store",
	}
	kinds := map[string]int{}
	for _, key := range e.Redis().Keys() {
		stays := false
		for _, p := range permanent {
			if ok, _ := path.Match(p, key); ok {
				stays = true
				kinds[p]++
			}
		}
		ttl := e.Redis().TTL(key)
		if stays && ttl != 0 {
			t.Errorf("%s is permanent but ends in %s", key, ttl)
		}
		if !stays && ttl <= 0 {
			t.Errorf("%s never ends", key)
		}
	}
	if len(kinds) != len(permanent) {
		t.Errorf("the run left only %v of the permanent keys: the test is too small", kinds)
	}
	e.Advance(38 * 24 * time.Hour)
	for _, key := range e.Redis().Keys() {
		if e.Redis().TTL(key) > 0 {
			t.Errorf("%s is still there after a month", key)
		}
	}
}
