// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// The life of a mail domain: its record is read, looked for, found, and the domain is listed and removed.
func TestDomainLife(t *testing.T) {
	z := &idptest.Zone{}
	w := newWorld(t, idptest.Setup{Zone: z})
	token := w.token(t, "acme-robot", "companies:read", "companies:write")
	const list, path = "/api/v1/companies/acme/domains", "/api/v1/companies/acme/domains/acme.example"
	read := w.ask(t, http.MethodGet, path, token, "")
	record, _ := read.json["record"].(map[string]any)
	name, _ := record["name"].(string)
	value, _ := record["value"].(string)
	if read.status != http.StatusOK || read.json["verified"] != false || record["type"] != "TXT" || name != "_lychgate.acme.example" || z.Asked() != 0 {
		t.Fatalf("read: %d %s", read.status, read.text)
	}
	tag := read.header.Get("ETag")
	if no := w.ask(t, http.MethodPut, path, token, ""); no.status != http.StatusPreconditionRequired || z.Asked() != 0 {
		t.Errorf("without If-Match: %d %s", no.status, no.text)
	}
	missing := w.ask(t, http.MethodPut, path, token, "", "If-Match", tag)
	if missing.status != http.StatusUnprocessableEntity || missing.faults() != "path.domain" || !strings.Contains(missing.text, "can take an hour") {
		t.Errorf("without a record: %d %s", missing.status, missing.text)
	}
	z.Silence(true)
	away := w.ask(t, http.MethodPut, path, token, "", "If-Match", tag)
	if away.status != http.StatusServiceUnavailable || away.header.Get("Retry-After") == "" || !strings.Contains(away.str("detail"), "name server") {
		t.Errorf("a name server that is away: %d %v %s", away.status, away.header, away.text)
	}
	z.Silence(false)
	z.Set(name, value)
	put := w.ask(t, http.MethodPut, path, token, "", "If-Match", tag)
	if put.status != http.StatusOK || put.json["verified"] != true || put.header.Get("ETag") == tag {
		t.Fatalf("added: %d %s", put.status, put.text)
	}
	if late := w.ask(t, http.MethodPut, path, token, "", "If-Match", tag); late.status != http.StatusPreconditionFailed {
		t.Errorf("from an old version: %d %s", late.status, late.text)
	}
	if again := w.ask(t, http.MethodPut, path, token, "", "If-Match", "*"); again.status != http.StatusOK || again.text != put.text {
		t.Errorf("again: %d %s", again.status, again.text)
	}
	all := w.ask(t, http.MethodGet, list, token, "")
	if all.text != `{"domains":["acme.example"]}` || all.header.Get("ETag") != put.header.Get("ETag") {
		t.Errorf("listed: %d %s", all.status, all.text)
	}
	if stale := w.ask(t, http.MethodDelete, path, token, "", "If-Match", tag); stale.status != http.StatusPreconditionFailed {
		t.Errorf("removed from an old version: %d %s", stale.status, stale.text)
	}
	if gone := w.ask(t, http.MethodDelete, path, token, ""); gone.status != http.StatusNoContent {
		t.Errorf("removed: %d %s", gone.status, gone.text)
	}
	if again := w.ask(t, http.MethodDelete, path, token, ""); again.status != http.StatusNotFound {
		t.Errorf("removed again: %d %s", again.status, again.text)
	}
	if none := w.ask(t, http.MethodGet, list, token, ""); none.text != `{"domains":[]}` {
		t.Errorf("listed: %s", none.text)
	}
}

// What is no domain, another company's, or asked for too often, is refused with the place and the remedy.
func TestDomainRefusals(t *testing.T) {
	z := &idptest.Zone{}
	w := newWorld(t, idptest.Setup{Zone: z})
	token := w.token(t, "acme-robot")
	w.AddCompany(t, company.Company{ID: "plain", Name: "Plain Estates", Domains: []string{"plain.example"}})
	const list = "/api/v1/companies/acme/domains/"
	for _, bad := range []string{"acme", "ACME.example", "acme.example.", "m%C3%BCnchen.example", "127.0.0.1", "@acme.example"} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			if got := w.ask(t, method, list+bad, token, "", "If-Match", "*"); got.status != http.StatusUnprocessableEntity || got.faults() != "path.domain" {
				t.Errorf("%s %s: %d %s", method, bad, got.status, got.text)
			}
		}
	}
	record, _ := w.ask(t, http.MethodGet, list+"plain.example", token, "").json["record"].(map[string]any)
	name, _ := record["name"].(string)
	value, _ := record["value"].(string)
	z.Set(name, value)
	taken := w.ask(t, http.MethodPut, list+"plain.example", token, "", "If-Match", "*")
	if taken.status != http.StatusUnprocessableEntity || !strings.Contains(taken.text, "another company") || strings.Contains(taken.text, "plain") {
		t.Errorf("another company's: %d %s", taken.status, taken.text)
	}
	for range 29 {
		w.ask(t, http.MethodPut, list+"nobody.example", token, "", "If-Match", "*")
	}
	wait := w.ask(t, http.MethodPut, list+"nobody.example", token, "", "If-Match", "*")
	after, err := strconv.Atoi(wait.header.Get("Retry-After"))
	if wait.status != http.StatusTooManyRequests || wait.str("code") != "too_many_requests" || err != nil || after < 60 || after > 120 || z.Asked() != 30 {
		t.Errorf("after %d questions: %d %v %s", z.Asked(), wait.status, wait.header, wait.text)
	}
}
