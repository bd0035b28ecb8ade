// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/foreign"
)

// TestPrinterJSON: the report is written line by line, and is one JSON value all the same.
func TestPrinterJSON(t *testing.T) {
	for n := range 3 {
		var out strings.Builder
		p := &printer{w: &out, json: true}
		for i := range n {
			if err := p.line(foreign.Line{Kind: foreign.KindPerson, Where: fmt.Sprintf("users[%d]", i), Status: foreign.Taken, Name: "a\"\n"}); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.end(admin.Moved{People: admin.Counts{Taken: n}}, admin.Move{DryRun: true}); err != nil {
			t.Fatal(err)
		}
		var got struct {
			Lines  []foreign.Line `json:"lines"`
			People admin.Counts   `json:"people"`
			DryRun bool           `json:"dry_run"`
		}
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil || len(got.Lines) != n || got.People.Taken != n || !got.DryRun {
			t.Errorf("a report of %d lines = %v, %+v:\n%s", n, err, got, out.String())
		}
	}
}
