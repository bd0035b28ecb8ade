// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package admin is what IT teams do: add and import accounts, register clients and companies, rotate secrets.
// The command line calls it; the REST API and the console will.
package admin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/registry"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// Passwords is what the local directory knows of names and passwords.
type Passwords interface {
	// Canonical returns the form in which a sign-in name is looked up; an error says what is wrong with it.
	Canonical(name string) (string, error)
	// Hash returns the PHC record of a password.
	Hash(ctx context.Context, password string) (string, error)
	// Unusable returns the record of no password, for somebody who has to choose one.
	Unusable() (string, error)
	// CheckRecord says what is wrong with a record that is to be imported.
	CheckRecord(phc string) error
	// CheckPassword says what is wrong with a new password; context are words it must not be made of.
	CheckPassword(password string, context ...string) error
}

// Office does the acts. Errors say which field is wrong and what to do; nothing is changed then.
type Office struct {
	Accounts authn.AccountStore
	People   authn.People
	Clients  client.Registry
	// Registry is where clients and companies are changed.
	Registry  registry.Store
	Companies company.Registry
	// Uses is when clients and their secrets were last used.
	Uses      client.UseStore
	Passwords Passwords
	// Digest is the HMAC under which client secrets are kept.
	Digest func(secret string) string
	Audit  *audit.Log
	// History is the journal of what Audit has written.
	History audit.Store
	// Keys are what tokens are signed with.
	Keys KeyRing
	// Links and Outbox send people what they need; Issuer begins every link.
	Links  authn.LinkStore
	Outbox notify.Outbox
	Resets Resets
	// Starter keeps a store from being set up twice.
	Starter Starter
	// Invitations are those who have no account yet.
	Invitations invitation.Store
	// Factors, Devices, Sessions and Standings are what accounts have under way.
	Factors   authn.GuessStore
	Devices   device.Store
	Sessions  session.Store
	Standings grant.Standings
	Issuer    string
	// Lifetimes are the provider's: the most that a client can have.
	Lifetimes client.Lifetimes
	// LookupTXT asks DNS; it answers within seconds, whatever the name server does.
	LookupTXT func(ctx context.Context, name string) ([]string, error)
	// Counter bounds what costs others something.
	Counter throttle.Counter
	Now     func() time.Time
	// Rand is crypto/rand if nil.
	Rand io.Reader
}

// token returns prefix and n random bytes in base64url.
func (o *Office) token(prefix string, n int) (string, error) {
	source := o.Rand
	if source == nil {
		source = rand.Reader
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(source, b); err != nil {
		return "", fmt.Errorf("random bytes: %w", err)
	}
	return prefix + base64.RawURLEncoding.EncodeToString(b), nil
}

// Find returns the account of a sign-in name.
func (o *Office) Find(ctx context.Context, name string) (authn.Record, error) {
	canonical, err := o.Passwords.Canonical(name)
	if err != nil {
		return authn.Record{}, fmt.Errorf("name: %w", err)
	}
	rec, err := o.Accounts.ByName(ctx, canonical)
	if errors.Is(err, authn.ErrNotFound) {
		return authn.Record{}, fmt.Errorf("account %q: %w; `lychgate account list` shows the names", name, err)
	}
	return rec, err
}

// Apply performs an act on the account of a sign-in name and writes it to the audit log.
func (o *Office) Apply(ctx context.Context, name string, act authn.Change, password string) (authn.Account, error) {
	rec, err := o.Find(ctx, name)
	if err != nil {
		return authn.Account{}, err
	}
	record := ""
	if act == authn.SetPassword {
		if record, err = o.record(ctx, name, password); err != nil {
			return authn.Account{}, err
		}
	}
	a, err := o.Accounts.Apply(ctx, rec.ID, "*", act, record)
	if errors.Is(err, authn.ErrConflict) {
		return a, fmt.Errorf("account %q: %s does not fit its state (%s, second factor %s)", name, act, rec.State, rec.Factor)
	}
	if err != nil {
		return a, err
	}
	o.Audit.Event(ctx, audit.AccountChanged, slog.String("account", rec.ID), slog.String("company", rec.Company), slog.String("act", string(act)))
	return a, nil
}

// nameWords are what a password must not be made of.
func nameWords(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return strings.ContainsRune("@._-+ ", r) })
}

// record checks a new password and returns its PHC record.
func (o *Office) record(ctx context.Context, name, password string) (string, error) {
	if err := o.Passwords.CheckPassword(password, nameWords(name)...); err != nil {
		return "", fmt.Errorf("password: %w", err)
	}
	return o.Passwords.Hash(ctx, password)
}
