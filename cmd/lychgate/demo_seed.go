// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/demo"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/server"
)

// demoFacts is what --facts writes.
type demoFacts struct {
	Issuer   string        `json:"issuer"`
	App      string        `json:"app"`
	Accounts []demoAccount `json:"accounts"`
	Clients  []demoClient  `json:"clients"`
	// API is a client that may use the whole REST API.
	API demoAPI `json:"api"`
	// InitialToken lets whoever tries the demo register apps of their own (RFC 7591), 100 at most.
	InitialToken string `json:"initial_access_token"`
}

type demoAccount struct {
	Username   string  `json:"username"`
	Password   string  `json:"password"`
	TOTPSecret *string `json:"totp_secret"`
	what       string
}

type demoAPI struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
	Scope  string `json:"scope"`
}

type demoClient struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret"`
	AuthMethod   string   `json:"token_endpoint_auth_method"`
	RedirectURIs []string `json:"redirect_uris"`
}

// code returns the current code of an account that begins enrolled.
func (f demoFacts) code(user string) (string, error) {
	for _, a := range f.Accounts {
		if a.Username != user {
			continue
		}
		if a.TOTPSecret == nil {
			return "", fmt.Errorf("%s did not begin with an authenticator: the key that you set up is known to your app alone", user)
		}
		return server.DemoCode(demoSecret(user), time.Now())
	}
	return "", fmt.Errorf("%q is no demo account; known are %s", user, strings.Join(demo.Names(), ", "))
}

// seed writes the demo's companies, accounts and clients; what is there already stays as it is. A Redis that holds
// anything but a demo is refused before anything is written.
func seed(ctx context.Context, srv *server.Server, issuer, app string) (demoFacts, error) {
	facts := demoFacts{Issuer: issuer, App: app}
	if reasons := srv.Reasons(ctx); len(reasons) > 0 {
		return facts, notReady(reasons)
	}
	if err := ours(ctx, srv); err != nil {
		return facts, err
	}
	for _, o := range demo.Organisations() {
		err := srv.Office.AddCompany(ctx, company.Company{
			ID: o.ID, Name: o.Name, HelpEmail: o.HelpEmail, HelpPhone: o.HelpPhone, SecondFactor: flow.FactorMode(o.SecondFactor),
		})
		if err != nil {
			return facts, fmt.Errorf("seed company %s: %w", o.ID, err)
		}
	}
	for _, p := range demo.People() {
		a, err := seedPerson(ctx, srv, p)
		if err != nil {
			return facts, fmt.Errorf("seed account %s: %w", p.Username, err)
		}
		facts.Accounts = append(facts.Accounts, a)
	}
	if err := seedClients(ctx, srv, &facts); err != nil {
		return facts, err
	}
	if err := seedAPI(ctx, srv, &facts); err != nil {
		return facts, err
	}
	var err error
	if facts.InitialToken, err = srv.Desk.InitialToken(ctx, 100, 24*time.Hour); err != nil {
		return facts, fmt.Errorf("initial access token: %w", err)
	}
	return facts, nil
}

// ours refuses a Redis with accounts that are not the demo's.
func ours(ctx context.Context, srv *server.Server) error {
	known := map[string]bool{}
	for _, name := range demo.Names() {
		known[name] = true
	}
	stranger := ""
	err := srv.Office.Accounts.List(ctx, func(r authn.Record) bool {
		if !known[r.Profile.Name] {
			stranger = r.Profile.Name
		}
		return stranger == ""
	})
	if err == nil && stranger != "" {
		err = errors.New("this Redis holds accounts that are not the demo's; name an empty one")
	}
	return err
}

