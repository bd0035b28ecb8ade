// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/authn"
)

// accounts implements authn.AccountStore.
type accounts struct{ *Store }

// profile is what lg:{T}:prof holds, sealed.
type profile struct {
	// Canonical is the sign-in name that the index knows.
	Canonical string        `json:"canonical"`
	Profile   authn.Profile `json:"profile"`
}

// acctFields are read in this order; acctAll adds the password record.
func acctFields() []string {
	return []string{"id", "company", "state", "ep", "pwgen", "mfagen", "mfastate"}
}

// hmget reads fields of a hash.
func hmget(key string, fields ...string) cmd {
	c := make(cmd, 0, 2+len(fields))
	c = append(c, "hmget", key)
	for _, f := range fields {
		c = append(c, f)
	}
	return c
}

// readAccount makes an account of the values of acctFields, from the i-th on. A field that is missing or of no
// known value is a lost record: unknown is never "not enrolled" or "active".
func (s *Store) readAccount(r reply, i int) (authn.Account, error) {
	a := authn.Account{
		ID: r.text(i), Company: r.text(i + 1), State: authn.State(r.text(i + 2)), Factor: authn.FactorState(r.text(i + 6)),
	}
	if a.ID == "" {
		return authn.Account{}, fmt.Errorf("account: %w", authn.ErrLost)
	}
	a.Tag = s.index.Tag(a.ID)
	var errs [3]error
	a.Epoch, errs[0] = number(r.text(i + 3))
	a.PasswordGen, errs[1] = number(r.text(i + 4))
	a.FactorGen, errs[2] = number(r.text(i + 5))
	if err := errors.Join(errs[:]...); err != nil {
		return authn.Account{}, fmt.Errorf("account: %w", err)
	}
	if a.State != authn.Active && a.State != authn.Disabled {
		return authn.Account{}, fmt.Errorf("account state: %w", authn.ErrLost)
	}
	switch a.Factor {
	case authn.FactorNever, authn.FactorOn, authn.FactorOff, authn.FactorReset:
	default:
		return authn.Account{}, fmt.Errorf("factor state: %w", authn.ErrLost)
	}
	if a.Factor == authn.FactorNever && a.FactorGen != 0 {
		return authn.Account{}, fmt.Errorf("factor state: %w", authn.ErrLost)
	}
	return a, nil
}

// addProfile opens the sealed profile and completes the account with it.
func (s *Store) addProfile(a *authn.Account, sealed string) (authn.Profile, error) {
	var p profile
	if err := s.openJSON("profile", s.key.prof(a.Tag), sealed, &p); err != nil {
		return authn.Profile{}, err
	}
	a.Name, a.Roles, a.Created = p.Canonical, p.Profile.Roles, time.Unix(p.Profile.Created, 0).UTC()
	a.Contact, a.Claims = contactOf(p), p.Profile.Claims
	a.Attributes, a.Groups, a.Admin = p.Profile.Attributes, p.Profile.Groups, p.Profile.Admin
	return p.Profile, nil
}

// contactOf gathers the addresses of a profile.
func contactOf(p profile) authn.Contact {
	var c authn.Contact
	c.Person, _ = p.Profile.Claims["name"].(string)
	c.Locale, _ = p.Profile.Claims["locale"].(string)
	claim, _ := p.Profile.Claims["email"].(string)
	for _, address := range []string{claim, p.Profile.Name} {
		known := slices.ContainsFunc(c.Emails, func(have string) bool { return strings.EqualFold(have, address) })
		if strings.Contains(address, "@") && !known {
			c.Emails = append(c.Emails, address)
		}
	}
	return c
}

// ByName implements authn.AccountStore. A name that nobody has costs the same two round trips.
func (s accounts) ByName(ctx context.Context, name string) (authn.Record, error) {
	out, err := s.do(ctx, cmd{"get", s.key.name(s.index.Hash("name", name))})
	if err != nil {
		return authn.Record{}, fmt.Errorf("find account: %w", err)
	}
	id := value(out[0])
	tag := s.index.HashTag("nobody", name)
	if id != "" {
		tag = s.index.Tag(id)
	}
	rec, err := s.record(ctx, tag)
	switch {
	case id == "" && (err == nil || errors.Is(err, authn.ErrNotFound)):
		return authn.Record{}, fmt.Errorf("find account: %w", authn.ErrNotFound)
	case errors.Is(err, authn.ErrNotFound) || err == nil && (rec.ID != id || rec.Name != name):
		return authn.Record{}, fmt.Errorf("name without its account: %w", authn.ErrLost)
	case err != nil:
		return authn.Record{}, fmt.Errorf("find account: %w", err)
	}
	return rec, nil
}

// ByID implements authn.AccountStore.
func (s accounts) ByID(ctx context.Context, id string) (authn.Record, error) {
	rec, err := s.record(ctx, s.index.Tag(id))
	if err == nil && rec.ID != id {
		err = authn.ErrNotFound
	}
	if err != nil {
		return authn.Record{}, fmt.Errorf("read account: %w", err)
	}
	return rec, nil
}

// record reads the account of a slot in one round trip: ErrNotFound if there is nothing at all.
func (s accounts) record(ctx context.Context, tag string) (authn.Record, error) {
	out, err := s.do(ctx, hmget(s.key.acct(tag), append(acctFields(), "pw")...), cmd{"get", s.key.prof(tag)})
	if err != nil {
		return authn.Record{}, err
	}
	return s.asRecord(tag, list(out[0]), value(out[1]))
}

func (s accounts) asRecord(tag string, r reply, sealed string) (authn.Record, error) {
	if r.text(0) == "" && r.text(2) == "" && sealed == "" {
		return authn.Record{}, authn.ErrNotFound
	}
	a, err := s.readAccount(r, 0)
	if err != nil {
		return authn.Record{}, err
	}
	if a.Tag != tag {
		return authn.Record{}, fmt.Errorf("account in a foreign slot: %w", authn.ErrLost)
	}
	rec := authn.Record{Account: a}
	if rec.Profile, err = s.addProfile(&rec.Account, sealed); err != nil {
		return authn.Record{}, err
	}
	pw, err := s.open("password", field(s.key.acct(tag), "pw"), r.text(7))
	if err != nil {
		return authn.Record{}, err
	}
	rec.PasswordRecord = string(pw)
	return rec, nil
}

// List implements authn.AccountStore. It walks all servers; accounts made meanwhile may be left out. A broken
// account is logged and left out, so that one of them does not hide the others.
func (s accounts) List(ctx context.Context, yield func(authn.Record) bool) error {
	if err := s.gate(); err != nil {
		return err
	}
	var mu sync.Mutex
	over := false
	return s.masters(ctx, func(ctx context.Context, c *redis.Client) error {
		var cursor uint64
		for {
			names, next, err := c.Scan(ctx, cursor, s.key.anyAcct(), 500).Result()
			if err != nil {
				return s.failed(err)
			}
			mu.Lock()
			if !over {
				err = s.page(ctx, names, func(r authn.Record) bool { over = !yield(r); return !over })
			}
			end := over
			mu.Unlock()
			if err != nil || end || next == 0 {
				return err
			}
			cursor = next
		}
	})
}

func (s accounts) page(ctx context.Context, names []string, yield func(authn.Record) bool) error {
	for _, name := range names {
		tag := s.key.tagIn(name)
		rec, err := s.record(ctx, tag)
		switch {
		case errors.Is(err, authn.ErrNotFound):
		case errors.Is(err, authn.ErrLost):
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "account lost or broken", slog.String("tag", tag))
		case err != nil:
			return err
		case !yield(rec):
			return nil
		}
	}
	return nil
}
