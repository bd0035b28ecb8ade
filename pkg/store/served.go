// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
)

// servedRecord is an app that a session has served, as it is sealed.
type servedRecord struct {
	ClientID string `json:"c"`
	SID      string `json:"s"`
	Account  string `json:"a"`
}

// record adds to keys and arguments of issue what makes it record the client as one that the session has served.
func (s sessions) record(n grant.NewCode, tag string, keys []string, args []any) ([]string, []any, error) {
	of, key, err := s.locate(n.Session)
	if err != nil {
		return nil, nil, err
	}
	if of != tag {
		return nil, nil, fmt.Errorf("session of another account: %w", authn.ErrGone)
	}
	// The name is the same for every answer, so that one client stands there once.
	name := s.index.Hash("served", n.Grant.SID, n.Grant.ClientID)
	sealed, err := s.sealJSON("served", field(s.key.served(tag), name), servedRecord{n.Grant.ClientID, n.Grant.SID, n.Account.ID})
	if err != nil {
		return nil, nil, err
	}
	return append(keys, key, s.key.served(tag)), append(args, hashIn(key)+":", name, sealed, session.MaxServed), nil
}

// Served implements session.Store.
func (s sessions) Served(ctx context.Context, handle string) ([]session.Served, error) {
	tag, key, err := s.locate(handle)
	if errors.Is(err, authn.ErrGone) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	fields, err := s.readServed(ctx, tag)
	if err != nil {
		return nil, fmt.Errorf("read apps of a session: %w", err)
	}
	var out []session.Served
	for name, v := range fields {
		if !strings.HasPrefix(name, hashIn(key)+":") {
			continue
		}
		rec, err := s.openServed(tag, name, v)
		if err != nil {
			return nil, err
		}
		out = append(out, session.Served{ClientID: rec.ClientID, SID: rec.SID})
	}
	sort.Slice(out, func(i, j int) bool {
		return cmp.Or(cmp.Compare(out[i].ClientID, out[j].ClientID), cmp.Compare(out[i].SID, out[j].SID)) < 0
	})
	return out, nil
}

// readServed reads what all sessions of an account have served: <h>:<name> by its value.
func (s *Store) readServed(ctx context.Context, tag string) (map[string]string, error) {
	out, err := s.do(ctx, cmd{"hgetall", s.key.served(tag)})
	if err != nil {
		return nil, err
	}
	return pairs(out[0]), nil
}

func (s *Store) openServed(tag, name, v string) (servedRecord, error) {
	var rec servedRecord
	_, name, _ = strings.Cut(name, ":")
	parts := strings.SplitN(v, "|", 3)
	if len(parts) != 3 {
		return rec, fmt.Errorf("app of a session: %w", authn.ErrLost)
	}
	err := s.openJSON("served", field(s.key.served(tag), name), parts[2], &rec)
	return rec, err
}

// end ends the session of key s:<h>. What is to be told is written before, so that it is told whatever becomes of this
// node; an entry whose session lives is never sent. Apps that came in between are told after.
func (s sessions) end(ctx context.Context, tag, h string) error {
	told := s.announce(ctx, tag, func(name string) bool { return strings.HasPrefix(name, h+":") })
	r, err := s.run(ctx, "session_end", []string{s.key.session(tag, h), s.key.served(tag)}, h+":")
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	late := map[string]string{}
	for i := 1; i+1 < len(r); i += 2 {
		if _, ok := told[r.text(i)]; !ok {
			late[r.text(i)] = r.text(i + 1)
		}
	}
	s.tell(context.WithoutCancel(ctx), tag, late)
	return nil
}

// announce writes entries for the apps of an account's sessions that are about to end, those that which picks or all of
// them, and returns what it found. An end of a session is never refused because it cannot be told: that stands in the
// log.
func (s *Store) announce(ctx context.Context, tag string, which func(name string) bool) map[string]string {
	all, err := s.readServed(ctx, tag)
	if err != nil {
		s.untold(ctx, err)
		return nil
	}
	for name := range all {
		if which != nil && !which(name) {
			delete(all, name)
		}
	}
	s.tell(ctx, tag, all)
	return all
}

// served forgets, after all sessions of an account have ended, the apps that were told, and tells those that came in
// between. They are left to end by themselves: one of them may be of a session that was begun since.
func (s *Store) served(ctx context.Context, tag string, told map[string]string) {
	if len(told) == 0 {
		return
	}
	forget := cmd{"hdel", s.key.served(tag)}
	for name := range told {
		forget = append(forget, name)
	}
	out, err := s.do(ctx, forget, cmd{"hgetall", s.key.served(tag)})
	if err != nil {
		s.untold(ctx, err)
		return
	}
	s.tell(ctx, tag, pairs(out[1]))
}

func (s *Store) untold(ctx context.Context, err error) {
	s.cfg.Log.LogAttrs(ctx, slog.LevelError, "apps are not told of an ended session", slog.String("error", err.Error()))
}
