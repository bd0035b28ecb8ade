// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
)

// The bounds of a company's settings.
const (
	maxGroups     = 50
	maxAdmins     = 20
	maxSkips      = 20
	maxPolicyDays = 365
	maxResetHours = 168
)

// AddCompany adds or changes a company; in force on every node within 1 s. Before and after stand in the audit log.
func (o *Office) AddCompany(ctx context.Context, c company.Company) error {
	if err := checkCompany(c); err != nil {
		return err
	}
	before, err := o.Companies.Company(ctx, c.ID)
	if err != nil && !errors.Is(err, authn.ErrNotFound) {
		return err
	}
	if err := o.Companies.PutCompany(ctx, c); err != nil {
		return err
	}
	o.Audit.Event(ctx, audit.CompanyChanged, slog.String("company", c.ID), slog.String("before", asJSON(before)), slog.String("after", asJSON(c)))
	return nil
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
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
	if c.HelpEmail != "" && !address(c.HelpEmail) {
		problems = append(problems, errors.New("help_email: no e-mail address"))
	}
	if len(c.AdminEmails) > maxAdmins {
		problems = append(problems, fmt.Errorf("admin_emails: at most %d", maxAdmins))
	}
	for _, a := range c.AdminEmails {
		if !address(a) {
			problems = append(problems, fmt.Errorf("admin_emails: %q is no e-mail address", a))
		}
	}
	return errors.Join(append(problems, checkPolicy(c)...)...)
}

func address(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s
}

// checkPolicy says what is wrong with what a company wants of the second factor.
func checkPolicy(c company.Company) []error {
	var problems []error
	switch c.SecondFactor {
	case "", flow.FactorOff, flow.FactorOptional, flow.FactorRequired, flow.FactorAlways:
	default:
		problems = append(problems, fmt.Errorf("second_factor: %q is not off, optional, required or always", c.SecondFactor))
	}
	if len(c.Groups) > maxGroups {
		problems = append(problems, fmt.Errorf("second_factor_groups: at most %d", maxGroups))
	}
	for _, g := range c.Groups {
		if strings.TrimSpace(g) != g || g == "" || len(g) > 64 {
			problems = append(problems, fmt.Errorf("second_factor_groups: %q is no role: 1 to 64 characters", g))
		}
	}
	problems = append(problems, within("second_factor_skips", c.Skips, maxSkips))
	if c.RememberDays != nil {
		problems = append(problems, within("remember_days", *c.RememberDays, maxPolicyDays))
	}
	if c.SetupDays != nil {
		problems = append(problems, within("setup_days", *c.SetupDays, maxPolicyDays))
	}
	return append(problems, within("reset_admins", c.ResetAdmins, 2), within("reset_wait_hours", c.ResetWait, maxResetHours))
}

func within(field string, n, most int) error {
	if n < 0 || n > most {
		return fmt.Errorf("%s: %d is not within 0 and %d", field, n, most)
	}
	return nil
}

// SetPolicy changes a company's policy, and tells by mail everybody who has to set a second factor up from now on, or
// from a date. It answers how many were told. If the store fails while they are told, running it again tells the rest:
// nobody is told the same policy twice.
func (o *Office) SetPolicy(ctx context.Context, c company.Company) (int, error) {
	if err := o.AddCompany(ctx, c); err != nil {
		return 0, err
	}
	if !c.SecondFactor.Wanted() {
		return 0, nil
	}
	from := c.From
	if from.IsZero() {
		from = o.Now()
	}
	told, err := o.tellConcerned(ctx, c, func(a authn.Account, m *notify.Message) {
		m.Kind, m.From, m.Skips = notify.FactorRequired, from, max(0, c.Skips-a.Skips)
		m.Event = fmt.Sprintf("%s/%s/%s/%s", m.Kind, a.ID, c.SecondFactor, c.From.Format(time.DateOnly))
	})
	if err != nil {
		return told, fmt.Errorf("the policy is in force, %d people were told; run it again to tell the others: %w", told, err)
	}
	return told, nil
}

// Remind writes to everybody of a company who has to set a second factor up and has not; once a day each. It answers how
// many were told.
func (o *Office) Remind(ctx context.Context, id string) (int, error) {
	c, err := o.Companies.Company(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", id, err)
	}
	if !c.SecondFactor.Wanted() {
		return 0, fmt.Errorf("company %q does not require a second factor; `lychgate company policy %s --second-factor required` does", id, id)
	}
	if o.mute() {
		return 0, errors.New("no mail is sent: set mail.mailer, then run it again")
	}
	today := o.Now().UTC().Format(time.DateOnly)
	told, err := o.tellConcerned(ctx, c, func(a authn.Account, m *notify.Message) {
		m.Kind, m.From = notify.SetupReminder, c.From
		m.Event = fmt.Sprintf("%s/%s/%s", m.Kind, a.ID, today)
	})
	if err == nil {
		o.Audit.Event(ctx, audit.SetupReminded, slog.String("company", c.ID), slog.Int("told", told))
	}
	return told, err
}

// mute says whether there is no mailer.
func (o *Office) mute() bool {
	_, off := o.Outbox.(notify.Off)
	return off
}

// tellConcerned sends a message to everybody of a company who has to set a second factor up and has not.
func (o *Office) tellConcerned(ctx context.Context, c company.Company, fill func(authn.Account, *notify.Message)) (int, error) {
	if o.mute() {
		return 0, nil
	}
	told := 0
	var failed error
	err := o.Accounts.List(ctx, func(r authn.Record) bool {
		concerned := r.Company == c.ID && r.State == authn.Active && r.Factor != authn.FactorOn && c.Concerns(r.Roles)
		if !concerned || len(r.Contact.Emails) == 0 {
			return true
		}
		m := o.message(r.Account, c, "")
		fill(r.Account, &m)
		if failed = o.Outbox.Put(ctx, m); failed != nil {
			return false
		}
		told++
		return true
	})
	return told, errors.Join(err, failed)
}

// message is a message to the person of an account.
func (o *Office) message(a authn.Account, c company.Company, kind notify.Kind) notify.Message {
	return notify.Message{
		Kind: kind, To: a.Contact.Emails, Lang: a.Contact.Locale, Account: a.Name, Name: a.Contact.Person, Company: c.Name,
		HelpEmail: c.HelpEmail, HelpPhone: c.HelpPhone, At: o.Now(),
	}
}
