// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/seal"
)

const (
	// maxAudit bounds the stream of security events; the oldest go.
	maxAudit = 1_000_000
	// auditPage is how many entries are read at once.
	auditPage = 500
	// maxActivity and activityLife bound what a person is shown.
	maxActivity  = 50
	activityLife = 30 * 24 * time.Hour
)

// journal implements audit.Store. Every node writes a chain of its own: each entry has the node's name, its number and
// a keyed hash over it and the hash before, so that nobody who can write to Redis changes, drops or adds one unseen.
type journal struct {
	*Store
	mu   sync.Mutex
	node string
	seq  int64
	last string
	// tallies are counts that are yet to be written.
	tallies map[tally]int
}

// Journal keeps security events.
func (s *Store) Journal() audit.Store { return &journal{Store: s, tallies: map[tally]int{}} }

// place is where an entry is sealed.
func (j *journal) place(node string, seq int64) string {
	return field(j.key.audit(), node+"."+strconv.FormatInt(seq, 10))
}

func (j *journal) link(last, node string, seq int64, sealed string) string {
	return j.index.Hash("audit", last, node, strconv.FormatInt(seq, 10), sealed)
}

// Append implements audit.Store.
func (j *journal) Append(ctx context.Context, list []audit.Record) error {
	ctx = context.WithValue(ctx, uncounted{}, true)
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.node == "" {
		b, err := j.random(8)
		if err != nil {
			return err
		}
		j.node = seal.Encode(b)
	}
	for _, r := range list {
		seq := j.seq + 1
		sealed, err := j.sealJSON("audit", j.place(j.node, seq), r)
		if err != nil {
			return err
		}
		link := j.link(j.last, j.node, seq, sealed)
		if _, err := j.do(ctx, cmd{"xadd", j.key.audit(), "maxlen", "~", maxAudit, "*", "n", j.node, "s", seq, "h", link, "r", sealed}); err != nil {
			return fmt.Errorf("append audit: %w", err)
		}
		j.seq, j.last = seq, link
		if err := j.show(ctx, r, seq); err != nil {
			return fmt.Errorf("append audit: %w", err)
		}
	}
	j.count(ctx, list)
	return nil
}

// show adds an event to what its person is shown.
func (j *journal) show(ctx context.Context, r audit.Record, seq int64) error {
	if r.Account == "" || !audit.Personal(r.Event) {
		return nil
	}
	key, id := j.key.activity(j.index.Tag(r.Account)), j.node+"."+strconv.FormatInt(seq, 10)
	sealed, err := j.sealJSON("activity", field(key, id), r)
	if err != nil {
		return err
	}
	_, err = j.run(ctx, "activity_add", []string{key}, activityLife.Milliseconds(), maxActivity, id, sealed)
	return err
}

// Recent implements audit.Activity.
func (j *journal) Recent(ctx context.Context, accountID string) ([]audit.Record, error) {
	key := j.key.activity(j.index.Tag(accountID))
	out, err := j.do(ctx, cmd{"lrange", key, 0, maxActivity - 1})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	var all []audit.Record
	for i := range list(out[0]) {
		id, sealed, _ := strings.Cut(list(out[0]).text(i), "|")
		var r audit.Record
		if err := j.openJSON("activity", field(key, id), sealed, &r); err != nil {
			return nil, fmt.Errorf("read activity: %w", err)
		}
		all = append(all, r)
	}
	return all, nil
}

// chain is how far the entries of one node were read.
type chain struct {
	seq  int64
	last string
}

// Read implements audit.Store. The stream is bounded, so the chain of a node may begin in its middle.
func (j *journal) Read(ctx context.Context, yield func(audit.Record, string) bool) error {
	chains := map[string]chain{}
	from := "-"
	for {
		out, err := j.do(ctx, cmd{"xrange", j.key.audit(), from, "+", "count", auditPage})
		if err != nil {
			return fmt.Errorf("read audit: %w", err)
		}
		entries := list(out[0])
		for i := range entries {
			entry := list(entries[i])
			from = "(" + entry.text(0)
			r, broken := j.check(pairs(at(entry, 1)), chains)
			if !yield(r, broken) {
				return nil
			}
		}
		if len(entries) < auditPage {
			return nil
		}
	}
}

// check opens one entry and follows its chain. A repeat of the last one is a retry, and no break.
func (j *journal) check(f map[string]string, chains map[string]chain) (audit.Record, string) {
	var r audit.Record
	seq, err := number(f["s"])
	if err != nil {
		return r, "no number"
	}
	node, before := f["n"], chains[f["n"]]
	if before.seq == seq && before.last == f["h"] {
		return r, ""
	}
	chains[node] = chain{seq, f["h"]}
	if err := j.openJSON("audit", j.place(node, seq), f["r"], &r); err != nil {
		return r, "does not open"
	}
	switch {
	case before.seq == 0 && seq > 1:
		return r, ""
	case seq != before.seq+1:
		return r, fmt.Sprintf("entries %d to %d of node %s are missing", before.seq+1, seq-1, node)
	case j.link(before.last, node, seq, f["r"]) != f["h"]:
		return r, "the chain does not hold"
	}
	return r, ""
}

var _ audit.Store = (*journal)(nil)
