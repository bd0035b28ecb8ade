// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// routes is every route of the console, without anything behind it: their guards are not called.
func routes() []console.Route { return console.New(console.Config{}).Routes() }

// visitor is somebody who tries every route.
type visitor struct {
	name string
	// add makes the account and returns the browser; nil: nobody is signed in.
	account, company string
	role             authn.AdminRole
	bare             bool
}

func visitors() []visitor {
	return []visitor{
		{name: "nobody"},
		{name: "no role", account: "norman@acme.example", company: "acme"},
		{name: "no factor", account: "bare@acme.example", company: "acme", role: authn.AdminCompany, bare: true},
		{name: "other company", account: "olga@plain.example", company: "plain", role: authn.AdminCompany},
		{name: "company admin", account: "claire@acme.example", company: "acme", role: authn.AdminCompany},
		{name: "it", account: "ian@it.example", role: authn.AdminIT},
	}
}

// browser signs the visitor in at the own account page, where everybody may.
func (v visitor) browser(t *testing.T, p *idptest.IDP) *idptest.Browser {
	t.Helper()
	b := p.Browser(t)
	switch {
	case v.account == "":
		return b
	case v.bare:
		p.AddBareAdmin(t, v.account, v.company, v.role)
	case v.role == authn.AdminNone:
		p.AddEnrolled(t, v.account, v.company)
	default:
		p.AddAdmin(t, v.account, v.company, v.role)
	}
	b.Own(t, v.account)
	return b
}

// may says whether the visitor may use a route on something of acme.
func (v visitor) may(r console.Route) bool {
	switch {
	case v.role == authn.AdminIT:
		return true
	case v.role != authn.AdminCompany || v.bare || r.Need == console.NeedIT:
		return false
	default:
		// What names something of acme is not there for another company's admin.
		return v.company == "acme" || !strings.Contains(r.Path, "{")
	}
}

// tries a route on something of acme, and looks at what the visitor is told.
func (v visitor) tries(t *testing.T, b *idptest.Browser, r console.Route, acme *strings.Replacer) {
	t.Helper()
	path := acme.Replace(r.Path)
	var page *idptest.Page
	if r.Method == http.MethodGet {
		page = b.Get(t, path)
	} else {
		page = b.Post(t, path, url.Values{})
	}
	led := strings.HasPrefix(page.Header.Get("Location"), "/flow/") && page.Status == http.StatusSeeOther
	isTry := strings.Contains(path, "/try")
	switch {
	case v.may(r):
		if !isTry && (page.Status >= 400 || led) {
			t.Errorf("%s %s refuses %s: %d %q", r.Method, path, v.name, page.Status, page.Header.Get("Location"))
		}
	case v.account == "" || v.bare:
		if !led {
			t.Errorf("%s %s does not lead %s to a proof: %d %q", r.Method, path, v.name, page.Status, page.H1())
		}
	case page.Status != http.StatusNotFound:
		t.Errorf("%s %s = %d %q for %s, want none", r.Method, path, page.Status, page.H1(), v.name)
	}
}

// ofAcme puts something of acme into the path of a route: the client, a person, an invitation.
func ofAcme(t *testing.T, p *idptest.IDP) *strings.Replacer {
	t.Helper()
	return strings.NewReplacer("{id}", p.RP.ID, "{company}", "acme", "{person}", p.AddEnrolled(t, "guarded@acme.example", "acme"), "{invitation}", "none")
}

// TestEveryRouteIsGuarded walks the routes for everybody who might come: what is not allowed is refused, whatever it is.
// Whoever is signed in finds no page; whoever has to show something first is led there, and nothing is done.
func TestEveryRouteIsGuarded(t *testing.T) {
	p := start(t)
	acme := ofAcme(t, p)
	for _, who := range visitors() {
		t.Run(who.name, func(t *testing.T) {
			b := who.browser(t, p)
			b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			for _, r := range routes() {
				if r.Need != console.NeedIT && r.Need != console.NeedCompany {
					t.Fatalf("%s %s says not who may use it", r.Method, r.Path)
				}
				who.tries(t, b, r, acme)
				p.AddClient(t, p.RP.Client()) // whatever was done to it
			}
		})
	}
	if n := len(happened(t, p, audit.AdminRefused)); n < len(routes()) {
		t.Errorf("%d refusals stand in the audit log, want one for each route at least", n)
	}
}

// TestConsoleFreshness: what was shown opens pages for a while; then it is asked for again, and leads back.
func TestConsoleFreshness(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/clients").Prove(t, carla), "Clients")
	p.Advance(14 * time.Minute)
	want(t, b.Get(t, "/admin/clients/cases"), "Case App")
	// A change wants it anew, and comes back to the page.
	page := want(t, b.Post(t, "/admin/clients/cases/secrets", url.Values{}), "Sign in")
	page = want(t, page.Prove(t, carla), "Case App")
	if secretOn(page) != "" || len(registered(t, p, "Case App").Secrets) != 1 {
		t.Error("a secret was made before the proof")
	}
	if got := secretOn(page.Press(t, "#secrets", "Make a new secret", nil)); got == "" {
		t.Error("no secret after the proof")
	}
	p.Advance(16 * time.Minute)
	want(t, b.Get(t, "/admin/clients/cases"), "Sign in")
}

