// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// The life of a company: added, read, changed, its policy and its groups, removed.
func TestCompanyLife(t *testing.T) { //nolint:gocognit // a life from beginning to end
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	made := w.ask(t, http.MethodPost, "/api/v1/companies", token, `{"id":"tide","name":"Tide"}`)
	path := made.header.Get("Location")
	if made.status != http.StatusCreated || path != "/api/v1/companies/tide" || made.header.Get("ETag") == "" {
		t.Fatalf("add: %d %v %s", made.status, made.header, made.text)
	}
	if again := w.ask(t, http.MethodPost, "/api/v1/companies", token, `{"id":"tide","name":"Tide"}`); again.status != http.StatusConflict {
		t.Errorf("add again: %d %s", again.status, again.text)
	}
	if bad := w.ask(t, http.MethodPost, "/api/v1/companies", token, `{"id":"ebb","name":":","help_email":"x"}`); bad.status != 422 || bad.faults() != "/name /help_email" {
		t.Errorf("add a bad one: %d %s", bad.status, bad.text)
	}
	groups := w.ask(t, http.MethodPut, path+"/groups", token, `{"groups":[{"id":"leads","name":"Leads"}]}`, "If-Match", made.header.Get("ETag"))
	if groups.status != http.StatusOK || len(groups.list("groups")) != 1 {
		t.Fatalf("groups: %d %s", groups.status, groups.text)
	}
	preview := w.ask(t, http.MethodPost, path+"/policy/preview", token, `{"second_factor":"required"}`)
	if preview.status != http.StatusOK || preview.json["concerned"] != 0.0 {
		t.Errorf("preview: %d %s", preview.status, preview.text)
	}
	policy := `{"second_factor":"required","second_factor_groups":["leads"],"remember_days":0}`
	if late := w.ask(t, http.MethodPut, path+"/policy", token, policy, "If-Match", made.header.Get("ETag")); late.status != http.StatusPreconditionFailed {
		t.Errorf("a policy from an old version: %d %s", late.status, late.text)
	}
	put := w.ask(t, http.MethodPut, path+"/policy", token, policy, "If-Match", groups.header.Get("ETag"))
	if put.status != http.StatusOK || put.json["remember_days"] != 0.0 {
		t.Fatalf("policy: %d %s", put.status, put.text)
	}
	if bad := w.ask(t, http.MethodPut, path+"/policy", token, `{"second_factor":"maybe","second_factor_skips":21}`, "If-Match", "*"); bad.status != 422 ||
		bad.faults() != "/second_factor /second_factor_skips" {
		t.Errorf("a bad policy: %d %s", bad.status, bad.text)
	}
	named := w.ask(t, http.MethodPut, path, token, `{"id":"tide","name":"Tide and Ebb"}`, "If-Match", "*")
	if named.status != http.StatusOK || named.str("name") != "Tide and Ebb" {
		t.Errorf("name: %d %s", named.status, named.text)
	}
	if kept := w.ask(t, http.MethodGet, path+"/policy", token, ""); kept.str("second_factor") != "required" || !strings.Contains(kept.text, "leads") {
		t.Errorf("the policy afterwards: %s", kept.text)
	}
	if list := w.ask(t, http.MethodGet, "/api/v1/companies?text=ebb", token, ""); len(list.list("companies")) != 1 {
		t.Errorf("found: %s", list.text)
	}
	acme := w.token(t, "acme-robot")
	if no := w.ask(t, http.MethodPost, "/api/v1/companies", acme, `{"id":"other","name":"Other"}`); no.status != http.StatusForbidden {
		t.Errorf("a company adds one: %d %s", no.status, no.text)
	}
	if full := w.ask(t, http.MethodDelete, "/api/v1/companies/acme", token, ""); full.status != http.StatusConflict {
		t.Errorf("remove one with clients: %d %s", full.status, full.text)
	}
	if gone := w.ask(t, http.MethodDelete, path, token, ""); gone.status != http.StatusNoContent {
		t.Errorf("remove: %d %s", gone.status, gone.text)
	}
}

