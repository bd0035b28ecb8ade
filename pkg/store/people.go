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

	"github.com/lychgate/lychgate/pkg/authn"
)

// people implements authn.People.
type people struct{ accounts }

// People finds accounts and changes what is said of a person.
func (s *Store) People() authn.People { return people{accounts{s}} }

const (
	usualPage = 50
	maxPage   = 200
	// maxLooks is how many times a page that is still short looks further: two round trips each.
	maxLooks = 4
	// lookAt is how many accounts are looked at once where most may not fit.
	lookAt = 200
)

// span is the part of a set that holds a company.
func span(company, after string) (from, to string) {
	from, to = "["+company+"/", "("+company+"0"
	if company == authn.Anybody {
		from, to = "-", "+"
	}
	if after != "" {
		from = "(" + after
	}
	return from, to
}

// setOf is the smallest set that holds everybody who is asked for.
func (s people) setOf(q authn.PeopleQuery) string {
	switch {
	case q.Text != "":
		return s.peopleKey(kindWord, prefixOf(q.Text))
	case q.Show == authn.ShowWithout:
		return s.peopleKey(kindWithout, "")
	default:
		return s.peopleKey(kindAll, "")
	}
}

// Page implements authn.People.
func (s people) Page(ctx context.Context, q authn.PeopleQuery) (authn.PeoplePage, error) {
	q.Text = folded(q.Text)
	if q.Limit <= 0 {
		q.Limit = usualPage
	}
	q.Limit = min(q.Limit, maxPage)
	if q.After != "" && q.Company != authn.Anybody && !strings.HasPrefix(q.After, q.Company+"/") {
		return authn.PeoplePage{}, fmt.Errorf("list people: a place in another list: %w", authn.ErrGone)
	}
	l := &listing{key: s.setOf(q)}
	for range maxLooks {
		more, err := s.look(ctx, q, l)
		if err != nil {
			return authn.PeoplePage{}, fmt.Errorf("list people: %w", err)
		}
		if q.After = l.Next; !more {
			break
		}
	}
	s.leave(ctx, map[string]bool{l.key: true}, l.stale...)
	return l.PeoplePage, nil
}

// listing is a page as it is put together.
type listing struct {
	authn.PeoplePage
	key string
	// stale are entries that stand for nobody any more.
	stale []string
}

// look adds to the page what stands behind q.After, and answers whether it is short and more may follow.
func (s people) look(ctx context.Context, q authn.PeopleQuery, page *listing) (bool, error) {
	n := q.Limit - len(page.People)
	if q.Text != "" || q.Group != "" || q.Show == authn.ShowWith {
		n = lookAt
	}
	from, to := span(q.Company, q.After)
	out, err := s.do(ctx, cmd{"zrange", page.key, from, to, "bylex", "limit", 0, n + 1})
	if err != nil {
		return false, err
	}
	entries := list(out[0])
	more := len(entries) > n
	if more {
		entries = entries[:n]
	}
	found, stale, err := s.read(ctx, entries, q)
	if err != nil {
		return false, err
	}
	page.stale, page.Next = append(page.stale, stale...), ""
	for i, r := range found {
		page.People = append(page.People, r)
		if len(page.People) == q.Limit {
			if more || i < len(found)-1 {
				page.Next = entryOf(r)
			}
			return false, nil
		}
	}
	if more {
		page.Next = entries.text(len(entries) - 1)
	}
	return more, nil
}