func seedPerson(ctx context.Context, srv *server.Server, p demo.Person) (demoAccount, error) {
	a := demoAccount{Username: p.Username, Password: demoPassword(p.Username), what: p.What}
	e := admin.Entry{
		Username: p.Username, Company: p.Company, Password: a.Password, Admin: authn.AdminRole(p.Admin),
		Claims: map[string]any{
			"name": p.Name, "given_name": p.GivenName, "family_name": p.FamilyName, "email": p.Username, "email_verified": true,
		},
	}
	if p.Enrolled {
		secret := base32.StdEncoding.EncodeToString(demoSecret(p.Username))
		a.TOTPSecret, e.TOTPSecret = &secret, secret
	}
	_, err := srv.Office.Add(ctx, e)
	if errors.Is(err, authn.ErrExists) {
		return a, nil
	}
	if err == nil && p.Disabled {
		_, err = srv.Office.Apply(ctx, p.Username, authn.Disable, "")
	}
	return a, err
}

func seedClients(ctx context.Context, srv *server.Server, facts *demoFacts) error {
	for _, c := range []*client.Client{
		{
			ID: "example-cases", Name: "Example Cases", URI: facts.App + "/", Company: "example-legal-aid",
			RedirectURIs: []string{facts.App + "/callback"}, PostLogoutRedirectURIs: []string{facts.App + "/"},
			GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile email offline_access",
			AuthMethod: "client_secret_basic",
		},
		{
			ID: "example-service", Name: "Example Service", GrantTypes: []string{"client_credentials"},
			Scope: "cases.read", AuthMethod: "client_secret_basic", Company: "example-legal-aid",
		},
	} {
		secret := demoClientSecret(c.ID)
		if err := srv.Office.SetClient(ctx, c, secret); err != nil {
			return fmt.Errorf("seed client %s: %w", c.ID, err)
		}
		uris := c.RedirectURIs
		if uris == nil {
			uris = []string{}
		}
		facts.Clients = append(facts.Clients, demoClient{c.ID, secret, c.AuthMethod, uris})
	}
	return nil
}

// seedAPI registers the client that may use the whole REST API.
func seedAPI(ctx context.Context, srv *server.Server, facts *demoFacts) error {
	const id = "example-api"
	scope := strings.Join(admin.Scopes(), " ")
	facts.API = demoAPI{id, demoClientSecret(id), scope}
	err := srv.Office.SetClient(ctx, &client.Client{
		ID: id, Name: "Example API", GrantTypes: []string{client.GrantCredentials}, Scope: scope, AuthMethod: client.AuthBasic,
	}, facts.API.Secret)
	if err != nil {
		return fmt.Errorf("seed client %s: %w", id, err)
	}
	return nil
}

// announce prints the sign-in data, and writes it to file by renaming, so that a reader never sees half of it.
func (c *console) announce(f demoFacts, file string) error {
	fmt.Fprintf(c.out, "\nLychgate demo\n\n  Sample app  %s   (begin here)\n  Provider    %s\n  Mail        %s\n\n",
		f.App, f.Issuer, f.Issuer+server.DemoMailPath)
	for _, a := range f.Accounts {
		fmt.Fprintf(c.out, "  %s\n    user name  %s\n    password   %s\n", a.what, a.Username, a.Password)
		if a.TOTPSecret != nil {
			fmt.Fprintf(c.out, "    key        %s   (or: bin/lychgate demo code --app %s %s)\n", *a.TOTPSecret, f.App, a.Username)
		}
		fmt.Fprintln(c.out)
	}
	fmt.Fprintf(c.out, "  Console     %s/admin\n  REST API    %s/api/v1\n    client_id      %s\n    client_secret  %s\n\n", f.Issuer, f.Issuer, f.API.ID, f.API.Secret)
	fmt.Fprintf(c.out, "  Apps can register themselves at %s/register for a day with the token\n    %s\n\n", f.Issuer, f.InitialToken)
	fmt.Fprintln(c.out, "Ctrl-C ends it. Everybody knows these passwords: it listens on this machine alone.")
	if file == "" {
		return nil
	}
	body, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return fmt.Errorf("encode facts: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), ".facts-*")
	if err != nil {
		return fmt.Errorf("--facts: %w", err)
	}
	if _, err = tmp.Write(append(body, '\n')); err == nil {
		err = tmp.Close()
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		_ = os.Remove(tmp.Name())
		return fmt.Errorf("--facts: %w", err)
	}
	return nil
}
