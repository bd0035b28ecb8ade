// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package audit writes security events under stable names, to the log and to the journal of the store. Values are
// attributes, so nothing in them can forge a line; secrets never go in.
package audit

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

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
	DeviceForgotten = "device.forgotten"
	FactorRemoved   = "factor.removed"
	FactorRenamed   = "factor.renamed"
	RecoveryMade    = "recovery.made"
	AppWithdrawn    = "app.withdrawn"
	PasswordChanged = "password.changed"
	SignedOut       = "account.signed_out"
	SessionStarted  = "session.started"
	SessionEnded    = "session.ended"
	ConsentGiven    = "consent.given"
	ConsentDenied   = "consent.denied"
	GrantIssued     = "grant.issued"
	GrantReuse      = "grant.reuse"
	GrantLead       = "grant.lead"
	GrantRevoked    = "grant.revoked"
	ClientRejected  = "client.rejected"
	// ClientRegistered, ClientChanged and ClientRemoved: by the actor, or, without one, by itself (RFC 7591, RFC 7592).
	ClientRegistered = "client.registered"
	ClientChanged    = "client.changed"
	ClientRemoved    = "client.removed"
	// SecretMade, SecretEnded and SecretKept are what became of a client's secret.
	SecretMade  = "secret.made"
	SecretEnded = "secret.ended"
	SecretKept  = "secret.kept"
	// ClientTried: an admin looked at what a client would receive for a sign-in of their own.
	ClientTried = "client.tried"
	// AdminRefused is an admin who asked for what is not the own company's, or is none.
	AdminRefused    = "admin.refused"
	RedirectRefused = "redirect.refused"
	RecordLost      = "record.lost"
	AccountChanged  = "account.changed"
	AccountDeleted  = "account.deleted"
	// PeopleImported is how many people an import took over.
	PeopleImported = "people.imported"
	// InvitationSent, InvitationWithdrawn and InvitationTaken are what became of an invitation, by its id.
	InvitationSent      = "invitation.sent"
	InvitationWithdrawn = "invitation.withdrawn"
	InvitationTaken     = "invitation.taken"
	CompanyChanged      = "company.changed"
	CompanyRemoved      = "company.removed"
	DomainVerified      = "domain.verified"
	// DeclarationChanged is a scope or a role that was declared, changed or taken away.
	DeclarationChanged = "declaration.changed"
	FactorReset        = "factor.reset"
	// FactorResetAsked is a reset that waits for another admin, or for its time.
	FactorResetAsked = "factor.reset.asked"
	AuditLost        = "audit.lost"
	// AuditExported: somebody took a part of the journal with them.
	AuditExported = "audit.exported"
	StoreSetUp    = "store.set_up"
	KeyRotated    = "key.rotated"
	OriginRefused = "origin.refused"
	MailFailed    = "mail.failed"
	// LogoutFailed: an app was not told that a session has ended, after the last try.
	LogoutFailed   = "logout.failed"
	PasswordAsked  = "password.reset.asked"
	PasswordReset  = "password.reset"
	SetupLinkAsked = "setup.link.asked"
	SetupReminded  = "setup.reminded"
	FactorDisowned = "factor.disowned"
)

// Sink takes records beside the log. Add does not wait for anything.
type Sink interface{ Add(r Record) }

// Log writes security events.
type Log struct {
	log  *slog.Logger
	now  func() time.Time
	sink Sink
}

// New returns a Log that writes to l, and to sink if it is not nil.
func New(l *slog.Logger, now func() time.Time, sink Sink) *Log { return &Log{l, now, sink} }

type contextKey struct{}

// With returns a context whose events carry what where returns: where a request came from, and its id. It is asked for
// an event alone, since most requests have none.
func With(ctx context.Context, where func() []slog.Attr) context.Context {
	return context.WithValue(ctx, contextKey{}, where)
}

// Event writes one event. Attributes name who (account, actor), what (client, company), result and request_id.
func (l *Log) Event(ctx context.Context, name string, attrs ...slog.Attr) {
	all := append([]slog.Attr{slog.String("event", name)}, attrs...)
	if where, ok := ctx.Value(contextKey{}).(func() []slog.Attr); ok {
		for _, a := range where() {
			if !slices.ContainsFunc(attrs, func(have slog.Attr) bool { return have.Key == a.Key }) {
				all = append(all, a)
			}
		}
	}
	// JSON escapes the control characters of ASCII alone: a terminal that shows the log knows others.
	for i, a := range all {
		if a.Value.Kind() == slog.KindString {
			all[i].Value = slog.StringValue(clean(a.Value.String()))
		}
	}
	l.log.LogAttrs(ctx, slog.LevelInfo, "security event", all...)
	if l.sink != nil {
		l.sink.Add(record(l.now(), name, all[1:]))
	}
}
