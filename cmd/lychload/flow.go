// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"
)

// peer is one target with everything that is shared by its workers.
type peer struct {
	t    *Target
	http *http.Client
	meta map[string]any

	mu   sync.Mutex
	keys map[string]crypto.PublicKey
}

func barePeer(t *Target, concurrency int) *peer {
	d := &net.Dialer{Timeout: 5 * time.Second}
	tr := &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			h, _, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, err
			}
			if err := loopbackHost(h); err != nil {
				return nil, err
			}
			return d.DialContext(ctx, network, addr)
		},
		MaxIdleConns:        8 * concurrency,
		MaxIdleConnsPerHost: 4 * concurrency,
		IdleConnTimeout:     60 * time.Second,
		DisableCompression:  true,
	}
	p := &peer{t: t, keys: map[string]crypto.PublicKey{}}
	var rt http.RoundTripper = tr
	if t.Connect != "" {
		if u, err := url.Parse(t.Issuer); err == nil {
			rt = proxied{tr, u.Host, t.Connect}
		}
	}
	p.http = &http.Client{Transport: rt, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return p
}

func newPeer(t *Target, concurrency int) (*peer, error) {
	p := barePeer(t, concurrency)
	st, body, _, err := p.do("GET", strings.TrimRight(t.Issuer, "/")+"/.well-known/openid-configuration", nil, nil, nil)
	if err != nil {
		return nil, err
	}
	if st != 200 {
		return nil, fmt.Errorf("discovery: status %d", st)
	}
	if err := json.Unmarshal(body, &p.meta); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	if p.meta["issuer"] != t.Issuer {
		return nil, fmt.Errorf("discovery says issuer %v, the target file says %s", p.meta["issuer"], t.Issuer)
	}
	for k, v := range t.Endpoints {
		p.meta[k] = v
	}
	return p, p.loadKeys()
}

type proxied struct {
	next          http.RoundTripper
	host, connect string
}

func (x proxied) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" || req.URL.Host != x.host {
		return x.next.RoundTrip(req)
	}
	r := req.Clone(req.Context())
	u := *req.URL
	u.Scheme, u.Host = "http", x.connect
	r.URL, r.Host = &u, x.host
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("X-Forwarded-Host", x.host)
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	res, err := x.next.RoundTrip(r)
	if res != nil {
		res.Request = req
	}
	return res, err
}

func (p *peer) endpoint(name string) string {
	s, _ := p.meta[name].(string)
	return s
}

func (p *peer) loadKeys() error {
	st, body, _, err := p.do("GET", p.endpoint("jwks_uri"), nil, nil, nil)
	if err != nil {
		return err
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if st != 200 || json.Unmarshal(body, &set) != nil || len(set.Keys) == 0 {
		return fmt.Errorf("jwks: status %d, %d keys", st, len(set.Keys))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range set.Keys {
		if pub, err := k.public(); err == nil {
			p.keys[k.Kid] = pub
		}
	}
	return nil
}

// do sends one request and reads the whole answer.
func (p *peer) do(method, u string, form url.Values, hdr map[string]string, jar *jar) (int, []byte, http.Header, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, u, body)
	if err != nil {
		return 0, nil, nil, err
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range p.t.Headers {
		req.Header.Set(k, v)
	}
	for k, v := range hdr {
		req.Header.Set(k, v)
	}
	if jar != nil {
		jar.add(req)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return 0, nil, nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 4<<20))
	if err != nil {
		return 0, nil, nil, err
	}
	if jar != nil {
		jar.store(res)
	}
	return res.StatusCode, raw, res.Header, nil
}

// jar is a browser's view of cookies on a loopback host: such a host counts as
// trustworthy, so Secure cookies are kept and sent although the scheme is http.
type jar struct{ j *cookiejar.Jar }

func newJar() *jar { j, _ := cookiejar.New(nil); return &jar{j} }

func secureURL(u *url.URL) *url.URL { c := *u; c.Scheme = "https"; return &c }

func (j *jar) add(req *http.Request) {
	for _, c := range j.j.Cookies(secureURL(req.URL)) {
		req.AddCookie(c)
	}
}

func (j *jar) store(res *http.Response) {
	if cs := res.Cookies(); len(cs) > 0 {
		j.j.SetCookies(secureURL(res.Request.URL), cs)
	}
}

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
	ID      string `json:"id_token"`
	Type    string `json:"token_type"`
	sub     string
}

