// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/notify"
)

const (
	// ticketLife is how long the mailed set-up link is good; the ticket in it ends then too.
	ticketLife = 24 * time.Hour
	// askedLife is how long a reset that was asked for waits for a second admin, or for its time.
	askedLife = 8 * 24 * time.Hour
)

// Asked is a reset that an admin has asked for and that is not done yet.
type Asked struct {
	By string    `json:"by"`
	At time.Time `json:"at"`
}

// Resets keeps resets that wait. Every method may answer authn.ErrUnavailable or authn.ErrLost.
type Resets interface {
	// AskReset keeps a for life, or returns the one that was asked for before: first is false then.
	AskReset(ctx context.Context, accountID string, a Asked, life time.Duration) (standing Asked, first bool, err error)
	// AskedReset returns what was asked for; asked is false if nothing was.
	AskedReset(ctx context.Context, accountID string) (standing Asked, asked bool, err error)
	// DropReset forgets it; it is harmless to repeat.
	DropReset(ctx context.Context, accountID string) error
}

// Reset is what a reset of a person's second factor has led to.
type Reset struct {
	// Done: the factor is gone. Ticket opens one new set-up together with the password; Mailed is how many addresses it
	// was mailed to.
	Done   bool
	Ticket string
	Mailed int
	// Else it waits: until After, and, with Another, for an admin who is not By.
	By      string
	After   time.Time
	Another bool
}

// ErrAdmin is a reset for which the company's policy wants to know the admin.
var ErrAdmin = errors.New("the company's policy wants the admin's name: give it with --admin")

// ResetFactor takes a person's authenticators away, at once, ends every session, token and device, and mails a one-time
// set-up link; for somebody who has none it only makes the link. Where the company's policy wants two admins or a waiting time, the first call only asks for it and tells
// the person, who can object. The person and the company's admins are told of either.
func (o *Office) ResetFactor(ctx context.Context, name, admin string) (Reset, error) {
	rec, err := o.Find(ctx, name)
	if err != nil {
		return Reset{}, err
	}
	var co company.Company
	if rec.Company != "" {
		if co, err = o.Companies.Company(ctx, rec.Company); err != nil {
			return Reset{}, fmt.Errorf("company %q: %w", rec.Company, err)
		}
	}
	if rec.Factor == authn.FactorNever || rec.Factor == authn.FactorOff {
		// There is nothing to take away; the ticket opens a first set-up that is late.
		return o.sendTicket(ctx, rec.Account, co)
	}
	waiting, err := o.mayReset(ctx, rec.Account, co, admin)
	if err != nil || waiting != nil {
		return or(waiting), err
	}
	a, err := o.Apply(ctx, name, authn.ResetFactor, "")
	if err != nil {
		return Reset{}, err
	}
	if err := o.Resets.DropReset(ctx, rec.ID); err != nil {
		return Reset{}, err
	}
	done, err := o.sendTicket(ctx, a, co)
	o.Audit.Event(ctx, audit.FactorReset, slog.String("account", a.ID), slog.String("actor", admin), slog.String("company", a.Company),
		slog.Int("mailed", done.Mailed))
	return done, err
}

func or(r *Reset) Reset {
	if r == nil {
		return Reset{}
	}
	return *r
}

// mayReset says what a reset still waits for; nil: nothing.
func (o *Office) mayReset(ctx context.Context, a authn.Account, co company.Company, admin string) (*Reset, error) {
	if a.Factor != authn.FactorOn {
		// Nothing is taken from anybody: a new ticket for somebody who was reset before.
		return nil, nil //nolint:nilnil // nothing to wait for
	}
	if co.ResetAdmins < 2 && co.ResetWait == 0 {
		return nil, nil //nolint:nilnil // nothing to wait for
	}
	if admin == "" {
		return nil, ErrAdmin
	}
	standing, err := o.askReset(ctx, a, co, admin)
	if err != nil {
		return nil, err
	}
	after := standing.At.Add(time.Duration(co.ResetWait) * time.Hour)
	another := co.ResetAdmins >= 2 && standing.By == admin
	if o.Now().UTC().Truncate(time.Second).Before(after) || another {
		return &Reset{By: standing.By, After: after, Another: another}, nil
	}
	return nil, nil //nolint:nilnil // nothing to wait for
}

// askReset asks for a reset, or finds the one that was asked for before; the first time it tells the person and the admins.
func (o *Office) askReset(ctx context.Context, a authn.Account, co company.Company, admin string) (Asked, error) {
	standing, first, err := o.Resets.AskReset(ctx, a.ID, Asked{By: admin, At: o.Now().UTC().Truncate(time.Second)}, askedLife)
	if err == nil && first {
		o.Audit.Event(ctx, audit.FactorResetAsked, slog.String("account", a.ID), slog.String("actor", admin), slog.String("company", a.Company))
		o.tellReset(ctx, a, co, [2]notify.Message{{Kind: notify.ResetPending}, {Kind: notify.ResetPendingAdmin}})
	}
	return standing, err
}

// sendTicket makes the one-time set-up ticket and mails the link to it.
func (o *Office) sendTicket(ctx context.Context, a authn.Account, co company.Company) (Reset, error) {
	ticket, err := o.Accounts.NewTicket(ctx, a.ID)
	if err != nil {
		return Reset{Done: true}, fmt.Errorf("the factor was reset; make a ticket by running it again: %w", err)
	}
	done := Reset{Done: true, Ticket: ticket}
	link := ""
	if !o.mute() && len(a.Contact.Emails) > 0 {
		token, err := o.Links.NewLink(ctx, authn.Link{
			Kind: authn.LinkSetup, AccountID: a.ID, PasswordGen: a.PasswordGen, FactorGen: a.FactorGen, Ticket: ticket,
		}, ticketLife)
		if err != nil {
			return done, fmt.Errorf("the factor was reset, the ticket was not mailed: %w", err)
		}
		link, done.Mailed = o.Issuer+"/link/"+token, len(a.Contact.Emails)
	}
	kinds := [2]notify.Message{{Kind: notify.FactorReset, Link: link}, {Kind: notify.FactorResetAdmin}}
	if a.Factor != authn.FactorReset {
		if link == "" {
			return done, nil
		}
		kinds = [2]notify.Message{{Kind: notify.SetupLink, Link: link}}
	}
	o.tellReset(ctx, a, co, kinds)
	return done, nil
}

// tellReset tells the person the first of the messages, and the company's admins the second.
func (o *Office) tellReset(ctx context.Context, a authn.Account, co company.Company, kinds [2]notify.Message) {
	act := fmt.Sprintf("/%s/%d/%d", a.ID, a.FactorGen, o.Now().Unix())
	for i, to := range [][]string{a.Contact.Emails, co.Admins()} {
		if kinds[i].Kind == "" {
			continue
		}
		m := o.message(a, co, kinds[i].Kind)
		m.Event, m.To, m.Link = string(m.Kind)+act, to, kinds[i].Link
		if i > 0 {
			m.Lang = ""
		}
		if err := o.Outbox.Put(ctx, m); err != nil {
			o.Audit.Event(ctx, audit.MailFailed, slog.String("account", a.ID), slog.String("kind", string(m.Kind)), slog.String("result", "not kept"))
		}
	}
}
