// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/templates"
)

// serveInviteFile asks for a file of people.
func serveInviteFile(v *visit) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	return v.page(v.filePage(co, ""))
}

func (v *visit) filePage(co company.Company, text string) templates.ConsoleInviteFile {
	page := templates.ConsoleInviteFile{
		Console: v.frame("people"), Action: v.companyPath("/file"), Send: v.companyPath("/send"), Cancel: v.listOf(co), Name: cmp.Or(co.Name, co.ID),
		Text: text,
	}
	for _, g := range co.Groups {
		page.Groups = append(page.Groups, templates.ConsoleTick{ID: g.ID, Name: g.Title()})
	}
	return page
}

func (v *visit) companyPath(rest string) string { return atInvitations(rest)(v.r) }

// fileProblem is what is wrong with a file as a whole; empty: nothing.
func fileProblem(err error) string {
	for kind, is := range map[string]error{
		"size": admin.ErrFileSize, "lines": admin.ErrFileLines, "text": admin.ErrFileText, "header": admin.ErrFileHeader, "empty": admin.ErrFileEmpty,
	} {
		if errors.Is(err, is) {
			return kind
		}
	}
	return ""
}

// checked reads a file and holds every line against the rules.
func (v *visit) checked(co company.Company, text string) ([]admin.InviteLine, error) {
	lines, err := admin.ReadInvitees(text)
	if err != nil {
		return nil, err
	}
	var list []admin.Invitee
	for _, l := range lines {
		list = append(list, l.Invitee)
	}
	problems, err := v.clerk.CheckInvitees(v.r.Context(), co.ID, list)
	if err != nil {
		return nil, err
	}
	for i := range lines {
		if lines[i].Err == nil {
			lines[i].Err = problems[i]
		}
	}
	return lines, nil
}

// inviteRow is a line as the page shows it.
func inviteRow(l admin.InviteLine) templates.ConsoleInviteLine {
	row := templates.ConsoleInviteLine{
		Line: strconv.Itoa(l.Number), Email: l.Invitee.Email, Name: l.Invitee.Person, Groups: strings.Join(l.Invitee.Groups, ", "),
		Roles: strings.Join(l.Invitee.Roles, ", "), Lang: l.Invitee.Lang,
	}
	if l.Err == nil {
		return row
	}
	var err error
	if row.Problems, err = personProblems(l.Err); err != nil {
		row.Problems = []templates.ConsoleProblem{{Kind: "unsent"}}
		if errors.Is(err, authn.ErrConflict) {
			row.Problems[0].Kind = "mute"
		}
	}
	return row
}

// submitInviteFile shows every line with what is wrong with it. Nothing is written, and nobody is told.
func submitInviteFile(v *visit) error {
	return v.file("preview", func(_ company.Company, lines []admin.InviteLine) []admin.InviteLine { return lines })
}

// submitInviteSend invites the good lines, which are read anew: what a page sends back is nothing to rely on.
func submitInviteSend(v *visit) error { return v.file("sent", v.inviteAll) }

// file reads the file of a form, and shows what became of its lines.
func (v *visit) file(step string, act func(company.Company, []admin.InviteLine) []admin.InviteLine) error {
	co, err := v.ofPath()
	if err != nil {
		return err
	}
	text := v.form.Get("lines")
	page := v.filePage(co, text)
	lines, err := v.checked(co, text)
	if page.Problem = fileProblem(err); page.Problem != "" {
		return v.page(page)
	}
	if err != nil {
		return err
	}
	page.Step = step
	for _, l := range act(co, lines) {
		row := inviteRow(l)
		if len(row.Problems) == 0 {
			page.Good++
		}
		page.Rows = append(page.Rows, row)
	}
	page.Bad = len(page.Rows) - page.Good
	return v.page(page)
}

// inviteAll invites whoever nothing is wrong with, and says what became of each. After a failure that is nobody's fault the
// rest is not tried: sending the same file again is safe, since whoever is invited is not invited twice.
func (v *visit) inviteAll(co company.Company, lines []admin.InviteLine) []admin.InviteLine {
	var stop error
	for i, l := range lines {
		if l.Err != nil {
			continue
		}
		if stop != nil {
			lines[i].Err = stop
			continue
		}
		_, err := v.clerk.Invite(v.r.Context(), co.ID, l.Invitee)
		lines[i].Err = err
		if err != nil && len(fieldErrors(err)) == 0 {
			stop = err
		}
	}
	return lines
}
