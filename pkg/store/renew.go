// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Renewer puts password records into another form.
func (s *Store) Renewer() authn.Renewer { return accounts{s} }

// Renew implements authn.Renewer.
func (s accounts) Renew(ctx context.Context, a authn.Account, record string) error {
	if record == "" {
		return fmt.Errorf("renew password record: %w", errInput)
	}
	acct := s.key.acct(a.Tag)
	pw, err := s.seal("password", field(acct, "pw"), []byte(record))
	if err != nil {
		return err
	}
	r, err := s.run(ctx, "password_renew", []string{acct}, a.ID, a.PasswordGen, pw)
	if err != nil {
		return fmt.Errorf("renew password record: %w", err)
	}
	if r.code() != done {
		return fmt.Errorf("renew password record: %w", refused(r.code()))
	}
	return nil
}
