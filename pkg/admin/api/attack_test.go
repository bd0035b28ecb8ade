// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestForeignCompany: another company's client is not there, whatever is asked, and each question is written down.
func TestForeignCompany(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	acme, robot := w.token(t, "acme-robot"), w.token(t, "robot")
	path := "/api/v1/clients/plain-robot"
	before := w.ask(t, http.MethodGet, path, robot, "")
	account := "/api/v1/accounts/" + w.AddAccount(t, "stranger@plain.example", "plain")
	company := "/api/v1/companies/plain"
	asked := 0
	for _, tt := range [][3]string{
		{"GET", path, ""},
		{"PUT", path, anApp},
		{"PATCH", path, `{"client_name":"taken"}`},
		{"DELETE", path, ""},
		{"GET", path + "/secrets", ""},
		{"POST", path + "/secrets", `{}`},
		{"DELETE", path + "/secrets/0123abcd", ""},
		{"GET", "/api/v1/clients?company=plain", ""},
		{"GET", "/api/v1/audit?company=plain", ""},
		{"GET", "/api/v1/accounts?company=plain", ""},
		{"GET", company, ""},
		{"PUT", company, `{"id":"plain","name":"Taken"}`},
		{"DELETE", company, ""},
		{"GET", company + "/policy", ""},
		{"PUT", company + "/policy", `{"second_factor":"off"}`},
		{"POST", company + "/policy/preview", `{}`},
		{"GET", company + "/groups", ""},
		{"PUT", company + "/groups", `{"groups":[]}`},
		{"GET", company + "/domains", ""},
		{"GET", company + "/domains/plain.example", ""},
		{"PUT", company + "/domains/plain.example", ""},
		{"DELETE", company + "/domains/plain.example", ""},
		{"GET", account, ""},
		{"PATCH", account, `{"admin":"company"}`},
		{"DELETE", account, ""},
		{"POST", account + "/disable", ""},
		{"POST", account + "/enable", ""},
		{"POST", account + "/sign-out", ""},
		{"POST", account + "/forget-devices", ""},
		{"POST", account + "/reset-second-factor", ""},
		{"GET", account + "/authenticators", ""},
		{"GET", account + "/devices", ""},
		{"DELETE", account + "/devices/x", ""},
		{"GET", account + "/sessions", ""},
		{"DELETE", account + "/sessions/x", ""},
		{"GET", account + "/apps", ""},
		{"DELETE", account + "/apps/cases", ""},
		{"GET", company + "/invitations", ""},
		{"POST", company + "/invitations", `{"email":"a@plain.example"}`},
		{"GET", company + "/invitations/x", ""},
		{"POST", company + "/invitations/x/resend", ""},
		{"DELETE", company + "/invitations/x", ""},
	} {
		asked++
		if got := w.ask(t, tt[0], tt[1], acme, tt[2], "If-Match", before.header.Get("ETag")); got.status != http.StatusNotFound {
			t.Errorf("%s %s: %d %s", tt[0], tt[1], got.status, got.text)
		}
	}
	if after := w.ask(t, http.MethodGet, path, robot, ""); after.text != before.text {
		t.Errorf("the client was changed: %s", after.text)
	}
	for _, body := range []string{
		strings.Replace(anApp, "{", `{"lychgate_company":"plain",`, 1), strings.Replace(anApp, "{", `{"scope":"openid clients:write",`, 1),
	} {
		if got := w.ask(t, http.MethodPost, "/api/v1/clients", acme, body); got.status < 400 || got.status >= 500 {
			t.Errorf("register %s: %d %s", body, got.status, got.text)
		}
	}
	own := w.made(t, acme, anApp)
	if own.str("lychgate_company") != "acme" {
		t.Errorf("registered by acme: %s", own.text)
	}
	list := w.ask(t, http.MethodGet, "/api/v1/clients", acme, "")
	for _, c := range list.list("clients") {
		if c["lychgate_company"] != "acme" {
			t.Errorf("acme sees %v", c)
		}
	}
	if err := w.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.ask(t, http.MethodGet, "/api/v1/audit?limit=200&actor=acme-robot&event="+audit.AdminRefused, robot, "").list("events")); n != asked {
		t.Errorf("%d events %s, want %d", n, audit.AdminRefused, asked)
	}
	for _, e := range w.ask(t, http.MethodGet, "/api/v1/audit", acme, "").list("events") {
		if e["company"] != "acme" {
			t.Errorf("acme reads %v", e)
		}
	}
}

