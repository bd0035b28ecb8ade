// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin_test

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

func export(t *testing.T, product, text string) foreign.Export {
	t.Helper()
	x, err := foreign.Open(product, foreign.Files{Main: strings.NewReader(text)}, foreign.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// move runs a move and returns what was reported.
func move(t *testing.T, p *idptest.IDP, x foreign.Export, m admin.Move) ([]foreign.Line, admin.Moved, error) {
	t.Helper()
	var lines []foreign.Line
	moved, err := p.Node.Office.Clerk(admin.CommandLine()).Move(t.Context(), x, m, func(l foreign.Line) error { lines = append(lines, l); return nil })
	return lines, moved, err
}

func accounts(t *testing.T, p *idptest.IDP) int {
	t.Helper()
	n := 0
	if err := p.Node.Office.Accounts.List(t.Context(), func(authn.Record) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

const hostileRealm = `{"realm":"x","users":[
{"id":"1","username":"anna","email":"anna@legal.example"},
{"id":"2","username":"ANNA"},
{"id":"1","username":"ben"},
{"id":"é","username":"cora"},
{"id":"5","username":"a b"},
{"id":"6","username":"dirk","email":17},
{"id":"7","username":"eva\u001b[2J\u202e"},
{"id":"8","username":"here"},
{"id":"9","username":"service-account-x","serviceAccountClientId":"x"},
{"id":"10","username":"fred","credentials":[
 {"type":"password","secretData":"{\"value\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}",
  "credentialData":"{\"hashIterations\":4000000000,\"algorithm\":\"pbkdf2-sha256\"}"}]},
{"id":"11","username":"gina","credentials":[
 {"type":"password","secretData":"{\"value\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\",\"salt\":\"AAAAAAAAAAAAAAAAAAAAAA==\"}",
  "credentialData":"{\"hashIterations\":3,\"algorithm\":\"argon2\",\"additionalParameters\":{\"type\":[\"id\"],\"version\":[\"1.3\"],\"memory\":[\"4294967295\"],\"parallelism\":[\"1\"]}}"}]}
],"clients":[
{"clientId":"portal","redirectUris":["https://portal.legal.example/cb"],"publicClient":true},
{"clientId":"portal","redirectUris":["https://portal.legal.example/cb"],"publicClient":true},
{"clientId":"plain","redirectUris":["http://plain.legal.example/cb"],"publicClient":true},
{"clientId":"taken","redirectUris":["https://taken.legal.example/cb"],"publicClient":true},
{"clientId":7}]}`

// TestMoveProblems: all problems are told at once with their places, and nothing is written while there is one.
func TestMoveProblems(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, "here", "")
	p.NewRP(t, "taken", func(*client.Client) {})
	x := export(t, foreign.Keycloak, hostileRealm)
	lines, _, err := move(t, p, x, admin.Move{Clients: true})
	if err == nil || len(lines) != 0 || accounts(t, p) != 1 {
		t.Fatalf("Move() = %v, %d lines, %d accounts", err, len(lines), accounts(t, p))
	}
	for _, want := range []string{
		"nothing was imported:\n", `users[1].username: "anna" stands at users[0] already`, `users[2].sub: "1" stands at users[0] already`,
		"users[3].sub: at most 255 ASCII", "users[4].username: ", "users[5].email: has to be a text", "users[6].username: ",
		`users[7].username: "here" exists already; leave out all that are here with --skip-existing`,
		"clients[1].client_id: stands at clients[0] already", "clients[2]: redirect_uris entry 1 is http", `clients[3].client_id: "taken" exists already`,
		"clients[4].clientId: has to be a text", "--skip-refused",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in the problems:\n%v", want, err)
		}
	}
	if strings.ContainsAny(err.Error(), "\x1b\u202e") {
		t.Errorf("the problems move the cursor: %q", err)
	}
	lines, moved, err := move(t, p, x, admin.Move{Clients: true, SkipExisting: true, SkipRefused: true, DryRun: true})
	want := admin.Moved{People: admin.Counts{Taken: 3, NoPassword: 3, Existing: 1, LeftOut: 1, Refused: 6}, Clients: admin.Counts{Taken: 1, Existing: 1, Refused: 3}}
	if diff := cmp.Diff(want, moved); diff != "" || err != nil || len(lines) != 16 || accounts(t, p) != 1 {
		t.Errorf("a dry run: %v, %d lines, %d accounts (-want +got):\n%s", err, len(lines), accounts(t, p), diff)
	}
	if _, moved, err = move(t, p, x, admin.Move{Clients: true, SkipExisting: true, SkipRefused: true}); err != nil || cmp.Diff(want, moved) != "" || accounts(t, p) != 4 {
		t.Errorf("the move: %v, %d accounts (-want +got):\n%s", err, accounts(t, p), cmp.Diff(want, moved))
	}
	for _, name := range []string{"fred", "gina"} { // hashes that would stop the node are not there
		r, err := p.Node.Office.Find(t.Context(), name)
		if err != nil || !strings.HasPrefix(r.PasswordRecord, "$argon2id$v=19$m=8,t=1,p=1$") {
			t.Errorf("%s has the record %.30s…, %v", name, r.PasswordRecord, err)
		}
	}
}

// TestMoveClients: a secret that was in the export goes on, another one is made and shown once; the own apps of a company
// ask for no consent.
func TestMoveClients(t *testing.T) {
	const secret = "Zb4QkR7mW2xL9pT6vN1cD8sF3hJ5gK0a"
	p := idptest.New(t, idptest.Setup{})
	x := export(t, foreign.Keycloak, `{"realm":"x","clients":[
	{"clientId":"kept","redirectUris":["https://kept.example/cb"],"secret":"`+secret+`"},
	{"clientId":"masked","redirectUris":["https://masked.example/cb"],"secret":"**********","consentRequired":true}]}`)
	lines, moved, err := move(t, p, x, admin.Move{Clients: true, Company: "acme"})
	if err != nil || moved.Clients.Taken != 2 || moved.Clients.NewSecret != 1 {
		t.Fatalf("Move() = %+v, %v", moved, err)
	}
	if lines[0].Secret != "" || len(lines[1].Secret) < 32 {
		t.Errorf("secrets shown: %q and %q, want the new one alone", lines[0].Secret, lines[1].Secret)
	}
	for id, want := range map[string]string{"kept": secret, "masked": lines[1].Secret} {
		c, err := p.Node.Office.Clerk(admin.CommandLine()).Client(t.Context(), id)
		if err != nil || len(c.Secrets) != 1 || c.Secrets[0].Digest != p.Node.Office.Digest(want) {
			t.Errorf("%s: %v, or not the secret %q", id, err, want)
		}
		if got := c.OwnApp(); got != (id == "kept") {
			t.Errorf("%s is an own app: %v", id, got)
		}
	}
	if s := fmt.Sprint(slog.AnyValue(lines[1]).Resolve()); strings.Contains(s, lines[1].Secret) {
		t.Errorf("the secret is in the log: %s", s)
	}
	if _, _, err := move(t, p, export(t, foreign.Keycloak, `{"realm":"x"}`), admin.Move{Clients: true}); err == nil || !strings.Contains(err.Error(), "there are none") {
		t.Errorf("clients of a file without clients = %v", err)
	}
	if _, _, err := move(t, p, x, admin.Move{Company: "nobody"}); err == nil || !strings.Contains(err.Error(), "lychgate company add") {
		t.Errorf("a company that is not there = %v", err)
	}
}

// TestMoveForbidden: the admin of a company imports nobody: subs, roles and companies are for the IT team to give.
func TestMoveForbidden(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	clerk := p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: "somebody", Company: "acme"})
	_, err := clerk.Move(t.Context(), export(t, foreign.Keycloak, `{"users":[{"username":"anna"}]}`), admin.Move{Company: "acme"}, func(foreign.Line) error { return nil })
	if !errors.Is(err, admin.ErrForbidden) || accounts(t, p) != 0 {
		t.Errorf("Move() = %v, %d accounts, want ErrForbidden and none", err, accounts(t, p))
	}
}

// TestMoveManyProblems: a file of which everything is wrong says so in a bounded number of lines.
func TestMoveManyProblems(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	_, _, err := move(t, p, export(t, foreign.Auth0, strings.Repeat("{}\n", 5000)), admin.Move{})
	if err == nil || !strings.HasSuffix(err.Error(), "and 4000 more") || strings.Count(err.Error(), "\n") > 1002 {
		t.Errorf("5000 problems: %.200v", err)
	}
}
