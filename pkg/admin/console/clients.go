// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

const clients = home + "/clients"

func (p *Pages) clientRoutes() []route {
	const one = clients + "/{id}"
	return []route{
		get(clients, NeedCompany, serveClients),
		get(clients+"/new", NeedCompany, serveNewClient),
		post(clients+"/new", NeedCompany, at("/new"), submitNewClient).keeps(severalLines()...),
		get(one, NeedCompany, serveClient),
		get(one+"/edit", NeedCompany, serveEditClient),
		post(one+"/edit", NeedCompany, at("/edit"), submitEditClient).keeps(severalLines()...),
		post(one+"/policy", NeedCompany, at("#policy"), submitClientPolicy),
		post(one+"/disable", NeedCompany, at("#end"), submitDisableClient),
		post(one+"/enable", NeedCompany, at("#end"), submitEnableClient),
		get(one+"/remove", NeedCompany, serveRemoveClient),
		post(one+"/remove", NeedCompany, at("/remove"), submitRemoveClient),
		post(one+"/secrets", NeedCompany, at("#secrets"), submitSecret),
		post(one+"/secrets/end", NeedCompany, at("#secrets"), submitEndSecret),
		post(one+"/secrets/keep", NeedCompany, at("#secrets"), submitKeepSecret),
		post(one+"/try", NeedCompany, at("#try"), submitTry),
		get(home+"/try/callback", NeedCompany, serveTried),
	}
}

// at is the page of the client that a request is about, or of all of them, with a path behind it.
func at(rest string) func(*http.Request) string {
	return func(r *http.Request) string {
		if id := r.PathValue("id"); id != "" {
			return clientPage(id) + rest
		}
		return clients + rest
	}
}

// clientPage is the address of a client's page.
func clientPage(id string) string { return clients + "/" + url.PathEscape(id) }

// pageSize is how many clients stand on a page.
const pageSize = 50

// serveClients lists the clients, C4.
func serveClients(v *visit) error {
	ctx, q := v.r.Context(), v.r.URL.Query()
	list, err := v.clerk.ListClients(ctx, admin.ClientQuery{Company: v.of, Text: q.Get("q"), After: q.Get("after"), Limit: pageSize})
	if err != nil {
		return err
	}
	uses, err := v.clerk.UsesOf(ctx, list.Clients)
	if err != nil {
		return err
	}
	page := templates.ConsoleClients{
		Console: v.frame("clients"), IT: v.it, Query: q.Get("q"), Total: list.Total, Done: v.done("removed"),
	}
	if v.it {
		if page.Companies, err = v.companies(); err != nil {
			return err
		}
	}
	names := map[string]string{}
	for _, co := range page.Companies {
		names[co[0]] = co[1]
	}
	for _, c := range list.Clients {
		r := row(c, uses[c.ID], v.cfg.Now())
		r.Owner = names[c.Company]
		page.Rows = append(page.Rows, r)
	}
	if list.Next != "" {
		next := url.Values{"after": {list.Next}}
		for name, value := range map[string]string{"q": q.Get("q"), "company": page.Of} {
			if value != "" {
				next.Set(name, value)
			}
		}
		page.Next = clients + "?" + next.Encode()
	}
	return v.page(page)
}

// companies are id and name of all of them, by name.
func (v *visit) companies() ([][2]string, error) {
	all, err := v.cfg.Companies.Companies(v.r.Context())
	if err != nil {
		return nil, err
	}
	var out [][2]string
	for _, co := range all {
		out = append(out, [2]string{co.ID, cmp.Or(co.Name, co.ID)})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) })
	return out, nil
}

// The kinds of clients, as people see them.
const (
	kindWeb     = "web"
	kindSPA     = "spa"
	kindNative  = "native"
	kindService = "service"
)

func kindOf(c *client.Client) string {
	switch {
	case !c.Redirects():
		return kindService
	case c.ApplicationType == client.TypeNative:
		return kindNative
	case c.Public():
		return kindSPA
	default:
		return kindWeb
	}
}

// soon is how long before its end a secret is worth a warning.
const soon = 14 * 24 * time.Hour

func row(c *client.Client, u client.Uses, now time.Time) templates.ConsoleClientRow {
	r := templates.ConsoleClientRow{ID: c.ID, Name: c.Name, Kind: kindOf(c), Other: c.Company == "", Used: utc(u.SignIn), State: "unused"}
	switch {
	case r.Kind == kindService:
		r.Factor = "none"
	case c.SecondFactor == flow.FactorRequired, c.SecondFactor == flow.FactorAlways:
		r.Factor = string(c.SecondFactor)
	}
	if !u.SignIn.IsZero() || len(u.Secrets) > 0 {
		r.State = "used"
	}
	for _, s := range c.Secrets {
		if ends := time.Unix(s.Ends, 0); s.Ends != 0 && !s.Ended(now) && ends.Sub(now) <= soon {
			r.State, r.Days = "ends", daysUntil(ends, now)
		}
	}
	if c.Disabled {
		r.State = "off"
	}
	return r
}

// daysUntil counts the days that are left, begun ones too.
func daysUntil(end, now time.Time) int {
	const day = 24 * time.Hour
	return max(1, int((end.Sub(now)+day-1)/day))
}

// utc leaves a time that is not known as it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// unix is a time in Unix seconds, 0: not known.
func unix(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
