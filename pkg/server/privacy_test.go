// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/base32"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// TestPL01 is PL-01, and the dump of Redis: after a run through everything that a person and an app do, neither the
// log nor Redis holds a password, a code, a secret, a token or an e-mail address; and every key has an expiry or
// belongs to the permanent set.
func TestPL01(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}, Log: &log})
	planted := everything(t, p)
	if err := p.Node.FlushAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin := redis.NewClient(&redis.Options{Addr: addr})
	defer admin.Close()
	dump := dumpAll(t, admin)
	for what, secret := range planted {
		if len(secret) < 6 {
			t.Fatalf("%s: nothing planted", what)
		}
		if strings.Contains(dump, secret) {
			t.Errorf("Redis holds the %s", what)
		}
		if strings.Contains(log.String(), secret) {
			t.Errorf("the log holds the %s", what)
		}
	}
	if !strings.Contains(log.String(), "factor.accepted") || !strings.Contains(log.String(), `"route":"POST /flow/{id}/login"`) {
		t.Errorf("the log does not tell what happened: %.500s", log.String())
	}
}

// everything signs in, sets up, remembers, fails, refreshes, introspects, revokes, and leaves flows half done. It
// answers what must be found nowhere.
func everything(t *testing.T, p *idptest.IDP) map[string]string {
	t.Helper()
	p.AddEnrolled(t, anna, "acme")
	p.AddAccount(t, "new@acme.example", "acme")
	p.RP.OAuth.Scopes = append(p.RP.OAuth.Scopes, "offline_access")
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, anna, "a-wrong-password").Login(t, anna, idptest.Password)
	planted := map[string]string{
		"password": idptest.Password, "wrong password": "a-wrong-password", "e-mail": anna, "e-mail of the other": "new@acme.example",
		"client secret": idptest.ClientSecret, "TOTP secret": string(idptest.Secret()),
		"TOTP secret in Base32": base32.StdEncoding.EncodeToString(idptest.Secret()), "state": "state-of-the-app", "nonce": "nonce-of-the-app",
		"flow": lastPart(page.URL.Path, -2), "binding cookie": strings.Split(b.Cookie("lg_b"), ".")[0],
	}
	answer := page.Code(t, "000001").Remember(t, p.Code(t, 0))
	planted["code"] = p.RP.Answer(t, answer).Get("code")
	tok := p.RP.Exchange(t, answer)
	planted["access token"], planted["refresh token"], planted["ID token"] = tok.AccessToken, tok.RefreshToken, tok.Raw
	planted["session cookie"], planted["device cookie"] = b.Cookie("lg_s"), b.Cookie("lgd_")
	_, refreshed := p.RP.Refresh(t, tok.RefreshToken)
	planted["second refresh token"], _ = refreshed["refresh_token"].(string)
	p.RP.Introspect(t, tok.AccessToken)
	if info, err := p.RP.Discover(t).UserInfo(t.Context(), p.RP.OAuth.TokenSource(t.Context(), tok.Token)); err != nil || info.Email != anna {
		t.Fatalf("userinfo: %v %v", info, err)
	}
	setup := p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, "new@acme.example", idptest.Password)
	key := setup.Find("#totp-key").Text()
	planted["new key"], planted["new key in groups"] = strings.ReplaceAll(key, " ", ""), key
	secret := idptest.SecretOf(t, key)
	planted["new secret"] = string(secret)
	setup.Code(t, idptest.CodeOf(t, secret, p.Now()))
	p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	p.RP.Call(t, "/revoke", url.Values{"token": {tok.AccessToken}})
	p.RP.Call(t, "/token", url.Values{"grant_type": {"client_credentials"}, "client_secret": {"misplaced-secret"}})
	planted["misplaced secret"] = "misplaced-secret"
	if _, err := p.Node.Office.Apply(t.Context(), "new@acme.example", authn.ResetFactor, ""); err != nil {
		t.Fatal(err)
	}
	ticket := p.Ticket(t, "new@acme.example")
	planted["ticket"] = ticket
	b.Get(t, "/logout?id_token_hint="+tok.Raw)
	return planted
}

