// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestEveryReadIsCheap: no answer that reads costs more than nine round trips to the store, with more of everything than
// stands on one page.
func TestEveryReadIsCheap(t *testing.T) {
	w := newWorld(t, idptest.Setup{Change: idptest.WithMail})
	clerk := w.Node.Office.Clerk(admin.CommandLine())
	account := w.AddEnrolled(t, "somebody@acme.example", "acme")
	for i := range 110 {
		name := fmt.Sprintf("c%03d", i)
		w.AddCompany(t, company.Company{ID: name, Name: "Company " + name})
		w.AddClient(t, &client.Client{ID: "app-" + name, Company: "acme", GrantTypes: []string{client.GrantCredentials}, Scope: "cases.read"})
		w.AddAccount(t, name+"@acme.example", "acme")
		if _, err := clerk.Invite(t.Context(), "acme", admin.Invitee{Email: "new-" + name + "@acme.example"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, by := range []string{"robot", "acme-robot"} {
		token := w.token(t, by)
		for _, o := range w.operations(t) {
			if o.method != http.MethodGet {
				continue
			}
			path := ids(o.path, "app-c001", "acme", account)
			before := w.Node.Trips()
			got := w.ask(t, o.method, path, token, "")
			if n := w.Node.Trips() - before; n >= 10 {
				t.Errorf("%s by %s (%d): %d round trips, want fewer than 10", path, by, got.status, n)
			}
		}
	}
}
