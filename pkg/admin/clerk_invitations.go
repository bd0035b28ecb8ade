// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/pkg/notify"
)

// Invitee is one person to be invited.
type Invitee struct {
	Email  string          `json:"email"`
	Person string          `json:"name,omitempty"`
	Lang   string          `json:"language,omitempty"`
	Groups []string        `json:"groups,omitempty"`
	Roles  []string        `json:"roles,omitempty"`
	Admin  authn.AdminRole `json:"admin,omitempty"`
}

// LogValue keeps the address out of the logs.
func (Invitee) LogValue() slog.Value { return slog.StringValue("[redacted] invitee") }

// CheckInvitees says for each of the people what is wrong with inviting them, nil: nothing. It writes nothing.
func (c *Clerk) CheckInvitees(ctx context.Context, companyID string, list []Invitee) ([]error, error) {
	co, err := c.Company(ctx, companyID)
	if err != nil {
		return nil, err
	}
	out, seen := make([]error, len(list)), map[string]int{}
	for i, p := range list {
		name, err := c.checkInvitee(ctx, co, p)
		if errors.Is(err, authn.ErrUnavailable) || errors.Is(err, authn.ErrLost) {
			return nil, err
		}
		if first, twice := seen[name]; err == nil && twice {
			err = fieldf("email", "stands in line %d already", first)
		}
		if seen[name] == 0 {
			seen[name] = i + 1
		}
		out[i] = err
	}
	return out, nil
}

