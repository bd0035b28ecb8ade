// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "time"

// ConsoleOverview is the first page of the console.
type ConsoleOverview struct {
	Console
	IT        bool
	Companies [][2]string
	Today     time.Time
	Todo      []ConsoleTodo
	// All are the people there are, Set those who have set a factor up, Percent how many of a hundred.
	All, Set, Percent int
	SignIns           ConsoleChart
	Refusals          []ConsoleRefusal
	Refused           int
	// PeopleURL may be empty: there is no such page.
	PeopleURL, AuditURL string
}

// Template implements Page.
func (ConsoleOverview) Template() string { return "console-overview" }

// Without are those who have not set a factor up.
func (p ConsoleOverview) Without() int { return p.All - p.Set }

// ConsoleTodo is something to do. Kind is
//   - locked: N factors were locked;
//   - people: N of the company Name, empty: the one that is looked at, have no factor. Day is when they have to, zero: now;
//     Some: not all of the N have to;
//   - companies: N more have such people;
//   - secret: one of the client Name ends in N days. Still: it is sent still, Used is when last.
type ConsoleTodo struct {
	Kind, Name, URL string
	N               int
	Day, Used       time.Time
	Still, Some     bool
}

// ConsoleChart is one bar a day. Top is the number at the highest line, Most the highest bar.
type ConsoleChart struct {
	Total, Top int
	Bars       []ConsoleBar
	Most       ConsoleBar
}

// Half is the number at the line in the middle.
func (c ConsoleChart) Half() int { return c.Top / 2 }

// Ticks are the days that stand under the chart: the first, the one in the middle, the last.
func (c ConsoleChart) Ticks() []time.Time {
	if len(c.Bars) == 0 {
		return nil
	}
	return []time.Time{c.Bars[0].Day, c.Bars[len(c.Bars)/2].Day, c.Bars[len(c.Bars)-1].Day}
}

// ConsoleBar is a day of a chart, with its place in the drawing.
type ConsoleBar struct {
	Day          time.Time
	N            int
	X, Y, Height string
}

// ConsoleRefusal is a reason and how often it was. Kind is password, code, used or tries; Percent is its part of the most common.
type ConsoleRefusal struct {
	Kind       string
	N, Percent int
}
