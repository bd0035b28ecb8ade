// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package logout

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	// batch is how many entries one claim takes; hands is how many apps are told at once.
	batch = 50
	hands = 32
	// lease is longer than a batch of one app takes: a request ends after 3 s, and after the first that was not answered
	// the others are given back.
	lease = 5 * time.Minute
	// pause is how long entries are put off that could not be tried.
	pause = 10 * time.Second
	// poll is the time between two looks at the queue.
	poll = time.Second
)

// formType is the type of the body (Back-Channel Logout 1.0 §2.5).
const formType = "application/x-www-form-urlencoded"

// Failure is an entry that was given up.
type Failure struct {
	ClientID, AccountID string
	Tries               int
	Reason              string
}

// Config is what a Sender is made of; every field is needed but Poll.
type Config struct {
	Queue Queue
	// Token makes the logout token of an entry, when it is sent, and says where to; ErrNobody if nobody is told.
	Token func(ctx context.Context, e Entry) (uri, token string, err error)
	// Post sends a body once and returns the status of the answer. It ends by itself.
	Post func(ctx context.Context, uri, contentType string, body []byte) (int, error)
	// GaveUp is told of every entry that is given up.
	GaveUp func(context.Context, Failure)
	Now    func() time.Time
	Log    *slog.Logger
	Poll   time.Duration
}

// Sender sends what is in a queue. Several of them, on several nodes, may share one. Make it with New.
type Sender struct {
	cfg  Config
	hand chan struct{}
	busy sync.WaitGroup
}

// New returns a Sender.
func New(cfg Config) *Sender {
	if cfg.Poll == 0 {
		cfg.Poll = poll
	}
	return &Sender{cfg: cfg, hand: make(chan struct{}, hands)}
}

// Run sends until ctx ends. What it has claimed by then and not sent it gives back.
func (s *Sender) Run(ctx context.Context) {
	tick := time.NewTicker(s.cfg.Poll)
	defer tick.Stop()
	defer s.busy.Wait()
	away := false
	for {
		_, err := s.round(ctx)
		switch {
		case err != nil && !away && ctx.Err() == nil:
			s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "apps are not told of ended sessions now", slog.String("error", err.Error()))
		case err == nil && away:
			s.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "apps are told of ended sessions again")
		}
		away = err != nil
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Flush sends all that is due now, and waits for it.
func (s *Sender) Flush(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := s.round(ctx)
		s.busy.Wait()
		if n == 0 || err != nil {
			return err
		}
	}
	return nil
}

// round claims what is due until nothing is, and hands it out by client. It waits for a free hand, never for an answer
// of an app while there is one.
func (s *Sender) round(ctx context.Context) (int, error) {
	all := 0
	for ctx.Err() == nil {
		entries, err := s.cfg.Queue.Claim(ctx, batch, lease)
		if err != nil {
			return all, fmt.Errorf("claim ended sessions: %w", err)
		}
		if len(entries) == 0 {
			break
		}
		all += len(entries)
		until := s.cfg.Now().Add(lease / 2)
		for _, of := range byClient(entries) {
			s.hand <- struct{}{}
			s.busy.Go(func() {
				defer func() { <-s.hand }()
				s.client(ctx, of, until)
			})
		}
	}
	return all, nil
}

// byClient groups entries by their client, in their order.
func byClient(entries []Entry) [][]Entry {
	var out [][]Entry
	at := map[string]int{}
	for _, e := range entries {
		who, _, _ := strings.Cut(e.ID, ".")
		i, ok := at[who]
		if !ok {
			i = len(out)
			at[who], out = i, append(out, nil)
		}
		out[i] = append(out[i], e)
	}
	return out
}

// client tells one app, one entry after the other. After a request that was not answered at all the others are given
// back: an app that hangs costs one request at a time. What is recorded must not be cut short by the end of the program:
// a token that was sent and not recorded is sent again.
func (s *Sender) client(ctx context.Context, entries []Entry, until time.Time) {
	record, away := context.WithoutCancel(ctx), false
	for _, e := range entries {
		var err error
		if away || ctx.Err() != nil || !s.cfg.Now().Before(until) {
			err = s.cfg.Queue.Return(record, e, pause)
		} else {
			away, err = s.one(ctx, record, e)
		}
		s.note(ctx, err)
	}
	s.note(ctx, s.cfg.Queue.Free(record, entries[0]))
}

// note logs what the queue could not record; the lease ends by itself, and the entry is tried again.
func (s *Sender) note(ctx context.Context, err error) {
	if err != nil {
		s.cfg.Log.LogAttrs(ctx, slog.LevelWarn, "ended session not recorded", slog.String("error", err.Error()))
	}
}

// one sends an entry; away says that the app did not answer.
func (s *Sender) one(ctx, record context.Context, e Entry) (away bool, err error) {
	uri, token, err := s.cfg.Token(ctx, e)
	switch {
	case errors.Is(err, ErrNobody):
		return false, s.cfg.Queue.Done(record, e)
	case err != nil:
		return false, s.failed(ctx, record, e, err.Error())
	}
	status, err := s.cfg.Post(ctx, uri, formType, []byte(url.Values{"logout_token": {token}}.Encode()))
	switch {
	case err == nil && (status == 200 || status == 204):
		return false, s.cfg.Queue.Done(record, e)
	case err != nil && ctx.Err() != nil:
		return true, s.cfg.Queue.Return(record, e, 0)
	case err == nil:
		// Back-Channel Logout 1.0 §2.8: 400 says that the app could not sign out, which may pass.
		return false, s.failed(ctx, record, e, fmt.Sprintf("status %d", status))
	default:
		return true, s.failed(ctx, record, e, err.Error())
	}
}

// failed puts an entry off, or gives it up after the last try.
func (s *Sender) failed(ctx, record context.Context, e Entry, reason string) error {
	waits := Waits()
	if e.Failures < len(waits) {
		return s.cfg.Queue.Failed(record, e, waits[e.Failures])
	}
	s.cfg.GaveUp(ctx, Failure{ClientID: e.ClientID, AccountID: e.AccountID, Tries: e.Failures + 1, Reason: reason})
	return s.cfg.Queue.Done(record, e)
}
