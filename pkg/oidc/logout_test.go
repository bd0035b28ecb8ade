// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// What a client is told depends on its registration alone; a client that is gone, disabled or has no address is not told.
func TestLogoutToken(t *testing.T) {
	w := newWorld(t)
	told := func(c *client.Client) { c.BackchannelURI = "https://app.example.com/bye" }
	w.client("sid", told, func(c *client.Client) { c.BackchannelSession = true })
	w.client("sub", told)
	w.client("off", told, func(c *client.Client) { c.Disabled = true })
	w.client("silent")
	for id, want := range map[string]struct{ sid, told bool }{
		"sid": {true, true}, "sub": {false, true}, "off": {}, "silent": {}, "nobody": {},
	} {
		uri, token, err := w.p.LogoutToken(t.Context(), id, w.acc.ID, "SID")
		if !want.told {
			if !errors.Is(err, authn.ErrNotFound) || token != "" {
				t.Errorf("%s: %q, %v", id, token, err)
			}
			continue
		}
		if err != nil || uri != "https://app.example.com/bye" {
			t.Fatalf("%s: %q, %v", id, uri, err)
		}
		c := segment(t, token, 1)
		if _, nonce := c["nonce"]; nonce || c["sub"] != w.acc.ID || (c["sid"] == "SID") != want.sid || segment(t, token, 0)["typ"] != "logout+jwt" {
			t.Errorf("%s: %v", id, c)
		}
		if out, err := w.p.Logout(t.Context(), form("id_token_hint", token)); err != nil || out.HintSubject != "" {
			t.Errorf("a logout token counts as a hint: %+v, %v", out, err)
		}
	}
}

// The origin in session_state is the one that a browser says.
func TestSessionStateOrigin(t *testing.T) {
	w := newWorld(t)
	for uri, origin := range map[string]string{
		"https://app.example.com:443/cb?x=1": "https://app.example.com", "https://app.example.com:8443/cb": "https://app.example.com:8443",
		"com.example.app:/cb": "",
	} {
		w.client("app", func(c *client.Client) {
			c.RedirectURIs = []string{uri}
			if origin == "" {
				c.ApplicationType, c.PostLogoutRedirectURIs = "native", nil
			}
		})
		f := w.flow(params("app", "redirect_uri", uri))
		f.BrowserState = "STATE"
		got := w.answer(f).Get("session_state")
		hash, salt, _ := strings.Cut(got, ".")
		sum := sha256.Sum256([]byte("app " + origin + " STATE " + salt))
		if want := base64.RawURLEncoding.EncodeToString(sum[:]); (hash != want) != (origin == "") || (got == "") != (origin == "") {
			t.Errorf("%s: session_state %q", uri, got)
		}
	}
}