// read reads the accounts of entries, those that are asked for, and names entries that stand for nobody any more.
func (s people) read(ctx context.Context, entries reply, q authn.PeopleQuery) (found []authn.Record, stale []string, err error) {
	if len(entries) == 0 {
		return nil, nil, nil
	}
	cmds, tags := make([]cmd, 0, 2*len(entries)), make([]string, len(entries))
	for i := range entries {
		_, id, _ := entryParts(entries.text(i))
		tags[i] = s.index.Tag(id)
		cmds = append(cmds, hmget(s.key.acct(tags[i]), acctFields()...), cmd{"get", s.key.prof(tags[i])})
	}
	out, err := s.do(ctx, cmds...)
	if err != nil {
		return nil, nil, err
	}
	for i := range entries {
		e := entries.text(i)
		r, err := s.person(tags[i], list(out[2*i]), value(out[2*i+1]))
		switch {
		case errors.Is(err, authn.ErrNotFound) || err == nil && entryOf(r) != e:
			stale = append(stale, e)
		case err != nil:
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "account lost or broken", slog.String("tag", tags[i]))
		case q.Text != "" && !begins(r, q.Text), q.Text == "" && q.Show == authn.ShowWithout && r.Factor == authn.FactorOn:
			stale = append(stale, staleIn(q, r, e)...)
		case shown(q, r):
			found = append(found, r)
		}
	}
	return found, stale, nil
}

// staleIn says whether an entry of the set that was read stands there in vain: a person who has another name by now, or
// who has a factor.
func staleIn(q authn.PeopleQuery, r authn.Record, e string) []string {
	if q.Text == "" || !begins(r, prefixOf(q.Text)) {
		return []string{e}
	}
	return nil
}

// shown says whether an account is one of those that are asked for.
func shown(q authn.PeopleQuery, r authn.Record) bool {
	switch {
	case q.Group != "" && !slices.Contains(r.Groups, q.Group):
		return false
	case q.Show == authn.ShowWithout:
		return r.Factor != authn.FactorOn && r.State == authn.Active
	case q.Show == authn.ShowWith:
		return r.Factor == authn.FactorOn
	default:
		return true
	}
}

// person makes a record without its password of what a pipeline has read.
func (s people) person(tag string, r reply, sealed string) (authn.Record, error) {
	if r.text(0) == "" && r.text(2) == "" && sealed == "" {
		return authn.Record{}, authn.ErrNotFound
	}
	a, err := s.readAccount(r, 0)
	if err != nil {
		return authn.Record{}, err
	}
	rec := authn.Record{Account: a}
	if a.Tag != tag {
		// Another id has the slot: the one that the entry names is not there.
		return authn.Record{}, authn.ErrNotFound
	}
	rec.Profile, err = s.addProfile(&rec.Account, sealed)
	return rec, err
}

// Headcount implements authn.People.
func (s people) Headcount(ctx context.Context, company string) (authn.Headcount, error) {
	n, err := s.Headcounts(ctx, []string{company})
	if err != nil {
		return authn.Headcount{}, err
	}
	return n[0], nil
}

// Headcounts implements authn.People.
func (s people) Headcounts(ctx context.Context, companies []string) ([]authn.Headcount, error) {
	if len(companies) == 0 {
		return nil, nil
	}
	var cmds []cmd
	all, without := s.peopleKey(kindAll, ""), s.peopleKey(kindWithout, "")
	for _, company := range companies {
		from, to := span(company, "")
		cmds = append(cmds, cmd{"zlexcount", all, from, to}, cmd{"zlexcount", without, from, to})
	}
	out, err := s.do(ctx, cmds...)
	if err != nil {
		return nil, fmt.Errorf("count people: %w", err)
	}
	counts, n := make([]authn.Headcount, len(companies)), list(out)
	for i := range counts {
		counts[i] = authn.Headcount{All: int(n.num(2 * i)), Without: int(n.num(2*i + 1))}
	}
	return counts, nil
}

// EditProfile implements authn.People.
func (s people) EditProfile(ctx context.Context, id, company string, change func(authn.Record) (authn.Profile, error)) (authn.Record, error) {
	const tries = 10
	for range tries {
		rec, err := s.editProfile(ctx, id, company, change)
		if !errors.Is(err, authn.ErrMoved) {
			return rec, err
		}
	}
	return authn.Record{}, fmt.Errorf("change profile: too many changes at once: %w", authn.ErrBusy)
}

