// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package account

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"unicode"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// submitAdd leads to the set-up of one more authenticator, or of the first one. Nobody scans one that cannot be kept.
func (p *Pages) submitAdd(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	f, err := p.cfg.Factors.Authenticators(r.Context(), a.Account)
	if err != nil {
		return p.settle(w, r, err)
	}
	if len(f.List) >= maxAuthenticators {
		return p.cfg.Site.See(w, r, moved)
	}
	const back = home + "?done=added"
	if _, ok, err := p.own(w, r, flow.PurposeAdd, back); !ok {
		return err
	}
	return p.cfg.Site.See(w, r, back)
}

// submitReplace leads to the set-up of an authenticator in the place of another, which works until the new one is
// confirmed.
func (p *Pages) submitReplace(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeView, home)
	if !ok {
		return err
	}
	old, _, err := p.authenticator(r, a.View)
	if err != nil {
		return p.settle(w, r, err)
	}
	const back = home + "?done=replaced"
	q := flow.Request{Purpose: flow.PurposeReplace, Return: back, Replaces: old.ID}
	if _, ok, err := p.cfg.Site.Own(w, r, q); !ok {
		return err
	}
	return p.cfg.Site.See(w, r, back)
}

// authenticator finds the one that the address names among those of the account, and says how many there are:
// authn.ErrNotFound for anything else, also for one of another account.
func (p *Pages) authenticator(r *http.Request, v session.View) (authn.Authenticator, int, error) {
	f, err := p.cfg.Factors.Authenticators(r.Context(), v.Account)
	if err != nil {
		return authn.Authenticator{}, 0, err
	}
	for _, x := range f.List {
		if x.ID == r.PathValue("id") {
			return x, len(f.List), nil
		}
	}
	return authn.Authenticator{}, 0, fmt.Errorf("authenticator: %w", authn.ErrNotFound)
}

// addressOf is that of a page about an authenticator.
func addressOf(r *http.Request, name string) string {
	return home + "/authenticators/" + url.PathEscape(r.PathValue("id")) + "/" + name
}

// serveRename asks for a name, M3.
func (p *Pages) serveRename(w http.ResponseWriter, r *http.Request) error {
	v, ok, err := p.own(w, r, flow.PurposeProve, addressOf(r, "rename"))
	if !ok {
		return err
	}
	x, _, err := p.authenticator(r, v)
	if err != nil {
		return p.settle(w, r, err)
	}
	p.renamePage(w, r, v, templates.AccountRename{Name: x.Name})
	return nil
}

func (p *Pages) renamePage(w http.ResponseWriter, r *http.Request, v session.View, t templates.AccountRename) {
	t.Frame, t.Action, t.Account = p.cfg.Site.OwnFrame(w, r, v), addressOf(r, "rename"), v.Account.Name
	p.cfg.Site.Page(w, r, http.StatusOK, t)
}

func (p *Pages) submitRename(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeProve, addressOf(r, "rename"))
	if !ok {
		return err
	}
	x, _, err := p.authenticator(r, a.View)
	if err != nil {
		return p.settle(w, r, err)
	}
	name := strings.TrimSpace(a.form.Get("name"))
	if problem := nameProblem(name); problem != "" {
		if problem != "long" {
			name = x.Name
		}
		p.renamePage(w, r, a.View, templates.AccountRename{Name: name, Problem: problem})
		return nil
	}
	if err := p.cfg.Editor.Rename(r.Context(), a.Account, x.ID, name); err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.FactorRenamed, a.View, slog.String("authenticator", name))
	return p.did(w, r, "renamed")
}

// maxName bounds the name of an authenticator, in bytes.
const maxName = 100

// nameProblem says what is wrong with a name. Signs that cannot be seen would let two names look the same, or turn a
// line around.
func nameProblem(name string) string {
	switch {
	case strings.ContainsFunc(name, hidden) || strings.ToValidUTF8(name, "") != name:
		return "signs"
	case !strings.ContainsFunc(name, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) }):
		return "missing"
	case len(name) > maxName:
		return "long"
	default:
		return ""
	}
}

// hidden says whether a character cannot be seen; U+200D joins the parts of a picture.
func hidden(c rune) bool {
	return unicode.IsControl(c) || unicode.In(c, unicode.Zl, unicode.Zp) || (unicode.Is(unicode.Cf, c) && c != '\u200d')
}

// serveRemove says what will end, M3.
func (p *Pages) serveRemove(w http.ResponseWriter, r *http.Request) error {
	v, ok, err := p.own(w, r, flow.PurposeProve, addressOf(r, "remove"))
	if !ok {
		return err
	}
	x, count, err := p.authenticator(r, v)
	if err != nil {
		return p.settle(w, r, err)
	}
	keep, err := p.keep(r.Context(), v.Account)
	if err != nil {
		return err
	}
	if count == 1 && keep == authn.KeepOne {
		// The page says why it stays.
		return p.cfg.Site.See(w, r, home+"#two-factor")
	}
	p.cfg.Site.Page(w, r, http.StatusOK, templates.AccountRemove{
		Frame: p.cfg.Site.OwnFrame(w, r, v), Action: addressOf(r, "remove"), Account: v.Account.Name, Kind: x.Kind, Name: x.Name,
		Last: count == 1,
	})
	return nil
}

// keep says whether the last authenticator stays.
func (p *Pages) keep(ctx context.Context, a authn.Account) (authn.Keep, error) {
	wanted, err := p.wanted(ctx, a)
	if wanted || err != nil {
		return authn.KeepOne, err
	}
	return authn.KeepNone, nil
}

// submitRemove takes an authenticator away. The act stands from the moment the store has answered, so it is told before
// anything else can go wrong.
func (p *Pages) submitRemove(w http.ResponseWriter, r *http.Request) error {
	a, ok, err := p.act(w, r, flow.PurposeProve, addressOf(r, "remove"))
	if !ok {
		return err
	}
	x, _, err := p.authenticator(r, a.View)
	if err != nil {
		return p.settle(w, r, err)
	}
	keep, err := p.keep(r.Context(), a.Account)
	if err != nil {
		return err
	}
	now, err := p.cfg.Editor.Remove(r.Context(), a.Account, x.ID, keep)
	if err != nil {
		return p.settle(w, r, err)
	}
	p.event(r.Context(), audit.FactorRemoved, a.View, slog.String("authenticator", cmp.Or(x.Name, x.Kind)))
	p.cfg.Site.Tell(r, after(now, a.View), notify.FactorRemoved, x.Name, 0)
	p.cfg.Site.DropDevice(w, a.Account.Tag)
	if a.form.Get("everywhere") != "" {
		if now, err = p.everywhere(r, a.View); err != nil {
			return err
		}
	}
	if err := p.cfg.Site.Renew(w, r, a.View, now); err != nil {
		return err
	}
	return p.did(w, r, "removed")
}

// event writes a security event about the account.
func (p *Pages) event(ctx context.Context, name string, v session.View, more ...slog.Attr) {
	p.cfg.Audit.Event(ctx, name, append([]slog.Attr{slog.String("account", v.Account.ID), slog.String("company", v.Account.Company)}, more...)...)
}
