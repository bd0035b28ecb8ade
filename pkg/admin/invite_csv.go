// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The bounds of a file of people to invite.
const (
	MaxInviteFile  = 256 << 10
	MaxInviteLines = 1000
)

// What is wrong with a file of people as a whole.
var (
	ErrFileSize   = errors.New("the file is over 256 KiB: split it")
	ErrFileLines  = errors.New("the file has over 1,000 lines: split it")
	ErrFileText   = errors.New("the file is not UTF-8 text: save it as CSV UTF-8")
	ErrFileHeader = errors.New("the first line names a column that is not known, or one twice, or no email")
	ErrFileEmpty  = errors.New("there is nobody in the file")
)

// InviteLine is a line of a file of people. Err is a *client.FieldError that says what is wrong with the line itself; the
// rest is for CheckInvitees.
type InviteLine struct {
	// Number is that of the line in the file, from 1.
	Number  int
	Invitee Invitee
	Err     error
}

// inviteColumns are the columns in the order that a file without a header line has.
func inviteColumns() []string { return []string{"email", "name", "groups", "roles", "language"} }

// inviteColumn is the column of a heading, in English or Dutch.
func inviteColumn(heading string) (string, bool) {
	names := map[string]string{
		"e-mail": "email", "mail": "email", "e-mailadres": "email", "naam": "name", "groepen": "groups", "rollen": "roles", "taal": "language",
	}
	heading = strings.ToLower(strings.TrimSpace(heading))
	if name, ok := names[heading]; ok {
		return name, true
	}
	return heading, slices.Contains(inviteColumns(), heading)
}

// ReadInvitees reads a file of people: email, name, groups, roles, language, with , or ; between them, in quotation marks
// where they hold one. Groups and roles have blanks between them. A first line of headings may say another order. Nothing
// is ever run or written back: a cell that a spreadsheet would take for a formula is refused all the same, so that no
// later export carries it (CWE-1236).
func ReadInvitees(text string) ([]InviteLine, error) {
	text = strings.TrimPrefix(text, "\uFEFF")
	switch {
	case len(text) > MaxInviteFile:
		return nil, ErrFileSize
	case !utf8.ValidString(text) || strings.ContainsRune(text, 0):
		return nil, ErrFileText
	}
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text)
	if strings.Count(strings.TrimRight(text, "\n"), "\n") > MaxInviteLines {
		// One more for the headings.
		return nil, ErrFileLines
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.FieldsPerRecord = separator(text), -1
	columns, first := inviteColumns(), true
	var out []InviteLine
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if first && err == nil && headings(cells) {
			if columns, err = inviteHeader(cells); err != nil {
				return nil, err
			}
			first = false
			continue
		}
		first = false
		if line, ok := inviteLine(r, columns, cells, err); ok {
			out = append(out, line)
		}
	}
	switch {
	case len(out) == 0:
		return nil, ErrFileEmpty
	case len(out) > MaxInviteLines:
		return nil, ErrFileLines
	}
	return out, nil
}

// separator is what stands between cells: whichever of the two the first line has more of.
func separator(text string) rune {
	line, _, _ := strings.Cut(strings.TrimLeft(text, "\n"), "\n")
	if strings.Count(line, ";") > strings.Count(line, ",") {
		return ';'
	}
	return ','
}

// headings says whether a first line names columns: it has no address, and begins with a name that is known.
func headings(cells []string) bool {
	return !strings.Contains(strings.Join(cells, ""), "@") && slices.ContainsFunc(cells, func(cell string) bool {
		_, known := inviteColumn(cell)
		return known
	})
}

func inviteHeader(cells []string) ([]string, error) {
	var columns []string
	for _, cell := range cells {
		name, known := inviteColumn(cell)
		if !known || slices.Contains(columns, name) {
			return nil, ErrFileHeader
		}
		columns = append(columns, name)
	}
	if !slices.Contains(columns, "email") {
		return nil, ErrFileHeader
	}
	return columns, nil
}

// inviteLine makes a line of its cells; a line of empty cells is none.
func inviteLine(r *csv.Reader, columns, cells []string, err error) (InviteLine, bool) {
	if bad, ok := errors.AsType[*csv.ParseError](err); ok {
		return InviteLine{Number: bad.StartLine, Err: fieldf("line", "has quotes that do not match")}, true
	}
	line := InviteLine{}
	line.Number, _ = r.FieldPos(0)
	empty := true
	for i, cell := range cells {
		if cell = strings.TrimSpace(cell); cell == "" {
			continue
		}
		empty = false
		switch {
		case i >= len(columns):
			line.Err = fieldf("line", "has more cells than columns")
		case strings.ContainsRune("=+-@", rune(cell[0])):
			line.Err = fieldf("line", "has a cell that begins like a formula")
		default:
			line.Invitee.set(columns[i], cell)
		}
	}
	return line, !empty
}

func (p *Invitee) set(column, cell string) {
	switch column {
	case "email":
		p.Email = cell
	case "name":
		p.Person = cell
	case "groups":
		p.Groups = strings.Fields(cell)
	case "roles":
		p.Roles = strings.Fields(cell)
	case "language":
		p.Lang = strings.ToLower(cell)
	}
}
