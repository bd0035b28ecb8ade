// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package local is the directory whose accounts live in Lychgate's own store. Names are compared in their
// canonical form (RFC 8265), passwords are kept as argon2id (RFC 9106). Records that other providers made are checked as
// they are, and made new when their password is next shown.
package local

import (
	"context"
	"errors"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Config is what the directory is built from. All are needed.
type Config struct {
	Accounts authn.AccountStore
	Renewer  authn.Renewer
	Hasher   *Hasher
}

// Directory checks passwords of local accounts.
type Directory struct {
	accounts authn.AccountStore
	renewer  authn.Renewer
	hasher   *Hasher
}

var _ authn.Directory = (*Directory)(nil)

// New returns the directory.
func New(cfg Config) *Directory {
	return &Directory{accounts: cfg.Accounts, renewer: cfg.Renewer, hasher: cfg.Hasher}
}

// Canonical implements authn.Directory.
func (d *Directory) Canonical(name string) string {
	canonical, err := Canonical(name)
	if err != nil {
		return name
	}
	return canonical
}

// Lookup implements authn.Directory: two round trips, whatever the name.
func (d *Directory) Lookup(ctx context.Context, name string) (authn.Account, error) {
	canonical, err := Canonical(name)
	nameOK := err == nil
	if !nameOK {
		canonical = nobody
	}
	rec, err := d.accounts.ByName(ctx, canonical)
	switch {
	case err != nil:
		return authn.Account{}, fmt.Errorf("find account: %w", err)
	case !nameOK:
		return authn.Account{}, fmt.Errorf("find account: %w", authn.ErrNotFound)
	}
	return rec.Account, nil
}

// nobody is looked up for a name that cannot be one: no canonical name has a space in it, so it finds nobody and
// costs what every name costs.
const nobody = " "

// Verify implements authn.Directory. Whatever is wrong, the same things are done in the same order: one lookup and
// one hash (security.md PL-03). A record that is broken is hashed as well before it is reported. Only after a right
// password more may be done: a record that is not what would be made today is made new.
func (d *Directory) Verify(ctx context.Context, name, password string) (authn.Account, error) {
	canonical, err := Canonical(name)
	nameOK := err == nil
	if !nameOK {
		canonical = nobody
	}
	rec, err := d.accounts.ByName(ctx, canonical)
	lost := errors.Is(err, authn.ErrLost)
	if err != nil && !lost && !errors.Is(err, authn.ErrNotFound) {
		return authn.Account{}, fmt.Errorf("find account: %w", err)
	}
	found := err == nil && nameOK
	known := stored(d.hasher.dummy)
	if found {
		p, perr := parseStored(rec.PasswordRecord)
		if perr != nil {
			found, lost = false, true
		} else {
			known = p
		}
	}
	secret, usable := prepare(password)
	right, err := d.hasher.matches(ctx, secret, known)
	switch {
	case err != nil:
		return authn.Account{}, fmt.Errorf("hash password: %w", err)
	case lost:
		return authn.Account{}, fmt.Errorf("password of an account: %w", authn.ErrLost)
	case !found:
		return authn.Account{}, authn.ErrRejected
	case !usable || !right || rec.State != authn.Active:
		return authn.Account{}, &authn.RejectedError{AccountID: rec.ID, Company: rec.Company}
	}
	if !known.current(d.hasher.cfg) {
		d.renew(ctx, rec.Account, password)
	}
	return rec.Account, nil
}

// renew makes the record of a password that was just shown new. Whatever is in the way, a full queue, a store that has
// gone or a password that was changed meanwhile, leaves the record that is there: the next sign-in tries again.
func (d *Directory) renew(ctx context.Context, a authn.Account, password string) {
	if record, err := d.hasher.Hash(ctx, password); err == nil {
		_ = d.renewer.Renew(ctx, a, record)
	}
}
