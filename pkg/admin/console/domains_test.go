// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const addDomain = "Add a mail domain to Acme Legal"

// shown reads the record off the page.
func shown(t *testing.T, page *idptest.Page) (name, value string) {
	t.Helper()
	if got := strings.TrimSpace(page.Find("#record-type").Text()); got != "TXT" {
		t.Errorf("the record is of type %q", got)
	}
	return strings.TrimSpace(page.Find("#record-name").Text()), strings.TrimSpace(page.Find("#record-value").Text())
}

// TestMailDomain: the page shows the record to set, says what DNS said, and adds the domain once the record is there; its
// removal says what ends.
func TestMailDomain(t *testing.T) {
	z := &idptest.Zone{}
	p := startWith(t, idptest.Setup{Zone: z})
	page := want(t, as(t, p, carla, "/admin/companies/acme"), "Acme Legal")
	page = want(t, page.Press(t, "#domains", "Show the record to set", url.Values{"domain": {" @Acme.Example. "}}), addDomain)
	name, value := shown(t, page)
	if name != "_lychgate.acme.example" || !strings.HasPrefix(value, "lychgate-domain=") || z.Asked() != 0 {
		t.Fatalf("record %q %q after %d questions", name, value, z.Asked())
	}
	check := func() *idptest.Page { return page.Press(t, "#record", "Check the record and add the domain", nil) }
	page = want(t, check(), addDomain)
	if _, again := shown(t, page); again != value || !strings.Contains(page.Alert(), "can take an hour") || len(ofID(t, p, "acme").Domains) != 0 {
		t.Errorf("without a record: alert %q, value %q", page.Alert(), again)
	}
	z.Silence(true)
	if page = want(t, check(), addDomain); !strings.Contains(page.Alert(), "did not answer") {
		t.Errorf("alert %q of a name server that is away", page.Alert())
	}
	z.Silence(false)
	z.Set(name, value)
	page = want(t, check(), "Acme Legal")
	if !strings.Contains(page.Note(), "added") || !strings.Contains(page.Find("#domains li").Text(), "acme.example") {
		t.Errorf("note %q", page.Note())
	}
	if got := happened(t, p, audit.DomainVerified); len(got) != 1 || got[0].Company != "acme" || got[0].Actor == "" {
		t.Errorf("audit log: %+v", got)
	}
	there := page.Press(t, "#domains", "Show the record to set", url.Values{"domain": {"acme.example"}})
	if !strings.Contains(want(t, there, "Acme Legal").Note(), "already") {
		t.Errorf("note %q of a domain that is there", there.Note())
	}
	page = want(t, page.Follow(t, page.Find("#domains li a").AttrOr("href", "")), "Remove acme.example?")
	if !strings.Contains(page.Text(), "Other companies can again invite") {
		t.Error("the page does not say what ends")
	}
	stale := page
	page = want(t, page.Press(t, "main", "Remove the domain now", nil), "Acme Legal")
	if !strings.Contains(page.Note(), "removed") || len(ofID(t, p, "acme").Domains) != 0 {
		t.Errorf("note %q", page.Note())
	}
	if got := want(t, stale.Press(t, "main", "Remove the domain now", nil), "Acme Legal"); !strings.Contains(got.Note(), "Nothing was changed") {
		t.Errorf("note %q of a domain that is gone", got.Note())
	}
}

