// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package console is the pages under /admin for IT teams and company admins. They are server-rendered and need no script.
//
// Who may see them: an account whose role is it (everything) or company (the own company alone), with password and second
// factor shown lately in this session. What was shown opens pages for 15 minutes; a change wants it shown in the last 5
// (authn.FreshProof), so that nobody else makes it at a desk that was left. A remembered device never counts, and an
// account without a factor sets one up first. The rules are those of the sign-in (pkg/web, flow.PurposeConsole), asked at
// every request. A form that is sent too late is kept, sealed in the address that its sender comes back to, and shown
// again after the proof. Anybody else finds no page here (404) and stands in the audit log; whoever is not signed in is led
// to the sign-in and back.
//
// What a company admin sees is bounded by admin.Clerk, in one place for all pages: what belongs to another company is not
// there. A subject of the console is a file with its pages and a list of routes, which Pages.list puts together.
package console

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// Site is what the console needs of the sign-in.
type Site interface {
	// Console returns the person once everything that q asks for was shown, if may agrees to the account; it may change q.
	// If ok is false without an error, the browser was led to a flow that comes back to q.Return.
	Console(w http.ResponseWriter, r *http.Request, q *flow.Request, may func(authn.Account) error) (v session.View, ok bool, err error)
	// Try begins a sign-in at a client that comes back to q.Return; Tried returns its flow.
	Try(w http.ResponseWriter, r *http.Request, q flow.Request) error
	Tried(r *http.Request, id string) (*flow.Flow, flow.Pass, error)
	// Logo is where a page finds the logo of a client; empty if there is none.
	Logo(ctx context.Context, c *client.Client) string
	Frontage
}

// Frontage reads forms and renders pages as the sign-in does.
type Frontage interface {
	OwnFrame(w http.ResponseWriter, r *http.Request, v session.View) templates.Frame
	Page(w http.ResponseWriter, r *http.Request, status int, p templates.Page)
	// Lines reads a form; line breaks may stand in the fields that are named.
	Lines(w http.ResponseWriter, r *http.Request, names ...string) (url.Values, error)
	// Upload reads a form with one long text, which comes as a file or in the field of this name.
	Upload(w http.ResponseWriter, r *http.Request, long string) (url.Values, error)
	See(w http.ResponseWriter, r *http.Request, path string) error
}

// Engine shows what a client would receive.
type Engine interface {
	// NewTry returns the request of a sign-in at c that comes back to a path of ours. authn.ErrConflict for a client that
	// nobody signs in to with a code.
	NewTry(ctx context.Context, c *client.Client, back string) (flow.Request, error)
	// Preview answers the flow of a try and ends at once what it issued.
	Preview(ctx context.Context, f *flow.Flow, p flow.Pass) (grant.Preview, error)
}

// Config is what the console is built from. Every field is needed.
type Config struct {
	Site Site
	// Clerk returns the clerk of whoever acts: nothing else here changes or reads what is registered.
	Clerk     func(admin.Actor) *admin.Clerk
	Companies company.Registry
	Engine    Engine
	Issuer    string
	// Seal and Open keep a form in an address: what Open returns is what Seal was given.
	Seal  func(plain []byte) (string, error)
	Open  func(sealed string) ([]byte, error)
	Audit *audit.Log
	Now   func() time.Time
	Rand  io.Reader
}

// Pages are the console.
type Pages struct {
	cfg    Config
	routes []route
}

// New returns the console.
func New(cfg Config) *Pages {
	p := &Pages{cfg: cfg}
	p.routes = p.list()
	return p
}

// list is every page of the console.
func (p *Pages) list() []route {
	return slices.Concat(
		p.overviewRoutes(), p.clientRoutes(), p.peopleRoutes(), p.invitationRoutes(), p.companyRoutes(),
		p.policyRoutes(), p.auditRoutes(), p.keyRoutes(), p.scopeRoutes(), p.roleRoutes(),
	)
}

// Need says who may use a route.
type Need string

// The needs. NeedCompany lets in company admins, who see their own company alone, and IT teams.
const (
	NeedIT      Need = "it"
	NeedCompany Need = "company"
)

// Route is an address of the console, with its guard in Serve.
type Route struct {
	Method, Path string
	Need         Need
	// Slow: it works for a while, such as writing to everybody of a company.
	Slow  bool
	Serve func(http.ResponseWriter, *http.Request) error
}

// route is an address before it is guarded. It is made by get and post alone, so that none is without a need.
type route struct {
	method, path string
	need         Need
	serve        func(*visit) error
	// fresh wants the proof for a change. lines are fields of several lines; keep says that a form that came too late is
	// kept; back is where whoever sent it comes back to, empty: the page of the same path.
	fresh bool
	lines []string
	kept  bool
	back  func(*http.Request) string
	slow  bool
	// long is the field of a form that may hold a file; empty: none.
	long string
}

func get(path string, need Need, serve func(*visit) error) route {
	return route{method: http.MethodGet, path: path, need: need, serve: serve}
}

// post is a change: the proof is fresh. back is the page that its form stands on.
func post(path string, need Need, back func(*http.Request) string, serve func(*visit) error) route {
	return route{method: http.MethodPost, path: path, need: need, serve: serve, fresh: true, back: back}
}

// keeps has what was typed come back after a proof; lines are the fields of several lines.
func (t route) keeps(lines ...string) route {
	t.kept, t.lines = true, lines
	return t
}

// slowly is for what works for a while.
func (t route) slowly() route {
	t.slow = true
	return t
}

// uploads has a long text, or a file, come in a field. It is not kept over a proof: it is chosen anew.
func (t route) uploads(long string) route {
	t.long = long
	return t
}

