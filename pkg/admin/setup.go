// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
)

// Starter knows whether a store was set up. Every method may answer authn.ErrUnavailable.
type Starter interface {
	// Start marks the store as set up: of any number at once one is told first.
	Start(ctx context.Context) (first bool, err error)
	// Unstart takes the mark away, where nothing came of the set-up.
	Unstart(ctx context.Context) error
}

// ErrSetUp is a set-up of a store that was set up before.
var ErrSetUp = errors.New("this store was set up before; `lychgate account invite EMAIL --admin it --print` makes a link for one more of the IT team")

// SetUp makes the first of the IT team: it answers the link at which the person of the address chooses a password, once
// and within a week. A second set-up is refused (ErrSetUp), and nothing is changed.
func (o *Office) SetUp(ctx context.Context, email string) (string, error) {
	if _, err := o.Passwords.Canonical(email); err != nil || !address(email) {
		return "", fieldf("email", "must be an e-mail address")
	}
	first, err := o.Starter.Start(ctx)
	if err != nil {
		return "", err
	}
	if !first {
		return "", ErrSetUp
	}
	link, err := o.Clerk(CommandLine()).InviteByLink(ctx, "", Invitee{Email: email, Admin: authn.AdminIT})
	if err != nil {
		return "", fmt.Errorf("set up: %w", errors.Join(err, o.Starter.Unstart(context.WithoutCancel(ctx))))
	}
	o.Audit.Event(ctx, audit.StoreSetUp)
	return link, nil
}
