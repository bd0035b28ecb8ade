// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// planted returns a provider whose journal has entries of both companies, and of none.
func planted(t *testing.T) *idptest.IDP {
	t.Helper()
	p := start(t)
	plant(t, p, "plain", "secret-of-plain")
	plant(t, p, "", "secret-of-nobody")
	p.Node.Office.Audit.Event(t.Context(), audit.AdminRefused, slog.String("company", "acme"), slog.String("of", "plain"), slog.String("account", "secret-stranger"))
	p.Node.Office.Audit.Event(t.Context(), audit.AdminRefused, slog.String("account", "secret-account"), slog.String("client", "cases"))
	plant(t, p, "acme", `=HYPERLINK("https://evil.example")`)
	return p
}

// plant writes an entry of a company, as a client with this name would.
func plant(t *testing.T, p *idptest.IDP, companyID, name string) {
	t.Helper()
	p.Node.Office.Audit.Event(t.Context(), audit.ClientChanged, slog.String("company", companyID), slog.String("client", name))
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestAuditIsTheOwn: a company's admin sees the entries that name the own company, whatever is searched for.
func TestAuditIsTheOwn(t *testing.T) {
	p := planted(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/audit").Prove(t, carla), "Audit log")
	if !strings.Contains(page.Body, "HYPERLINK") || strings.Contains(page.Body, "secret-") {
		t.Errorf("own entries shown: %v", strings.Contains(page.Body, "HYPERLINK"))
	}
	for _, path := range []string{
		"?client=secret-of-plain", "?client=secret-of-nobody", "?account=secret-account", "?account=secret-stranger", "?account=" + pete,
		"/export", "/export?format=jsonl", "?from=2000-01-01", "?event=admin.refused",
	} {
		got := b.Get(t, "/admin/audit"+path)
		// What was searched for comes back in its field.
		body := got.Body
		if path != "" && got.Find("input[name=client]").Length() > 0 {
			body = got.Find("table, .empty").Text()
		}
		if got.Status != 200 || strings.Contains(body, "secret-") || strings.Contains(body, "plain") {
			t.Errorf("%s: %d, shows %q", path, got.Status, body)
		}
	}
	nothing(t, b.Get(t, "/admin/audit?company=plain"))
	nothing(t, b.Get(t, "/admin/audit/export?company=plain"))
	if n := len(happened(t, p, audit.AdminRefused)); n != 4 {
		t.Errorf("%d refusals in the journal, want the two that were planted and two more", n)
	}
	// The IT team sees all, or one company.
	page = want(t, as(t, p, ivy, "/admin/audit"), "Audit log")
	for _, s := range []string{"secret-of-plain", "secret-of-nobody", "secret-account", "HYPERLINK"} {
		if !strings.Contains(page.Body, s) {
			t.Errorf("the IT team does not see %q", s)
		}
	}
	page = want(t, page.Follow(t, "/admin/audit?company=plain"), "Audit log")
	if !strings.Contains(page.Body, "secret-of-plain") || strings.Contains(page.Body, "HYPERLINK") || strings.Contains(page.Body, "secret-of-nobody") {
		t.Error("the entries of plain are others")
	}
}

// TestAuditSearch: by event, by the sign-in name of an account or who acted, by client and by day.
func TestAuditSearch(t *testing.T) {
	p := planted(t)
	page := want(t, as(t, p, carla, "/admin/audit"), "Audit log")
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	for query, rows := range map[string]int{
		"client=cases&event=client.changed": 0, "event=client.changed": 1, "account=" + carla + "&event=login.accepted": 1,
		"actor=nobody%40acme.example": 0, "from=2999-01-01": 0, "until=2001-01-01": 0,
	} {
		got := want(t, page.Follow(t, "/admin/audit?"+query), "Audit log")
		if n := got.Find("tbody tr").Length(); n != rows || (n == 0) != (got.Find(".empty").Length() == 1) {
			t.Errorf("%s: %d entries, want %d", query, n, rows)
		}
	}
	got := page.Follow(t, "/admin/audit?event=login.accepted")
	if s := got.Find("tbody tr:first-child").Text(); !strings.Contains(s, carla) {
		t.Errorf("no sign-in name in %q", s)
	}
	for _, query := range []string{"from=soon", "from=2026-02-02&until=2026-02-01"} {
		if got := want(t, page.Follow(t, "/admin/audit?"+query), "Audit log"); got.Alert() == "" || got.Find("tbody").Length() != 0 {
			t.Errorf("%s: alert %q", query, got.Alert())
		}
	}
	nothing(t, page.Follow(t, "/admin/audit?after=x"))
}

// TestAuditPages: the newest first, page by page; a search that finds little says how far it looked, and goes on.
func TestAuditPages(t *testing.T) {
	p := start(t)
	for i := range 3600 {
		p.Node.Office.Audit.Event(t.Context(), audit.ClientChanged, slog.String("company", "acme"), slog.String("client", fmt.Sprintf("app-%04d", i)))
	}
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/audit?event=client.changed").Prove(t, carla), "Audit log")
	if n := page.Find("tbody tr").Length(); n != 50 || !strings.Contains(page.Find("tbody tr:first-child").Text(), "app-3599") {
		t.Errorf("%d entries, the first %q", n, page.Find("tbody tr:first-child").Text())
	}
	page = want(t, page.Follow(t, page.Find("main a.button:not([download])").First().AttrOr("href", "")), "Audit log")
	if !strings.Contains(page.Find("tbody tr:first-child").Text(), "app-3549") {
		t.Errorf("the second page begins with %q", page.Find("tbody tr:first-child").Text())
	}
	before := p.Node.Trips()
	page = want(t, page.Follow(t, "/admin/audit?client=app-0001&account="+carla), "Audit log")
	if n := p.Node.Trips() - before; n >= 10 {
		t.Errorf("%d round trips, want fewer than 10", n)
	}
	page = want(t, page.Follow(t, "/admin/audit?client=app-0001"), "Audit log")
	if page.Find("tbody tr").Length() != 0 || !strings.Contains(page.Find("main").Text(), "Look further back") {
		t.Fatal("does not say that there may be more")
	}
	page = want(t, page.Follow(t, page.Find("main a.button:not([download])").First().AttrOr("href", "")), "Audit log")
	if !strings.Contains(page.Find("tbody").Text(), "app-0001") {
		t.Error("not found further back")
	}
}

// TestAuditExport: the files hold what was searched for, no cell is a formula, and who took it stands in the journal.
func TestAuditExport(t *testing.T) {
	p := planted(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/audit").Prove(t, carla), "Audit log")
	page = page.Follow(t, "/admin/audit/export?event=client.changed")
	rows, err := csv.NewReader(strings.NewReader(page.Body)).ReadAll()
	if err != nil || len(rows) != 2 || rows[1][5] != `'=HYPERLINK("https://evil.example")` {
		t.Errorf("CSV %q, %v", rows, err)
	}
	if got := page.Header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("Content-Disposition %q", got)
	}
	page = page.Follow(t, "/admin/audit/export?format=jsonl&event=client.changed")
	var r audit.Record
	if err := json.Unmarshal([]byte(page.Body), &r); err != nil || r.Client != `=HYPERLINK("https://evil.example")` {
		t.Errorf("JSON %q, %v", page.Body, err)
	}
	if got := happened(t, p, audit.AuditExported); len(got) != 2 || got[0].Actor == "" || got[0].Detail["count"] != "1" {
		t.Errorf("the journal says %+v", got)
	}
}
