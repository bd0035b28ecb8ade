// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/session"
)

// sessions implements session.Store.
type sessions struct{ *Store }

// maxSessions is how many sessions of an account the index names; older ones live on unnamed.
const maxSessions = 50

// hashIn is the part of a session's key that names it in the index.
func hashIn(key string) string { return key[strings.LastIndexByte(key, ':')+1:] }

// sessionKey is where the session of a handle's payload is stored.
func (s sessions) sessionKey(tag string, secret []byte) string {
	return s.key.session(tag, s.index.Hash("session", tag, string(secret)))
}

// locate reads a handle without asking Redis: ErrGone for everything that is not ours.
func (s sessions) locate(handle string) (tag, key string, err error) {
	if err := s.gate(); err != nil {
		return "", "", err
	}
	b, err := s.cfg.Ring.OpenHandle(prefixSession, s.epoch(), handle, sessionSize)
	if err != nil {
		return "", "", fmt.Errorf("session handle: %w: %w", authn.ErrGone, err)
	}
	if tag, err = tagOf(b); err != nil {
		return "", "", err
	}
	return tag, s.sessionKey(tag, b[seal.TagSize:]), nil
}

// Create implements session.Store.
func (s sessions) Create(ctx context.Context, n session.Session, replaced string) (session.Session, error) {
	if err := s.gate(); err != nil {
		return session.Session{}, fmt.Errorf("make session: %w", err)
	}
	tag := s.index.Tag(n.AccountID)
	secret, err := s.random(sessionSecret)
	if err != nil {
		return session.Session{}, err
	}
	key := s.sessionKey(tag, secret)
	keys, oldHash := []string{s.key.acct(tag), key, s.key.sessions(tag)}, ""
	oldTag, oldKey, oldErr := s.locate(replaced)
	if oldErr == nil && oldTag == tag {
		keys, oldHash = append(keys, oldKey, s.key.served(tag)), hashIn(oldKey)
	}
	sealed, err := s.seal("session", key, encodeSession(n))
	if err != nil {
		return session.Session{}, err
	}
	r, err := s.run(ctx, "session_create", keys, n.Epoch, n.PasswordGen, s.cfg.Lifetimes.SessionIdle.Milliseconds(),
		n.End.UnixMilli(), sealed, hashIn(key), maxSessions, oldHash)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return session.Session{}, fmt.Errorf("make session: %w", err)
	}
	if oldErr == nil && oldTag != tag {
		// Another person's session of this browser: it is in another slot.
		if err := s.End(context.WithoutCancel(ctx), replaced); err != nil {
			return session.Session{}, err
		}
	}
	if n.Handle, err = s.newHandle(prefixSession, tag, secret); err != nil {
		return session.Session{}, err
	}
	return n, nil
}

// Load implements session.Store.
func (s sessions) Load(ctx context.Context, handle, clientID string) (session.View, error) {
	tag, key, err := s.locate(handle)
	if err != nil {
		return session.View{}, err
	}
	r, err := s.run(ctx, "session_load", []string{s.key.acct(tag), key, s.key.con(tag), s.key.prof(tag)},
		s.cfg.Lifetimes.SessionIdle.Milliseconds(), clientID)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return session.View{}, fmt.Errorf("load session: %w", err)
	}
	v, err := s.view(key, r)
	if err != nil {
		return session.View{}, fmt.Errorf("load session: %w", err)
	}
	v.Session.Handle = handle
	return v, nil
}

func (s sessions) view(key string, r reply) (session.View, error) {
	b, err := s.open("session", key, r.text(1))
	if err != nil {
		return session.View{}, err
	}
	n, err := decodeSession(b)
	if err != nil {
		return session.View{}, err
	}
	a, err := s.readAccount(r, 2)
	if err != nil {
		return session.View{}, err
	}
	if n.AccountID != a.ID {
		return session.View{}, fmt.Errorf("session of another account: %w", authn.ErrLost)
	}
	// The end inside cannot be changed by who can write to Redis.
	if a.State != authn.Active || a.Epoch != n.Epoch || a.PasswordGen != n.PasswordGen || !s.now().Before(n.End) {
		return session.View{}, authn.ErrGone
	}
	if a.FactorGen != n.FactorGen {
		n.Factors = nil
	}
	if _, err := s.addProfile(&a, r.text(10)); err != nil {
		return session.View{}, err
	}
	return session.View{Session: n, Account: a, Consented: consented(r.text(9))}, nil
}

