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
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// it and acmeAdmin are clerks of the two roles.
func it(p *idptest.IDP) *admin.Clerk { return p.Node.Office.Clerk(itActor()) }

func itActor() admin.Actor { return admin.Actor{Kind: admin.ActorAccount, ID: "it-person"} }

func acmeAdmin(p *idptest.IDP) *admin.Clerk {
	return p.Node.Office.Clerk(admin.Actor{Kind: admin.ActorAccount, ID: "acme-admin", Company: "acme"})
}

func appNamed(name string, change ...func(*client.Client)) client.Registration {
	c := &client.Client{Name: name, RedirectURIs: []string{"https://app.example/callback"}}
	for _, f := range change {
		f(c)
	}
	return client.Registration{Client: c}
}

func made(t *testing.T, clerk *admin.Clerk, r client.Registration) admin.Registered {
	t.Helper()
	reg, err := clerk.CreateClient(t.Context(), r)
	if err != nil {
		t.Fatalf("CreateClient() = %v", err)
	}
	return reg
}

// TestClientsAllOrNone: one bad description registers nothing.
func TestClientsAllOrNone(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	before, err := p.Node.Office.Clients.Clients(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	list := []client.Registration{appNamed("One"), appNamed("Two", func(c *client.Client) { c.RedirectURIs = []string{"https://*.example/cb"} })}
	if _, err := it(p).CreateClients(t.Context(), list); err == nil || !strings.Contains(err.Error(), "redirect_uris") {
		t.Errorf("CreateClients() with a wildcard = %v, want an error that names redirect_uris", err)
	}
	after, err := p.Node.Office.Clients.Clients(t.Context())
	if err != nil || len(after) != len(before) {
		t.Errorf("%d clients, before %d, %v", len(after), len(before), err)
	}
}

// TestChangeClientOneWins: of 20 changes from one version one is made, and the others are told.
func TestChangeClientOneWins(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	reg := made(t, it(p), appNamed("App"))
	tag := admin.Tag(reg.Client)
	var won, stale atomic.Int64
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			_, err := it(p).ChangeClient(t.Context(), reg.ID, tag, appNamed(fmt.Sprintf("App %d", i)))
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, admin.ErrStale):
				stale.Add(1)
			default:
				t.Errorf("ChangeClient() = %v", err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 || stale.Load() != 19 {
		t.Errorf("%d won, %d were told, want 1 and 19", won.Load(), stale.Load())
	}
}

// TestClerkBounds: what a company admin may not decide of a client, and what the IT team has decided stays possible.
func TestClerkBounds(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	clerk := acmeAdmin(p)
	own := made(t, clerk, appNamed("Own"))
	if own.Company != "acme" || !slices.Equal(own.Companies, []string{"acme"}) || own.Secret == "" {
		t.Errorf("a company admin's client: %+v", own.Client)
	}
	for field, change := range map[string]func(*client.Client){
		"client_id":           func(c *client.Client) { c.ID = "chosen" },
		"lychgate_company":    func(c *client.Client) { c.Company = "plain" },
		"lychgate_companies":  func(c *client.Client) { c.Companies = []string{"acme", "plain"} },
		"scope":               func(c *client.Client) { c.Scope = "openid clients:write" },
		"lychgate_audience":   func(c *client.Client) { c.Audience = []string{"https://api.plain.example"} },
		"lychgate_introspect": func(c *client.Client) { c.Introspect = []string{"*"} },
	} {
		_, err := clerk.CreateClient(t.Context(), appNamed("Mine", change))
		var f *client.FieldError
		if !errors.As(err, &f) || f.Field != field {
			t.Errorf("CreateClient() with %s = %v, want that field refused", field, err)
		}
	}
	wide := made(t, it(p), appNamed("Wide", func(c *client.Client) {
		c.Company, c.Scope, c.Audience, c.Companies = "acme", "openid cases.read", []string{"cases"}, []string{"acme", "plain"}
	}))
	again := *wide.Client
	again.Name, again.Secrets = "Renamed", nil
	changed, err := clerk.ChangeClient(t.Context(), wide.ID, "", client.Registration{Client: &again})
	if err != nil || changed.Name != "Renamed" || len(changed.Secrets) != 1 {
		t.Errorf("ChangeClient() of what the IT team has opened = %+v, %v", changed, err)
	}
	again.Scope = "openid cases.read cases.write"
	if _, err := clerk.ChangeClient(t.Context(), wide.ID, "", client.Registration{Client: &again}); err == nil {
		t.Error("a company admin granted a scope of an API")
	}
}

// TestClerkForeignCompany: another company's client is not there, whatever is asked, and each question is written down.
func TestClerkForeignCompany(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	foreign := made(t, it(p), appNamed("Foreign", func(c *client.Client) { c.Company = "plain" }))
	third := made(t, it(p), appNamed("Third party"))
	clerk := acmeAdmin(p)
	asked := 0
	for _, id := range []string{foreign.ID, third.ID} {
		for what, err := range map[string]error{
			"Client":       second(clerk.Client(t.Context(), id)),
			"ChangeClient": second(clerk.ChangeClient(t.Context(), id, "", appNamed("Taken"))),
			"RemoveClient": clerk.RemoveClient(t.Context(), id, ""),
			"NewSecret":    second(clerk.NewSecret(t.Context(), id, time.Time{})),
			"EndSecret":    clerk.EndSecret(t.Context(), id, foreign.Secrets[0].ID()),
			"KeepSecret":   clerk.KeepSecret(t.Context(), id, foreign.Secrets[0].ID(), time.Time{}),
		} {
			asked++
			if !errors.Is(err, authn.ErrNotFound) {
				t.Errorf("%s of another company's client = %v, want ErrNotFound", what, err)
			}
		}
	}
	if got, err := it(p).Client(t.Context(), foreign.ID); err != nil || got.Name != "Foreign" || len(got.Secrets) != 1 {
		t.Errorf("the client afterwards: %+v, %v", got, err)
	}
	page, err := clerk.ListClients(t.Context(), admin.ClientQuery{})
	if err != nil || slices.ContainsFunc(page.Clients, func(c *client.Client) bool { return c.Company != "acme" }) {
		t.Errorf("ListClients() = %v, %v", page.Clients, err)
	}
	n := 0
	for _, r := range journal(t, []*idptest.Node{p.Node}, 0) {
		if r.Event == audit.AdminRefused && r.Actor == "acme-admin" && r.Client != "" {
			n++
		}
	}
	if n != asked {
		t.Errorf("%d events admin.refused, want %d", n, asked)
	}
}

func second[T any](_ T, err error) error { return err }

// TestListClientsPages: pages hold each client once, in the order of their ids.
func TestListClientsPages(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	for i := range 7 {
		made(t, it(p), appNamed(fmt.Sprintf("Paged %d", i)))
	}
	var names []string
	q := admin.ClientQuery{Text: "PAGED", Limit: 3}
	for range 5 {
		page, err := it(p).ListClients(t.Context(), q)
		if err != nil || page.Total != 7 {
			t.Fatalf("ListClients() = %d in all, %v", page.Total, err)
		}
		for _, c := range page.Clients {
			names = append(names, c.ID)
		}
		if page.Next == "" {
			break
		}
		q.After = page.Next
	}
	if len(names) != 7 || !slices.IsSorted(names) {
		t.Errorf("all pages: %v", names)
	}
}

// TestSecretsEnd: two secrets are in force at once; one that has its end is refused from that second on, and cannot be
// brought back.
func TestSecretsEnd(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	reg := made(t, it(p), appNamed("Service", func(c *client.Client) {
		c.GrantTypes, c.RedirectURIs, c.Scope, c.AuthMethod = []string{"client_credentials"}, nil, "cases.read", "client_secret_post"
	}))
	old := reg.Secrets[0].ID()
	next, err := it(p).NewSecret(t.Context(), reg.ID, p.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	works := func(secret string) bool {
		status, _ := send(t, p, p.Node, url.Values{
			"grant_type": {"client_credentials"}, "client_id": {reg.ID}, "client_secret": {secret},
		})
		return status == http.StatusOK
	}
	if !works(reg.Secret) || !works(next.Secret) {
		t.Error("two secrets are not in force at once")
	}
	p.Advance(time.Hour - 2*time.Second)
	if !works(reg.Secret) {
		t.Error("the older secret ended early")
	}
	p.Advance(2 * time.Second)
	if works(reg.Secret) || !works(next.Secret) {
		t.Error("the older secret lives past its end, or the newer one has gone with it")
	}
	if err := it(p).KeepSecret(t.Context(), reg.ID, old, time.Time{}); !errors.Is(err, authn.ErrNotFound) {
		t.Errorf("KeepSecret() of one that has ended = %v, want ErrNotFound", err)
	}
	if err := it(p).EndSecret(t.Context(), reg.ID, next.Secrets[0].ID()); err != nil {
		t.Fatal(err)
	}
	if works(next.Secret) {
		t.Error("a secret that was ended works")
	}
}
