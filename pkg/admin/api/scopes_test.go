// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const scopesAt, rolesAt = "/api/v1/scopes", "/api/v1/roles"

// aScope has every kind of claim.
const aScope = `{"name":"cases:read","text":{"en":"see cases","nl":"zaken zien"},"id_token":true,"claims":{
	"department":{"from":"attributes.department"},"https://x.example/roles":{"from":"roles","prefix":"cases: "},
	"tenant":{"value":{"a":[1,null,"b"]}}}}`

// The life of a scope: declared, read, declared anew from the version that was read, removed. The journal has each.
func TestScopeLife(t *testing.T) { //nolint:gocognit // a life from beginning to end
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	made := w.ask(t, http.MethodPost, scopesAt, token, aScope)
	path, tag := made.header.Get("Location"), made.header.Get("ETag")
	if made.status != http.StatusCreated || path != scopesAt+"/cases:read" || tag == "" {
		t.Fatalf("declare: %d %v %s", made.status, made.header, made.text)
	}
	read := w.ask(t, http.MethodGet, path, token, "")
	var want map[string]any
	if err := json.Unmarshal([]byte(aScope), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, read.json); read.status != http.StatusOK || read.header.Get("ETag") != tag || d != "" {
		t.Errorf("read: %d, tag %s, want %s (-want +got):\n%s", read.status, read.header.Get("ETag"), tag, d)
	}
	if again := w.ask(t, http.MethodPost, scopesAt, token, aScope); again.status != http.StatusConflict || again.str("code") != "exists" {
		t.Errorf("declare again: %d %s", again.status, again.text)
	}
	if without := w.ask(t, http.MethodPut, path, token, aScope); without.status != http.StatusPreconditionRequired {
		t.Errorf("without If-Match: %d %s", without.status, without.text)
	}
	put := w.ask(t, http.MethodPut, path, token, `{"name":"cases:read","claims":{"tenant":{"value":1}}}`, "If-Match", tag)
	if put.status != http.StatusOK || put.header.Get("ETag") == tag || put.json["text"] != nil {
		t.Fatalf("declare anew: %d %s", put.status, put.text)
	}
	for _, tt := range [][2]string{{"PUT", aScope}, {"DELETE", ""}} {
		if late := w.ask(t, tt[0], path, token, tt[1], "If-Match", tag); late.status != http.StatusPreconditionFailed {
			t.Errorf("%s from an old version: %d %s", tt[0], late.status, late.text)
		}
	}
	if other := w.ask(t, http.MethodPut, path, token, `{"name":"other"}`, "If-Match", "*"); other.status != 422 || other.faults() != "/name" {
		t.Errorf("another name: %d %s", other.status, other.text)
	}
	if end := w.ask(t, http.MethodDelete, path, token, "", "If-Match", put.header.Get("ETag")); end.status != http.StatusNoContent {
		t.Fatalf("remove: %d %s", end.status, end.text)
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if gone := w.ask(t, method, path, token, ""); gone.status != http.StatusNotFound {
			t.Errorf("%s afterwards: %d %s", method, gone.status, gone.text)
		}
	}
	if err := w.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	events := w.ask(t, http.MethodGet, "/api/v1/audit?event="+audit.DeclarationChanged, token, "").list("events")
	if len(events) != 3 || !strings.Contains(fmt.Sprint(events[1]), "zaken zien") || !strings.Contains(fmt.Sprint(events[1]), "after") {
		t.Errorf("the journal says %v", events)
	}
}

// A scope that is built in is declared by a replacement, and is back when that is removed.
func TestBuiltInScope(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	path := scopesAt + "/groups"
	before := w.ask(t, http.MethodGet, path, token, "")
	if before.status != http.StatusOK || before.json["built_in"] != true {
		t.Fatalf("built in: %d %s", before.status, before.text)
	}
	if made := w.ask(t, http.MethodPost, scopesAt, token, `{"name":"groups"}`); made.status != http.StatusConflict {
		t.Errorf("declared as if it were new: %d %s", made.status, made.text)
	}
	if end := w.ask(t, http.MethodDelete, path, token, ""); end.status != http.StatusConflict {
		t.Errorf("removed: %d %s", end.status, end.text)
	}
	put := w.ask(t, http.MethodPut, path, token, `{"name":"groups","claims":{"g":{"from":"groups"}}}`, "If-Match", before.header.Get("ETag"))
	if put.status != http.StatusOK || put.json["built_in"] != nil {
		t.Fatalf("declared: %d %s", put.status, put.text)
	}
	if end := w.ask(t, http.MethodDelete, path, token, ""); end.status != http.StatusNoContent {
		t.Fatalf("the declaration is not removed: %d %s", end.status, end.text)
	}
	if after := w.ask(t, http.MethodGet, path, token, ""); after.text != before.text {
		t.Errorf("afterwards: %s", after.text)
	}
}

