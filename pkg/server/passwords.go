// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/providers/directories/local"
)

// passwords is what the local directory knows of names and passwords, for pkg/admin.
type passwords struct{ hasher *local.Hasher }

// Canonical implements admin.Passwords.
func (passwords) Canonical(name string) (string, error) { return local.Canonical(name) }

// Hash implements admin.Passwords.
func (p passwords) Hash(ctx context.Context, password string) (string, error) {
	return p.hasher.Hash(ctx, password)
}

// Unusable implements admin.Passwords.
func (p passwords) Unusable() (string, error) { return p.hasher.Unusable() }

// CheckRecord implements admin.Passwords.
func (passwords) CheckRecord(phc string) error { return local.CheckRecord(phc) }

// CheckPassword implements admin.Passwords.
func (passwords) CheckPassword(password string, context ...string) error {
	return local.CheckPassword(password, context...)
}

// Check implements web.Passwords and account.Passwords.
func (passwords) Check(password string, context ...string) error {
	return local.CheckPassword(password, context...)
}

// people is what the pages behind mailed links may do, without the password records.
type people struct{ accounts authn.AccountStore }

// ByID implements web.People.
func (p people) ByID(ctx context.Context, id string) (authn.Account, error) {
	rec, err := p.accounts.ByID(ctx, id)
	return rec.Account, err
}

// SetPassword implements web.People.
func (p people) SetPassword(ctx context.Context, a authn.Account, record string) (authn.Account, error) {
	return p.accounts.ChangePassword(ctx, a, authn.SetPassword, record)
}

// ResetFactor implements web.People.
func (p people) ResetFactor(ctx context.Context, id string) (authn.Account, error) {
	return p.accounts.Apply(ctx, id, "*", authn.ResetFactor, "")
}

// NewTicket implements web.People.
func (p people) NewTicket(ctx context.Context, id string) (string, error) {
	return p.accounts.NewTicket(ctx, id)
}

// hashConfig turns the settings into the hasher's. The numbers are validated: they fit.
func hashConfig(cfg config.Config, deps Deps) local.HashConfig {
	p := cfg.Password
	return local.HashConfig{
		MemoryKiB: uint32(p.MemoryKiB), Passes: uint32(p.Passes), LimitKiB: uint32(p.LimitMiB) << 10, //nolint:gosec // validated
		Queue: p.Queue, Wait: p.QueueWait, Rand: deps.Rand, Observe: deps.ObserveHash,
	}
}

// Level is the level of a log that can be changed while running.
type Level = slog.LevelVar