// An account is found, read, changed, disabled, signed out and deleted; nothing of it is a secret.
func TestAccountLife(t *testing.T) { //nolint:gocognit // a life from beginning to end
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	id := w.AddEnrolled(t, "anna@acme.example", "acme")
	rp := w.RP
	b := w.Browser(t)
	tokens := rp.Exchange(t, b.Get(t, rp.AuthURL(idptest.With("scope", "openid offline_access"))).Prove(t, "anna@acme.example"))
	path := "/api/v1/accounts/" + id
	found := w.ask(t, http.MethodGet, "/api/v1/accounts?company=acme&text=anna", token, "")
	if found.status != http.StatusOK || len(found.list("accounts")) != 1 || found.list("accounts")[0]["id"] != id {
		t.Fatalf("found: %d %s", found.status, found.text)
	}
	read := w.ask(t, http.MethodGet, path, token, "")
	if read.str("username") != "anna@acme.example" || read.str("second_factor") != "on" || strings.Contains(read.text, "argon2") || read.header.Get("Cache-Control") != "no-store" {
		t.Errorf("read: %v %s", read.header, read.text)
	}
	patched := w.ask(t, http.MethodPatch, path, token, `{"claims":{"given_name":"Anna","email_verified":null},"attributes":{"floor":3},"roles":["lead"]}`, "If-Match", read.header.Get("ETag"))
	claims, _ := patched.json["claims"].(map[string]any)
	if patched.status != http.StatusOK || claims["given_name"] != "Anna" || claims["name"] != "Anna Example" || claims["email_verified"] != nil || !strings.Contains(patched.text, `"attributes":{"floor":3}`) {
		t.Errorf("changed: %d %s", patched.status, patched.text)
	}
	if stale := w.ask(t, http.MethodPatch, path, token, `{"roles":null}`, "If-Match", read.header.Get("ETag")); stale.status != http.StatusPreconditionFailed {
		t.Errorf("changed from an old version: %d %s", stale.status, stale.text)
	}
	if bad := w.ask(t, http.MethodPatch, path, token, `{"groups":["nobody"],"username":"x"}`, "If-Match", "*"); bad.status != 422 {
		t.Errorf("a bad change: %d %s", bad.status, bad.text)
	}
	if bad := w.ask(t, http.MethodPatch, path, token, `{"claims":{"given_name":1,"https://a.b/c":"x"}}`, "If-Match", "*"); bad.status != 422 ||
		!strings.Contains(bad.faults(), "/claims/given_name") || !strings.Contains(bad.faults(), "/claims/https:~1~1a.b~1c") {
		t.Errorf("bad claims: %d %s", bad.status, bad.text)
	}
	factors := w.ask(t, http.MethodGet, path+"/authenticators", token, "")
	if len(factors.list("authenticators")) != 1 || strings.Contains(factors.text, "secret") {
		t.Errorf("authenticators: %s", factors.text)
	}
	sessions, apps := w.ask(t, http.MethodGet, path+"/sessions", token, ""), w.ask(t, http.MethodGet, path+"/apps", token, "")
	if len(sessions.list("sessions")) != 1 || len(apps.list("apps")) != 1 || apps.list("apps")[0]["client_id"] != "cases" {
		t.Fatalf("sessions %s, apps %s", sessions.text, apps.text)
	}
	session, _ := sessions.list("sessions")[0]["id"].(string)
	for _, part := range []string{"/sessions/" + session, "/apps/cases"} {
		if end := w.ask(t, http.MethodDelete, path+part, token, ""); end.status != http.StatusNoContent {
			t.Errorf("end %s: %d %s", part, end.status, end.text)
		}
	}
	if status, _ := rp.Refresh(t, tokens.RefreshToken); status == http.StatusOK {
		t.Error("a withdrawn app refreshes")
	}
	if left := w.ask(t, http.MethodGet, path+"/sessions", token, ""); len(left.list("sessions")) != 0 {
		t.Errorf("sessions afterwards: %s", left.text)
	}
	for _, act := range []string{"disable", "enable", "sign-out", "forget-devices"} {
		if done := w.ask(t, http.MethodPost, path+"/"+act, token, ""); done.status != http.StatusNoContent {
			t.Errorf("%s: %d %s", act, done.status, done.text)
		}
		want := "active"
		if act == "disable" {
			want = "disabled"
		}
		if now := w.ask(t, http.MethodGet, path, token, ""); now.str("state") != want {
			t.Errorf("after %s: %s", act, now.text)
		}
	}
	if gone := w.ask(t, http.MethodDelete, path, token, ""); gone.status != http.StatusNoContent {
		t.Errorf("delete: %d %s", gone.status, gone.text)
	}
	if again := w.ask(t, http.MethodGet, path, token, ""); again.status != http.StatusNotFound {
		t.Errorf("read afterwards: %d %s", again.status, again.text)
	}
}

