// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
)

// Move says how the people and clients of another provider are taken over.
type Move struct {
	// Company is the id of the company that they will belong to; empty: none.
	Company string
	// Clients takes the clients too.
	Clients bool
	// DryRun writes nothing.
	DryRun bool
	// SkipExisting leaves out who is here already, so that a move that was cut short goes on; SkipRefused leaves out who
	// cannot be taken. Without them either is a problem, and with a problem nothing is written.
	SkipExisting, SkipRefused bool
}

// Counts are what became of the people, or of the clients.
type Counts struct {
	Taken int `json:"taken"`
	// NoPassword, NoFactor and Disabled are among those that were taken; so are the clients with a NewSecret.
	NoPassword int `json:"taken_without_password"`
	NoFactor   int `json:"taken_without_second_factor"`
	Disabled   int `json:"taken_disabled"`
	NewSecret  int `json:"taken_with_new_secret"`
	Existing   int `json:"existing"`
	LeftOut    int `json:"left_out"`
	Refused    int `json:"refused"`
}

// Moved is what a Move did, or would do.
type Moved struct {
	People  Counts `json:"people"`
	Clients Counts `json:"clients"`
}

// maxProblems bounds what is said at once.
const maxProblems = 1000

// Move takes over what another provider exported. Everything is checked before anything is written, and all problems
// are told at once, each with its place in the file. report is called for everybody and every client in turn: when
// they are written, or in a DryRun when they are checked. The files are read twice, and kept in memory by their names
// alone. If the store fails half way, the same move with SkipExisting goes on. It is for the IT team: ErrForbidden.
func (c *Clerk) Move(ctx context.Context, x foreign.Export, m Move, report func(foreign.Line) error) (Moved, error) {
	v := &mover{c: c, m: m, report: report}
	if c.by.Company != "" {
		return v.moved, ErrForbidden
	}
	if m.Company != "" {
		if _, err := c.o.Companies.Company(ctx, m.Company); err != nil {
			return v.moved, fmt.Errorf("company: %q: %w; add it with `lychgate company add`", m.Company, err)
		}
	}
	if err := v.check(ctx, x); err != nil {
		return v.moved, err
	}
	if m.DryRun {
		return v.moved, nil
	}
	v.moved = Moved{}
	err := v.write(ctx, x)
	// One event for all: one for each would push everything else out of the journal.
	c.event(context.WithoutCancel(ctx), audit.PeopleImported, slog.String("company", m.Company), slog.Int("people", v.moved.People.Taken))
	if err != nil {
		return v.moved, fmt.Errorf("%w; %d people before it were imported: run it again with --skip-existing", err, v.moved.People.Taken)
	}
	return v.moved, v.writeClients(ctx)
}

// mover is one move under way.
type mover struct {
	c      *Clerk
	m      Move
	report func(foreign.Line) error
	moved  Moved
	// names holds where each name and sub stands.
	names    map[string]string
	apps     []app
	problems []error
	more     int
}

// check goes through everything without writing.
func (v *mover) check(ctx context.Context, x foreign.Export) error {
	v.names = map[string]string{}
	err := x.People(func(p foreign.Person) error {
		n, line := v.judge(ctx, p)
		if line.Status == foreign.Taken {
			if err := v.find(ctx, n, &line); err != nil {
				return fmt.Errorf("%s: %w", p.Where, err)
			}
		}
		return v.checked(line)
	})
	if err != nil {
		return fmt.Errorf("nothing was imported: %w", err)
	}
	if v.m.Clients {
		if err := v.checkClients(ctx, x); err != nil {
			return fmt.Errorf("nothing was imported: %w", err)
		}
	}
	if v.more > 0 {
		v.problems = append(v.problems, fmt.Errorf("and %d more", v.more))
	}
	if err := errors.Join(v.problems...); err != nil {
		return fmt.Errorf("nothing was imported:\n%w", err)
	}
	return nil
}

// checked counts a line, and notes what is in the way of the move.
func (v *mover) checked(line foreign.Line) error {
	v.count(line)
	remedy := ""
	switch {
	case line.Status == foreign.Refused && !v.m.SkipRefused:
		remedy = "mend it, or leave out all that are refused with --skip-refused"
	case line.Status == foreign.Existing && !v.m.SkipExisting:
		remedy = "leave out all that are here with --skip-existing"
	}
	if remedy != "" && len(v.problems) < maxProblems {
		v.problems = append(v.problems, fmt.Errorf("%s; %s", place(line), remedy))
	} else if remedy != "" {
		v.more++
	}
	if v.m.DryRun {
		return v.report(line)
	}
	return nil
}

// place is what is wrong with its path: users[17].email, or the line with the field behind it.
func place(line foreign.Line) string {
	field, _, named := strings.Cut(line.Reason, ":")
	if !named || strings.Contains(field, " ") || strings.HasPrefix(line.Where, "line ") {
		return line.Where + ": " + line.Reason
	}
	return line.Where + "." + line.Reason
}

