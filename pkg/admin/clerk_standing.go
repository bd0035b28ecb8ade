// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
)

// Holdings is what an account has under way: what admins see of it, never a secret.
type Holdings struct {
	// Person is whose they are, as Clerk.Person returns it.
	Person   authn.Record
	Factors  authn.Factors
	Devices  []device.Device
	Sessions []session.Listed
	// Apps have access, or were allowed it.
	Apps []grant.Standing
	// AppNames are the names of these, by their ids, as far as there are any.
	AppNames map[string]string
}

// Holdings reads what an account has under way. The authenticators of a disabled one are not read: it has no use of them.
func (c *Clerk) Holdings(ctx context.Context, id string) (Holdings, error) {
	r, err := c.Person(ctx, id)
	if err != nil {
		return Holdings{}, err
	}
	h := Holdings{Person: r}
	if h.Factors, err = c.o.Factors.Authenticators(ctx, r.Account); err != nil {
		return Holdings{}, err
	}
	if h.Devices, err = c.o.Devices.List(ctx, id); err != nil {
		return Holdings{}, err
	}
	if h.Sessions, err = c.o.Sessions.List(ctx, r.Account, ""); err != nil {
		return Holdings{}, err
	}
	if h.Apps, err = c.o.Standings.List(ctx, r.Account); err != nil {
		return Holdings{}, err
	}
	h.AppNames = map[string]string{}
	for _, app := range h.Apps {
		// An app that was removed meanwhile has no name; it is listed all the same.
		if x, err := c.o.Clients.Client(ctx, app.ClientID); err == nil {
			h.AppNames[app.ClientID] = x.Name
		}
	}
	return h, nil
}

// EndSession ends one session of an account, named as in Holdings; it is harmless to repeat.
func (c *Clerk) EndSession(ctx context.Context, id, sessionID string) error {
	return c.onStanding(ctx, id, audit.SessionEnded, func(a authn.Account) error {
		return c.o.Sessions.EndListed(ctx, a, sessionID)
	})
}

// ForgetDevice forgets one remembered device of an account; it is harmless to repeat.
func (c *Clerk) ForgetDevice(ctx context.Context, id, deviceID string) error {
	return c.onStanding(ctx, id, audit.DeviceForgotten, func(a authn.Account) error {
		return c.o.Devices.Remove(ctx, a.ID, deviceID)
	})
}

// WithdrawApp ends the access of an app to an account, and what was allowed; it is harmless to repeat.
func (c *Clerk) WithdrawApp(ctx context.Context, id, clientID string) error {
	return c.onStanding(ctx, id, audit.AppWithdrawn, func(a authn.Account) error {
		return c.o.Standings.Withdraw(ctx, a, clientID)
	})
}

func (c *Clerk) onStanding(ctx context.Context, id, event string, act func(authn.Account) error) error {
	r, err := c.Person(ctx, id)
	if err == nil {
		err = c.mayTouch(r)
	}
	if err == nil {
		err = act(r.Account)
	}
	if err == nil {
		c.event(ctx, event, slog.String("account", id), slog.String("company", r.Company))
	}
	return err
}
