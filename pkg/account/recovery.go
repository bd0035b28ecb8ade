// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/templates"
)

const recoveryPage = home + "/recovery"

// serveRecovery says what new recovery codes end, M4.
func (p *Pages) serveRecovery(w http.ResponseWriter, r *http.Request) error {
	v, ok, err := p.own(w, r, flow.PurposeProve, recoveryPage)
	if !ok {
		return err
	}
	f, err := p.cfg.Factors.Authenticators(r.Context(), v.Account)
	if err == nil && len(f.List) == 0 {
		err = authn.ErrConflict
	}
	if err != nil {
		return p.settle(w, r, err)
	}
	p.cfg.Site.Page(w, r, http.StatusOK, templates.AccountRecovery{
		Frame: p.cfg.Site.OwnFrame(w, r, v), Action: recoveryPage, Account: v.Account.Name, Left: f.RecoveryLeft,
		Gen: f.RecoveryGen,
	})
	return nil
}

// submitRecovery makes new codes and shows them in this answer, never again: only their hashes are kept. The same form
// sent again, by a reload or by going back, ends nothing that its person has just written down.
func (p *Pages) submitRecovery(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeProve, recoveryPage)
	if !ok {
		return err
	}
	gen, err := strconv.ParseInt(a.form.Get("gen"), 10, 64)
	if err != nil || a.Account.Factor != authn.FactorOn {
		return p.cfg.Site.See(w, r, moved)
	}
	shown, kept, err := p.cfg.NewRecovery()
	if err != nil {
		return fmt.Errorf("make recovery codes: %w", err)
	}
	if err := p.cfg.Editor.NewRecovery(r.Context(), a.Account, gen, kept); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.RecoveryMade, a.View)
	p.cfg.Site.Tell(r, a.Account, notify.RecoveryMade, "", len(shown))
	t := templates.AccountRecovery{
		Frame: p.cfg.Site.OwnFrame(w, r, a.View), Account: a.Account.Name, Codes: shown, Made: p.cfg.Now().UTC(),
	}
	// The other language would be another page, without the codes.
	t.SwitchURL = ""
	p.cfg.Site.Page(w, r, http.StatusOK, t)
	return nil
}
