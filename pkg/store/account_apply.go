// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Apply implements authn.AccountStore.
func (s accounts) Apply(ctx context.Context, id, company string, c authn.Change, passwordRecord string) (authn.Account, error) {
	return s.change(ctx, change{id, company, c, passwordRecord, ""})
}

// ChangePassword implements authn.AccountStore.
func (s accounts) ChangePassword(ctx context.Context, a authn.Account, c authn.Change, record string) (authn.Account, error) {
	return s.change(ctx, change{a.ID, "*", c, record, strconv.FormatInt(a.PasswordGen, 10)})
}

// change is one act on an account. pwgen is the password generation that must still be in force; empty: any.
type change struct {
	id, company   string
	act           authn.Change
	record, pwgen string
}

func (s accounts) change(ctx context.Context, n change) (authn.Account, error) {
	id, c, passwordRecord := n.id, n.act, n.record
	tag, pw := s.index.Tag(id), ""
	if c == authn.SetPassword || c == authn.SetPasswordProved {
		if passwordRecord == "" {
			return authn.Account{}, fmt.Errorf("%s: no password record: %w", c, authn.ErrConflict)
		}
		var err error
		if pw, err = s.seal("password", field(s.key.acct(tag), "pw"), []byte(passwordRecord)); err != nil {
			return authn.Account{}, err
		}
	}
	keys := []string{s.key.acct(tag), s.key.mfa(tag), s.key.dev(tag)}
	var told map[string]string
	if ends := c != authn.Enable && c != authn.Forget; ends {
		told = s.announce(ctx, tag, nil)
	}
	r, err := s.run(ctx, "account_change", keys, id, n.company, string(c), pw, n.pwgen)
	if err != nil {
		return authn.Account{}, fmt.Errorf("%s: %w", c, err)
	}
	switch r.code() {
	case done:
	case gone:
		return authn.Account{}, fmt.Errorf("%s: %w", c, authn.ErrNotFound)
	default:
		return authn.Account{}, fmt.Errorf("%s: %w", c, refused(r.code()))
	}
	s.served(context.WithoutCancel(ctx), tag, told)
	rec, err := s.ByID(context.WithoutCancel(ctx), id)
	if err != nil {
		return authn.Account{}, fmt.Errorf("%s is done; %w", c, err)
	}
	if c == authn.ResetFactor {
		if err := s.withoutFactor(context.WithoutCancel(ctx), rec); err != nil {
			return rec.Account, fmt.Errorf("%s is done; %w", c, err)
		}
	}
	return rec.Account, nil
}

// NewTicket implements authn.AccountStore. A ticket is 25 characters of base32 (125 bits) in groups of five.
func (s accounts) NewTicket(ctx context.Context, id string) (string, error) {
	text, err := s.randomText(25, lowerBase32)
	if err != nil {
		return "", err
	}
	tag := s.index.Tag(id)
	r, err := s.run(ctx, "ticket", []string{s.key.acct(tag), s.key.ticket(tag, s.ticketHash(tag, text))},
		id, s.cfg.Lifetimes.TicketLife.Milliseconds())
	if err != nil {
		return "", fmt.Errorf("make ticket: %w", err)
	}
	switch r.code() {
	case done:
		return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:20], text[20:]}, "-"), nil
	case gone:
		return "", fmt.Errorf("make ticket: %w", authn.ErrNotFound)
	default:
		return "", fmt.Errorf("make ticket: %w", refused(r.code()))
	}
}

// ticketHash stands for a ticket as a person types it.
func (s *Store) ticketHash(tag, ticket string) string {
	ticket = strings.ToLower(strings.Map(func(r rune) rune {
		if r == '-' || r == ' ' {
			return -1
		}
		return r
	}, ticket))
	return s.index.Hash("ticket", tag, ticket)
}