// TestFormIsKeptOverAProof: what was typed is there again after the proof, for the same person alone.
func TestFormIsKeptOverAProof(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients/new").Prove(t, carla), "Add a client")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Add a client", form()), "Sign in")
	page = want(t, page.Prove(t, carla), "Add a client")
	if got := page.Find("#redirects").Text(); !strings.Contains(got, "https://tide.example/callback") || !strings.Contains(page.Alert(), "still here") {
		t.Errorf("kept %q, alert %q", got, page.Alert())
	}
	if strings.Contains(page.URL.String(), "tide") {
		t.Errorf("the address tells what was typed: %s", page.URL)
	}
	other := as(t, p, pete, page.URL.RequestURI())
	if got := want(t, other, "Add a client").Find("#redirects").Text(); strings.Contains(got, "tide") {
		t.Error("somebody else's form is filled in")
	}
	want(t, page.Press(t, "main", "Add a client", nil), "Tide Cases")
}

// TestAdminSetsAFactorUp: an admin without a factor comes to the console by setting one up, also where the company does
// not ask for any and lets people put it off.
func TestAdminSetsAFactorUp(t *testing.T) {
	p := start(t)
	p.AddBareAdmin(t, "new@plain.example", "plain", authn.AdminCompany)
	page := want(t, p.Browser(t).Get(t, "/admin").Login(t, "new@plain.example", idptest.Password), "Secure your account")
	if page.Find("button[value=skip]").Length() != 0 {
		t.Error("an admin may put the set-up off")
	}
	page = want(t, page.Code(t, idptest.CodeOf(t, page.Key(t), p.Now())), "Set-up complete")
	want(t, page.Submit(t, nil), "Overview")
}

// TestStrangersAreToldNothing: who is no admin is not asked for a factor on the way to what is not there.
func TestStrangersAreToldNothing(t *testing.T) {
	p := start(t)
	p.AddAccount(t, "norman@plain.example", "plain")
	nothing(t, p.Browser(t).Get(t, "/admin").Login(t, "norman@plain.example", idptest.Password))
}

// TestDisabledAdminIsOut: the next request finds no session.
func TestDisabledAdminIsOut(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/clients").Prove(t, carla), "Clients")
	if _, err := p.Node.Office.Apply(t.Context(), carla, authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	if page := b.Get(t, "/admin/clients"); page.H1() == "Clients" {
		t.Error("a disabled admin sees the console")
	}
}

// TestAlwaysIsAskedOnce: where a company wants a code each time, the console and the account page ask for one and open.
func TestAlwaysIsAskedOnce(t *testing.T) {
	p := start(t)
	p.AddCompany(t, company.Company{ID: "strict", Name: "Strict Legal", SecondFactor: flow.FactorAlways})
	p.AddAdmin(t, "sue@strict.example", "strict", authn.AdminCompany)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin").Prove(t, "sue@strict.example"), "Overview")
	p.NextStep()
	want(t, b.Get(t, "/admin/clients"), "Clients")
	want(t, b.Get(t, "/account"), "Security")
}

// TestRememberedDeviceIsNoProof: an admin shows the factor itself.
func TestRememberedDeviceIsNoProof(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, carla, idptest.Password)
	p.NextStep()
	p.RP.Exchange(t, page.Remember(t, p.Code(t, 0)))
	n := p.Browser(t)
	n.SetCookie(b.CookieName("lgd_"), b.Cookie("lgd_"))
	want(t, n.Get(t, "/admin/clients").Login(t, carla, idptest.Password), "Enter your code")
}

// TestCompanyBoundary: a company's admin sees nothing of another company, by whatever way.
func TestCompanyBoundary(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients").Prove(t, pete), "Clients")
	if strings.Contains(page.Body, "Case App") {
		t.Error("the list shows another company's client")
	}
	for _, path := range []string{"/admin/clients?company=acme", "/admin/clients/cases", "/admin?company=acme", "/admin/try/callback?client=cases&flow=x"} {
		nothing(t, b.Get(t, path))
	}
	nothing(t, b.Post(t, "/admin/clients/cases/disable", url.Values{}))
	if got := happened(t, p, audit.AdminRefused); len(got) < 4 {
		t.Errorf("refusals in the audit log: %+v", got)
	}
	if registered(t, p, "Case App").Disabled {
		t.Error("the client is turned off")
	}
	// Nor can a form take a client over to another company.
	page = b.Get(t, "/admin/clients/new")
	want(t, page.Press(t, "main", "Add a client", form("owner", "acme", "id", "mine", "companies", "acme")), "Tide Cases")
	if c := registered(t, p, "Tide Cases"); c.Company != "plain" || c.ID == "mine" || len(c.Companies) != 1 || c.Companies[0] != "plain" {
		t.Errorf("registered %+v", c)
	}
}

// TestCrossSitePosts: another site's form changes nothing.
func TestCrossSitePosts(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	want(t, b.Get(t, "/admin/clients").Prove(t, carla), "Clients")
	b.Header.Set("Sec-Fetch-Site", "cross-site")
	acme := ofAcme(t, p)
	for _, r := range routes() {
		if r.Method == http.MethodPost {
			path := acme.Replace(r.Path)
			if page := b.Post(t, path, url.Values{}); page.Status != http.StatusForbidden {
				t.Errorf("%s from another site = %d %q", path, page.Status, page.H1())
			}
		}
	}
}

// TestNamesAreNoMarkup: what a client is called is shown as it is written.
func TestNamesAreNoMarkup(t *testing.T) {
	p := start(t)
	const name = `<script>alert(1)</script>"'`
	page := as(t, p, ivy, "/admin/clients/new")
	page = want(t, page.Press(t, "main", "Add a client", form("name", name, "owner", "acme")), name)
	for _, at := range []string{"", "/edit", "/remove"} {
		shown := page.Follow(t, "/admin/clients/"+registered(t, p, name).ID+at)
		if strings.Contains(shown.Body, "<script>alert") || !strings.Contains(shown.Text(), "alert(1)") {
			t.Errorf("%s shows the name as markup, or not at all", at)
		}
	}
}
