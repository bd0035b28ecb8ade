// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package notify tells people by mail what happened to their account. A message is put into an outbox, in the round
// trip of one write, and sent by whichever node comes first: a mail server that is away holds up nothing.
//
// A message is named by its event, so that whatever is retried tells of it once. It is sent again when the server's
// answer was lost: once or, rarely, twice, under the same Message-ID. It knows neither Redis nor SMTP nor HTML.
package notify

import (
	"context"
	"errors"
	"time"
)

// Kind is what a message tells.
type Kind string

// The kinds. Those that say Link carry one; no other ever does.
const (
	// FactorRequired: a second factor is required from Message.From on; Skips are left until then.
	FactorRequired Kind = "factor.required"
	// FactorAdded: Authenticator was added. Link, if present, says "it was not me".
	FactorAdded   Kind = "factor.added"
	FactorRemoved Kind = "factor.removed"
	// FactorReset: an admin reset the factor. Link, if present, sets it up anew, once, within 24 hours.
	FactorReset Kind = "factor.reset"
	// FactorResetAdmin tells the company's admins; the person is in Account and Name.
	FactorResetAdmin Kind = "factor.reset.admin"
	// ResetPending and ResetPendingAdmin: a reset was asked for and waits.
	ResetPending      Kind = "factor.reset.asked"
	ResetPendingAdmin Kind = "factor.reset.asked.admin"
	DeviceRemembered  Kind = "device.remembered"
	DeviceCopied      Kind = "device.copied"
	// RecoveryUsed and RecoveryLow say how many codes are Left.
	RecoveryUsed    Kind = "recovery.used"
	RecoveryLow     Kind = "recovery.low"
	RecoveryMade    Kind = "recovery.made"
	PasswordChanged Kind = "password.changed"
	// CodesWrong: the right password, then wrong codes.
	CodesWrong   Kind = "codes.wrong"
	FactorLocked Kind = "factor.locked"
	// BudgetSpent: codes are closed for unknown browsers.
	BudgetSpent Kind = "factor.budget"
	// ResetAsked: Link chooses a new password within 10 minutes.
	ResetAsked Kind = "password.reset"
	// SetupLink: Link opens the first set-up after its time limit.
	SetupLink     Kind = "setup.link"
	SetupReminder Kind = "setup.reminder"
	// AccountDisabled, AccountEnabled and AccountDeleted: an admin did it.
	AccountDisabled Kind = "account.disabled"
	AccountEnabled  Kind = "account.enabled"
	AccountDeleted  Kind = "account.deleted"
	// Invitation: Link chooses a password and makes the account; it is good until Message.From.
	Invitation Kind = "invitation"
)

// Message is one thing to tell, to one or more addresses.
type Message struct {
	Kind Kind `json:"kind"`
	// Event names the act. There is one message per Event and address, whatever is retried.
	Event string `json:"event"`
	// To are the addresses; without any, nothing is written. They are checked when they are sent to: a check before
	// would tell by its time which of them exist.
	To []string `json:"to,omitempty"`
	// Lang is "en" or "nl"; anything else is English.
	Lang string `json:"lang,omitempty"`
	// Account is the sign-in name, Name the person's.
	Account   string `json:"account,omitempty"`
	Name      string `json:"name,omitempty"`
	Company   string `json:"company,omitempty"`
	Client    string `json:"client,omitempty"`
	HelpEmail string `json:"help_email,omitempty"`
	HelpPhone string `json:"help_phone,omitempty"`
	// At is when it happened, Browser and Place from where; what is empty is left out.
	At            time.Time `json:"at,omitzero"`
	Browser       string    `json:"browser,omitempty"`
	Place         string    `json:"place,omitempty"`
	Authenticator string    `json:"authenticator,omitempty"`
	Left          int       `json:"left,omitempty"`
	From          time.Time `json:"from,omitzero"`
	Skips         int       `json:"skips,omitempty"`
	Link          string    `json:"link,omitempty"`
	// Void is a message to an unknown address: written in the same way, so that time tells nothing, and never sent.
	Void bool `json:"void,omitempty"`
}

// Entry is a message to one address that is due and lent to this node.
type Entry struct {
	// ID names event and address and is the same at every try.
	ID      string
	Message Message
	To      string
	// Tries counts the claims, this one with it. Age is the time since it was put, by the store's clock.
	Tries int
	Age   time.Duration
}

// The bounds of an outbox.
const (
	MaxEntries = 100_000
	MaxSize    = 16 << 10
	// MaxAddresses are those of one message.
	MaxAddresses = 64
	// Memory is how long the id of an entry is kept after it was sent, so that a late retry of its act sends nothing.
	Memory = 72 * time.Hour
)

var (
	// ErrFull is an outbox at its bound without a void entry that could go. Log it and go on: no sign-in fails because
	// a message cannot be kept.
	ErrFull = errors.New("outbox is full")
	// ErrMessage is a message that no outbox takes: without an event, of more than MaxAddresses or over MaxSize.
	ErrMessage = errors.New("message not valid")
	// ErrRefused is a refusal for good, by a mail server (5xx) or because the mail itself is not one. It is not tried
	// again.
	ErrRefused = errors.New("refused for good")
)

// Outbox keeps messages until they are sent. Every failure of the store wraps authn.ErrUnavailable.
type Outbox interface {
	// Put writes a message in one round trip, once per event and address: what is there already, or was sent within
	// Memory, is left alone. Over the bound the oldest void entries go; if there are none, ErrFull.
	Put(ctx context.Context, m Message) error
	// Claim lends at most n due entries to the caller; nobody else gets them before the lease ends.
	Claim(ctx context.Context, n int, lease time.Duration) ([]Entry, error)
	// Done takes an entry out, sent or given up, and remembers its id.
	Done(ctx context.Context, id string) error
	// Later gives an entry back, due after wait.
	Later(ctx context.Context, id string, wait time.Duration) error
}

// Mail is a message as it is sent. To is a bare address, MessageID stands without its angle brackets.
type Mail struct{ To, Subject, Text, HTML, MessageID string }

// Mailer sends one mail. An error that is ErrRefused is for good, any other is worth another try. Errors hold neither
// addresses nor the words of a server, which quote them: they go to the log.
type Mailer interface {
	Send(ctx context.Context, m Mail) error
}

// Off is the outbox of a provider without a mailer: it keeps nothing.
type Off struct{}

// Put implements Outbox.
func (Off) Put(context.Context, Message) error { return nil }

// Claim implements Outbox.
func (Off) Claim(context.Context, int, time.Duration) ([]Entry, error) { return nil, nil }

// Done implements Outbox.
func (Off) Done(context.Context, string) error { return nil }

// Later implements Outbox.
func (Off) Later(context.Context, string, time.Duration) error { return nil }
