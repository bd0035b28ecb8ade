// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// holdings are what a person who has signed in holds: a session, a remembered device, an app's tokens, and the account
// page, each on a node of its own.
type holdings struct {
	own, app *idptest.Browser
	device   cookie
	tokens   idptest.Tokens
}

func hold(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) holdings {
	t.Helper()
	var h holdings
	h.own = p.BrowserAt(t, nodes[0])
	if page := h.own.Own(t, anna); page.H1() != "Security" {
		t.Fatalf("account page: %d %q", page.Status, page.H1())
	}
	h.device = rememberAt(t, p, nodes[1])
	p.NextStep()
	h.app = p.BrowserAt(t, nodes[2])
	scope := idptest.With("scope", "openid profile email offline_access")
	h.tokens = p.RP.Exchange(t, h.app.Get(t, p.RP.AuthURL(scope)).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	if h.tokens.RefreshToken == "" {
		t.Fatal("no refresh token")
	}
	// What works before makes its refusal worth something.
	h.device = h.device.passesEverywhere(t, p, nodes)
	for i, n := range nodes {
		h.app.At(t, n)
		if got := p.RP.Answer(t, h.app.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("code") == "" {
			t.Fatalf("node %d: the session: %v", i, got)
		}
		if status := userinfo(t, p, n, h.tokens.AccessToken); status != http.StatusOK {
			t.Fatalf("node %d: userinfo: %d", i, status)
		}
	}
	return h
}

// userinfo asks a node with an access token.
func userinfo(t *testing.T, p *idptest.IDP, n *idptest.Node, access string) int {
	t.Helper()
	b := p.BrowserAt(t, n)
	b.Header.Set("Authorization", "Bearer "+access)
	return b.Get(t, "/userinfo").Status
}

// refusedEverywhere holds that nothing of it is worth anything, on any node, with the clock where it is.
func (h holdings) refusedEverywhere(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) {
	t.Helper()
	if live := p.RP.Introspect(t, h.tokens.AccessToken); live["active"] != false {
		t.Errorf("the access token: %v", live)
	}
	for i, n := range nodes {
		h.app.At(t, n)
		if got := p.RP.Answer(t, h.app.Get(t, p.RP.AuthURL(idptest.With("prompt", "none")))); got.Get("error") != "login_required" {
			t.Errorf("node %d: the session: %v", i, got)
		}
		h.own.At(t, n)
		if page := h.own.Get(t, "/account"); page.H1() != "Sign in" {
			t.Errorf("node %d: the account page: %d %q", i, page.Status, page.H1())
		}
		if page := h.device.with(t, p, n, idptest.Password); strings.HasPrefix(page.URL.String(), p.RP.URL) {
			t.Errorf("node %d: the device stands for a code", i)
		}
		if status := userinfo(t, p, n, h.tokens.AccessToken); status != http.StatusUnauthorized {
			t.Errorf("node %d: userinfo: %d", i, status)
		}
		status, body := token(t, p, n, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.tokens.RefreshToken}})
		if status != http.StatusBadRequest || body["error"] != "invalid_grant" {
			t.Errorf("node %d: refresh: %d %v", i, status, body)
		}
	}
}

// TestSE07ThreeNodes is SE-07: a person whom an admin disables on one node is out at once on all of them; a signed access
// token, which nobody need ask us about, ends within its five minutes.
func TestSE07ThreeNodes(t *testing.T) {
	p, nodes, _ := nodes3(t)
	signed := p.NewRP(t, "signed", func(c *client.Client) {
		c.AccessTokenFormat, c.Audience = "at+jwt", []string{"https://api.example"}
	})
	h := hold(t, p, nodes)
	p.NextStep()
	page := p.BrowserAt(t, nodes[1]).Get(t, signed.AuthURL(idptest.With("scope", "openid offline_access"))).Login(t, anna, idptest.Password)
	jwt := signed.Exchange(t, page.Code(t, p.Code(t, 0)))
	if strings.Count(jwt.AccessToken, ".") != 2 {
		t.Fatalf("%q is no signed token", jwt.AccessToken)
	}
	parked := asked(t, p, nodes[2])
	began := p.Now()
	if _, err := nodes[2].Office.Apply(t.Context(), anna, authn.Disable, ""); err != nil {
		t.Fatal(err)
	}
	h.refusedEverywhere(t, p, nodes)
	p.NextStep()
	if page := parked.Code(t, p.Code(t, 0)); strings.HasPrefix(page.URL.String(), p.RP.URL) || page.Status != http.StatusBadRequest {
		t.Errorf("a sign-in that was under way goes on: %d %q", page.Status, page.H1())
	}
	if status, body := signed.Refresh(t, jwt.RefreshToken); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("a new signed token: %d %v", status, body)
	}
	if life, _ := jwt.Extra("expires_in").(float64); life < 1 || life > 300 {
		t.Errorf("a signed token lives for %v s, want five minutes at most", life)
	}
	p.Advance(began.Add(5*time.Minute + 11*time.Second).Sub(p.Now()))
	if live := signed.Introspect(t, jwt.AccessToken); live["active"] != false {
		t.Errorf("the signed token after five minutes: %v", live)
	}
}