// An invitation is sent, listed, sent again and withdrawn; its link is in the mail alone.
func TestInvitationLife(t *testing.T) {
	w := newWorld(t, idptest.Setup{Change: func(c *config.Config) { c.Mail.Mailer = config.MailerConsole }})
	token, acme := w.token(t, "robot"), w.token(t, "acme-robot")
	path := "/api/v1/companies/acme/invitations"
	made := w.ask(t, http.MethodPost, path, acme, `{"email":"new@acme.example","name":"New","language":"nl","roles":["lead"]}`)
	one := made.header.Get("Location")
	if made.status != http.StatusCreated || one != path+"/"+made.str("id") || strings.Contains(made.text, "/link/") || made.str("invited_by") != "acme-robot" {
		t.Fatalf("invite: %d %v %s", made.status, made.header, made.text)
	}
	if again := w.ask(t, http.MethodPost, path, token, `{"email":"new@acme.example"}`); again.status != http.StatusConflict || again.faults() != "/email" {
		t.Errorf("invite again: %d %s", again.status, again.text)
	}
	if bad := w.ask(t, http.MethodPost, path, acme, `{"email":"x","admin":"it"}`); bad.status != 422 {
		t.Errorf("a bad one: %d %s", bad.status, bad.text)
	}
	if list := w.ask(t, http.MethodGet, path, acme, ""); len(list.list("invitations")) != 1 || list.json["total"] != 1.0 {
		t.Errorf("list: %d %s", list.status, list.text)
	}
	w.Advance(time.Minute)
	again := w.ask(t, http.MethodPost, one+"/resend", acme, "")
	if again.status != http.StatusOK || again.str("sent") == made.str("sent") {
		t.Errorf("resend: %d %s", again.status, again.text)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if no := w.ask(t, method, one, w.token(t, "plain-robot"), ""); no.status != http.StatusNotFound {
			t.Errorf("%s by another company: %d %s", method, no.status, no.text)
		}
	}
	if gone := w.ask(t, http.MethodDelete, one, acme, ""); gone.status != http.StatusNoContent {
		t.Errorf("withdraw: %d %s", gone.status, gone.text)
	}
	if read := w.ask(t, http.MethodGet, one, token, ""); read.status != http.StatusNotFound {
		t.Errorf("read afterwards: %d %s", read.status, read.text)
	}
}

// TestCA08FreshProof is CA-08 at the API: a person's token asks for resets, makes admins, deletes and rotates only within five minutes of
// password and second factor, and says how to come back (RFC 9470); no admin ever sees the ticket.
func TestCA08FreshProof(t *testing.T) {
	w := newWorld(t, idptest.Setup{Change: func(c *config.Config) { c.Mail.Mailer = config.MailerConsole }})
	id := w.AddEnrolled(t, "anna@acme.example", "acme")
	it := w.person(t, "it@it.example", "", authn.AdminIT)
	path := "/api/v1/accounts/" + id
	reset := w.ask(t, http.MethodPost, path+"/reset-second-factor", it, "")
	if reset.status != http.StatusOK || reset.json["done"] != false || reset.json["another_admin"] != true || strings.Contains(reset.text, "ticket") {
		t.Errorf("reset: %d %s", reset.status, reset.text)
	}
	if rec, err := w.Node.Office.Accounts.ByID(t.Context(), id); err != nil || rec.Factor != authn.FactorOn {
		t.Errorf("the API has reset a factor by itself: %s, %v", rec.Factor, err)
	}
	// However often programs ask, somebody at the console does it.
	robot := w.token(t, "robot")
	for range 2 {
		if got := w.ask(t, http.MethodPost, path+"/reset-second-factor", robot, ""); got.json["done"] != false {
			t.Errorf("two callers of the API have reset a factor: %s", got.text)
		}
	}
	console := w.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: "boss", Company: "acme"})
	if got, err := console.ResetPerson(t.Context(), id); err != nil || !got.Done || got.Mailed != 1 || got.Ticket != "" {
		t.Errorf("the reset at the console: %+v, %v", got, err)
	}
	w.Advance(5*time.Minute + time.Second)
	for _, tt := range [][3]string{
		{"POST", path + "/reset-second-factor", ""}, {"DELETE", path, ""}, {"PATCH", path, `{"admin":"company"}`}, {"POST", "/api/v1/keys/rotate", `{}`},
	} {
		got := w.ask(t, tt[0], tt[1], it, tt[2], "If-Match", "*")
		if got.status != http.StatusUnauthorized || !strings.Contains(got.header.Get("WWW-Authenticate"), `error="insufficient_user_authentication"`) ||
			!strings.Contains(got.header.Get("WWW-Authenticate"), `max_age="300"`) {
			t.Errorf("%s %s later: %d %v %s", tt[0], tt[1], got.status, got.header, got.text)
		}
	}
	if got := w.ask(t, http.MethodPatch, path, it, `{"roles":["lead"]}`, "If-Match", "*"); got.status != http.StatusOK {
		t.Errorf("a role later: %d %s", got.status, got.text)
	}
}

// Signs that an address cannot hold as they are stand in the ids of other providers.
func TestForeignIDs(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	made := w.made(t, token, strings.Replace(anApp, "{", `{"client_id":"https:tide|1",`, 1))
	if want := "/api/v1/clients/https:tide%7C1"; made.header.Get("Location") != want {
		t.Fatalf("Location %q, want %q", made.header.Get("Location"), want)
	}
	if got := w.ask(t, http.MethodGet, made.header.Get("Location"), token, ""); got.status != http.StatusOK {
		t.Errorf("read: %d %s", got.status, got.text)
	}
	for _, other := range []string{"https:tide|1", "https%3Atide%7C1", "https:tide%7c1", "http%73:tide%7C1"} {
		if status, body := w.raw(t, "/api/v1/clients/"+other, token); status != http.StatusNotFound {
			t.Errorf("read as %s: %d %s", other, status, body)
		}
	}
}
