// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// update writes the document instead of comparing it: go test ./pkg/admin/api -run TestDocument -update.
var update = flag.Bool("update", false, "write docs/openapi.json")

// The document is made from the code; its copy shows each change to who reads a change of the code, and to who wants it
// without a server.
func TestDocument(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	got := w.ask(t, http.MethodGet, "/api/openapi.json", "", "")
	if got.status != http.StatusOK || got.header.Get("Content-Type") != "application/openapi+json" || got.str("openapi") != "3.1.0" {
		t.Fatalf("document: %d %v", got.status, got.header)
	}
	text := strings.ReplaceAll(got.text, w.Issuer, "https://id.example.com") + "\n"
	const file = "../../../docs/openapi.json"
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != text {
		t.Errorf("the document has changed (%v): look at it, then run go test ./pkg/admin/api -run TestDocument -update", err)
	}
	for _, page := range []string{"/api/docs", "/docs", "/api/openapi.yaml", "/api/openapi-3.0.json", "/schemas/Client", "/api/schemas/Client"} {
		if got := w.ask(t, http.MethodGet, page, "", ""); got.status != http.StatusNotFound {
			t.Errorf("%s: %d", page, got.status)
		}
	}
}
