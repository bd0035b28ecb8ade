// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/lychgate/lychgate/pkg/admin"
)

// cursorPurpose separates the keys of cursors from all others.
const cursorPurpose = "api cursor"

// list is one way through a list: whose, which, by what. A cursor goes on in the same one alone.
type list struct {
	by     admin.Actor
	name   string
	filter []string
}

func (l list) data() ([]byte, error) {
	return json.Marshal([]any{l.name, l.by.Kind, l.by.ID, l.by.Company, l.filter})
}

// cursor seals the place where a list goes on; empty for an empty place.
func (a *API) cursor(l list, place string) (string, error) {
	if place == "" {
		return "", nil
	}
	ad, err := l.data()
	if err != nil {
		return "", fmt.Errorf("seal cursor: %w", err)
	}
	b, err := a.cfg.Ring.Seal(a.cfg.Now(), cursorPurpose, []byte(place), ad)
	if err != nil {
		return "", fmt.Errorf("seal cursor: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// place opens a cursor. A forged one, one of another caller, and one of another list are told nothing but 400.
func (a *API) place(l list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	ad, err := l.data()
	if err != nil {
		return "", fmt.Errorf("open cursor: %w", err)
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || base64.RawURLEncoding.EncodeToString(b) != cursor {
		return "", wrongCursor()
	}
	plain, err := a.cfg.Ring.Open(cursorPurpose, b, ad)
	if err != nil {
		return "", wrongCursor()
	}
	return string(plain), nil
}

func wrongCursor() *problemError {
	return problem(http.StatusBadRequest, codeMalformed, "The cursor is not one that this list gave to this caller. Begin anew without it.",
		Fault{Detail: "is not valid here", Location: "query.cursor"})
}
