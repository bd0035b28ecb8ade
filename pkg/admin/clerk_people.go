// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/notify"
)

// company is whose accounts the clerk may reach, as authn.AccountStore takes it: it compares once more in its scripts.
func (c *Clerk) reach() string {
	if c.by.Company == "" {
		return authn.Anybody
	}
	return c.by.Company
}

// ListPeople returns a page of accounts. Without a company it is that of the clerk, or all.
func (c *Clerk) ListPeople(ctx context.Context, q authn.PeopleQuery) (authn.PeoplePage, error) {
	if q.Company == "" {
		q.Company = c.reach()
	}
	if err := c.guard(ctx, q.Company, slog.String("company", q.Company)); err != nil {
		return authn.PeoplePage{}, fmt.Errorf("company %q: %w", q.Company, err)
	}
	return c.o.People.Page(ctx, q)
}

// Headcount counts the accounts of a company; empty: as ListPeople.
func (c *Clerk) Headcount(ctx context.Context, companyID string) (authn.Headcount, error) {
	if companyID == "" {
		companyID = c.reach()
	}
	if err := c.guard(ctx, companyID, slog.String("company", companyID)); err != nil {
		return authn.Headcount{}, fmt.Errorf("company %q: %w", companyID, err)
	}
	return c.o.People.Headcount(ctx, companyID)
}

// Person returns an account by its id, without its password record.
func (c *Clerk) Person(ctx context.Context, id string) (authn.Record, error) {
	r, err := c.o.Accounts.ByID(ctx, id)
	if err == nil {
		err = c.guard(ctx, r.Company, slog.String("account", id))
	}
	if err != nil {
		return authn.Record{}, fmt.Errorf("account %q: %w", id, err)
	}
	r.PasswordRecord = ""
	return r, nil
}

// PersonTag names the version of what is said of a person: 32 hexadecimal characters.
func PersonTag(r authn.Record) string {
	sum := sha256.Sum256([]byte(asJSON(r.Profile)))
	return hex.EncodeToString(sum[:16])
}

// PersonEdit is what may be changed of a person; a nil field stays. Nobody but the person changes sign-in name and
// password.
type PersonEdit struct {
	// Claims replaces the claims of OIDC Core §5.1.
	Claims map[string]any
	// Attributes replaces those of the operator's own.
	Attributes map[string]any
	Roles      *[]string
	Groups     *[]string
	Admin      *authn.AdminRole
}

// EditPerson changes what is said of a person. tag as for ChangeClient, of PersonTag.
func (c *Clerk) EditPerson(ctx context.Context, id, tag string, e PersonEdit) (authn.Record, error) {
	if _, err := c.Person(ctx, id); err != nil {
		return authn.Record{}, err
	}
	var changed []string
	after, err := c.o.People.EditProfile(ctx, id, c.reach(), func(r authn.Record) (authn.Profile, error) {
		if tag != "" && tag != PersonTag(r) {
			return authn.Profile{}, fmt.Errorf("account %q: %w", id, ErrStale)
		}
		var p authn.Profile
		p, changed = e.apply(r.Profile)
		return p, c.checkPerson(ctx, r, p)
	})
	if err != nil {
		return authn.Record{}, err
	}
	// Names of fields alone: what is said of a person does not outlive the person in the journal.
	c.event(ctx, audit.AccountChanged, slog.String("account", id), slog.String("company", after.Company),
		slog.String("act", "edit"), slog.String("fields", strings.Join(changed, " ")))
	return after, nil
}

// apply returns the profile with the edit, and what it touches.
func (e PersonEdit) apply(p authn.Profile) (authn.Profile, []string) {
	var changed []string
	if e.Claims != nil {
		p.Claims = e.Claims
		changed = append(changed, "claims")
	}
	if e.Attributes != nil {
		p.Attributes = e.Attributes
		changed = append(changed, "attributes")
	}
	if e.Roles != nil {
		p.Roles = *e.Roles
		changed = append(changed, "roles")
	}
	if e.Groups != nil {
		p.Groups = *e.Groups
		changed = append(changed, "groups")
	}
	if e.Admin != nil {
		p.Admin = *e.Admin
		changed = append(changed, "admin "+string(*e.Admin))
	}
	return p, changed
}

