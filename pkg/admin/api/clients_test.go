// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// The whole life of a client: registered, read, listed, replaced, changed in part, removed.
func TestClientLife(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot", "clients:read", "clients:write")
	made := w.made(t, token, anApp)
	id, secret, tag := made.str("client_id"), made.str("client_secret"), made.header.Get("ETag")
	path := "/api/v1/clients/" + id
	if !strings.HasPrefix(id, "lgcl_") || !strings.HasPrefix(secret, "lgcs_") || made.header.Get("Location") != path || len(tag) != 34 ||
		made.json["client_secret_expires_at"] != 0.0 || made.header.Get("Cache-Control") != "no-store" {
		t.Errorf("registered: %v %s", made.header, made.text)
	}
	read := w.ask(t, http.MethodGet, path, token, "")
	if read.status != http.StatusOK || read.str("client_name") != "Tide" || read.header.Get("ETag") != tag || strings.Contains(read.text, "secret\"") {
		t.Errorf("read: %d %v %s", read.status, read.header, read.text)
	}
	if no := w.ask(t, http.MethodPut, path, token, anApp); no.status != http.StatusPreconditionRequired {
		t.Errorf("replace without If-Match: %d %s", no.status, no.text)
	}
	put := w.ask(t, http.MethodPut, path, token, strings.Replace(anApp, "Tide", "Ebb", 1), "If-Match", tag)
	if put.status != http.StatusOK || put.str("client_name") != "Ebb" || put.header.Get("ETag") == tag {
		t.Errorf("replaced: %d %s", put.status, put.text)
	}
	if late := w.ask(t, http.MethodPut, path, token, anApp, "If-Match", tag); late.status != http.StatusPreconditionFailed {
		t.Errorf("replaced from an old version: %d %s", late.status, late.text)
	}
	patched := w.ask(t, http.MethodPatch, path, token, `{"client_uri":"https://tide.example.com/","client_name":null}`, "If-Match", put.header.Get("ETag"))
	if patched.status != http.StatusOK || patched.str("client_uri") == "" || patched.json["client_name"] != nil || !strings.Contains(patched.text, `"redirect_uris":["https://tide.example.com/cb"]`) {
		t.Errorf("changed: %d %s", patched.status, patched.text)
	}
	if any := w.ask(t, http.MethodPatch, path, token, `{"client_name":"Flood"}`, "If-Match", "*"); any.status != http.StatusOK {
		t.Errorf("changed whatever it is: %d %s", any.status, any.text)
	}
	found := w.ask(t, http.MethodGet, "/api/v1/clients?text=FLOO", token, "")
	if found.status != http.StatusOK || len(found.list("clients")) != 1 || found.json["total"] != 1.0 || found.json["next_cursor"] != nil {
		t.Errorf("found: %d %s", found.status, found.text)
	}
	if stale := w.ask(t, http.MethodDelete, path, token, "", "If-Match", tag); stale.status != http.StatusPreconditionFailed {
		t.Errorf("removed from an old version: %d %s", stale.status, stale.text)
	}
	if gone := w.ask(t, http.MethodDelete, path, token, ""); gone.status != http.StatusNoContent || gone.text != "" {
		t.Errorf("removed: %d %s", gone.status, gone.text)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if again := w.ask(t, method, path, token, ""); again.status != http.StatusNotFound || again.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s afterwards: %d %s", method, again.status, again.text)
		}
	}
}

// Two secrets are in force at once; one that was ended is refused, and none is ever shown again.
func TestSecrets(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot", "clients:read", "clients:write")
	made := w.made(t, token, `{"grant_types":["client_credentials"],"response_types":[],"scope":"cases.read"}`)
	path := "/api/v1/clients/" + made.str("client_id") + "/secrets"
	next := w.ask(t, http.MethodPost, path, token, `{}`)
	if next.status != http.StatusCreated || next.str("client_secret") == "" || next.header.Get("Location") != path+"/"+next.str("id") {
		t.Fatalf("new secret: %d %v %s", next.status, next.header, next.text)
	}
	list := w.ask(t, http.MethodGet, path, token, "")
	if len(list.list("secrets")) != 2 || strings.Contains(list.text, next.str("client_secret")) || list.list("secrets")[0]["id"] != next.str("id") {
		t.Errorf("listed: %d %s", list.status, list.text)
	}
	old, _ := list.list("secrets")[1]["id"].(string)
	if end := w.ask(t, http.MethodDelete, path+"/"+old, token, ""); end.status != http.StatusNoContent {
		t.Errorf("ended: %d %s", end.status, end.text)
	}
	if again := w.ask(t, http.MethodDelete, path+"/"+old, token, ""); again.status != http.StatusNotFound {
		t.Errorf("ended again: %d %s", again.status, again.text)
	}
	if past := w.ask(t, http.MethodPost, path, token, `{"ends":"2001-01-01T00:00:00Z"}`); past.status != http.StatusUnprocessableEntity || past.faults() != "/ends" {
		t.Errorf("an end that has passed: %d %s", past.status, past.text)
	}
}