// Names hold signs that mean something in an address: each has one all the same, in whichever way it is encoded.
func TestNamesInAddresses(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	for list, names := range map[string][]string{
		scopesAt: {"a:b", "https://x.example/read", "a/../b", "...", "%41", "a?b#c", "[a]{b}|^`~!$&'()*+,;=@", "roles/", "a%2Fb", "<b>"},
		rolesAt:  {"case worker", "a/b", "Advocaat é", "\"x\"\\", "?", "%", "//"},
	} {
		for _, name := range names {
			w.hasAddress(t, token, list, name)
		}
		for _, path := range []string{list + "/", list + "/a/b", list + "//", list + "/../keys", strings.Replace(list, "v1", "v%31", 1) + "/a"} {
			if status, body := w.raw(t, path, token); status != http.StatusNotFound {
				t.Errorf("%s: %d %s", path, status, body)
			}
		}
		for _, name := range []string{".", ".."} {
			if bad := w.ask(t, http.MethodPost, list, token, `{"name":"`+name+`"}`); bad.status != 422 || bad.faults() != "/name" {
				t.Errorf("%s of %q: %d %s", list, name, bad.status, bad.text)
			}
		}
	}
}

// hasAddress declares something by a name, reads it in every way in which the name can be encoded, and removes it.
func (w *world) hasAddress(t *testing.T, token, list, name string) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"name": name})
	if err != nil {
		t.Fatal(err)
	}
	made := w.ask(t, http.MethodPost, list, token, string(body))
	if made.status != http.StatusCreated {
		t.Errorf("%s of %q: %d %s", list, name, made.status, made.text)
		return
	}
	var every strings.Builder
	for _, b := range []byte(name) {
		fmt.Fprintf(&every, "%%%02x", b)
	}
	for _, path := range []string{made.header.Get("Location"), list + "/" + url.PathEscape(name), list + "/" + every.String()} {
		if got := w.ask(t, http.MethodGet, path, token, ""); got.status != http.StatusOK || got.str("name") != name {
			t.Errorf("%s of %q: %d %s", path, name, got.status, got.text)
		}
	}
	if end := w.ask(t, http.MethodDelete, made.header.Get("Location"), token, ""); end.status != http.StatusNoContent {
		t.Errorf("remove %q: %d %s", name, end.status, end.text)
	}
}

// What is wrong is told at its place, all at once, and changes nothing.
func TestHostileScopes(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	for body, faults := range map[string]string{
		`{"name":""}`:                           "/name",
		`{"name":"a b"}`:                        "/name",
		`{"name":"openid"}`:                     "/name",
		`{"name":"keys:write"}`:                 "/name",
		`{"name":"x","built_in":true}`:          "/built_in",
		`{"name":"x","text":{"fr":"x"}}`:        "/text/fr",
		`{"name":"x","text":{"en":"a\u0007b"}}`: "/text/en",
		`{"name":"x","claims":{"sub":{"from":"username"},"department":{"from":"secret"}}}`:                       "/claims/department /claims/sub",
		`{"name":"x","claims":{"https://a.example/b":{"from":1}}}`:                                               "/claims/https:~1~1a.example~1b/from",
		`{"name":"x","claims":{"https://a.example/b":{"from":"roles","value":1}}}`:                               "/claims/https:~1~1a.example~1b",
		`{"name":"x","claims":{"a.b":{"other":1}}}`:                                                              "/claims/a.b/other",
		`{"name":"x","claims":{"a":{"from":"company","prefix":"b"}}}`:                                            "/claims/a",
		`{"name":"x","claims":{"a":{"value":"` + strings.Repeat("b", 1100) + `"}}}`:                              "/claims/a",
		`{"name":"x","claims":{"a":{"from":"roles","prefix":"b\u0000"}}}`:                                        "/claims/a",
		`{"name":"x","claims":{` + strings.TrimSuffix(strings.Repeat(`"a%d":{"from":"roles"},`, 51), ",") + `}}`: "/claims",
	} {
		if strings.Contains(body, "%d") {
			for i := range 51 {
				body = strings.Replace(body, "%d", fmt.Sprint(i), 1)
			}
		}
		if got := w.ask(t, http.MethodPost, scopesAt, token, body); got.status != 422 || got.faults() != faults {
			t.Errorf("%.90s: %d %s, want a fault at %s", body, got.status, got.text, faults)
		}
	}
	if list := w.ask(t, http.MethodGet, scopesAt, token, ""); list.json["total"] != 2.0 {
		t.Errorf("the list afterwards: %s", list.text)
	}
}

