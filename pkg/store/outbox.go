// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/notify"
)

const (
	// outboxLife is longer than any entry is tried, and renewed with each that comes.
	outboxLife = 96 * time.Hour
	// outboxIDs is how many ids of sent entries are remembered; of more, the oldest are forgotten.
	outboxIDs = 3 * notify.MaxEntries
	// outboxVoids is how many claims in a row may find nothing but void entries.
	outboxVoids = 100
)

// outbox implements notify.Outbox.
type outbox struct{ *Store }

// parcel is a message to one address, as it is sealed.
type parcel struct {
	To      string         `json:"to"`
	Message notify.Message `json:"m"`
}

// Put implements notify.Outbox.
func (s outbox) Put(ctx context.Context, m notify.Message) error {
	if len(m.To) == 0 {
		return nil
	}
	if m.Event == "" || m.Kind == "" || len(m.To) > notify.MaxAddresses {
		return fmt.Errorf("put message: %w", notify.ErrMessage)
	}
	args := []any{s.cfg.OutboxMost, outboxLife.Milliseconds(), int(bit(m.Void))}
	to := m.To
	m.To = nil
	for _, address := range to {
		id := s.index.Hash("outbox", m.Event, address)
		sealed, err := s.sealJSON("outbox", field(s.key.outMail(), id), parcel{address, m})
		if err != nil {
			return fmt.Errorf("put message: %w", err)
		}
		if len(sealed) > notify.MaxSize {
			return fmt.Errorf("put message of %d bytes: %w", len(sealed), notify.ErrMessage)
		}
		args = append(args, id, sealed)
	}
	r, err := s.run(ctx, "outbox_put", s.key.outbox(), args...)
	if err != nil {
		return fmt.Errorf("put message: %w", err)
	}
	switch r.code() {
	case done:
		return nil
	case tooMany:
		return fmt.Errorf("put message: %w", notify.ErrFull)
	default:
		return fmt.Errorf("put message: %w", refused(r.code()))
	}
}

// Claim implements notify.Outbox. It is background work: its round trips are not counted, here and below.
func (s outbox) Claim(ctx context.Context, n int, lease time.Duration) ([]notify.Entry, error) {
	ctx = context.WithValue(ctx, uncounted{}, true)
	for range outboxVoids {
		r, err := s.run(ctx, "outbox_claim", s.key.outbox(), n, lease.Milliseconds(), notify.Memory.Milliseconds(), outboxIDs)
		if err != nil {
			return nil, fmt.Errorf("claim messages: %w", err)
		}
		var out []notify.Entry
		for i := 2; i+3 < len(r); i += 4 {
			e, err := s.entry(r[i : i+4])
			if err != nil {
				// Nobody can read it: kept, it would be found broken again at each claim.
				s.cfg.Log.LogAttrs(ctx, slog.LevelError, "message lost", slog.String("id", r.text(i)), slog.String("error", err.Error()))
				if err := s.Done(ctx, r.text(i)); err != nil {
					return nil, err
				}
				continue
			}
			out = append(out, e)
		}
		if len(out) > 0 || len(r) == 2 && r.num(1) == 0 {
			return out, nil
		}
	}
	return nil, nil
}

// entry reads what the script answers for one entry: id, claims, age, sealed.
func (s outbox) entry(r reply) (notify.Entry, error) {
	e := notify.Entry{ID: r.text(0), Tries: int(r.num(1)), Age: time.Duration(r.num(2)) * time.Millisecond}
	var p parcel
	if err := s.openJSON("outbox", field(s.key.outMail(), e.ID), r.text(3), &p); err != nil {
		return e, err
	}
	e.Message, e.To = p.Message, p.To
	e.Message.To = []string{p.To}
	return e, nil
}

// Done implements notify.Outbox.
func (s outbox) Done(ctx context.Context, id string) error {
	ctx = context.WithValue(ctx, uncounted{}, true)
	if _, err := s.run(ctx, "outbox_done", s.key.outbox(), id, notify.Memory.Milliseconds(), outboxIDs); err != nil {
		return fmt.Errorf("end message: %w", err)
	}
	return nil
}

// Later implements notify.Outbox; authn.ErrGone if it is not there any more.
func (s outbox) Later(ctx context.Context, id string, wait time.Duration) error {
	ctx = context.WithValue(ctx, uncounted{}, true)
	r, err := s.run(ctx, "outbox_later", []string{s.key.outDue()}, id, wait.Milliseconds())
	if err != nil {
		return fmt.Errorf("put message off: %w", err)
	}
	if r.code() == gone {
		return fmt.Errorf("put message off: %w", authn.ErrGone)
	}
	return nil
}
