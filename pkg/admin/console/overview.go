// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"strconv"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/templates"
)

func (p *Pages) overviewRoutes() []route {
	return []route{get(home, NeedCompany, serveOverview)}
}

// overviewDays is how many days the charts show.
const overviewDays = 14

// serveOverview shows what is to be done, how far the set-up is, and what the last days were like.
func serveOverview(v *visit) error {
	ctx, now := v.r.Context(), v.cfg.Now().UTC()
	page := templates.ConsoleOverview{Console: v.frame("overview"), IT: v.it, Today: now}
	var err error
	if v.it {
		if page.Companies, err = v.companies(); err != nil {
			return err
		}
	}
	heads, err := v.clerk.Headcount(ctx, v.of)
	if err != nil {
		return err
	}
	page.All, page.Set = heads.All, max(0, heads.All-heads.Without)
	if page.All > 0 {
		page.Percent = 100 * page.Set / page.All
	}
	days, err := v.clerk.Figures(ctx, v.of, overviewDays)
	if err != nil {
		return err
	}
	page.SignIns = signIns(days)
	page.Refusals, page.Refused = refusals(days)
	if page.Todo, err = v.todo(days); err != nil {
		return err
	}
	page.PeopleURL, page.AuditURL = v.peopleURL(), v.own(auditPage)
	return v.page(page)
}

// peopleURL leads to the people; empty: there is no such page.
func (v *visit) peopleURL() string {
	if !v.has(home + "/people") {
		return ""
	}
	return v.own(home + "/people")
}

// own is a page about what is looked at.
func (v *visit) own(page string) string {
	if v.it {
		return forCompany(page, v.of)
	}
	return page
}

// The drawing area of the chart: bars of 14 in steps of 20, the highest line at 20 of 100.
const (
	barStep   = 20
	barTop    = 20
	barBottom = 100
)

// signIns is the chart of sign-ins a day.
func signIns(days []audit.Day) templates.ConsoleChart {
	var c templates.ConsoleChart
	for _, d := range days {
		n := d.Counts[audit.FigureSignIns]
		c.Total += n
		c.Bars = append(c.Bars, templates.ConsoleBar{Day: d.Day, N: n})
		if len(c.Bars) == 1 || n > c.Most.N {
			c.Most = c.Bars[len(c.Bars)-1]
		}
	}
	c.Top = roundUp(c.Most.N)
	for i := range c.Bars {
		height := float64(barBottom-barTop) * float64(c.Bars[i].N) / float64(c.Top)
		c.Bars[i].X = strconv.Itoa(i*barStep + 3)
		c.Bars[i].Height = strconv.FormatFloat(height, 'f', 1, 64)
		c.Bars[i].Y = strconv.FormatFloat(barBottom-height, 'f', 1, 64)
	}
	return c
}

// roundUp is the number at the highest line of a chart: 2, 4, 10, 20, 40, 100 and so on.
func roundUp(n int) int {
	for step := 1; ; step *= 10 {
		for _, top := range []int{2, 4, 10} {
			if n <= top*step {
				return top * step
			}
		}
	}
}

// refusals are those of all the days by reason, each with its part of the most common one, and how many in all.
func refusals(days []audit.Day) ([]templates.ConsoleRefusal, int) {
	var out []templates.ConsoleRefusal
	most, all := 1, 0
	for _, f := range []audit.Figure{audit.FigurePassword, audit.FigureCode, audit.FigureUsed, audit.FigureTries} {
		r := templates.ConsoleRefusal{Kind: string(f)}
		for _, d := range days {
			r.N += d.Counts[f]
		}
		most, all = max(most, r.N), all+r.N
		out = append(out, r)
	}
	for i := range out {
		out[i].Percent = 100 * out[i].N / most
	}
	return out, all
}
