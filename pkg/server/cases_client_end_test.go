// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// clientGone is a client whose end is about to be seen by everybody who has something of it.
type clientGone struct {
	p      *idptest.IDP
	h      holdings
	code   string
	parked *idptest.Page
}

// refusedAt holds that nothing of the client is worth anything at a node.
func (g clientGone) refusedAt(t *testing.T, n *idptest.Node) {
	t.Helper()
	for what, form := range map[string]url.Values{
		"code": {
			"grant_type": {"authorization_code"}, "code": {g.code}, "redirect_uri": {g.p.RP.URL + "/callback"}, "code_verifier": {g.p.RP.Verifier},
		},
		"refresh": {"grant_type": {"refresh_token"}, "refresh_token": {g.h.tokens.RefreshToken}},
	} {
		if status, body := token(t, g.p, n, form); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
			t.Errorf("%s: %d %v, want invalid_client", what, status, body)
		}
	}
	if status := userinfo(t, g.p, n, g.h.tokens.AccessToken); status != http.StatusUnauthorized {
		t.Errorf("userinfo: %d", status)
	}
	g.h.app.At(t, n)
	if page := g.h.app.Get(t, g.p.RP.AuthURL()); page.Status != http.StatusBadRequest || strings.HasPrefix(page.URL.String(), g.p.RP.URL) {
		t.Errorf("signing on: %d at %s", page.Status, page.URL)
	}
}

// TestCA09 is CA-09: a client that is disabled or deleted on one node is out on all of them within a second: its codes and
// refresh tokens, its access tokens, sign-ins under way, and the single sign-on at it. The person stays signed in.
func TestCA09(t *testing.T) {
	for act, end := range map[string]func(*testing.T, *admin.Clerk, *client.Client) error{
		"disabled": func(t *testing.T, clerk *admin.Clerk, c *client.Client) error {
			t.Helper()
			off := *c
			off.Disabled, off.Secrets = true, nil
			_, err := clerk.ChangeClient(t.Context(), c.ID, "", client.Registration{Client: &off})
			return err
		},
		"deleted": func(t *testing.T, clerk *admin.Clerk, c *client.Client) error {
			t.Helper()
			return clerk.RemoveClient(t.Context(), c.ID, "")
		},
	} {
		t.Run(act, func(t *testing.T) {
			p, nodes, _ := nodes3(t)
			g := clientGone{p: p, h: hold(t, p, nodes)}
			g.code = p.RP.Answer(t, g.h.app.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))).Get("code")
			g.parked = asked(t, p, nodes[1])
			c, err := p.Node.Office.Clients.Client(t.Context(), p.RP.ID)
			if err != nil || g.code == "" {
				t.Fatalf("client %v, code %q", err, g.code)
			}
			if err := end(t, nodes[2].Office.Clerk(itActor()), c); err != nil {
				t.Fatal(err)
			}
			p.Advance(time.Second)
			p.NextStep()
			for _, n := range nodes {
				g.refusedAt(t, n)
			}
			if page := g.parked.Code(t, p.Code(t, 0)); strings.HasPrefix(page.URL.String(), p.RP.URL) || page.Status != http.StatusBadRequest {
				t.Errorf("a sign-in that was under way goes on: %d at %s", page.Status, page.URL)
			}
			if page := g.h.own.Get(t, "/account"); page.H1() != "Security" {
				t.Errorf("the person is signed out of Lychgate by the end of an app: %q", page.H1())
			}
		})
	}
}