func (v *mover) count(line foreign.Line) {
	c := &v.moved.People
	if line.Kind == foreign.KindClient {
		c = &v.moved.Clients
	}
	for of, yes := range map[*int]bool{
		&c.Taken: line.Status == foreign.Taken, &c.Existing: line.Status == foreign.Existing,
		&c.LeftOut: line.Status == foreign.LeftOut, &c.Refused: line.Status == foreign.Refused,
		&c.NoPassword: line.NoPassword, &c.NoFactor: line.NoFactor, &c.Disabled: line.Disabled, &c.NewSecret: line.NewSecret,
	} {
		if yes {
			*of++
		}
	}
}

// judge says what is to become of somebody, without asking the store.
func (v *mover) judge(ctx context.Context, p foreign.Person) (authn.NewAccount, foreign.Line) {
	line := foreign.Line{Kind: foreign.KindPerson, Where: p.Where, Name: foreign.Show(p.Username), Notes: p.Notes}
	refuse := func(err error) (authn.NewAccount, foreign.Line) {
		line.Status, line.Reason, line.NoPassword = foreign.Refused, strings.ReplaceAll(err.Error(), "\n", "; "), false
		return authn.NewAccount{}, line
	}
	switch {
	case p.LeftOut != "":
		line.Status, line.Reason = foreign.LeftOut, p.LeftOut
		return authn.NewAccount{}, line
	case p.Problem != nil:
		return refuse(p.Problem)
	}
	e := Entry{
		Username: p.Username, Company: v.m.Company, Subject: p.Subject, PasswordHash: p.PasswordHash,
		TOTPSecret: base32.StdEncoding.EncodeToString(p.TOTPSecret), Claims: p.Claims, Attributes: p.Attributes, Roles: p.Roles,
		Disabled: p.Disabled,
	}
	if err := v.password(&e, &line); err != nil {
		return refuse(err)
	}
	n, err := v.c.o.check(ctx, e)
	if err != nil {
		return refuse(err)
	}
	if err := v.twice(p, n); err != nil {
		return refuse(err)
	}
	line.Status, line.Subject, line.Disabled = foreign.Taken, p.Subject, p.Disabled
	line.NoFactor = p.HadFactor && len(p.TOTPSecret) == 0
	return n, line
}

// password keeps a hash within the bounds. Who has none is given the record of no password: nobody can sign in with it,
// and *Forgotten password* puts another one in its place.
func (v *mover) password(e *Entry, line *foreign.Line) error {
	if e.PasswordHash != "" {
		err := v.c.o.Passwords.CheckRecord(e.PasswordHash)
		if err == nil {
			return nil
		}
		line.Notes = append(line.Notes, foreign.Note{Field: "password", Reason: err.Error()})
	}
	line.NoPassword = true
	var err error
	e.PasswordHash, err = v.c.o.Passwords.Unusable()
	return err
}

// twice refuses a name or sub that stands in the file already.
func (v *mover) twice(p foreign.Person, n authn.NewAccount) error {
	// No name begins with a blank: both can stand in one map.
	if first, there := v.names[n.Name]; there {
		return fmt.Errorf("username: %q stands at %s already", foreign.Show(n.Name), first)
	}
	if first, there := v.names[" "+n.ID]; there && n.ID != "" {
		return fmt.Errorf("sub: %q stands at %s already", foreign.Show(n.ID), first)
	}
	v.names[n.Name], v.names[" "+n.ID] = p.Where, p.Where
	return nil
}

// find says whether somebody is here already.
func (v *mover) find(ctx context.Context, n authn.NewAccount, line *foreign.Line) error {
	_, err := v.c.o.Accounts.ByName(ctx, n.Name)
	field, value := "username", line.Name
	if errors.Is(err, authn.ErrNotFound) && n.ID != "" {
		_, err = v.c.o.Accounts.ByID(ctx, n.ID)
		field, value = "sub", foreign.Show(n.ID)
	}
	switch {
	case errors.Is(err, authn.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	exists(line, field, value)
	return nil
}

// exists turns a line into that of somebody who is here already.
func exists(line *foreign.Line, field, value string) {
	line.Status, line.Reason = foreign.Existing, fmt.Sprintf("%s: %q %s", field, value, authn.ErrExists)
	line.NoPassword, line.NoFactor, line.Disabled, line.NewSecret = false, false, false, false
}

// write creates everybody who is to be taken.
func (v *mover) write(ctx context.Context, x foreign.Export) error {
	v.names = map[string]string{}
	return x.People(func(p foreign.Person) error {
		n, line := v.judge(ctx, p)
		if line.Status == foreign.Taken {
			a, err := v.c.o.Accounts.Create(ctx, n)
			switch {
			case errors.Is(err, authn.ErrExists) && v.m.SkipExisting:
				exists(&line, "username", line.Name)
			case err != nil:
				return fmt.Errorf("%s: %w", p.Where, err)
			default:
				line.Subject = a.ID
			}
		}
		v.count(line)
		return v.report(line)
	})
}
