// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"

	"github.com/lychgate/lychgate/pkg/account"
	"github.com/lychgate/lychgate/providers/directories/local"
)

// newAccount returns the person's own account page.
func (s *Server) newAccount() *account.Pages {
	return account.New(account.Config{
		Site: s.site, Accounts: s.store.Accounts(), Factors: s.store.Credentials(), Editor: s.store.Editor(),
		Devices: s.store.Devices(), Sessions: s.store.Sessions(), Standings: s.store.Standings(), Activity: s.history,
		Clients: s.store.Clients(), Companies: s.store.Companies(), Passwords: ownPasswords{s.hasher},
		NewRecovery: s.newRecovery, Audit: s.events, Now: s.deps.Now,
	})
}

// ownPasswords is what the local directory knows of passwords, for people who choose one.
type ownPasswords struct{ hasher *local.Hasher }

// Check implements account.Passwords.
func (ownPasswords) Check(password string, context ...string) error {
	return local.CheckPassword(password, context...)
}

// Hash implements account.Passwords.
func (p ownPasswords) Hash(ctx context.Context, password string) (string, error) {
	return p.hasher.Hash(ctx, password)
}
