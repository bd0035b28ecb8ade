// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/logout"
	"github.com/lychgate/lychgate/pkg/seal"
)

const (
	// endsLife is longer than any entry is tried, and renewed with each that comes.
	endsLife = 24 * time.Hour
	// endsAside is how long entries of a client that is being told are put off.
	endsAside = 2 * time.Second
	// notEnded is how long an entry may wait for its session to end.
	notEnded = time.Minute
	// endsRounds is how many claims in a row may find nothing that can be sent.
	endsRounds = 100
)

// ends implements logout.Queue. It is background work: its round trips are not counted.
type ends struct{ *Store }

// endRecord is an entry as it is sealed. Hash names the session.
type endRecord struct {
	servedRecord
	Hash string    `json:"h"`
	Put  time.Time `json:"p"`
}

// tell writes an entry for each of the given apps that has an address for it.
func (s *Store) tell(ctx context.Context, tag string, fields map[string]string) {
	args := []any{s.cfg.OutboxMost, endsLife.Milliseconds()}
	for name, v := range fields {
		rec, err := s.openServed(tag, name, v)
		if err != nil {
			s.untold(ctx, err)
			continue
		}
		if c, err := s.registry.Client(ctx, rec.ClientID); err == nil && c.BackchannelURI == "" {
			continue
		}
		h, _, _ := strings.Cut(name, ":")
		id, sealed, err := s.sealEnd(endRecord{rec, h, s.now()})
		if err != nil {
			s.untold(ctx, err)
			continue
		}
		args = append(args, id, sealed)
	}
	if len(args) == 2 {
		return
	}
	r, err := s.run(ctx, "end_put", s.key.ends(), args...)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		s.untold(ctx, err)
	}
}

func (s *Store) sealEnd(rec endRecord) (id, sealed string, err error) {
	b, err := s.random(16)
	if err != nil {
		return "", "", err
	}
	id = s.index.Hash("end", rec.ClientID) + "." + seal.Encode(b)
	sealed, err = s.sealJSON("end", field(s.key.endList(), id), rec)
	return id, sealed, err
}

// Claim implements logout.Queue.
func (s ends) Claim(ctx context.Context, n int, lease time.Duration) ([]logout.Entry, error) {
	ctx = context.WithValue(ctx, uncounted{}, true)
	for range endsRounds {
		r, err := s.run(ctx, "end_claim", s.key.ends(), n, lease.Milliseconds(), endsAside.Milliseconds(), endsLife.Milliseconds())
		if err != nil {
			return nil, fmt.Errorf("claim ended sessions: %w", err)
		}
		out, err := s.lent(ctx, r[2:])
		if err != nil {
			return nil, err
		}
		if len(out) > 0 || len(r) == 2 && r.num(1) == 0 {
			return out, nil
		}
	}
	return nil, nil
}

// lent reads the entries of a claim, three values each, and gives back the clients of which none is sent after all.
func (s ends) lent(ctx context.Context, r reply) ([]logout.Entry, error) {
	var out []logout.Entry
	held := map[string]logout.Entry{}
	for i := 0; i+2 < len(r); i += 3 {
		e, ok, err := s.entry(ctx, r[i:i+3])
		if err != nil {
			return nil, err
		}
		held[clientIn(e.ID)] = e
		if ok {
			out = append(out, e)
		}
	}
	for _, e := range out {
		delete(held, clientIn(e.ID))
	}
	for _, e := range held {
		if err := s.Free(ctx, e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// clientIn is the part of an entry's id that names its client.
func clientIn(id string) string {
	c, _, _ := strings.Cut(id, ".")
	return c
}

// entry reads what the script answers for one entry: id, failures, sealed. ok is false if it is not to be sent; it has
// been settled then.
func (s ends) entry(ctx context.Context, r reply) (e logout.Entry, ok bool, err error) {
	e = logout.Entry{ID: r.text(0), Failures: int(r.num(1))}
	var rec endRecord
	if err := s.openJSON("end", field(s.key.endList(), e.ID), r.text(2), &rec); err != nil {
		// Nobody can read it: kept, it would be found broken again at each claim.
		s.cfg.Log.LogAttrs(ctx, slog.LevelError, "ended session lost", slog.String("id", e.ID), slog.String("error", err.Error()))
		return e, false, s.Done(ctx, e)
	}
	e.ClientID, e.AccountID, e.SID = rec.ClientID, rec.Account, rec.SID
	over, err := s.over(ctx, rec)
	switch {
	case err != nil:
		return e, false, err
	case over:
		return e, true, nil
	case s.now().Sub(rec.Put) > notEnded:
		return e, false, s.Done(ctx, e)
	default:
		return e, false, s.Return(ctx, e, endsAside)
	}
}

// over says whether the session of an entry has ended: it is gone, or what it was made under has moved. It renews
// nothing.
func (s ends) over(ctx context.Context, rec endRecord) (bool, error) {
	tag := s.index.Tag(rec.Account)
	key := s.key.session(tag, rec.Hash)
	out, err := s.do(ctx, cmd{"get", key}, hmget(s.key.acct(tag), acctFields()...))
	if err != nil {
		return false, fmt.Errorf("look at session: %w", err)
	}
	_, sealed, _ := strings.Cut(value(out[0]), "|")
	b, err := s.open("session", key, sealed)
	if err != nil {
		return true, nil //nolint:nilerr // what is gone or does not open is no session
	}
	n, err := decodeSession(b)
	if err != nil {
		return true, nil //nolint:nilerr // as above
	}
	a, err := s.readAccount(list(out[1]), 0)
	if err != nil {
		return true, nil //nolint:nilerr // a session without its account is none
	}
	return a.State != authn.Active || a.Epoch != n.Epoch || a.PasswordGen != n.PasswordGen || !s.now().Before(n.End), nil
}

// Done implements logout.Queue.
func (s ends) Done(ctx context.Context, e logout.Entry) error { return s.settle(ctx, e.ID, -1, 0, "") }

// Failed implements logout.Queue.
func (s ends) Failed(ctx context.Context, e logout.Entry, wait time.Duration) error {
	return s.settle(ctx, e.ID, wait.Milliseconds(), 1, "")
}

// Return implements logout.Queue.
func (s ends) Return(ctx context.Context, e logout.Entry, wait time.Duration) error {
	return s.settle(ctx, e.ID, wait.Milliseconds(), 0, "")
}

// Free implements logout.Queue.
func (s ends) Free(ctx context.Context, e logout.Entry) error {
	return s.settle(ctx, "", 0, 0, clientIn(e.ID))
}

func (s ends) settle(ctx context.Context, id string, wait int64, failed int, client string) error {
	ctx = context.WithValue(ctx, uncounted{}, true)
	if _, err := s.run(ctx, "end_settle", s.key.ends(), id, wait, failed, client); err != nil {
		return fmt.Errorf("settle ended session: %w", err)
	}
	return nil
}
