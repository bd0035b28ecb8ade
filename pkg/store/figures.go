// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
)

// figuresLife is how long the counts of a day are kept.
const figuresLife = 35 * 24 * time.Hour

// tally is one count: of a company, or, without one, of all.
type tally struct {
	company string
	day     string
	figure  audit.Figure
}

func dayOf(t time.Time) string { return t.UTC().Format("20060102") }

func (j *journal) figuresKey(company, day string) string {
	return j.key.figures(j.index.Tag("figures/"+company), day)
}

// count adds records to the counts of their days. What cannot be written now is written with the next ones: counts never
// hold the journal up. If an answer is lost, some count twice: the journal is exact, a chart need not be.
func (j *journal) count(ctx context.Context, list []audit.Record) {
	for _, r := range list {
		for _, figure := range audit.FiguresOf(r) {
			j.tallies[tally{"", dayOf(r.At), figure}]++
			if r.Company != "" {
				j.tallies[tally{r.Company, dayOf(r.At), figure}]++
			}
		}
	}
	var cmds []cmd
	keys := map[string]bool{}
	for t, n := range j.tallies {
		key := j.figuresKey(t.company, t.day)
		cmds, keys[key] = append(cmds, cmd{"hincrby", key, string(t.figure), n}), true
	}
	for key := range keys {
		cmds = append(cmds, cmd{"pexpire", key, figuresLife.Milliseconds()})
	}
	if len(cmds) == 0 {
		return
	}
	if _, err := j.do(ctx, cmds...); err == nil {
		clear(j.tallies)
	}
}

// Figures implements audit.Figures.
func (j *journal) Figures(ctx context.Context, company string, last time.Time, days int) ([]audit.Day, error) {
	var cmds []cmd
	var out []audit.Day
	for i := days - 1; i >= 0; i-- {
		day := last.UTC().Truncate(24*time.Hour).AddDate(0, 0, -i)
		out = append(out, audit.Day{Day: day, Counts: map[audit.Figure]int{}})
		cmds = append(cmds, cmd{"hgetall", j.figuresKey(company, dayOf(day))})
	}
	replies, err := j.do(ctx, cmds...)
	if err != nil {
		return nil, fmt.Errorf("read figures: %w", err)
	}
	for i := range out {
		for figure, text := range pairs(replies[i]) {
			n, err := number(text)
			if err != nil {
				return nil, fmt.Errorf("read figures: %w", err)
			}
			out[i].Counts[audit.Figure(figure)] = int(n)
		}
	}
	return out, nil
}
