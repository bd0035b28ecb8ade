// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// oldPassword is that of everybody in pkg/admin/foreign/testdata.
const oldPassword = "a quiet morning by the canal"

// exported opens files of pkg/admin/foreign/testdata.
func exported(t *testing.T, product string, names ...string) foreign.Export {
	t.Helper()
	var files [3]*os.File
	for i, name := range names {
		f, err := os.Open(filepath.Join("..", "admin", "foreign", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		files[i] = f
	}
	f := foreign.Files{Main: files[0]}
	switch {
	case product == foreign.Auth0 && files[1] != nil:
		f.Passwords = files[1]
	case product == foreign.Authelia && files[1] != nil:
		f.TOTP, f.Subjects = files[1], files[2]
	}
	x, err := foreign.Open(product, f, foreign.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// moveAll takes over an export and returns the lines of the report by name.
func moveAll(t *testing.T, p *idptest.IDP, x foreign.Export, m admin.Move) (map[string]foreign.Line, admin.Moved) {
	t.Helper()
	lines := map[string]foreign.Line{}
	moved, err := p.Node.Office.Clerk(admin.CommandLine()).Move(t.Context(), x, m, func(l foreign.Line) error { lines[l.Name] = l; return nil })
	if err != nil {
		t.Fatalf("Move() = %v", err)
	}
	return lines, moved
}

func recordOf(t *testing.T, p *idptest.IDP, name string) authn.Record {
	t.Helper()
	r, err := p.Node.Office.Find(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestImportedSignIn: somebody from another provider signs in with the password, the authenticator app and the sub from
// before. The record is made new, and a session that was there stays.
func TestImportedSignIn(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Log: &log})
	lines, moved := moveAll(t, p, exported(t, foreign.Keycloak, "keycloak-realm.json"), admin.Move{Company: "acme"})
	want := admin.Counts{Taken: 6, NoPassword: 2, NoFactor: 2, Disabled: 1, LeftOut: 1}
	if diff := cmp.Diff(want, moved.People); diff != "" {
		t.Errorf("people (-want +got):\n%s", diff)
	}
	if l := lines["fred"]; !l.NoPassword || l.NoFactor || !strings.Contains(l.Notes[len(l.Notes)-1].Reason, "i=1000000") {
		t.Errorf("fred, of 1,300,000 iterations: %+v", l)
	}
	before := recordOf(t, p, "anna")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL(idptest.With("scope", "openid offline_access"))).Login(t, "anna", oldPassword)
	page = page.Code(t, idptest.CodeOf(t, []byte("kJ3nQ8vR2mXz7LpW4sTb"), p.Now()))
	tok := p.RP.Exchange(t, page)
	if tok.ID.Subject != before.ID || len(before.ID) != 36 {
		t.Errorf("sub %q, want %q of the export", tok.ID.Subject, before.ID)
	}
	after := recordOf(t, p, "anna")
	if !strings.HasPrefix(before.PasswordRecord, "$pbkdf2-sha256$i=27500$") || !strings.HasPrefix(after.PasswordRecord, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Errorf("record %.20s, then %.20s: not made new", before.PasswordRecord, after.PasswordRecord)
	}
	if diff := cmp.Diff(before.Account, after.Account); diff != "" {
		t.Errorf("the account moved (-before +after):\n%s", diff)
	}

	// The same again, with a session that is there before the record is made new.
	if err := p.Node.Office.Accounts.(authn.Renewer).Renew(t.Context(), after.Account, before.PasswordRecord); err != nil { //nolint:errcheck // it is the store
		t.Fatal(err)
	}
	p.NextStep()
	page = p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, "anna", oldPassword)
	page = page.Code(t, idptest.CodeOf(t, []byte("kJ3nQ8vR2mXz7LpW4sTb"), p.Now()))
	p.RP.Exchange(t, page)
	if got := recordOf(t, p, "anna").PasswordRecord; got == before.PasswordRecord {
		t.Error("the record is not made new")
	}
	if again := p.RP.Exchange(t, b.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); again.ID.Subject != before.ID {
		t.Errorf("the session from before ended: sub %q", again.ID.Subject)
	}
	if status, _ := p.RP.Refresh(t, tok.RefreshToken); status != 200 {
		t.Errorf("the refresh token from before = %d, want 200", status)
	}
	for _, secret := range []string{oldPassword, "kJ3nQ8vR2mXz7LpW4sTb", before.PasswordRecord, after.PasswordRecord} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("%.10q… is in the log", secret)
		}
	}
}

// TestImportedHashes: every kind of hash that the three products write lets its person in with the password from before,
// and nobody with another one.
func TestImportedHashes(t *testing.T) {
	for product, tt := range map[string]struct {
		files []string
		in    []string
		out   []string
	}{
		foreign.Keycloak: {[]string{"keycloak-realm.json"}, []string{"cora", "dirk"}, []string{"ben", "eva", "fred"}},
		foreign.Auth0: {
			[]string{"auth0-users.ndjson", "auth0-passwords.ndjson"},
			[]string{"anna@legal.example"},
			[]string{"ben@legal.example", "cora", "dirk@legal.example"},
		},
		foreign.Authelia: {[]string{"authelia-users.yml", "authelia-totp.yml", "authelia-identifiers.yml"}, []string{"cora"}, []string{"ben", "dirk", "eva"}},
	} {
		t.Run(product, func(t *testing.T) {
			p := idptest.New(t, idptest.Setup{})
			moveAll(t, p, exported(t, product, tt.files...), admin.Move{Company: "plain"})
			for _, name := range tt.in {
				if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, name, oldPassword+"!"); page.Alert() == "" {
					t.Errorf("%s: another password: %d %q", name, page.Status, page.H1())
				}
				p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, name, oldPassword))
				if got := recordOf(t, p, name).PasswordRecord; !strings.HasPrefix(got, "$argon2id$v=19$m=8,") {
					t.Errorf("%s: the record is %.20s, not made new", name, got)
				}
			}
			for _, name := range tt.out {
				if page := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, name, oldPassword); page.Alert() == "" {
					t.Errorf("%s is disabled or has no password: %d %q", name, page.Status, page.H1())
				}
			}
		})
	}
}

