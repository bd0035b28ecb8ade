// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package audit writes security events under stable names. Values are attributes, so nothing in them can forge a
// line; secrets never go in.
package audit

import (
	"context"
	"log/slog"
	"time"
)

// Entry is one security event of an account, as its person sees it on the account page.
type Entry struct {
	At time.Time
	// Event is one of the names below. Client, Browser, Source, Method and Result are empty where they say nothing.
	Event, Client, Browser, Source, Method, Result string
}

// Activity reads the latest events of an account, the newest first, at most 50. It may answer authn.ErrUnavailable.
type Activity interface {
	Recent(ctx context.Context, accountID string) ([]Entry, error)
}

// Event names. They are stable: alarms are built on them.
const (
	LoginAccepted   = "login.accepted"
	LoginRejected   = "login.rejected"
	LoginThrottled  = "login.throttled"
	FactorAccepted  = "factor.accepted"
	FactorRejected  = "factor.rejected"
	FactorLocked    = "factor.locked"
	FactorEnrolled  = "factor.enrolled"
	FactorSkipped   = "factor.skipped"
	DeviceRemember  = "device.remembered"
	DeviceCopied    = "device.copied"
	SessionStarted  = "session.started"
	SessionEnded    = "session.ended"
	ConsentGiven    = "consent.given"
	ConsentDenied   = "consent.denied"
	GrantIssued     = "grant.issued"
	GrantReuse      = "grant.reuse"
	GrantLead       = "grant.lead"
	GrantRevoked    = "grant.revoked"
	ClientRejected  = "client.rejected"
	RedirectRefused = "redirect.refused"
	RecordLost      = "record.lost"
	AccountChanged  = "account.changed"
	KeyRotated      = "key.rotated"
	PasswordAsked   = "password.reset.asked"
	PasswordReset   = "password.reset"
	SetupLinkAsked  = "setup.link.asked"
	FactorDisowned  = "factor.disowned"
	OriginRefused   = "origin.refused"
	MailFailed      = "mail.failed"
)

// Log writes security events.
type Log struct{ log *slog.Logger }

// New returns a Log that writes to l.
func New(l *slog.Logger) *Log { return &Log{l} }

// Event writes one event. Attributes name who (account), what (client), result and request_id.
func (l *Log) Event(ctx context.Context, name string, attrs ...slog.Attr) {
	l.log.LogAttrs(ctx, slog.LevelInfo, "security event", append([]slog.Attr{slog.String("event", name)}, attrs...)...)
}
