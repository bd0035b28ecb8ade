// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestFuzz holds the running server to its document: schemathesis reads it and sends valid and invalid requests made of
// it; no answer may be a 5xx, or one that the document does not know. API_FUZZ_SECONDS makes it run longer.
func TestFuzz(t *testing.T) {
	tool, err := filepath.Abs("../../../.tools/schemathesis/bin/schemathesis")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("schemathesis is not there (%v): run bash deploy/test-deps.sh", err)
	}
	log := &idptest.Log{}
	w := newWorld(t, idptest.Setup{Log: log, Change: func(c *config.Config) { c.Mail.Mailer = config.MailerConsole }})
	w.Node.Office.LookupTXT = w.everyRecord
	// An id with a slash has no address: whatever is removed, it is not who asks.
	w.robot(t, "fuzz/robot", "", all())
	token := w.token(t, "fuzz/robot")
	for i := range 20 {
		w.AddEnrolled(t, fmt.Sprintf("person%d@acme.example", i), "acme")
	}
	seconds := os.Getenv("API_FUZZ_SECONDS")
	if seconds == "" {
		seconds = "20"
	}
	rules, err := filepath.Abs("testdata/schemathesis.toml")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "--config-file", rules, "run", w.Issuer+"/api/openapi.json",
		"--max-time", seconds, "--header", "Authorization: Bearer "+token, "--no-color", "--no-shrink")
	// It leaves what it has learned where it runs.
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if still := w.ask(t, http.MethodGet, "/api/v1/clients", token, ""); still.status != http.StatusOK {
		t.Errorf("the token does not work any more: %d", still.status)
	}
	hold(t, log.String())
}

// everyRecord is a name server at which acme and plain have set the records of every domain.
func (w *world) everyRecord(ctx context.Context, name string) ([]string, error) {
	var out []string
	for _, company := range []string{"acme", "plain"} {
		rec, err := w.Node.Office.Clerk(admin.CommandLine()).DomainRecord(ctx, company, strings.TrimPrefix(name, "_lychgate."))
		if err != nil {
			return nil, err
		}
		out = append(out, rec.Value)
	}
	return out, nil
}

// hold looks through the server's log of the run: nothing failed, and no operation was refused every time.
func hold(t *testing.T, log string) {
	t.Helper()
	answers := map[string]map[int]int{}
	for line := range strings.Lines(log) {
		if strings.Contains(line, "api request failed") || strings.Contains(line, `"panic"`) {
			t.Error(line)
		}
		var r struct {
			Route  string `json:"route"`
			Status int    `json:"status"`
		}
		if json.Unmarshal([]byte(line), &r) == nil && strings.Contains(r.Route, "/api/v1/") {
			if answers[r.Route] == nil {
				answers[r.Route] = map[int]int{}
			}
			answers[r.Route][r.Status]++
		}
	}
	for route, count := range answers {
		t.Log(route, count)
		asked := 0
		for _, n := range count {
			asked += n
		}
		if asked < 5 {
			continue // on a busy machine: of so few, all may be wrong by chance
		}
		if count[http.StatusOK]+count[http.StatusCreated]+count[http.StatusNoContent]+count[http.StatusNotFound]+count[http.StatusConflict] == 0 {
			t.Errorf("%s was never reached by a valid request: %v", route, count)
		}
	}
}