// looks is a post that changes nothing: what opens pages opens it.
func (t route) looks() route {
	t.fresh = false
	return t
}

// Routes returns every address with its guard, for pkg/server to mount.
func (p *Pages) Routes() []Route {
	var out []Route
	for _, t := range p.routes {
		out = append(out, Route{t.method, t.path, t.need, t.slow, func(w http.ResponseWriter, r *http.Request) error {
			return p.guarded(w, r, t)
		}})
	}
	return out
}

const home = "/admin"

// visit is one request of an admin.
type visit struct {
	*Pages
	session.View
	w     http.ResponseWriter
	r     *http.Request
	form  url.Values
	clerk *admin.Clerk
	// it: of the IT team. of is the company that is looked at, empty: all.
	it bool
	of string
}

// guarded serves a route to those who may use it.
func (p *Pages) guarded(w http.ResponseWriter, r *http.Request, t route) error {
	v := &visit{Pages: p, w: w, r: r}
	q := flow.Request{Purpose: flow.PurposeConsole, Return: r.URL.RequestURI()}
	if t.method == http.MethodPost {
		var err error
		if v.form, err = p.read(w, r, t); err != nil {
			return err
		}
		q.Return = t.back(r)
	}
	if t.fresh {
		q.Purpose = flow.PurposeConsoleAct
	}
	var ok bool
	var err error
	v.View, ok, err = p.cfg.Site.Console(w, r, &q, func(a authn.Account) error {
		if t.kept {
			q.Return = p.keep(a, v.form, q.Return)
		}
		return p.admits(r, a, t.need)
	})
	if !ok {
		return err
	}
	if err := v.place(r.Context()); err != nil {
		return err
	}
	return t.serve(v)
}

// read reads the form of a route.
func (p *Pages) read(w http.ResponseWriter, r *http.Request, t route) (url.Values, error) {
	if t.long != "" {
		return p.cfg.Site.Upload(w, r, t.long)
	}
	return p.cfg.Site.Lines(w, r, t.lines...)
}

// admits answers authn.ErrNotFound for an account that a route is not for, and writes that down: nothing says that there
// is a console at all.
func (p *Pages) admits(r *http.Request, a authn.Account, need Need) error {
	if a.Admin == authn.AdminIT || (a.Admin == authn.AdminCompany && a.Company != "" && need == NeedCompany) {
		return nil
	}
	p.refused(r, a)
	return fmt.Errorf("console for account %s: %w", a.ID, authn.ErrNotFound)
}

func (p *Pages) refused(r *http.Request, a authn.Account) {
	p.cfg.Audit.Event(r.Context(), audit.AdminRefused, slog.String("actor", a.ID), slog.String("by", string(admin.ActorAccount)),
		slog.String("of", a.Company), slog.String("route", r.Pattern))
}

// place says whose company is looked at, and who acts there. A company admin's is the own one, whatever is asked for.
func (v *visit) place(ctx context.Context) error {
	v.it = v.Account.Admin == authn.AdminIT
	actor := admin.Actor{Kind: admin.ActorAccount, ID: v.Account.ID}
	v.of = v.r.URL.Query().Get("company")
	if !v.it {
		if v.of != "" && v.of != v.Account.Company {
			v.refused(v.r, v.Account)
			return fmt.Errorf("company %q: %w", v.of, authn.ErrNotFound)
		}
		v.of, actor.Company = v.Account.Company, v.Account.Company
	}
	v.clerk = v.cfg.Clerk(actor)
	if v.it && v.of != "" {
		if _, err := v.cfg.Companies.Company(ctx, v.of); err != nil {
			return err
		}
	}
	return nil
}

// frame is what stands around a page of a section.
func (v *visit) frame(section string) templates.Console {
	c := templates.Console{Frame: v.cfg.Site.OwnFrame(v.w, v.r, v.View), Account: v.Account.Name, Nav: v.sections(), Section: section}
	if v.it {
		// An IT team looks at the company that it has chosen, not at its own.
		c.Company, c.Of = "", v.of
		if co, err := v.cfg.Companies.Company(v.r.Context(), v.of); err == nil {
			c.Company = co.Name
		}
	}
	c.SwitchURL = v.switched(c.SwitchURL)
	if v.r.Method != http.MethodGet {
		// The other language would be another page, without what was typed or made.
		c.SwitchURL = ""
	}
	return c
}

// switched is the address of the page in the other language, with what was searched for and chosen.
func (v *visit) switched(address string) string {
	u, err := url.Parse(address)
	if err != nil || address == "" {
		return ""
	}
	q := u.Query()
	for _, name := range append(auditFields(), "company", "q", "show", "group", "after", domainField, "name", "role") {
		if value := v.r.URL.Query().Get(name); value != "" {
			q.Set(name, value)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// sections are those that have a page which whoever looks may see.
func (v *visit) sections() []string {
	var out []string
	for _, s := range []string{"overview", "people", "clients", "policy", "audit", "companies", "keys"} {
		path := strings.TrimSuffix(home+"/"+s, "/overview")
		if slices.ContainsFunc(v.routes, func(t route) bool {
			return t.method == http.MethodGet && t.path == path && (v.it || t.need == NeedCompany)
		}) {
			out = append(out, s)
		}
	}
	return out
}

func (v *visit) page(p templates.Page) error {
	v.cfg.Site.Page(v.w, v.r, http.StatusOK, p)
	return nil
}

func (v *visit) see(path string) error { return v.cfg.Site.See(v.w, v.r, path) }

// done is what the address says was done, if it is one of the given: it is looked up, never echoed.
func (v *visit) done(known ...string) string {
	if what := v.r.URL.Query().Get("done"); slices.Contains(known, what) {
		return what
	}
	return ""
}
