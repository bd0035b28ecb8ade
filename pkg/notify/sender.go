// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// batch is how many entries one claim takes; hands is how many of them are sent at once.
	batch = 20
	hands = 4
	// lease is far longer than a batch takes: entries whose turn does not come in time are given back unsent.
	lease = 5 * time.Minute
	// sending bounds one mail, whatever the mailer does.
	sending = 30 * time.Second
	// firstWait doubles up to longWait; after patience an entry is given up.
	firstWait = time.Minute
	longWait  = time.Hour
	patience  = 72 * time.Hour
	// poll is the time between two looks at the outbox.
	poll = time.Second
)

// Failure is a message that was given up. It names no address.
type Failure struct {
	ID      string
	Kind    Kind
	Company string
	Tries   int
	Reason  string
}

// Config is what a Sender is made of; every field is needed but Poll.
type Config struct {
	Outbox Outbox
	Mailer Mailer
	// Render writes a message; Message-ID and address are the sender's part.
	Render func(Message) (Mail, error)
	// Domain is what stands behind the @ of the Message-ID.
	Domain string
	// Failed is told of every message that is given up.
	Failed func(context.Context, Failure)
	Now    func() time.Time
	Log    *slog.Logger
	// Poll is the time between two looks at the outbox; 0: 1 s.
	Poll time.Duration
}

// Sender sends what is in an outbox. Several of them, on several nodes, may share one. Make it with New.
type Sender struct {
	cfg Config

	mu   sync.Mutex
	away map[string]bool
}

// New returns a Sender.
func New(cfg Config) *Sender {
	if cfg.Poll == 0 {
		cfg.Poll = poll
	}
	return &Sender{cfg: cfg, away: map[string]bool{}}
}

// Run sends until ctx ends. What it has claimed by then and not sent it gives back.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Poll)
	defer tick.Stop()
	for {
		s.report(ctx, "outbox", s.Flush(ctx))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Flush sends all that is due now.
func (s *Sender) Flush(ctx context.Context) error {
	for ctx.Err() == nil {
		entries, err := s.cfg.Outbox.Claim(ctx, batch, lease)
		if err != nil {
			return fmt.Errorf("claim messages: %w", err)
		}
		if len(entries) == 0 {
			return nil
		}
		if err := s.batch(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

// batch sends what was claimed.
func (s *Sender) batch(ctx context.Context, entries []Entry) error {
	until := s.cfg.Now().Add(lease - 2*sending)
	next, errs := make(chan Entry), make([]error, hands)
	var wg sync.WaitGroup
	for i := range hands {
		wg.Go(func() {
			for e := range next {
				errs[i] = errors.Join(errs[i], s.one(ctx, e, until))
			}
		})
	}
	for _, e := range entries {
		next <- e
	}
	close(next)
	wg.Wait()
	return errors.Join(errs...)
}

// one sends an entry and says so in the outbox. That must not be cut short by the end of the program: a mail that was
// sent and not recorded is sent again.
func (s *Sender) one(ctx context.Context, e Entry, until time.Time) error {
	record := context.WithoutCancel(ctx)
	if ctx.Err() != nil || !s.cfg.Now().Before(until) {
		return s.later(record, e, 0)
	}
	err := s.send(ctx, e)
	if err == nil {
		s.report(ctx, "mailer", nil)
		return s.done(record, e)
	}
	reason := err.Error()
	switch wait := Wait(e.Tries); {
	case errors.Is(err, ErrRefused):
	case e.Age+wait > patience:
		reason = "too old: " + reason
	default:
		s.report(ctx, "mailer", err)
		return s.later(record, e, wait)
	}
	s.cfg.Failed(ctx, Failure{ID: e.ID, Kind: e.Message.Kind, Company: e.Message.Company, Tries: e.Tries, Reason: reason})
	return s.done(record, e)
}

func (s *Sender) done(ctx context.Context, e Entry) error {
	if err := s.cfg.Outbox.Done(ctx, e.ID); err != nil {
		return fmt.Errorf("record message: %w", err)
	}
	return nil
}

func (s *Sender) later(ctx context.Context, e Entry, wait time.Duration) error {
	if err := s.cfg.Outbox.Later(ctx, e.ID, wait); err != nil {
		return fmt.Errorf("put message off: %w", err)
	}
	return nil
}

func (s *Sender) send(ctx context.Context, e Entry) error {
	m, err := s.cfg.Render(e.Message)
	if err != nil {
		return fmt.Errorf("write message: %w: %w", ErrRefused, err)
	}
	m.To, m.MessageID = e.To, e.ID+"@"+s.cfg.Domain
	if err := m.Check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sending)
	defer cancel()
	return s.cfg.Mailer.Send(ctx, m)
}

// Wait is the back-off after a number of tries: a minute, doubling to an hour.
func Wait(tries int) time.Duration {
	wait := firstWait
	for range min(tries, 10) - 1 {
		wait *= 2
	}
	return min(wait, longWait)
}

// report logs once that the mailer or the outbox is away, and once that it is back.
func (s *Sender) report(ctx context.Context, what string, err error) {
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if away := err != nil; away == s.away[what] {
		return
	}
	s.away[what] = err != nil
	if err != nil {
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "messages wait", slog.String("for", what), slog.String("error", err.Error()))
		return
	}
	s.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "messages go out again", slog.String("through", what))
}
