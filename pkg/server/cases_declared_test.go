// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/declared"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/registry"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

const everyKind = `
companies:
  - id: acme
    name: Acme Legal
    help_email: help@acme.example
    admin_emails: [boss@acme.example]
    groups: [{id: lawyers, name: Lawyers}, {id: partners}]
    second_factor: always
    second_factor_groups: [lawyers]
    second_factor_from: 2027-01-01
    second_factor_skips: 3
    remember_days: 7
    setup_days: 30
    reset_admins: 2
    reset_wait_hours: 24
  - {id: plain, name: Plain Estates, second_factor: off}
roles: [{name: clerk, text: works on cases}, {name: auditor}]
scopes:
  - name: cases
    text: {en: see your cases, nl: uw zaken zien}
    id_token: true
    claims: {case_roles: {from: roles, prefix: cases-}, tier: {value: {level: 2}}, dept: {from: attributes.department}}
clients:
  - client_id: cases
    client_name: Cases
    lychgate_company: acme
    redirect_uris: [https://cases.example/callback]
    grant_types: [authorization_code, refresh_token]
    scope: openid profile email offline_access cases
    default_max_age: 3600
    lychgate_second_factor: required
  - client_id: service
    grant_types: [client_credentials]
    scope: cases.read
    token_endpoint_auth_method: client_secret_post
    lychgate_access_token_format: at+jwt
  - client_id: spa
    token_endpoint_auth_method: none
    redirect_uris: ["https://spa.example/"]
    lychgate_consent: ask
    jwks_uri: https://spa.example/jwks
`

func declare(texts ...string) declared.Doc {
	var files []declared.File
	for i, text := range texts {
		files = append(files, declared.File{Name: fmt.Sprintf("%d.yaml", i), Text: []byte(text)})
	}
	return declared.Read(files, func(declared.SecretRef) (string, error) { return idptest.ClientSecret, nil })
}

func apply(t *testing.T, p *idptest.IDP, d declared.Doc, prune admin.Prune) admin.Plan {
	t.Helper()
	plan, err := it(p).Plan(t.Context(), d, prune)
	if err != nil {
		t.Fatalf("Plan() = %v", err)
	}
	if _, err := it(p).Apply(t.Context(), plan); err != nil {
		t.Fatalf("Apply() = %v", err)
	}
	return plan
}

func registered(t *testing.T, p *idptest.IDP) registry.State {
	t.Helper()
	st, err := p.Node.Office.Registry.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	st.Version = ""
	return st
}

// TestDeclaredEveryKind: a plan after apply is empty; what is exported makes an equal registry in another store.
func TestDeclaredEveryKind(t *testing.T) {
	p, other := idptest.New(t, idptest.Setup{}), idptest.New(t, idptest.Setup{})
	doc := declare(everyKind)
	plan := apply(t, p, doc, admin.PruneListed)
	kinds := map[string]int{}
	for _, s := range plan.Steps {
		kinds[s.What+" "+s.Kind]++
	}
	if d := cmp.Diff(map[string]int{"change company": 1, "add role": 2, "add scope": 1, "add client": 2, "change client": 1}, kinds); d != "" {
		t.Errorf("steps (-want +got):\n%s", d)
	}
	if again, err := it(p).Plan(t.Context(), declare(everyKind), admin.PruneListed); err != nil || len(again.Steps) != 0 {
		t.Errorf("Plan() after Apply() = %+v, %v, want nothing", again.Steps, err)
	}
	export, err := it(p).Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := declared.Write(export)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), idptest.ClientSecret) || strings.Contains(string(text), "lgcs_") {
		t.Error("the export holds a secret")
	}
	if here, err := it(p).Plan(t.Context(), declare(string(text)), admin.PruneListed); err != nil || len(here.Steps) != 0 {
		t.Errorf("Plan() of an export = %+v, %v, want nothing", here.Steps, err)
	}
	// The other store is empty but for what every test begins with.
	apply(t, other, declare("clients: []\nroles: []\nscopes: []\n"), admin.PruneListed)
	apply(t, other, declare("companies: []\n"), admin.PruneListed)
	apply(t, other, declare(string(text)), admin.PruneNone)
	if d := cmp.Diff(registered(t, p), registered(t, other)); d != "" {
		t.Errorf("the other registry (-want +got):\n%s", d)
	}
}

