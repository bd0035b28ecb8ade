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
	"unicode"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
)

// The bounds of a company's settings.
const (
	maxGroups = 50
	// maxCompanyGroups is how many groups a company can have.
	maxCompanyGroups = 200
	maxAdmins        = 20
	maxSkips         = 20
	maxPolicyDays    = 365
	maxResetHours    = 168
)

// AddCompany adds or changes a company; in force on every node within 1 s. Before and after stand in the audit log.
func (o *Office) AddCompany(ctx context.Context, c company.Company) error {
	return o.Clerk(CommandLine()).putCompany(ctx, c.ID, func(company.Company, bool) (company.Company, error) { return c, nil })
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
	if !idForm().MatchString(c.ID) {
		problems = append(problems, fieldf("id", "must be lower-case letters, digits and dashes, at most 64, no dash at the ends"))
	}
	if strings.TrimSpace(c.Name) == "" || len(c.Name) > 64 || strings.ContainsAny(c.Name, ":\r\n\t\x00") {
		problems = append(problems, fieldf("name", "must be 1 to 64 characters without a colon"))
	}
	if c.HelpEmail != "" && !address(c.HelpEmail) {
		problems = append(problems, fieldf("help_email", "must be an e-mail address"))
	}
	if len(c.AdminEmails) > maxAdmins {
		problems = append(problems, fieldf("admin_emails", "can have %d entries at most", maxAdmins))
	}
	for i, a := range c.AdminEmails {
		if !address(a) {
			problems = append(problems, fieldf("admin_emails", "entry %d is no e-mail address", i+1))
		}
	}
	problems = append(problems, checkDomains(c.Domains)...)
	problems = append(problems, checkGroups(c.Groups)...)
	return errors.Join(append(problems, checkPolicy(c)...)...)
}

func checkGroups(groups []company.Group) []error {
	var problems []error
	if len(groups) > maxCompanyGroups {
		return []error{fieldf("groups", "can have %d entries at most", maxCompanyGroups)}
	}
	seen := map[string]bool{}
	for i, g := range groups {
		switch {
		case !idForm().MatchString(g.ID):
			problems = append(problems, fieldf("groups", "entry %d: the id must be lower-case letters, digits and dashes, at most 64", i+1))
		case seen[g.ID]:
			problems = append(problems, fieldf("groups", "entry %d: the id stands there twice", i+1))
		case len(g.Name) > 64 || strings.ContainsFunc(g.Name, unicode.IsControl):
			problems = append(problems, fieldf("groups", "entry %d: the name must be at most 64 characters", i+1))
		}
		seen[g.ID] = true
	}
	return problems
}

// idForm is that of the ids of companies and groups.
func idForm() *regexp.Regexp { return regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`) }

// fieldf is a problem of one field.
func fieldf(field, text string, args ...any) error { return problem(field, fmt.Sprintf(text, args...)) }

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
		problems = append(problems, fieldf("second_factor", "must be off, optional, required or always"))
	}
	if len(c.FactorGroups) > maxGroups {
		problems = append(problems, fieldf("second_factor_groups", "has %d entries; %d are the most", len(c.FactorGroups), maxGroups))
	}
	for _, g := range c.FactorGroups {
		if strings.TrimSpace(g) != g || g == "" || len(g) > 64 {
			problems = append(problems, fieldf("second_factor_groups", "%q is no group or role: 1 to 64 characters", g))
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
		return fieldf(field, "must be within 0 and %d, not %d", most, n)
	}
	return nil
}

// SetPolicy changes a company, and tells by mail everybody who has to set a second factor up from now on, or from a
// date. It answers how many were told. If the store fails while they are told, running it again tells the rest: nobody
// is told the same policy twice within three days.
func (o *Office) SetPolicy(ctx context.Context, c company.Company) (int, error) {
	if err := o.AddCompany(ctx, c); err != nil {
		return 0, err
	}
	return o.Clerk(CommandLine()).TellPolicy(ctx, c.ID)
}

// TellPolicy tells by mail everybody of a company whom its policy asks for a second factor that they have not. It answers
// how many were told; running it again after a failure tells the rest.
func (c *Clerk) TellPolicy(ctx context.Context, id string) (int, error) {
	co, err := c.Company(ctx, id)
	if err != nil || !co.SecondFactor.Wanted() {
		return 0, err
	}
	from := co.From
	if from.IsZero() {
		from = c.o.Now()
	}
	told, err := c.o.tellConcerned(ctx, co, func(a authn.Account, m *notify.Message) {
		m.Kind, m.From, m.Skips = notify.FactorRequired, from, max(0, co.Skips-a.Skips)
		m.Event = fmt.Sprintf("%s/%s/%s/%s", m.Kind, a.ID, co.SecondFactor, co.From.Format(time.DateOnly))
	})
	if err != nil {
		return told, fmt.Errorf("the policy is in force, %d people were told; run it again to tell the others: %w", told, err)
	}
	return told, nil
}

// Remind writes to everybody of a company who has to set a second factor up and has not; once a day each. It answers how
// many were told.
func (c *Clerk) Remind(ctx context.Context, id string) (int, error) {
	co, err := c.Company(ctx, id)
	if err != nil {
		return 0, err
	}
	if !co.SecondFactor.Wanted() {
		return 0, fmt.Errorf("company %q does not require a second factor; `lychgate company policy %s --second-factor required` does: %w", id, id, authn.ErrConflict)
	}
	if c.o.mute() {
		return 0, fmt.Errorf("no mail is sent: set mail.mailer, then run it again: %w", authn.ErrConflict)
	}
	today := c.o.Now().UTC().Format(time.DateOnly)
	told, err := c.o.tellConcerned(ctx, co, func(a authn.Account, m *notify.Message) {
		m.Kind, m.From = notify.SetupReminder, co.From
		m.Event = fmt.Sprintf("%s/%s/%s", m.Kind, a.ID, today)
	})
	if err == nil {
		c.event(ctx, audit.SetupReminded, slog.String("company", co.ID), slog.Int("told", told))
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
	err := o.eachWithout(ctx, c, func(r authn.Record) error {
		if len(r.Contact.Emails) == 0 {
			return nil
		}
		m := o.message(r.Account, c, "")
		fill(r.Account, &m)
		if err := o.Outbox.Put(ctx, m); err != nil {
			return err
		}
		told++
		return nil
	})
	return told, err
}

// eachWithout calls use for everybody of a company who has to set a second factor up and has not.
func (o *Office) eachWithout(ctx context.Context, c company.Company, use func(authn.Record) error) error {
	q := authn.PeopleQuery{Company: c.ID, Show: authn.ShowWithout, Limit: 200}
	for {
		page, err := o.People.Page(ctx, q)
		if err != nil {
			return err
		}
		for _, r := range page.People {
			if !c.Concerns(r.Account) {
				continue
			}
			if err := use(r); err != nil {
				return err
			}
		}
		if page.Next == "" {
			return nil
		}
		q.After = page.Next
	}
}

// message is a message to the person of an account.
func (o *Office) message(a authn.Account, c company.Company, kind notify.Kind) notify.Message {
	return notify.Message{
		Kind: kind, To: a.Contact.Emails, Lang: a.Contact.Locale, Account: a.Name, Name: a.Contact.Person, Company: c.Name,
		HelpEmail: c.HelpEmail, HelpPhone: c.HelpPhone, At: o.Now(),
	}
}
