// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

func basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(id + ":" + secret))
}

// worker is one closed-loop client.
type worker struct {
	jar  *jar
	user *User
	tk   *tokens
	dead bool // its state is gone: set it up again before the next op
}

// item is one prepared input (a code, a token) of a batch scenario.
type item struct {
	g   *grant
	tok string
}

type scenario struct {
	name    string
	about   string
	needs   func(t *Target) bool
	setup   func(p *peer, w *worker) error         // once for each worker, not timed
	prepare func(p *peer, w *worker) (item, error) // once for each op, not timed
	op      func(p *peer, w *worker, it item) error
	after   func(p *peer, it item) error // on one item of each batch, not timed
}

func web(t *Target) bool { return t.Clients.Web != nil && t.Users != nil }

func session(t *Target) bool { return web(t) && !t.NoSession }

func signIn(p *peer, w *worker, set *UserSet) error {
	w.jar = newJar()
	w.user = set.take()
	g, err := p.authorize(w.jar, w.user)
	if err != nil {
		return err
	}
	w.tk, err = p.exchange(g)
	return err
}

func live(p *peer, w *worker) error { return signIn(p, w, p.t.Users) }

// again gets one more code for a signed-in worker.
func again(p *peer, w *worker) (*grant, error) {
	if p.t.NoSession {
		return p.authorize(newJar(), w.user)
	}
	return p.authorize(w.jar, nil)
}

