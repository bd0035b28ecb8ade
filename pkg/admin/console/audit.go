// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/templates"
)

const auditPage = home + "/audit"

func (p *Pages) auditRoutes() []route {
	return []route{
		get(auditPage, NeedCompany, serveAudit),
		get(auditPage+"/export", NeedCompany, serveExport).slowly(),
	}
}

// auditFields are what the journal is searched by.
func auditFields() []string {
	return []string{"event", "account", "actor", "client", "from", "until"}
}

// serveAudit shows a page of the journal, the newest first, C8.
func serveAudit(v *visit) error {
	q := v.r.URL.Query()
	page := templates.ConsoleAudit{
		Console: v.frame("audit"), IT: v.it, Events: audit.Names(),
		In: templates.ConsoleAuditInput{
			Event: q.Get("event"), Account: q.Get("account"), Actor: q.Get("actor"), Client: q.Get("client"), From: q.Get("from"), Until: q.Get("until"),
		},
	}
	var err error
	if v.it {
		if page.Companies, err = v.companies(); err != nil {
			return err
		}
	}
	search, wrong, err := v.trail()
	if err != nil {
		return err
	}
	if page.Problems = wrong; len(wrong) > 0 {
		return v.page(page)
	}
	search.After, search.Limit = q.Get("after"), pageSize
	found, err := v.clerk.Trail(v.r.Context(), search)
	if err != nil {
		return err
	}
	if page.Rows, err = v.events(found.Records); err != nil {
		return err
	}
	page.Later = search.After != ""
	page.CSV, page.JSON = v.searched(auditPage+"/export", "format", "csv"), v.searched(auditPage+"/export", "format", "jsonl")
	page.First = v.searched(auditPage, "", "")
	if found.Next != "" {
		page.Next = v.searched(auditPage, "after", found.Next)
		if page.Short = len(found.Records) < pageSize; page.Short {
			page.Back = placeTime(found.Next)
		}
	}
	return v.page(page)
}

// trail is the search that the address asks for, and what is wrong with it.
func (v *visit) trail() (admin.TrailQuery, []templates.ConsoleProblem, error) {
	q, ctx := v.r.URL.Query(), v.r.Context()
	one := func(name string) string { return strings.TrimSpace(q.Get(name)) }
	search := admin.TrailQuery{Company: v.of, Event: one("event"), Client: one("client")}
	var wrong []templates.ConsoleProblem
	day := func(name string, days int) time.Time {
		if one(name) == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.DateOnly, one(name))
		if err != nil {
			wrong = append(wrong, templates.ConsoleProblem{Field: name, Kind: "day"})
			return time.Time{}
		}
		return at.AddDate(0, 0, days)
	}
	search.From, search.Until = day("from", 0), day("until", 1)
	if len(wrong) == 0 && !search.From.IsZero() && !search.Until.IsZero() && !search.From.Before(search.Until) {
		wrong = append(wrong, templates.ConsoleProblem{Field: "until", Kind: "order"})
	}
	var err error
	if search.Account, err = v.clerk.TrailAccount(ctx, one("account")); err != nil {
		return search, nil, err
	}
	if one("actor") == one("account") {
		search.Actor = search.Account
		return search, wrong, nil
	}
	search.Actor, err = v.clerk.TrailAccount(ctx, one("actor"))
	return search, wrong, err
}

// searched is an address with what was searched for, and one thing more.
func (v *visit) searched(path, name, value string) string {
	q := url.Values{}
	for _, f := range auditFields() {
		if s := v.r.URL.Query().Get(f); s != "" {
			q.Set(f, s)
		}
	}
	if v.it && v.of != "" {
		q.Set("company", v.of)
	}
	if name != "" {
		q.Set(name, value)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// placeTime is the time of a place in the journal; zero if it tells none.
func placeTime(place string) time.Time {
	ms, _, _ := strings.Cut(place, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}

// events are records as the page shows them, with the names of those who may be seen.
func (v *visit) events(list []audit.Record) ([]templates.ConsoleEvent, error) {
	ids := map[string]bool{}
	for _, r := range list {
		for _, id := range []string{r.Account, r.Actor} {
			// Clients and the command line act too.
			if id != "" && (id == r.Account || r.Detail["by"] == string(admin.ActorAccount)) {
				ids[id] = true
			}
		}
	}
	names, err := v.clerk.Names(v.r.Context(), slices.Sorted(maps.Keys(ids)))
	if err != nil {
		return nil, err
	}
	people := v.has(home + "/people/{id}")
	party := func(id string) templates.ConsoleParty {
		p := templates.ConsoleParty{ID: id, Name: cmp.Or(names[id], id)}
		if people && names[id] != "" {
			p.URL = home + "/people/" + url.PathEscape(id)
		}
		return p
	}
	var out []templates.ConsoleEvent
	for _, r := range list {
		e := templates.ConsoleEvent{
			At: r.At, Event: r.Event, Result: r.Result, Client: r.Client, Company: r.Company, Source: r.Source, Browser: r.Browser,
			Who: party(cmp.Or(r.Actor, r.Account)), RequestID: r.RequestID,
		}
		if r.Actor != "" && r.Account != r.Actor {
			e.Whom = party(r.Account)
		}
		for _, name := range slices.Sorted(maps.Keys(r.Detail)) {
			e.Detail = append(e.Detail, [2]string{name, r.Detail[name]})
		}
		out = append(out, e)
	}
	return out, nil
}

// has says whether there is a page that whoever looks may see.
func (v *visit) has(path string) bool {
	return slices.ContainsFunc(v.routes, func(t route) bool {
		return t.method == http.MethodGet && t.path == path && (v.it || t.need == NeedCompany)
	})
}