// End implements session.Store.
func (s sessions) End(ctx context.Context, handle string) error {
	tag, key, err := s.locate(handle)
	if errors.Is(err, authn.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(ctx, tag, hashIn(key))
}

// List implements session.Store: two round trips. What the index names and is no more is left out.
func (s sessions) List(ctx context.Context, a authn.Account, own string) ([]session.Listed, error) {
	tag := s.index.Tag(a.ID)
	out, err := s.do(ctx, cmd{"zrevrange", s.key.sessions(tag), 0, maxSessions - 1})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	_, ownKey, _ := s.locate(own)
	var cmds []cmd
	for i := range list(out[0]) {
		key := s.key.session(tag, list(out[0]).text(i))
		cmds = append(cmds, cmd{"get", key}, cmd{"pttl", key})
	}
	if len(cmds) == 0 {
		return nil, nil
	}
	values, err := s.do(ctx, cmds...)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	var all []session.Listed
	for i := range list(out[0]) {
		h := list(out[0]).text(i)
		l, ok, err := s.listed(a, s.key.session(tag, h), value(values[2*i]), values[2*i+1])
		if err != nil {
			return nil, fmt.Errorf("list sessions: %w", err)
		}
		if ok {
			l.ID, l.Own = h, s.key.session(tag, h) == ownKey
			all = append(all, l)
		}
	}
	return all, nil
}

// listed reads one session; ok is false if it is over.
func (s sessions) listed(a authn.Account, key, v string, pttl any) (session.Listed, bool, error) {
	_, sealed, ok := strings.Cut(v, "|")
	if !ok {
		return session.Listed{}, false, nil
	}
	b, err := s.open("session", key, sealed)
	if err != nil {
		return session.Listed{}, false, err
	}
	n, err := decodeSession(b)
	if err != nil {
		return session.Listed{}, false, err
	}
	if n.Epoch != a.Epoch || n.PasswordGen != a.PasswordGen || n.AccountID != a.ID || !s.now().Before(n.End) {
		return session.Listed{}, false, nil
	}
	l := session.Listed{Label: n.Label, Started: n.Started, End: n.End}
	left, _ := pttl.(int64)
	// The idle time begins anew at each use, so what is left of it tells the last one.
	l.Last = s.now().Add(time.Duration(left)*time.Millisecond - s.cfg.Lifetimes.SessionIdle)
	if l.Last.Before(l.Started) || l.Last.After(s.now()) {
		l.Last = l.Started
	}
	return l, true, nil
}

// EndListed implements session.Store.
func (s sessions) EndListed(ctx context.Context, a authn.Account, id string) error {
	if _, err := seal.Decode(id, 16); err != nil {
		return fmt.Errorf("end session: %w", authn.ErrGone)
	}
	return s.end(ctx, s.index.Tag(a.ID), id)
}

func encodeSession(n session.Session) []byte {
	e := encoder{b: make([]byte, 0, 128)}
	e.byte(recordVersion)
	e.text(n.AccountID)
	e.int(n.Epoch)
	e.int(n.PasswordGen)
	e.int(n.FactorGen)
	e.time(n.PasswordAt)
	e.evidence(n.Factors)
	e.time(n.End)
	e.text(n.Label)
	e.time(n.Started)
	e.byte(bit(n.Skipped))
	return e.b
}

func decodeSession(b []byte) (session.Session, error) {
	d := decoder{b: b}
	if d.byte() != recordVersion {
		return session.Session{}, fmt.Errorf("session version: %w", authn.ErrLost)
	}
	n := session.Session{
		AccountID: d.text(), Epoch: d.int(), PasswordGen: d.int(), FactorGen: d.int(), PasswordAt: d.time(),
		Factors: d.evidence(), End: d.time(),
	}
	if len(d.b) > 0 {
		// A session of before 2026-11-24 ends here.
		n.Label, n.Started, n.Skipped = d.text(), d.time(), d.byte() == 1
	}
	if d.err != nil {
		return session.Session{}, fmt.Errorf("session: %w: %w", authn.ErrLost, d.err)
	}
	return n, nil
}