// TestImportedDisabled: who was disabled is disabled here from the first moment on, with the password from before.
func TestImportedDisabled(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	moveAll(t, p, exported(t, foreign.Keycloak, "keycloak-realm.json"), admin.Move{Company: "plain"})
	if r := recordOf(t, p, "ben"); r.State != authn.Disabled || r.Epoch != 1 {
		t.Errorf("ben is %s, epoch %d", r.State, r.Epoch)
	}
	if _, err := p.Node.Office.Apply(t.Context(), "ben", authn.Enable, ""); err != nil {
		t.Fatal(err)
	}
	p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, "ben", oldPassword))
}

// TestImportedWithoutPassword: who has no hash that is taken chooses a password by mail.
func TestImportedWithoutPassword(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Change: idptest.WithMail})
	moveAll(t, p, exported(t, foreign.Keycloak, "keycloak-realm.json"), admin.Move{Company: "plain"})
	b := p.Browser(t)
	form := b.Get(t, b.Get(t, p.RP.AuthURL()).Find("ul.links a").First().AttrOr("href", ""))
	form.Submit(t, url.Values{"username": {"eva"}})
	mails := p.Mails(t, "eva@legal.example")
	if len(mails) != 1 {
		t.Fatalf("%d mails, want one with a link", len(mails))
	}
	done := b.Get(t, p.MailLink(t, mails[0])).Submit(t, url.Values{"new_password": {"vier-paarse-ramen-zingen"}})
	if done.H1() != "Your password is changed" {
		t.Fatalf("%d %q %q", done.Status, done.H1(), done.Alert())
	}
	p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, "eva", "vier-paarse-ramen-zingen"))
}

// TestPL03Imported is PL-03 for imported people: whatever is wrong, the page is the same, and so are the number of hashes
// and of round trips.
func TestPL03Imported(t *testing.T) {
	var hashes atomic.Int64
	p := idptest.New(t, idptest.Setup{Hashes: &hashes})
	moveAll(t, p, exported(t, foreign.Keycloak, "keycloak-realm.json"), admin.Move{Company: "plain"})
	type answer struct {
		status        int
		alert         string
		hashes, trips int64
	}
	try := func(name, password string) answer {
		form := p.Browser(t).Get(t, p.RP.AuthURL())
		hashes.Store(0)
		trips := p.Node.Trips()
		got := form.Login(t, name, password)
		return answer{got.Status, got.Alert(), hashes.Load(), int64(p.Node.Trips() - trips)}
	}
	try("warm", "x")
	want := try("nobody", oldPassword)
	if want.alert == "" || want.hashes != 1 {
		t.Fatalf("unknown: %+v", want)
	}
	for what, in := range map[string][2]string{
		"pbkdf2": {"anna", "wrong password"}, "pbkdf2, NUL": {"anna", oldPassword + "\x00"}, "pbkdf2, empty": {"cora", ""},
		"without a password": {"eva", oldPassword}, "disabled": {"ben", oldPassword}, "disabled, wrong": {"ben", "wrong password"},
	} {
		if got := try(in[0], in[1]); got != want {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
}

// TestMoveAgain: a move that was cut short goes on, and one that is repeated writes nothing.
func TestMoveAgain(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	x := exported(t, foreign.Keycloak, "keycloak-realm.json")
	gone := errors.New("the terminal is gone")
	n := 0
	_, err := p.Node.Office.Clerk(admin.CommandLine()).Move(t.Context(), x, admin.Move{}, func(foreign.Line) error {
		if n++; n == 3 {
			return gone
		}
		return nil
	})
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "3 people before it were imported") {
		t.Errorf("a move cut short = %v", err)
	}
	if _, err := p.Node.Office.Clerk(admin.CommandLine()).Move(t.Context(), x, admin.Move{}, func(foreign.Line) error { t.Error("something was written"); return nil }); err == nil ||
		!strings.Contains(err.Error(), `users[0].username: "anna" exists already`) || !strings.Contains(err.Error(), "--skip-existing") {
		t.Errorf("the same move again = %v", err)
	}
	_, moved := moveAll(t, p, x, admin.Move{SkipExisting: true})
	if diff := cmp.Diff(admin.Counts{Taken: 3, NoPassword: 2, NoFactor: 1, Existing: 3, LeftOut: 1}, moved.People); diff != "" {
		t.Errorf("going on (-want +got):\n%s", diff)
	}
	var wg sync.WaitGroup
	for range 2 { // two at once do no harm either
		wg.Go(func() {
			m, err := p.Node.Office.Clerk(admin.CommandLine()).Move(t.Context(), exported(t, foreign.Keycloak, "keycloak-realm.json"), admin.Move{SkipExisting: true}, func(foreign.Line) error { return nil })
			if err != nil || m.People.Taken != 0 || m.People.Existing != 6 {
				t.Errorf("once more = %+v, %v", m, err)
			}
		})
	}
	wg.Wait()
}