func (p *peer) authenticate(c *Client, form url.Values, hdr map[string]string) error {
	switch c.Auth {
	case "client_secret_basic":
		hdr["Authorization"] = "Basic " + basic(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	case "client_secret_post":
		form.Set("client_id", c.ID)
		form.Set("client_secret", c.Secret)
	case "none":
		form.Set("client_id", c.ID)
	case "private_key_jwt":
		aud := c.Audience
		if aud == "" {
			aud = p.t.Issuer
		}
		now := time.Now().Unix()
		a, err := signES256(c.key, c.kid, map[string]any{"iss": c.ID, "sub": c.ID, "aud": aud, "jti": randToken(16), "iat": now, "exp": now + 60})
		if err != nil {
			return err
		}
		form.Set("client_id", c.ID)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", a)
	default:
		return fmt.Errorf("client %s: auth %q", c.ID, c.Auth)
	}
	return nil
}

func (p *peer) token(c *Client, form url.Values) (*tokens, error) {
	hdr := map[string]string{"Accept": "application/json"}
	if err := p.authenticate(c, form, hdr); err != nil {
		return nil, err
	}
	st, body, _, err := p.do("POST", p.endpoint("token_endpoint"), form, hdr, nil)
	if err != nil {
		return nil, err
	}
	if st != 200 {
		return nil, fmt.Errorf("token: status %d %s", st, short(body))
	}
	tk := &tokens{}
	if err := json.Unmarshal(body, tk); err != nil {
		return nil, err
	}
	if tk.Access == "" || !strings.EqualFold(tk.Type, "bearer") {
		return nil, fmt.Errorf("token: no bearer token in %s", short(body))
	}
	return tk, nil
}

func (p *peer) exchange(g *grant) (*tokens, error) {
	c := p.t.Clients.Web
	tk, err := p.token(c, url.Values{"grant_type": {"authorization_code"}, "code": {g.code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {g.verifier}})
	if err != nil {
		return nil, err
	}
	tk.sub, err = p.verifyID(tk.ID, c.ID, g.nonce)
	return tk, err
}

// verifyID checks the signature, issuer, audience, expiry and (if given) nonce.
func (p *peer) verifyID(tok, clientID, nonce string) (sub string, err error) {
	if tok == "" {
		return "", errors.New("no id_token")
	}
	h, payload, signed, sig, err := splitJWT(tok)
	if err != nil {
		return "", fmt.Errorf("id_token: %w", err)
	}
	p.mu.Lock()
	pub, ok := p.keys[h.Kid]
	p.mu.Unlock()
	if !ok {
		if err := p.loadKeys(); err != nil {
			return "", err
		}
		p.mu.Lock()
		pub, ok = p.keys[h.Kid]
		p.mu.Unlock()
		if !ok {
			return "", fmt.Errorf("id_token: kid %q is not in the key set", h.Kid)
		}
	}
	if err := verifySig(h.Alg, pub, signed, sig); err != nil {
		return "", fmt.Errorf("id_token: %w", err)
	}
	var cl struct {
		Iss   string          `json:"iss"`
		Sub   string          `json:"sub"`
		Aud   json.RawMessage `json:"aud"`
		Exp   float64         `json:"exp"`
		Nonce string          `json:"nonce"`
	}
	if err := json.Unmarshal(payload, &cl); err != nil {
		return "", err
	}
	var one string
	var many []string
	if json.Unmarshal(cl.Aud, &one) == nil {
		many = []string{one}
	} else if err := json.Unmarshal(cl.Aud, &many); err != nil {
		return "", err
	}
	found := false
	for _, a := range many {
		found = found || a == clientID
	}
	switch {
	case cl.Iss != p.t.Issuer:
		return "", errors.New("id_token: wrong iss")
	case !found:
		return "", errors.New("id_token: wrong aud")
	case cl.Sub == "":
		return "", errors.New("id_token: no sub")
	case int64(cl.Exp) <= time.Now().Unix():
		return "", errors.New("id_token: expired")
	case nonce != "" && cl.Nonce != nonce:
		return "", errors.New("id_token: wrong nonce")
	}
	return cl.Sub, nil
}

func (p *peer) introspect(token string) (active bool, err error) {
	form := url.Values{"token": {token}}
	hdr := map[string]string{"Accept": "application/json"}
	if p.t.IntrospectionAuth != "none" {
		if err := p.authenticate(p.t.Clients.Resource, form, hdr); err != nil {
			return false, err
		}
	}
	st, body, _, err := p.do("POST", p.endpoint("introspection_endpoint"), form, hdr, nil)
	if err != nil {
		return false, err
	}
	var a struct {
		Active *bool `json:"active"`
	}
	if st != 200 || json.Unmarshal(body, &a) != nil || a.Active == nil {
		return false, fmt.Errorf("introspection: status %d %s", st, short(body))
	}
	return *a.Active, nil
}

func (p *peer) revoke(c *Client, token, hint string) error {
	form := url.Values{"token": {token}, "token_type_hint": {hint}}
	hdr := map[string]string{}
	if err := p.authenticate(c, form, hdr); err != nil {
		return err
	}
	st, body, _, err := p.do("POST", p.endpoint("revocation_endpoint"), form, hdr, nil)
	if err != nil {
		return err
	}
	if st != 200 && st != 204 {
		return fmt.Errorf("revocation: status %d %s", st, short(body))
	}
	return nil
}

func short(b []byte) string {
	s := strings.Join(strings.Fields(string(b)), " ")
	if len(s) > 160 {
		s = s[:160]
	}
	return s
}