var scenarios = []scenario{
	{
		name: "discovery", about: "GET the discovery document",
		needs: func(*Target) bool { return true },
		op: func(p *peer, w *worker, _ item) error {
			st, body, _, err := p.do("GET", strings.TrimRight(p.t.Issuer, "/")+"/.well-known/openid-configuration", nil, nil, nil)
			if err != nil {
				return err
			}
			var m struct {
				Issuer string `json:"issuer"`
			}
			if st != 200 || json.Unmarshal(body, &m) != nil || m.Issuer != p.t.Issuer {
				return fmt.Errorf("discovery: status %d %s", st, short(body))
			}
			return nil
		},
	},
	{
		name: "jwks", about: "GET the key set",
		needs: func(*Target) bool { return true },
		op: func(p *peer, w *worker, _ item) error {
			st, body, _, err := p.do("GET", p.endpoint("jwks_uri"), nil, nil, nil)
			if err != nil {
				return err
			}
			var m struct {
				Keys []jwk `json:"keys"`
			}
			if st != 200 || json.Unmarshal(body, &m) != nil || len(m.Keys) == 0 {
				return fmt.Errorf("jwks: status %d %s", st, short(body))
			}
			return nil
		},
	},
	{
		name: "client_credentials", about: "client_credentials, client secret",
		needs: func(t *Target) bool { return t.Clients.Service != nil },
		op:    func(p *peer, w *worker, _ item) error { _, err := serviceToken(p, p.t.Clients.Service); return err },
	},
	{
		name: "client_credentials_jwt", about: "client_credentials, private_key_jwt (ES256)",
		needs: func(t *Target) bool { return t.Clients.ServiceJWT != nil },
		op:    func(p *peer, w *worker, _ item) error { _, err := serviceToken(p, p.t.Clients.ServiceJWT); return err },
	},
	{
		name: "signin", about: "new browser: authorize, password form, code, token, id_token checked",
		needs: web,
		op:    func(p *peer, w *worker, _ item) error { return signIn(p, w, p.t.Users) },
	},
	{
		name: "signin_totp", about: "the same with a one-time code",
		needs: func(t *Target) bool { return t.Clients.Web != nil && t.TOTPUsers != nil },
		op:    func(p *peer, w *worker, _ item) error { return signIn(p, w, p.t.TOTPUsers) },
	},
	{
		name: "sso", about: "live session: authorize without a form, code, token, id_token checked",
		needs: session, setup: live,
		op: func(p *peer, w *worker, _ item) error {
			g, err := p.authorize(w.jar, nil)
			if err != nil {
				return err
			}
			_, err = p.exchange(g)
			return err
		},
	},
	{
		name: "authorize", about: "live session: authorize alone, up to the code",
		needs: session, setup: live,
		op: func(p *peer, w *worker, _ item) error { _, err := p.authorize(w.jar, nil); return err },
	},
	{
		name: "code_exchange", about: "code for tokens, id_token checked",
		needs: web, setup: live,
		prepare: func(p *peer, w *worker) (item, error) { g, err := again(p, w); return item{g: g}, err },
		op:      func(p *peer, w *worker, it item) error { _, err := p.exchange(it.g); return err },
	},
	{
		name: "refresh", about: "refresh, each worker follows its own chain",
		needs: web,
		setup: func(p *peer, w *worker) error {
			if err := live(p, w); err != nil {
				return err
			}
			if w.tk.Refresh == "" {
				return errors.New("the code flow gave no refresh_token")
			}
			return nil
		},
		op: func(p *peer, w *worker, _ item) error {
			tk, err := p.token(p.t.Clients.Web, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {w.tk.Refresh}})
			if err != nil {
				w.dead = true
				return err
			}
			if tk.ID != "" {
				if _, err := p.verifyID(tk.ID, p.t.Clients.Web.ID, ""); err != nil {
					return err
				}
			}
			if tk.Refresh == "" {
				tk.Refresh = w.tk.Refresh
			}
			w.tk = tk
			return nil
		},
	},
	{
		name: "userinfo", about: "userinfo with a bearer token",
		needs: web, setup: live,
		op: func(p *peer, w *worker, _ item) error {
			st, body, _, err := p.do("GET", p.endpoint("userinfo_endpoint"), nil, map[string]string{"Authorization": "Bearer " + w.tk.Access}, nil)
			if err != nil {
				return err
			}
			var m struct {
				Sub string `json:"sub"`
			}
			if st != 200 || json.Unmarshal(body, &m) != nil || m.Sub != w.tk.sub {
				return fmt.Errorf("userinfo: status %d %s", st, short(body))
			}
			return nil
		},
	},
	{
		name: "introspection", about: "introspection of a live access token",
		needs: func(t *Target) bool { return web(t) && t.Clients.Resource != nil }, setup: live,
		op: func(p *peer, w *worker, _ item) error {
			ok, err := p.introspect(w.tk.Access)
			if err == nil && !ok {
				err = errors.New("introspection: a live token is reported inactive")
			}
			return err
		},
	},
	{
		name: "revocation", about: "revocation of a token, the effect checked by introspection outside the timing",
		needs: func(t *Target) bool { return t.Clients.Service != nil || t.Revoke != "service" },
		setup: func(p *peer, w *worker) error {
			if p.t.Revoke == "service" {
				return nil
			}
			return live(p, w)
		},
		prepare: func(p *peer, w *worker) (item, error) {
			if p.t.Revoke == "service" {
				tk, err := serviceToken(p, p.t.Clients.Service)
				if err != nil {
					return item{}, err
				}
				return item{tok: tk.Access}, nil
			}
			g, err := again(p, w)
			if err != nil {
				return item{}, err
			}
			tk, err := p.exchange(g)
			if err != nil {
				return item{}, err
			}
			if p.t.Revoke == "refresh" {
				return item{tok: tk.Refresh}, nil
			}
			return item{tok: tk.Access}, nil
		},
		op: func(p *peer, w *worker, it item) error {
			switch p.t.Revoke {
			case "service":
				return p.revoke(p.t.Clients.Service, it.tok, "access_token")
			case "refresh":
				return p.revoke(p.t.Clients.Web, it.tok, "refresh_token")
			}
			return p.revoke(p.t.Clients.Web, it.tok, "access_token")
		},
		after: func(p *peer, it item) error {
			if p.endpoint("introspection_endpoint") == "" || p.t.Clients.Resource == nil {
				return nil
			}
			ok, err := p.introspect(it.tok)
			if err == nil && ok {
				err = errors.New("revocation: the token is still active afterwards")
			}
			return err
		},
	},
}

func serviceToken(p *peer, c *Client) (*tokens, error) {
	f := url.Values{"grant_type": {"client_credentials"}}
	if c.Scope != "" {
		f.Set("scope", c.Scope)
	}
	return p.token(c, f)
}