// TestMailDomainProblems: what is no domain stands at its field as it was typed; another company is not named.
func TestMailDomainProblems(t *testing.T) {
	z := &idptest.Zone{}
	p := startWith(t, idptest.Setup{Zone: z})
	p.AddCompany(t, company.Company{ID: "plain", Name: "Plain Estates", Domains: []string{"plain.example"}})
	page := want(t, as(t, p, carla, "/admin/companies/acme"), "Acme Legal")
	for typed, says := range map[string]string{"": "two parts", "acme": "two parts", "<b>.example": "two parts", "münchen.example": "xn--mnchen-3ya.example"} {
		wrong := want(t, page.Press(t, "#domains", "Show the record to set", url.Values{"domain": {typed}}), addDomain)
		if got := wrong.Find("#domain").AttrOr("value", "-"); got != typed || !strings.Contains(wrong.Find("#domain-error").Text(), says) || wrong.Alert() == "" {
			t.Errorf("%q: value %q, alert %q", typed, got, wrong.Alert())
		}
		if again := want(t, wrong.Press(t, "main", "Show the record to set", url.Values{"domain": {"acme.example"}}), addDomain); again.Find("#record").Length() != 1 {
			t.Errorf("after %q there is no record for a good one", typed)
		}
	}
	record := func(domain string) *idptest.Page {
		return want(t, page.Press(t, "#domains", "Show the record to set", url.Values{"domain": {domain}}), addDomain)
	}
	taken := record("plain.example")
	z.Set(shown(t, taken))
	taken = want(t, taken.Press(t, "#record", "Check the record and add the domain", nil), addDomain)
	if !strings.Contains(taken.Alert(), "another company has plain.example") || strings.Contains(taken.Text(), "Plain Estates") {
		t.Errorf("alert %q", taken.Alert())
	}
	full := ofID(t, p, "acme")
	for i := range 50 {
		full.Domains = append(full.Domains, fmt.Sprintf("acme%d.example", i))
	}
	p.AddCompany(t, full)
	more := record("acme.example")
	z.Set(shown(t, more))
	if more = want(t, more.Press(t, "#record", "Check the record and add the domain", nil), addDomain); !strings.Contains(more.Alert(), "50 mail domains") {
		t.Errorf("alert %q", more.Alert())
	}
	for range 30 {
		more = want(t, record("nobody.example").Press(t, "#record", "Check the record and add the domain", nil), addDomain)
	}
	if !strings.Contains(more.Alert(), "Wait 2 minutes") || z.Asked() != 30 {
		t.Errorf("alert %q after %d questions", more.Alert(), z.Asked())
	}
}

// TestMailDomainWantsAFreshProof: a check that comes too late asks nobody, and leads back to the record.
func TestMailDomainWantsAFreshProof(t *testing.T) {
	z := &idptest.Zone{}
	p := startWith(t, idptest.Setup{Zone: z})
	page := want(t, as(t, p, carla, "/admin/companies/acme/domains?domain=acme.example"), addDomain)
	z.Set(shown(t, page))
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "#record", "Check the record and add the domain", nil), "Sign in")
	page = want(t, page.Prove(t, carla), addDomain)
	if z.Asked() != 0 || page.Find("#record-value").Length() != 1 {
		t.Errorf("%d questions before the proof", z.Asked())
	}
	want(t, page.Press(t, "#record", "Check the record and add the domain", nil), "Acme Legal")
	if got := ofID(t, p, "acme").Domains; !slices.Equal(got, []string{"acme.example"}) {
		t.Errorf("domains %v", got)
	}
}

// TestForeignMailDomain: another company's domains are not there, and who asked stands in the audit log; the IT team sees
// to those of any company.
func TestForeignMailDomain(t *testing.T) {
	z := &idptest.Zone{}
	p := startWith(t, idptest.Setup{Zone: z})
	page := want(t, as(t, p, carla, "/admin/companies/acme"), "Acme Legal")
	p.AddCompany(t, company.Company{ID: "plain", Name: "Plain Estates", Domains: []string{"plain.example"}})
	for _, at := range []string{"/domains?domain=plain.example", "/domains?domain=x", "/domains/remove?domain=plain.example"} {
		nothing(t, page.Follow(t, "/admin/companies/plain"+at))
	}
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/companies/acme").Prove(t, carla), "Acme Legal")
	for _, at := range []string{"/domains?domain=new.example", "/domains/remove?domain=plain.example"} {
		nothing(t, b.Post(t, "/admin/companies/plain"+at, url.Values{}))
	}
	if got := ofID(t, p, "plain").Domains; !slices.Equal(got, []string{"plain.example"}) || z.Asked() != 0 {
		t.Errorf("domains %v", got)
	}
	if got := len(happened(t, p, audit.AdminRefused)); got != 5 {
		t.Errorf("%d refusals in the audit log, want 5", got)
	}
	it := want(t, as(t, p, ivy, "/admin/companies/plain/domains/remove?domain=plain.example"), "Remove plain.example?")
	want(t, it.Press(t, "main", "Remove the domain now", nil), "Plain Estates")
}