// A company's program reads what is declared, page by page, and declares nothing.
func TestScopesOfACompany(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	robot, acme := w.token(t, "robot"), w.token(t, "acme-robot")
	for i := range 3 {
		w.ask(t, http.MethodPost, scopesAt, robot, fmt.Sprintf(`{"name":"s%d"}`, i))
		w.ask(t, http.MethodPost, rolesAt, robot, fmt.Sprintf(`{"name":"r%d"}`, i))
	}
	for list, want := range map[string]string{scopesAt: "groups roles s0 s1 s2", rolesAt: "r0 r1 r2"} {
		if got := strings.Join(w.pageByPage(t, acme, list), " "); got != want {
			t.Errorf("%s page by page: %s, want %s", list, got, want)
		}
		one := list + "/" + strings.Fields(want)[len(strings.Fields(want))-1]
		name := one[len(list)+1:]
		for _, tt := range [][3]string{{"POST", list, `{"name":"mine"}`}, {"PUT", one, `{"name":"` + name + `"}`}, {"DELETE", one, ""}} {
			if got := w.ask(t, tt[0], tt[1], acme, tt[2], "If-Match", "*"); got.status != http.StatusForbidden {
				t.Errorf("%s %s by a company: %d %s", tt[0], tt[1], got.status, got.text)
			}
		}
		if got := w.ask(t, http.MethodGet, one, acme, ""); got.status != http.StatusOK {
			t.Errorf("%s by a company: %d %s", one, got.status, got.text)
		}
	}
	if err := w.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(w.ask(t, http.MethodGet, "/api/v1/audit?actor=acme-robot&event="+audit.AdminRefused, robot, "").list("events")); n != 6 {
		t.Errorf("%d refusals stand in the journal, want 6", n)
	}
}

// pageByPage are the names in a list, read two at a time.
func (w *world) pageByPage(t *testing.T, token, list string) []string {
	t.Helper()
	var seen []string
	for query := "?limit=2"; len(seen) < 10; {
		page := w.ask(t, http.MethodGet, list+query, token, "")
		for _, x := range page.list(list[len("/api/v1/"):]) {
			seen = append(seen, fmt.Sprint(x["name"]))
		}
		if page.str("next_cursor") == "" {
			break
		}
		query = "?limit=2&cursor=" + page.str("next_cursor")
	}
	return seen
}

// The life of a role.
func TestRoleLife(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	token := w.token(t, "robot")
	const body = `{"name":"case worker","text":"may change cases"}`
	made := w.ask(t, http.MethodPost, rolesAt, token, body, "Idempotency-Key", "one")
	path, tag := made.header.Get("Location"), made.header.Get("ETag")
	if made.status != http.StatusCreated || path != rolesAt+"/case%20worker" || tag == "" {
		t.Fatalf("declare: %d %v %s", made.status, made.header, made.text)
	}
	if again := w.ask(t, http.MethodPost, rolesAt, token, body, "Idempotency-Key", "one"); again.status != http.StatusCreated || again.text != made.text {
		t.Errorf("the same request again: %d %s", again.status, again.text)
	}
	if again := w.ask(t, http.MethodPost, rolesAt, token, body); again.status != http.StatusConflict {
		t.Errorf("declare again: %d %s", again.status, again.text)
	}
	put := w.ask(t, http.MethodPut, path, token, `{"name":"case worker","text":"may see cases"}`, "If-Match", tag)
	if put.status != http.StatusOK || put.str("text") != "may see cases" {
		t.Fatalf("declare anew: %d %s", put.status, put.text)
	}
	for _, tt := range [][2]string{{"PUT", body}, {"DELETE", ""}} {
		if late := w.ask(t, tt[0], path, token, tt[1], "If-Match", tag); late.status != http.StatusPreconditionFailed {
			t.Errorf("%s from an old version: %d %s", tt[0], late.status, late.text)
		}
	}
	if bad := w.ask(t, http.MethodPut, path, token, `{"name":"case worker","text":"a\u0001"}`, "If-Match", "*"); bad.status != 422 || bad.faults() != "/text" {
		t.Errorf("a bad text: %d %s", bad.status, bad.text)
	}
	if end := w.ask(t, http.MethodDelete, path, token, ""); end.status != http.StatusNoContent {
		t.Errorf("remove: %d %s", end.status, end.text)
	}
	if gone := w.ask(t, http.MethodGet, path, token, ""); gone.status != http.StatusNotFound {
		t.Errorf("afterwards: %d %s", gone.status, gone.text)
	}
}