func (s people) editProfile(ctx context.Context, id, company string, change func(authn.Record) (authn.Profile, error)) (authn.Record, error) {
	tag := s.index.Tag(id)
	out, err := s.do(ctx, hmget(s.key.acct(tag), acctFields()...), cmd{"get", s.key.prof(tag)})
	if err != nil {
		return authn.Record{}, fmt.Errorf("change profile: %w", err)
	}
	before := value(out[1])
	rec, err := s.person(tag, list(out[0]), before)
	if err == nil && (rec.ID != id || company != authn.Anybody && rec.Company != company) {
		err = authn.ErrNotFound
	}
	if err != nil {
		return authn.Record{}, fmt.Errorf("change profile: %w", err)
	}
	p, err := change(rec)
	if err != nil {
		return authn.Record{}, err
	}
	old := rec
	p.Created = rec.Profile.Created
	after, err := s.sealJSON("profile", s.key.prof(tag), profile{Canonical: rec.Name, Profile: p})
	if err != nil {
		return authn.Record{}, fmt.Errorf("change profile: %w", err)
	}
	if rec.Profile, err = s.addProfile(&rec.Account, after); err != nil {
		return authn.Record{}, fmt.Errorf("change profile: %w", err)
	}
	r, err := s.run(ctx, "profile_put", []string{s.key.acct(tag), s.key.prof(tag)}, id, rec.Company, before, after)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return authn.Record{}, fmt.Errorf("change profile: %w", err)
	}
	if err := s.enter(context.WithoutCancel(ctx), rec); err != nil {
		return authn.Record{}, fmt.Errorf("the profile is changed; %w", err)
	}
	gone := s.wordKeys(old)
	for key := range s.wordKeys(rec) {
		delete(gone, key)
	}
	s.leave(ctx, gone, entryOf(rec))
	return rec, nil
}

// Reindex implements authn.People.
func (s people) Reindex(ctx context.Context, id string) error {
	rec, err := s.ByID(ctx, id)
	if err != nil {
		return err
	}
	return s.enter(ctx, rec)
}

// Delete implements authn.People. The order lets it be run again after an outage: first nobody signs in any more, last
// the account goes.
func (s people) Delete(ctx context.Context, id, company string) error {
	rec, err := s.ByID(ctx, id)
	if err == nil && company != authn.Anybody && rec.Company != company {
		err = authn.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	if _, err := s.Apply(ctx, id, company, authn.Disable, ""); err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	name := s.key.name(s.index.Hash("name", rec.Name))
	if _, err := s.run(ctx, "name_drop", []string{name}, id); err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	keys := s.wordKeys(rec)
	keys[s.peopleKey(kindAll, "")], keys[s.peopleKey(kindWithout, "")] = true, true
	indexed, err := s.indexed(ctx, rec.Tag)
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	k := s.key
	gone := append([]string{
		k.acct(rec.Tag), k.erased(rec.Tag), k.prof(rec.Tag), k.mfa(rec.Tag), k.dev(rec.Tag), k.con(rec.Tag), k.sessions(rec.Tag),
		k.served(rec.Tag), k.activity(rec.Tag), k.reset(rec.Tag), k.grants(rec.Tag),
	}, indexed...)
	r, err := s.run(ctx, "account_delete", gone, id)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return fmt.Errorf("delete account: %w", err)
	}
	s.leave(ctx, keys, entryOf(rec))
	return nil
}

// indexed are the keys of the sessions and grants of an account.
func (s people) indexed(ctx context.Context, tag string) ([]string, error) {
	out, err := s.do(ctx, cmd{"zrange", s.key.sessions(tag), 0, -1}, cmd{"zrange", s.key.grants(tag), 0, -1})
	if err != nil {
		return nil, err
	}
	var keys []string
	for i := range list(out[0]) {
		keys = append(keys, s.key.session(tag, list(out[0]).text(i)))
	}
	for i := range list(out[1]) {
		gid := list(out[1]).text(i)
		keys = append(keys, s.key.control(tag, gid), s.key.grant(tag, gid))
	}
	return keys, nil
}

var _ authn.People = people{}
