// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/foreign"
)

// printer writes the report of an import line by line, since a million of them need not fit into memory.
type printer struct {
	w     io.Writer
	json  bool
	lines int
}

// line writes one line. As text, who was taken with everything is only counted.
func (p *printer) line(l foreign.Line) error {
	p.lines++
	if !p.json {
		return p.text(l)
	}
	b, err := json.Marshal(l) //nolint:gosec // a new secret is shown this once
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.w, "%s\n    %s", p.before(), b)
	return err
}

// before is what stands in front of a line of JSON.
func (p *printer) before() string {
	if p.lines <= 1 {
		return "{\n  \"lines\": ["
	}
	return ","
}

func (p *printer) text(l foreign.Line) error {
	if l.Status == foreign.Taken && len(l.Notes) == 0 && l.Secret == "" && !l.NoPassword && !l.NoFactor {
		return nil
	}
	what := []string{strings.ReplaceAll(string(l.Status), "_", " ")}
	for _, missing := range []struct {
		name string
		yes  bool
	}{{"without password", l.NoPassword}, {"without second factor", l.NoFactor}, {"with a new secret", l.NewSecret}} {
		if missing.yes {
			what = append(what, missing.name)
		}
	}
	reason := ""
	if l.Reason != "" {
		reason = ": " + l.Reason
	}
	if _, err := fmt.Fprintf(p.w, "%s %s (%s): %s%s\n", l.Kind, l.Name, l.Where, strings.Join(what, ", "), reason); err != nil {
		return err
	}
	if l.Secret != "" {
		fmt.Fprintf(p.w, "    client_secret %s (shown this once)\n", l.Secret)
	}
	for _, n := range l.Notes {
		fmt.Fprintf(p.w, "    note: %s: %s\n", n.Field, n.Reason)
	}
	return nil
}

// end writes the numbers.
func (p *printer) end(m admin.Moved, how admin.Move) error {
	if p.json {
		begin := ""
		if p.lines == 0 {
			begin = p.before()
		}
		people, err := json.Marshal(m.People)
		if err != nil {
			return err
		}
		clients, err := json.Marshal(m.Clients)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.w, "%s\n  ],\n  \"people\": %s,\n  \"clients\": %s,\n  \"dry_run\": %t\n}\n", begin, people, clients, how.DryRun)
		return err
	}
	did := "imported"
	if how.DryRun {
		did = "would be imported"
	}
	c := m.People
	fmt.Fprintf(p.w, "people: %d %s (%d without password, %d without second factor, %d disabled); %d here already, %d left out, %d refused\n",
		c.Taken, did, c.NoPassword, c.NoFactor, c.Disabled, c.Existing, c.LeftOut, c.Refused)
	if c := m.Clients; how.Clients {
		fmt.Fprintf(p.w, "clients: %d %s (%d with a new secret); %d here already, %d left out, %d refused\n",
			c.Taken, did, c.NewSecret, c.Existing, c.LeftOut, c.Refused)
	}
	return nil
}
