// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import "github.com/lychgate/lychgate/pkg/account"

// newAccount returns the person's own account page.
func (s *Server) newAccount() *account.Pages {
	return account.New(account.Config{
		Site: s.site, Accounts: s.store.Accounts(), Factors: s.store.Credentials(), Editor: s.store.Editor(),
		Devices: s.store.Devices(), Sessions: s.store.Sessions(), Standings: s.store.Standings(), Activity: s.history,
		Clients: s.store.Clients(), Companies: s.store.Companies(), Passwords: passwords{s.hasher},
		NewRecovery: s.newRecovery, Audit: s.events, Now: s.deps.Now,
	})
}