// checkPerson holds a profile against the rules for all, and for the clerk.
func (c *Clerk) checkPerson(ctx context.Context, before authn.Record, p authn.Profile) error {
	problems := append(checkClaims(p.Claims), checkAttributes(p.Attributes)...)
	problems = append(problems, checkAdmin(p.Admin, before.Company)...)
	problems = append(problems, checkRoles(p.Roles)...)
	groups, err := c.checkGroupsOf(ctx, before.Company, p.Groups)
	if err != nil {
		return err
	}
	problems = append(problems, groups...)
	if c.by.Company != "" && p.Admin != before.Admin && (p.Admin == authn.AdminIT || before.Admin == authn.AdminIT) {
		problems = append(problems, fieldf("admin", "can be given and taken by the IT team alone"))
	}
	return errors.Join(problems...)
}

// maxRoles bounds the roles, and the groups, of a person.
const maxRoles = 100

func checkRoles(roles []string) []error {
	if len(roles) > maxRoles {
		return []error{fieldf("roles", "can have %d entries at most", maxRoles)}
	}
	var problems []error
	for i, r := range roles {
		if r == "" || len(r) > 64 || strings.TrimSpace(r) != r || strings.ContainsFunc(r, unicode.IsControl) {
			problems = append(problems, fieldf("roles", "entry %d must be 1 to 64 characters", i+1))
		}
		if slices.Contains(roles[:i], r) {
			problems = append(problems, fieldf("roles", "entry %d stands there twice", i+1))
		}
	}
	return problems
}

// checkGroupsOf says which groups are none of the company.
func (c *Clerk) checkGroupsOf(ctx context.Context, companyID string, groups []string) ([]error, error) {
	if len(groups) == 0 {
		return nil, nil
	}
	var co company.Company
	if companyID != "" {
		var err error
		if co, err = c.o.Companies.Company(ctx, companyID); err != nil {
			return nil, err
		}
	}
	var problems []error
	for i, g := range groups {
		if !slices.ContainsFunc(co.Groups, func(have company.Group) bool { return have.ID == g }) {
			problems = append(problems, fieldf("groups", "entry %d is no group of the company", i+1))
		}
		if slices.Contains(groups[:i], g) {
			problems = append(problems, fieldf("groups", "entry %d stands there twice", i+1))
		}
	}
	return problems, nil
}

// ChangePerson performs an act on an account: SignOut, Disable, Enable or Forget. It is in force on every node when it
// is answered. The person is told when the account is disabled or enabled.
func (c *Clerk) ChangePerson(ctx context.Context, id string, act authn.Change) (authn.Account, error) {
	before, err := c.Person(ctx, id)
	if err != nil {
		return authn.Account{}, err
	}
	switch act {
	case authn.SignOut, authn.Disable, authn.Enable, authn.Forget:
	case authn.ResetFactor, authn.SetPassword, authn.SetPasswordProved:
		return authn.Account{}, fmt.Errorf("%s: %w", act, authn.ErrConflict)
	}
	if err := c.mayTouch(before); err != nil {
		return authn.Account{}, err
	}
	a, err := c.o.Accounts.Apply(ctx, id, c.reach(), act, "")
	if err != nil {
		return authn.Account{}, err
	}
	c.event(ctx, audit.AccountChanged, slog.String("account", id), slog.String("company", a.Company), slog.String("act", string(act)))
	switch act {
	case authn.Disable:
		c.tellPerson(ctx, a, notify.AccountDisabled)
	case authn.Enable:
		c.tellPerson(ctx, a, notify.AccountEnabled)
	default:
	}
	return a, nil
}

