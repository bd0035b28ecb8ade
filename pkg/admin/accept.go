// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/invitation"
)

// Invited returns the invitation behind a link, without taking it: authn.ErrGone if it was taken, withdrawn, sent again
// since, or has ended, or if its company is gone.
func (o *Office) Invited(ctx context.Context, l authn.Link) (invitation.Invitation, error) {
	i, err := o.Invitations.Get(ctx, l.Company, l.Invitation)
	if errors.Is(err, authn.ErrNotFound) || err == nil && (i.Serial != l.Serial || !o.Now().Before(i.Ends)) {
		return invitation.Invitation{}, fmt.Errorf("invitation: %w", authn.ErrGone)
	}
	if err != nil {
		return invitation.Invitation{}, err
	}
	if i.Company == "" {
		return i, nil
	}
	if _, err := o.Companies.Company(ctx, i.Company); errors.Is(err, authn.ErrNotFound) {
		return invitation.Invitation{}, fmt.Errorf("company of the invitation: %w", authn.ErrGone)
	} else if err != nil {
		return invitation.Invitation{}, err
	}
	return i, nil
}

// Accept makes the account of an invitation, with the name that its person typed and the record of the password. The
// invitation is taken first, so of two who come at once one is told authn.ErrGone; it is put back if the account cannot
// be made. authn.ErrExists if the address has an account by now. A group that was removed meanwhile is left out.
func (o *Office) Accept(ctx context.Context, i invitation.Invitation, person, record string) (authn.Account, error) {
	name, err := o.Passwords.Canonical(i.Email)
	if err != nil {
		return authn.Account{}, fmt.Errorf("address of the invitation: %w", err)
	}
	groups, err := o.groupsOf(ctx, i)
	if err != nil {
		return authn.Account{}, err
	}
	if err := o.Invitations.Take(ctx, i); err != nil {
		return authn.Account{}, err
	}
	claims := map[string]any{"email": i.Email, "email_verified": true}
	if person != "" {
		claims["name"] = person
	}
	if i.Lang != "" {
		claims["locale"] = i.Lang
	}
	ctx = context.WithoutCancel(ctx)
	a, err := o.Accounts.Create(ctx, authn.NewAccount{
		Company: i.Company, Name: name, PasswordRecord: record,
		Profile: authn.Profile{Name: i.Email, Claims: claims, Roles: i.Roles, Groups: groups, Admin: i.Admin, Created: o.Now().Unix()},
	})
	if errors.Is(err, authn.ErrExists) {
		return authn.Account{}, err
	}
	if err != nil {
		return authn.Account{}, errors.Join(err, o.Invitations.Add(ctx, i))
	}
	o.Audit.Event(ctx, audit.InvitationTaken, slog.String("account", a.ID), slog.String("company", a.Company), slog.String("invitation", i.ID))
	return a, nil
}

// groupsOf are those of an invitation's groups that its company still has: apps must not be told of one that is gone.
func (o *Office) groupsOf(ctx context.Context, i invitation.Invitation) ([]string, error) {
	if len(i.Groups) == 0 {
		return nil, nil
	}
	co, err := o.Companies.Company(ctx, i.Company)
	if err != nil {
		return nil, fmt.Errorf("company of the invitation: %w", err)
	}
	return slices.DeleteFunc(slices.Clone(i.Groups), func(id string) bool {
		return !slices.ContainsFunc(co.Groups, func(g company.Group) bool { return g.ID == id })
	}), nil
}
