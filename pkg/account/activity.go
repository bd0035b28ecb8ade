// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"context"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

func (p *Pages) addEvents(ctx context.Context, v session.View, page *templates.Account) error {
	list, err := p.cfg.Activity.Recent(ctx, v.Account.ID)
	if err != nil {
		return err
	}
	for _, rec := range list {
		kind := eventKind(rec)
		if kind == "" {
			continue
		}
		e := templates.AccountEvent{Kind: kind, Name: rec.Detail["authenticator"], Where: rec.Browser, At: utc(rec.At)}
		if rec.Client != "" {
			e.Name = rec.Client
			if c, err := p.cfg.Clients.Client(ctx, rec.Client); err == nil && c.Name != "" {
				e.Name = c.Name
			}
		}
		page.Events = append(page.Events, e)
	}
	return nil
}

// eventKind is the sentence of account.html that tells of an event; empty: none does.
func eventKind(rec audit.Record) string {
	switch rec.Event {
	case audit.FactorAccepted:
		if rec.Detail["method"] == "recovery" {
			return "recovery"
		}
		return "code"
	case audit.FactorRejected:
		return refusedKind(rec.Result)
	case audit.AccountChanged:
		return deskKind(rec.Detail["act"])
	}
	return map[string]string{
		audit.LoginRejected: "refused-password", audit.FactorLocked: "locked", audit.FactorEnrolled: "added",
		audit.FactorRemoved: "removed", audit.FactorRenamed: "renamed", audit.RecoveryMade: "codes",
		audit.DeviceRemember: "remembered", audit.DeviceCopied: "copied", audit.DeviceForgotten: "forgotten",
		audit.SessionEnded: "ended", audit.SignedOut: "everywhere", audit.PasswordChanged: "password",
		audit.ConsentGiven: "allowed", audit.GrantIssued: "signed-in", audit.AppWithdrawn: "withdrawn",
	}[rec.Event]
}

// refusedKind tells of a code that was not taken. A slip of the hand was no try.
func refusedKind(reason string) string {
	switch reason {
	case "rejected", audit.ReasonUsed:
		return "refused-code"
	case "wait", "budget":
		return "refused-tries"
	case "set-up", "ticket":
		return "refused-setup"
	default:
		return ""
	}
}

// deskKind tells of an act of the help desk.
func deskKind(act string) string {
	switch act {
	case "reset":
		return "desk-reset"
	case "password", "password_proved":
		return "desk-password"
	default:
		return "desk"
	}
}
