// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// queueSize bounds what waits for the store; what is over stands in the log alone.
	queueSize = 8192
	// batch is how many records are written at once, pause how often.
	batch = 200
	pause = 200 * time.Millisecond
)

// Journal writes records to the store beside the requests: no sign-in waits for it, and a store that is away holds it
// up, not the person.
type Journal struct {
	store Store
	log   *slog.Logger
	now   func() time.Time
	wake  chan struct{}

	mu      sync.Mutex
	waiting []Record
	lost    int

	// writing is held while records are under way to the store, so that they keep their order.
	writing sync.Mutex
}

// NewJournal returns a Journal that writes to store.
func NewJournal(store Store, now func() time.Time, log *slog.Logger) *Journal {
	return &Journal{store: store, now: now, log: log, wake: make(chan struct{}, 1)}
}

// Add implements Sink.
func (j *Journal) Add(r Record) {
	j.mu.Lock()
	if len(j.waiting) < queueSize {
		j.waiting = append(j.waiting, r)
	} else {
		j.lost++
	}
	j.mu.Unlock()
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Run writes until ctx ends. Flush writes what is left.
func (j *Journal) Run(ctx context.Context) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case <-j.wake:
			if err := j.Flush(ctx); err != nil && ctx.Err() == nil {
				// Tried again at the next tick; the events stand in the log.
				j.rouse()
			}
		default:
		}
	}
}

func (j *Journal) rouse() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Flush writes all that waits. What fails waits on.
func (j *Journal) Flush(ctx context.Context) error {
	j.writing.Lock()
	defer j.writing.Unlock()
	for {
		list, lost := j.next()
		if lost > 0 {
			j.log.LogAttrs(ctx, slog.LevelError, "audit records not kept", slog.Int("count", lost))
			list = append(list, record(j.now(), AuditLost, []slog.Attr{slog.Int("count", lost)}))
		}
		if len(list) == 0 {
			return nil
		}
		if err := j.store.Append(ctx, list); err != nil {
			j.putBack(list)
			return fmt.Errorf("write audit records: %w", err)
		}
	}
}

// next takes the oldest records out.
func (j *Journal) next() ([]Record, int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(batch, len(j.waiting))
	list := j.waiting[:n:n]
	j.waiting = j.waiting[n:]
	lost := 0
	if len(j.waiting) == 0 {
		lost, j.lost = j.lost, 0
	}
	return list, lost
}

func (j *Journal) putBack(list []Record) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.waiting = append(append(make([]Record, 0, len(list)+len(j.waiting)), list...), j.waiting...)
}
