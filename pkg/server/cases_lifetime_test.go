// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestLifetimesOfAClient: what a client is issued lives as long as the client says, C7; another client's is not touched.
func TestLifetimesOfAClient(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, "anna@acme.example", "acme")
	rp := p.NewRP(t, "short", func(c *client.Client) {
		c.AccessTokenLife, c.IDTokenLife, c.RefreshTokenIdle, c.RefreshTokenLife = 120, 90, 600, 1500
	})
	signIn := func(rp *idptest.RelyingParty) idptest.Tokens {
		p.NextStep()
		return rp.Exchange(t, p.Browser(t).Get(t, rp.AuthURL(idptest.With("scope", "openid offline_access"))).Prove(t, "anna@acme.example"))
	}
	tokens := signIn(rp)
	if life := tokens.ID.Expiry.Sub(tokens.ID.IssuedAt); life != 90*time.Second {
		t.Errorf("the ID token lives %v", life)
	}
	if got, _ := tokens.Extra("expires_in").(float64); got != 120 {
		t.Errorf("expires_in %v", got)
	}
	usual := signIn(p.RP)
	if life := usual.ID.Expiry.Sub(usual.ID.IssuedAt); life != time.Hour {
		t.Errorf("another client's ID token lives %v", life)
	}
	p.Advance(90 * time.Second)
	if rp.Introspect(t, tokens.AccessToken)["active"] != false {
		t.Error("the access token outlives its two minutes")
	}
	if p.RP.Introspect(t, usual.AccessToken)["active"] != true {
		t.Error("another client's access token has ended as well")
	}
	// Used within ten minutes each time, the refresh token lives on, but not beyond 25 minutes from the sign-in.
	refresh := tokens.RefreshToken
	for range 2 {
		p.Advance(7 * time.Minute)
		status, body := rp.Refresh(t, refresh)
		if status != http.StatusOK || body["expires_in"] != 120.0 {
			t.Fatalf("refresh: %d %v", status, body)
		}
		refresh, _ = body["refresh_token"].(string)
	}
	p.Advance(9*time.Minute + 30*time.Second)
	if status, body := rp.Refresh(t, refresh); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("after 25 minutes: %d %v", status, body)
	}
	tokens = signIn(rp)
	p.Advance(10*time.Minute + time.Second)
	if status, body := rp.Refresh(t, tokens.RefreshToken); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
		t.Errorf("unused for ten minutes: %d %v", status, body)
	}
}

// TestLifetimesOfOtherTokens: a program's token and a JWT are bounded in the same way.
func TestLifetimesOfOtherTokens(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	for id, format := range map[string]string{"opaque": client.FormatOpaque, "signed": client.FormatJWT} {
		rp := p.NewRP(t, id, func(c *client.Client) {
			c.GrantTypes, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scope = []string{client.GrantCredentials}, nil, nil, "cases"
			c.AccessTokenFormat, c.AccessTokenLife = format, 75
		})
		status, body := rp.Call(t, "/token", url.Values{"grant_type": {"client_credentials"}})
		if token, _ := body["access_token"].(string); status != http.StatusOK || body["expires_in"] != 75.0 {
			t.Errorf("%s: %d %v", id, status, body)
		} else {
			p.Advance(74 * time.Second)
			if rp.Introspect(t, token)["active"] != true {
				t.Errorf("%s ends before its time", id)
			}
			p.Advance(2 * time.Second)
			if rp.Introspect(t, token)["active"] != false {
				t.Errorf("%s outlives its time", id)
			}
		}
	}
}
