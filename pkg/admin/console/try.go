// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

// submitTry begins a sign-in of the admin's own account at a client, by the client's own rules, C5. Its answer comes back
// to serveTried, never to the client.
func submitTry(v *visit) error {
	c, err := v.clerk.Client(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	q, err := v.cfg.Engine.NewTry(v.r.Context(), c, home+"/try/callback?"+url.Values{"client": {c.ID}}.Encode())
	if err != nil {
		return v.settle(c.ID, err)
	}
	return v.cfg.Site.Try(v.w, v.r, q)
}

// serveTried shows what the client would have received. The flow is that of this browser and of this very account; it is
// answered once, its code is redeemed here, and its tokens have ended before they are shown.
func serveTried(v *visit) error {
	q := v.r.URL.Query()
	c, err := v.clerk.Client(v.r.Context(), q.Get("client"))
	if err != nil {
		return err
	}
	page := templates.ConsoleTry{
		Console: v.frame("clients"), Action: clientPage(c.ID) + "/try", Back: clientPage(c.ID) + "#try", ID: c.ID, Name: c.Name,
	}
	page.SwitchURL = ""
	if q.Get("error") != "" {
		page.Problem = "denied"
		return v.page(page)
	}
	if err := v.tried(c, q.Get("flow"), &page); err != nil {
		if !errors.Is(err, authn.ErrGone) && !errors.Is(err, authn.ErrMoved) {
			return err
		}
		page.Problem = "gone"
	}
	return v.page(page)
}

func (v *visit) tried(c *client.Client, id string, page *templates.ConsoleTry) error {
	f, pass, err := v.cfg.Site.Tried(v.r, id)
	if err != nil {
		return err
	}
	if f.Account.ID != v.Account.ID || f.Request.ClientID != c.ID {
		return fmt.Errorf("try of somebody else: %w", authn.ErrGone)
	}
	got, err := v.cfg.Engine.Preview(v.r.Context(), f, pass)
	if err != nil {
		return err
	}
	v.cfg.Audit.Event(v.r.Context(), audit.ClientTried, slog.String("actor", v.Account.ID), slog.String("by", string(admin.ActorAccount)),
		slog.String("client", c.ID), slog.String("company", c.Company))
	page.Header, page.Claims, page.Encrypted = got.IDHeader, got.IDClaims, got.Encrypted
	page.AccessClaims, page.Scope = got.AccessClaims, strings.Join(got.Scopes, " ")
	page.Userinfo, page.Introspection = got.Userinfo, got.Introspection
	page.Minutes = max(1, int(got.AccessLife/time.Minute))
	return nil
}
