// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestCA09 is CA-09: a client that is disabled or deleted on one node is out on all of them within a second: its codes and
// refresh tokens, its access tokens, sign-ins under way, and the single sign-on at it. What is enabled again goes on.
func TestCA09(t *testing.T) {
	for act, end := range map[string]func(*testing.T, *idptest.IDP, *idptest.Node, *client.Client){
		"disabled": func(t *testing.T, p *idptest.IDP, n *idptest.Node, c *client.Client) {
			t.Helper()
			off := *c
			off.Disabled, off.Secrets = true, nil
			if _, err := n.Office.Clerk(itActor()).ChangeClient(t.Context(), c.ID, "", client.Registration{Client: &off}); err != nil {
				t.Fatal(err)
			}
		},
		"deleted": func(t *testing.T, p *idptest.IDP, n *idptest.Node, c *client.Client) {
			t.Helper()
			if err := n.Office.Clerk(itActor()).RemoveClient(t.Context(), c.ID, ""); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(act, func(t *testing.T) {
			p, nodes, _ := nodes3(t)
			h := hold(t, p, nodes)
			code := p.RP.Answer(t, h.app.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))).Get("code")
			parked := asked(t, p, nodes[1])
			c, err := p.Node.Office.Clients.Client(t.Context(), p.RP.ID)
			if err != nil || code == "" {
				t.Fatalf("client %v, code %q", err, code)
			}
			end(t, p, nodes[2], c)
			p.Advance(time.Second)
			p.NextStep()
			for i, n := range nodes {
				for what, form := range map[string]url.Values{
					"code":    {"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.RP.URL + "/callback"}, "code_verifier": {p.RP.Verifier}},
					"refresh": {"grant_type": {"refresh_token"}, "refresh_token": {h.tokens.RefreshToken}},
				} {
					if status, body := token(t, p, n, form); status != http.StatusUnauthorized || body["error"] != "invalid_client" {
						t.Errorf("node %d, %s: %d %v, want invalid_client", i, what, status, body)
					}
				}
				if status := userinfo(t, p, n, h.tokens.AccessToken); status != http.StatusUnauthorized {
					t.Errorf("node %d: userinfo: %d", i, status)
				}
				h.app.At(t, n)
				if page := h.app.Get(t, p.RP.AuthURL()); page.Status != http.StatusBadRequest || strings.HasPrefix(page.URL.String(), p.RP.URL) {
					t.Errorf("node %d: signing on: %d at %s", i, page.Status, page.URL)
				}
			}
			if page := parked.Code(t, p.Code(t, 0)); strings.HasPrefix(page.URL.String(), p.RP.URL) || page.Status != http.StatusBadRequest {
				t.Errorf("a sign-in that was under way goes on: %d at %s", page.Status, page.URL)
			}
			if page := h.own.Get(t, "/account"); page.H1() != "Security" {
				t.Errorf("the person is signed out of Lychgate by the end of an app: %q", page.H1())
			}
		})
	}
}