func lastPart(path string, i int) string {
	parts := strings.Split(path, "/")
	return parts[len(parts)+i]
}

// permanent are the keys without an expiry (storage.md section 2).
var permanent = regexp.MustCompile(`^lg:(\{[a-z2-7]+\}:(acct|prof|mfa|con|px|erased)|n:[^:]+|\{reg\}:(cl|co|sc|ro|v|start)|keys|store|audit)$`)

// dumpAll returns everything in Redis as text, and checks each key's expiry.
func dumpAll(t *testing.T, c *redis.Client) string {
	t.Helper()
	var out strings.Builder
	it := c.Scan(t.Context(), 0, "*", 100).Iterator()
	n := 0
	for it.Next(t.Context()) {
		key := it.Val()
		n++
		ttl, err := c.PTTL(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		if ttl < 0 && !permanent.MatchString(key) {
			t.Errorf("%s has no expiry and is not in the permanent set", key)
		}
		fmt.Fprintln(&out, key)
		switch kind := c.Type(t.Context(), key).Val(); kind {
		case "string":
			fmt.Fprintln(&out, c.Get(t.Context(), key).Val())
		case "hash":
			fmt.Fprintln(&out, c.HGetAll(t.Context(), key).Val())
		case "list":
			fmt.Fprintln(&out, c.LRange(t.Context(), key, 0, -1).Val())
		case "stream":
			fmt.Fprintln(&out, c.XRange(t.Context(), key, "-", "+").Val())
		case "zset":
			fmt.Fprintln(&out, c.ZRange(t.Context(), key, 0, -1).Val())
		default:
			t.Errorf("%s has type %s, which this test cannot read", key, kind)
		}
	}
	if n < 15 {
		t.Fatalf("only %d keys: nothing was tried", n)
	}
	return out.String()
}

// TestSE03Secure is SE-03 behind TLS: every cookie has the prefix and the marks.
func TestSE03Secure(t *testing.T) { //nolint:gocognit // one walk, every cookie looked at
	p := idptest.New(t, idptest.Setup{})
	p.AddEnrolled(t, anna, "acme")
	n := p.Secure(t, "login.example.com")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	cookies := map[string]string{}
	send := func(method, path string, form url.Values) (location string) {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+n.Addr+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = "login.example.com"
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		for name, value := range cookies {
			req.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		_, _ = io.Copy(io.Discard, res.Body)
		for _, c := range res.Cookies() {
			cookies[c.Name] = c.Value
			hidden, site := true, http.SameSiteLaxMode
			if c.Name == "__Host-lg_ss" {
				// Read by script in frames of apps; it proves nothing.
				hidden, site = false, http.SameSiteNoneMode
			}
			if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || c.HttpOnly != hidden || c.SameSite != site || c.Path != "/" || c.Domain != "" {
				t.Errorf("cookie %s", c.Raw)
			}
			if strings.Contains(c.Value, "@") {
				t.Errorf("cookie %s holds personal data", c.Raw)
			}
		}
		return res.Header.Get("Location")
	}
	u, err := url.Parse(p.RP.AuthURL())
	if err != nil {
		t.Fatal(err)
	}
	at, _, _ := strings.Cut(send(http.MethodGet, "/authorize?"+u.RawQuery, nil), "?")
	at = send(http.MethodPost, at+"/login", url.Values{"username": {anna}, "password": {idptest.Password}})
	send(http.MethodPost, at+"/factor", url.Values{"code": {p.Code(t, 0)}, "remember": {"1"}})
	send(http.MethodGet, at+"?ui_locales=nl", nil)
	var names []string
	for name := range cookies {
		names = append(names, name)
	}
	for _, want := range []string{"__Host-lg_b", "__Host-lg_s", "__Host-lgd_"} {
		if !strings.Contains(strings.Join(names, " "), want) {
			t.Errorf("no cookie %s among %v", want, names)
		}
	}
}