// A token never reaches a client that may do more than itself: it could make itself a secret for it.
func TestNoMoreThanTheToken(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	robot := w.token(t, "robot", "clients:read", "clients:write")
	w.robot(t, "keeper", "", "keys:write")
	path := "/api/v1/clients/keeper"
	service := `{"grant_types":["client_credentials"],"response_types":[],"scope":"clients:read keys:write"}`
	mine := w.made(t, robot, strings.Replace(service, "keys:write", "clients:write", 1)).header.Get("Location")
	for _, tt := range [][3]string{
		{"POST", "/api/v1/clients", service},
		{"PUT", path, service},
		{"PATCH", path, `{"scope":null}`},
		{"DELETE", path, ""},
		{"POST", path + "/secrets", `{}`},
		{"DELETE", path + "/secrets/0123abcd", ""},
		{"PATCH", mine, `{"scope":"keys:write"}`},
	} {
		got := w.ask(t, tt[0], tt[1], robot, tt[2], "If-Match", "*")
		if got.status != http.StatusForbidden || !strings.Contains(got.header.Get("WWW-Authenticate"), `scope="keys:write"`) {
			t.Errorf("%s %s: %d %v %s", tt[0], tt[1], got.status, got.header, got.text)
		}
	}
}

// TestOnePutWins: of 20 that replace the same version one does, and the others are told.
func TestOnePutWins(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	made := w.made(t, token, anApp)
	path, tag := made.header.Get("Location"), made.header.Get("ETag")
	for _, method := range []string{http.MethodPut, http.MethodPatch} {
		var won, stale atomic.Int64
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				body := strings.Replace(anApp, "Tide", fmt.Sprint(method, i), 1)
				got, err := w.try(t, method, path, token, body, head{"If-Match", tag})
				switch {
				case err != nil:
					t.Error(err)
				case got.status == http.StatusOK:
					won.Add(1)
				case got.status == http.StatusPreconditionFailed:
					stale.Add(1)
				default:
					t.Errorf("%s: %d %s", method, got.status, got.text)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || stale.Load() != 19 {
			t.Errorf("%s: %d won, %d were told", method, won.Load(), stale.Load())
		}
		tag = w.ask(t, http.MethodGet, path, token, "").header.Get("ETag")
	}
}

// TestCA10 is the security case CA-10: a forged cursor, or one of another caller or list, is refused and leads nowhere.
func TestCA10(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	robot, acme, plain := w.token(t, "robot"), w.token(t, "acme-robot"), w.token(t, "plain-robot")
	for range 3 {
		w.made(t, acme, anApp)
		w.made(t, plain, anApp)
	}
	var seen []string
	query := "?limit=2"
	for range 10 {
		page := w.ask(t, http.MethodGet, "/api/v1/clients"+query, acme, "")
		for _, c := range page.list("clients") {
			seen = append(seen, fmt.Sprint(c["client_id"]))
		}
		if page.str("next_cursor") == "" {
			break
		}
		query = "?limit=2&cursor=" + page.str("next_cursor")
	}
	if len(seen) != 5 {
		t.Errorf("acme sees %d clients page by page, want 5: %v", len(seen), seen)
	}
	cursor := w.ask(t, http.MethodGet, "/api/v1/clients?limit=2", acme, "").str("next_cursor")
	refused := func(what, token, query string) {
		t.Helper()
		got := w.ask(t, http.MethodGet, query, token, "")
		if got.status != http.StatusBadRequest || strings.Contains(got.text, "plain") || got.faults() != "query.cursor" {
			t.Errorf("%s: %d %s", what, got.status, got.text)
		}
	}
	raw, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || strings.Contains(string(raw), "robot") || strings.Contains(string(raw), "lgcl_") {
		t.Fatalf("cursor %q can be read: %v", raw, err)
	}
	for i := range len(raw) * 8 {
		flipped := bytes.Clone(raw)
		flipped[i/8] ^= 1 << (i % 8)
		refused(fmt.Sprintf("bit %d flipped", i), acme, "/api/v1/clients?limit=2&cursor="+base64.RawURLEncoding.EncodeToString(flipped))
	}
	refused("another company's", plain, "/api/v1/clients?limit=2&cursor="+cursor)
	refused("everybody's", robot, "/api/v1/clients?limit=2&cursor="+cursor)
	refused("another filter", acme, "/api/v1/clients?text=T&cursor="+cursor)
	refused("another list", acme, "/api/v1/audit?cursor="+cursor)
	refused("in another spelling", acme, "/api/v1/clients?cursor="+cursor+"%0A")
	refused("cut", acme, "/api/v1/clients?cursor="+cursor[:20])
}

// TestHostileBodies: what two readers could read differently, and what is too large or too deep, changes nothing.
func TestHostileBodies(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	total := func() any { return w.ask(t, http.MethodGet, "/api/v1/clients", token, "").json["total"] }
	before := total()
	with := func(member string) string { return strings.Replace(anApp, "{", "{"+member+",", 1) }
	for name, tt := range map[string]struct {
		body, faults string
		status       int
		headers      head
	}{
		"1 MB":             {`{"client_name":"` + strings.Repeat("a", 1<<20) + `"}`, "", 413, nil},
		"64 KiB deep":      {strings.Repeat("[", 60<<10), "", 400, nil},
		"deep member":      {with(`"jwks":` + strings.Repeat(`{"a":`, 1000) + "1" + strings.Repeat("}", 1000)), "", 400, nil},
		"many parts":       {with(`"contacts":[` + strings.Repeat("1,", 3000) + "1]"), "", 400, nil},
		"twice":            {with(`"client_name":"a"`), "/client_name", 422, nil},
		"twice inside":     {with(`"jwks":{"keys":[],"keys":[]}`), "/jwks/keys", 422, nil},
		"other letters":    {with(`"Client_Name":"a"`), "/Client_Name", 422, nil},
		"long s":           {with(`"ſcope":"openid"`), "/ſcope", 422, nil},
		"null":             {with(`"scope":null`), "/scope", 422, nil},
		"unknown":          {with(`"unknown":1`), "/unknown", 422, nil},
		"type":             {with(`"contacts":"a"`), "/contacts", 422, nil},
		"type inside":      {with(`"contacts":["a",{"b":1}]`), "/contacts/1", 422, nil},
		"value":            {with(`"lychgate_pkce":"sometimes"`), "/lychgate_pkce", 422, nil},
		"wildcard":         {`{"redirect_uris":["https://*.example.com/cb"]}`, "/redirect_uris", 422, nil},
		"two at once":      {`{"redirect_uris":["http://a.example/cb"],"contacts":[""]}`, "/contacts /redirect_uris", 422, nil},
		"unknown company":  {with(`"lychgate_company":"nobody"`), "/lychgate_company", 422, nil},
		"id of two places": {with(`"client_id":"a/b"`), "/client_id", 422, nil},
		"taken":            {with(`"client_id":"robot"`), "", 409, nil},
		"not UTF-8":        {"{\"client_name\":\"\xff\"}", "", 400, nil},
		"two values":       {anApp + "{}", "", 400, nil},
		"a list":           {"[" + anApp + "]", "", 400, nil},
		"a text":           {`"a"`, "", 400, nil},
		"not JSON":         {"{", "", 400, nil},
		"a form":           {"client_name=a", "", 415, head{"Content-Type", "application/x-www-form-urlencoded"}},
		"plain text":       {anApp, "", 415, head{"Content-Type", "text/plain"}},
		"other characters": {anApp, "", 415, head{"Content-Type", "application/json; charset=utf-16"}},
		"a patch":          {anApp, "", 415, head{"Content-Type", "application/merge-patch+json"}},
		"compressed":       {anApp, "", 415, head{"Content-Encoding", "gzip"}},
	} {
		got := w.ask(t, http.MethodPost, "/api/v1/clients", token, tt.body, tt.headers...)
		if got.status != tt.status || got.faults() != tt.faults || got.str("title") != http.StatusText(tt.status) {
			t.Errorf("%s: %d %s, want %d at %q", name, got.status, got.text, tt.status, tt.faults)
		}
	}
	secret := "no-secret-comes-back-" + strings.Repeat("x", 40)
	if got := w.ask(t, http.MethodPost, "/api/v1/clients", token, with(`"client_secret":["`+secret+`"]`)); got.status != 422 || strings.Contains(got.text, secret) {
		t.Errorf("what was sent comes back: %d %s", got.status, got.text)
	}
	for query, want := range map[string]string{
		"limit=0": "query.limit", "limit=201": "query.limit", "limit=x": "query.limit", "limit=1&limit=2": "query.limit", "limit=": "query.limit", "other=1": "query.other",
	} {
		if got := w.ask(t, http.MethodGet, "/api/v1/clients?"+query, token, ""); got.status != 422 || got.faults() != want {
			t.Errorf("?%s: %d %s", query, got.status, got.text)
		}
	}
	if after := total(); after != before {
		t.Errorf("%v clients, before %v", after, before)
	}
}

// TestCA06 is the security case CA-06 for the API: no other spelling of an address, and no header, leads past the token.
func TestCA06(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	for _, path := range []string{
		"/api/v1//clients", "//api/v1/clients", "/api/v1/clients/", "/api/v1/..;/v1/clients", "/api/v1/./clients", "/api/v1/x/../clients",
		"/api%2fv1%2fclients", "/api/v1%2fclients", "/api/v1/client%73", "/API/v1/clients", "/api/v1/clients;x", "/api/v1/clients%00",
		"/flow/../api/v1/clients", "/static/../api/v1/clients", "/static/..%2fapi/v1/clients", "/api/v1/clients/..%2fkeys", "/api/v2/clients", "/api/",
	} {
		for _, sent := range []string{"", token} {
			if status, body := w.raw(t, path, sent); status != http.StatusNotFound || strings.Contains(body, `"clients"`) {
				t.Errorf("GET %s: %d %s", path, status, body)
			}
		}
	}
	for _, name := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path"} {
		if got := w.ask(t, http.MethodGet, "/livez", "", "", name, "/api/v1/clients"); strings.Contains(got.text, "clients") {
			t.Errorf("%s: %d %s", name, got.status, got.text)
		}
	}
	for _, headers := range []head{
		{"X-HTTP-Method-Override", "DELETE"}, {"User-Agent", "GoogleHC/1.0"}, {"X-Forwarded-For", "127.0.0.1"}, {"Cookie", "lg_s=x"},
	} {
		if got := w.ask(t, http.MethodGet, "/api/v1/clients", "", "", headers...); got.status != http.StatusUnauthorized {
			t.Errorf("%v: %d", headers, got.status)
		}
	}
	for method, want := range map[string]string{"PUT": "GET, POST", "TRACE": "GET, POST", "OPTIONS": "GET, POST"} {
		got := w.ask(t, method, "/api/v1/clients", token, "", "Origin", "https://evil.example")
		if got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != want || got.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", method, got.status, got.header)
		}
	}
	if got := w.ask(t, http.MethodPatch, "/register/x", "", ""); got.status != http.StatusMethodNotAllowed || got.header.Get("Allow") != "GET, PUT, DELETE" {
		t.Errorf("PATCH at another address: %d %v", got.status, got.header)
	}
	if got := w.ask(t, http.MethodGet, "/api/v1/clients", token, "", "Origin", "https://evil.example"); got.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("shared with another site: %v", got.header)
	}
}
