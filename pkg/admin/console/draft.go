// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// draft is a form that came without a proof, kept for the page that it is sent from.
type draft struct {
	Account string     `json:"account"`
	Page    string     `json:"page"`
	At      int64      `json:"at"`
	Form    url.Values `json:"form"`
}

const (
	// draftLife is how long a kept form can be opened; maxDraft bounds it, since it stands in an address, of which proxies
	// take 8 KiB.
	draftLife = 30 * time.Minute
	maxDraft  = 4 << 10
	// draftField is the parameter that a kept form stands in.
	draftField = "draft"
)

// keep returns the address of a page with the form sealed in it, so that nothing typed reaches a log, and no other site can
// fill our forms. It opens for the same person alone. A form that is too long is not kept.
func (p *Pages) keep(a authn.Account, form url.Values, page string) string {
	b, err := json.Marshal(draft{Account: a.ID, Page: pathOf(page), At: p.cfg.Now().Unix(), Form: form})
	if err != nil || len(b) > maxDraft {
		return page
	}
	sealed, err := p.cfg.Seal(b)
	if err != nil {
		return page
	}
	sep := "?"
	if strings.Contains(page, "?") {
		sep = "&"
	}
	return page + sep + url.Values{draftField: {sealed}}.Encode()
}

// draft returns the form that was kept for this page; nil: there is none, or not any more.
func (v *visit) draft() url.Values {
	b, err := v.cfg.Open(v.r.URL.Query().Get(draftField))
	if err != nil {
		return nil
	}
	var d draft
	if err := json.Unmarshal(b, &d); err != nil || d.Account != v.Account.ID || d.Page != v.r.URL.Path || v.cfg.Now().Sub(time.Unix(d.At, 0)) > draftLife {
		return nil
	}
	return d.Form
}

// pathOf is an address without its query and fragment.
func pathOf(address string) string {
	page, _, _ := strings.Cut(address, "#")
	page, _, _ = strings.Cut(page, "?")
	return page
}