// checkInvitee holds one person against the rules and answers the canonical sign-in name.
func (c *Clerk) checkInvitee(ctx context.Context, co company.Company, p Invitee) (string, error) {
	name, err := c.o.Passwords.Canonical(p.Email)
	if err != nil || !address(p.Email) {
		return "", fieldf("email", "must be an e-mail address")
	}
	problems := checkAdmin(p.Admin, co.ID)
	problems = append(problems, checkRoles(p.Roles)...)
	groups, err := c.checkGroupsOf(ctx, co.ID, p.Groups)
	if err != nil {
		return "", err
	}
	problems = append(problems, groups...)
	if len(p.Person) > 200 || clean(p.Person) != p.Person {
		problems = append(problems, fieldf("name", "must be at most 200 characters without control characters"))
	}
	if p.Lang != "" && p.Lang != "en" && p.Lang != "nl" {
		problems = append(problems, fieldf("language", "must be en or nl"))
	}
	if c.by.Company != "" && p.Admin == authn.AdminIT {
		problems = append(problems, fieldf("admin", "can be given by the IT team alone"))
	}
	if c.by.Company != "" {
		foreign, err := c.foreignDomain(ctx, co.ID, name)
		if err != nil {
			return "", err
		}
		if foreign {
			problems = append(problems, fieldf("email", "is of a mail domain that another company has verified"))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return name, err
	}
	if _, err = c.o.Accounts.ByName(ctx, name); !errors.Is(err, authn.ErrNotFound) {
		return name, held(err, "has an account already")
	}
	if _, err = c.o.Invitations.Get(ctx, co.ID, c.o.Invitations.ID(co.ID, name)); !errors.Is(err, authn.ErrNotFound) {
		return name, held(err, "is invited already: send the invitation again")
	}
	return name, nil
}

// held is the answer to an address that was found, or could not be looked up.
func held(err error, text string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", fieldf("email", "%s", text), authn.ErrExists)
}

// clean is a text without control characters.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// Invite invites one person to a company by mail. A *client.FieldError says what is wrong; it is authn.ErrExists too for
// a person who has an account or is invited. authn.ErrConflict where no mail can be sent.
func (c *Clerk) Invite(ctx context.Context, companyID string, p Invitee) (invitation.Invitation, error) {
	co, err := c.Company(ctx, companyID)
	if err != nil {
		return invitation.Invitation{}, err
	}
	if c.o.mute() {
		return invitation.Invitation{}, errMute()
	}
	i, err := c.keepInvitation(ctx, co, p)
	if err != nil {
		return invitation.Invitation{}, err
	}
	return i, c.sendInvitation(ctx, co, i)
}

// InviteByLink is Invite, but answers the link for whoever runs the command line to pass on, instead of mailing it. Only
// there can somebody be invited who is of no company: the first of the IT team.
func (c *Clerk) InviteByLink(ctx context.Context, companyID string, p Invitee) (string, error) {
	var co company.Company
	if c.by.Kind != ActorCommand {
		return "", ErrForbidden
	}
	if companyID != "" {
		var err error
		if co, err = c.Company(ctx, companyID); err != nil {
			return "", err
		}
	}
	i, err := c.keepInvitation(ctx, co, p)
	if err != nil {
		return "", err
	}
	return c.linkOf(ctx, i)
}

// keepInvitation checks and keeps a new invitation, without telling anybody.
func (c *Clerk) keepInvitation(ctx context.Context, co company.Company, p Invitee) (invitation.Invitation, error) {
	p.Email = strings.TrimSpace(p.Email)
	name, err := c.checkInvitee(ctx, co, p)
	if err != nil {
		return invitation.Invitation{}, err
	}
	i := invitation.Invitation{
		ID: c.o.Invitations.ID(co.ID, name), Company: co.ID, Email: p.Email, Person: p.Person, Lang: p.Lang,
		Groups: p.Groups, Roles: p.Roles, Admin: p.Admin, By: c.by.ID,
	}
	c.stamp(&i)
	err = c.o.Invitations.Add(ctx, i)
	if errors.Is(err, authn.ErrExists) {
		return invitation.Invitation{}, held(nil, "is invited already: send the invitation again")
	}
	return i, err
}

// linkOf makes the link of an invitation that is kept.
func (c *Clerk) linkOf(ctx context.Context, i invitation.Invitation) (string, error) {
	token, err := c.o.Links.NewLink(ctx, authn.Link{Kind: authn.LinkInvite, Company: i.Company, Invitation: i.ID, Serial: i.Serial}, invitation.Life)
	if err != nil {
		return "", fmt.Errorf("the invitation is kept, its link was not made: send it again: %w", err)
	}
	c.event(ctx, audit.InvitationSent, slog.String("company", i.Company), slog.String("invitation", i.ID))
	return c.o.Issuer + "/link/" + token, nil
}

func errMute() error {
	return fmt.Errorf("no mail is sent: set mail.mailer, then try again: %w", authn.ErrConflict)
}

// stamp begins the week of an invitation anew.
func (c *Clerk) stamp(i *invitation.Invitation) {
	i.Sent = c.o.Now().UTC().Truncate(1e9)
	i.Ends = i.Sent.Add(invitation.Life)
	i.Serial++
}

// sendInvitation mails the link of an invitation that is kept.
func (c *Clerk) sendInvitation(ctx context.Context, co company.Company, i invitation.Invitation) error {
	link, err := c.linkOf(ctx, i)
	if err != nil {
		return err
	}
	err = c.o.Outbox.Put(ctx, notify.Message{
		Kind: notify.Invitation, Event: fmt.Sprintf("%s/%s/%d", notify.Invitation, i.ID, i.Sent.Unix()), To: []string{i.Email}, Lang: i.Lang,
		Account: i.Email, Name: i.Person, Company: co.Name, HelpEmail: co.HelpEmail, HelpPhone: co.HelpPhone, At: i.Sent, From: i.Ends,
		Link: link,
	})
	if err != nil {
		return fmt.Errorf("the invitation is kept, the mail was not sent: send it again: %w", err)
	}
	return nil
}

// ListInvitations returns a page of those who are invited to a company and have no account yet.
func (c *Clerk) ListInvitations(ctx context.Context, companyID, after string, limit int) (invitation.Page, error) {
	if _, err := c.Company(ctx, companyID); err != nil {
		return invitation.Page{}, err
	}
	return c.o.Invitations.List(ctx, companyID, after, limit)
}

// Invitation returns one invitation of a company.
func (c *Clerk) Invitation(ctx context.Context, companyID, id string) (invitation.Invitation, error) {
	if _, err := c.Company(ctx, companyID); err != nil {
		return invitation.Invitation{}, err
	}
	return c.o.Invitations.Get(ctx, companyID, id)
}

// Resend mails an invitation again; its week begins anew, and the links that were mailed before are dead.
func (c *Clerk) Resend(ctx context.Context, companyID, id string) (invitation.Invitation, error) {
	co, err := c.Company(ctx, companyID)
	if err != nil {
		return invitation.Invitation{}, err
	}
	if c.o.mute() {
		return invitation.Invitation{}, errMute()
	}
	before, err := c.o.Invitations.Get(ctx, companyID, id)
	if err != nil {
		return invitation.Invitation{}, err
	}
	after := before
	c.stamp(&after)
	if err := c.o.Invitations.Replace(ctx, before, after); err != nil {
		return invitation.Invitation{}, err
	}
	return after, c.sendInvitation(ctx, co, after)
}

// Withdraw ends an invitation at once. authn.ErrNotFound if there is none, also because it has just been taken.
func (c *Clerk) Withdraw(ctx context.Context, companyID, id string) error {
	i, err := c.Invitation(ctx, companyID, id)
	if err == nil {
		err = c.o.Invitations.Take(ctx, i)
	}
	if errors.Is(err, authn.ErrGone) {
		return fmt.Errorf("invitation: %w", authn.ErrNotFound)
	}
	if err == nil {
		c.event(ctx, audit.InvitationWithdrawn, slog.String("company", companyID), slog.String("invitation", id))
	}
	return err
}