// SetPassword sets the password of a sign-in name, ends every session, token and device, and tells the person; for whoever
// has the command line alone, since no admin chooses another's password.
func (c *Clerk) SetPassword(ctx context.Context, name, password string) error {
	if c.by.Kind != ActorCommand {
		return ErrForbidden
	}
	a, err := c.o.Apply(ctx, name, authn.SetPassword, password)
	if err != nil {
		return err
	}
	c.tellPerson(ctx, a, notify.PasswordChanged)
	return nil
}

// mayTouch keeps a company's admin from acting on the IT team.
func (c *Clerk) mayTouch(r authn.Record) error {
	if c.by.Company != "" && r.Admin == authn.AdminIT {
		return ErrForbidden
	}
	return nil
}

// tellPerson writes to the person of an account, once for each state it was in.
func (c *Clerk) tellPerson(ctx context.Context, a authn.Account, kind notify.Kind) {
	var co company.Company
	if a.Company != "" {
		// Without its company the message has no help address; it goes out all the same.
		co, _ = c.o.Companies.Company(ctx, a.Company)
	}
	m := c.o.message(a, co, kind)
	m.Event = fmt.Sprintf("%s/%s/%d/%d", kind, a.ID, a.Epoch, c.o.Now().Unix())
	if err := c.o.Outbox.Put(ctx, m); err != nil {
		c.event(ctx, audit.MailFailed, slog.String("account", a.ID), slog.String("kind", string(kind)), slog.String("result", "not kept"))
	}
}

// DeletePerson deletes an account with all that is kept of its person; the journal keeps the id, which says nothing of
// the person and is never used again. The person is told.
func (c *Clerk) DeletePerson(ctx context.Context, id string) error {
	r, err := c.Person(ctx, id)
	if err != nil {
		return err
	}
	if err := c.mayTouch(r); err != nil {
		return err
	}
	if r.ID == c.by.ID {
		return fmt.Errorf("your own account: ask another admin: %w", authn.ErrConflict)
	}
	if err := c.o.People.Delete(ctx, id, c.reach()); err != nil {
		return err
	}
	c.event(ctx, audit.AccountDeleted, slog.String("account", id), slog.String("company", r.Company))
	c.tellPerson(ctx, r.Account, notify.AccountDeleted)
	return nil
}

// ResetPerson resets a person's second factor as ResetFactor does: the ticket goes to the person by mail alone, and no
// admin sees it. By the API a reset is only asked for, whatever the policy: a person does it at the console, since a
// stolen token must not take a factor away (decisions.md, Policy defaults).
func (c *Clerk) ResetPerson(ctx context.Context, id string) (Reset, error) {
	r, err := c.Person(ctx, id)
	if err != nil {
		return Reset{}, err
	}
	if err := c.mayTouch(r); err != nil {
		return Reset{}, err
	}
	if r.ID == c.by.ID {
		return Reset{}, fmt.Errorf("your own second factor: change it on your account page: %w", authn.ErrConflict)
	}
	if c.o.mute() || len(r.Contact.Emails) == 0 {
		return Reset{}, fmt.Errorf("no mail can be sent to the person: `lychgate account reset-factor` prints the ticket: %w", authn.ErrConflict)
	}
	if c.by.remote() && r.Factor == authn.FactorOn {
		return c.askRemotely(ctx, r.Account)
	}
	done, err := c.o.ResetFactor(ctx, r.Name, c.by.ID)
	done.Ticket = ""
	return done, err
}

// askRemotely asks for a reset that somebody at the console has to do.
func (c *Clerk) askRemotely(ctx context.Context, a authn.Account) (Reset, error) {
	var co company.Company
	if a.Company != "" {
		var err error
		if co, err = c.o.Companies.Company(ctx, a.Company); err != nil {
			return Reset{}, err
		}
	}
	standing, err := c.o.askReset(ctx, a, co, c.by.ID)
	if err != nil {
		return Reset{}, err
	}
	return Reset{By: standing.By, After: standing.At.Add(time.Duration(co.ResetWait) * time.Hour), Another: true}, nil
}
