// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
)

// cursor is where the next page of a list begins. It names somebody, so that it is sealed in the address; it opens for
// the same admin, in the list of the same company, alone.
type cursor struct {
	List    string `json:"list"`
	Account string `json:"account"`
	Company string `json:"company"`
	After   string `json:"after"`
}

// sealed returns after for an address; empty: there is no next page.
func (v *visit) sealed(list, after string) (string, error) {
	if after == "" {
		return "", nil
	}
	b, err := json.Marshal(cursor{List: list, Account: v.Account.ID, Company: v.of, After: after})
	if err != nil {
		return "", fmt.Errorf("cursor: %w", err)
	}
	return v.cfg.Seal(b)
}

// opened returns what the address says of where the page begins: authn.ErrGone for what was not sealed for this list.
func (v *visit) opened(list string) (string, error) {
	text := v.r.URL.Query().Get("after")
	if text == "" {
		return "", nil
	}
	var c cursor
	b, err := v.cfg.Open(text)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil || c.List != list || c.Account != v.Account.ID || c.Company != v.of {
		return "", fmt.Errorf("cursor of %s: %w", list, authn.ErrGone)
	}
	return c.After, nil
}