// TestTwoAppliers: of 16 plans that were worked out at once one is carried out, the others are told and change nothing.
func TestTwoAppliers(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	plans := make([]admin.Plan, 16)
	for i := range plans {
		var err error
		plans[i], err = it(p).Plan(t.Context(), declare(fmt.Sprintf("roles: [{name: r%d}]\nclients: [{client_id: c%d, redirect_uris: [https://c.example/cb]}]", i, i)), admin.PruneNone)
		if err != nil {
			t.Fatal(err)
		}
	}
	var won, told atomic.Int64
	var wg sync.WaitGroup
	for _, plan := range plans {
		wg.Go(func() {
			switch _, err := it(p).Apply(t.Context(), plan); {
			case err == nil:
				won.Add(1)
			case errors.Is(err, admin.ErrStale):
				told.Add(1)
			default:
				t.Errorf("Apply() = %v", err)
			}
		})
	}
	wg.Wait()
	if st := registered(t, p); won.Load() != 1 || told.Load() != 15 || len(st.Roles) != 1 {
		t.Errorf("%d won, %d were told, %d roles, want 1, 15, 1", won.Load(), told.Load(), len(st.Roles))
	}
}

// TestApplyManyClients: 5,000 clients are one change, in a few round trips; a plan of the same costs one.
func TestApplyManyClients(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	var b strings.Builder
	b.WriteString("clients:\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "  - client_id: app%04d\n    client_name: App %d\n    redirect_uris: [https://app%d.example/callback]\n    client_secret: {env: S}\n", i, i, i)
	}
	doc := declare(b.String())
	before := p.Node.Trips()
	apply(t, p, doc, admin.PruneNone)
	if n := p.Node.Trips() - before; n > 6 {
		t.Errorf("5,000 clients took %d round trips, want at most 6", n)
	}
	before = p.Node.Trips()
	if plan, err := it(p).Plan(t.Context(), doc, admin.PruneNone); err != nil || len(plan.Steps) != 0 {
		t.Errorf("Plan() = %d steps, %v", len(plan.Steps), err)
	}
	if n := p.Node.Trips() - before; n != 1 {
		t.Errorf("the plan took %d round trips, want 1", n)
	}
	page, err := it(p).ListClients(t.Context(), admin.ClientQuery{Text: "app 49", Limit: 10})
	if err != nil || len(page.Clients) != 10 || page.Total != 111 {
		t.Errorf("ListClients() = %d of %d, %v", len(page.Clients), page.Total, err)
	}
}

// TestDeclaredProblems: a company's admin plans nothing; a client that registered itself is never pruned.
func TestDeclaredProblems(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	if _, err := acmeAdmin(p).Plan(t.Context(), declare("roles: []"), admin.PruneNone); !errors.Is(err, admin.ErrForbidden) {
		t.Errorf("Plan() by a company's admin = %v, want ErrForbidden", err)
	}
	if _, err := acmeAdmin(p).Export(t.Context()); !errors.Is(err, admin.ErrForbidden) {
		t.Errorf("Export() by a company's admin = %v, want ErrForbidden", err)
	}
	self := &client.Client{ID: "self", RedirectURIs: []string{"https://self.example/cb"}, Dynamic: &client.Dynamic{Issued: 1}}
	client.Defaults(self)
	if err := p.Node.Office.Clients.PutClient(t.Context(), self); err != nil {
		t.Fatal(err)
	}
	apply(t, p, declare("clients: []"), admin.PruneListed)
	if st := registered(t, p); len(st.Clients) != 1 || st.Clients["self"] == nil {
		t.Errorf("after pruning: %v", st.Clients)
	}
	_, err := it(p).Plan(t.Context(), declare("clients:\n  - client_id: a\n    redirect_uris: [https://a.example/cb]\n    lychgate_company: none\n  - client_id: b\n    scope: x"), admin.PruneNone)
	if err == nil || !strings.Contains(err.Error(), "0.yaml:4: lychgate_company") || !strings.Contains(err.Error(), "0.yaml:5: redirect_uris") {
		t.Errorf("Plan() = %v, want both problems with their lines", err)
	}
	_, err = it(p).Plan(t.Context(), declare("scopes:\n  - name: x\n    claims:\n      sub: {from: username}"), admin.PruneNone)
	if err == nil || !strings.Contains(err.Error(), "0.yaml:3: claims.sub says what a token is") {
		t.Errorf("Plan() = %v, want the problem with its line", err)
	}
}
