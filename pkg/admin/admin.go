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
	"regexp"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
)

// Passwords is what the local directory knows of names and passwords.
type Passwords interface {
	// Canonical returns the form in which a sign-in name is looked up; an error says what is wrong with it.
	Canonical(name string) (string, error)
	// Hash returns the PHC record of a password.
	Hash(ctx context.Context, password string) (string, error)
	// CheckRecord says what is wrong with a PHC record that is to be imported.
	CheckRecord(phc string) error
	// CheckPassword says what is wrong with a new password; context are words it must not be made of.
	CheckPassword(password string, context ...string) error
}

// Office does the acts. Errors say which field is wrong and what to do; nothing is changed then.
type Office struct {
	Accounts  authn.AccountStore
	Clients   client.Registry
	Companies company.Registry
	Passwords Passwords
	// Digest is the HMAC under which client secrets are kept.
	Digest func(secret string) string
	Audit  *audit.Log
	Now    func() time.Time
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

// AddCompany adds or changes a company.
func (o *Office) AddCompany(ctx context.Context, c company.Company) error {
	if err := checkCompany(c); err != nil {
		return err
	}
	return o.Companies.PutCompany(ctx, c)
}

// checkCompany says what is wrong with a company. Its name becomes the issuer of an otpauth label, where a colon
// ends the name.
func checkCompany(c company.Company) error {
	var problems []error
	if !regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`).MatchString(c.ID) {
		problems = append(problems, errors.New("id: use lower-case letters, digits and dashes, at most 64, no dash at the ends"))
	}
	if strings.TrimSpace(c.Name) == "" || len(c.Name) > 64 || strings.ContainsAny(c.Name, ":\r\n\t\x00") {
		problems = append(problems, errors.New("name: 1 to 64 characters without a colon"))
	}
	switch c.SecondFactor {
	case "", flow.FactorOff, flow.FactorOptional, flow.FactorRequired, flow.FactorAlways:
	default:
		problems = append(problems, fmt.Errorf("second_factor: %q is not off, optional, required or always", c.SecondFactor))
	}
	if c.HelpEmail != "" && !strings.Contains(c.HelpEmail, "@") {
		problems = append(problems, errors.New("help_email: no e-mail address"))
	}
	return errors.Join(problems...)
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
	o.Audit.Event(ctx, audit.AccountChanged, slog.String("account", rec.ID), slog.String("act", string(act)))
	return a, nil
}

// Ticket returns a one-time set-up ticket after a reset.
func (o *Office) Ticket(ctx context.Context, name string) (string, error) {
	rec, err := o.Find(ctx, name)
	if err != nil {
		return "", err
	}
	return o.Accounts.NewTicket(ctx, rec.ID)
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
