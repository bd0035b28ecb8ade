// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

type grant struct{ code, verifier, nonce string }

// walk is a browser on its way from the authorization endpoint to the redirect URI.
type walk struct {
	*peer
	j    *jar
	user *User
	// What is sent next.
	method, target string
	form           url.Values
	// Where it came from, as a browser says, and the page before.
	site, referer string
	last          []byte
}

// authorize walks from the authorization endpoint to the redirect URI. With
// user == nil a live session in jar must be enough.
func (p *peer) authorize(j *jar, user *User) (*grant, error) {
	c := p.t.Clients.Web
	g := &grant{verifier: randToken(32), nonce: randToken(16)}
	state := randToken(16)
	sum := sha256.Sum256([]byte(g.verifier))
	q := url.Values{
		"response_type": {"code"}, "client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "scope": {p.t.Scope},
		"state": {state}, "nonce": {g.nonce}, "code_challenge": {b64.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	ep := p.endpoint("authorization_endpoint")
	sep := "?"
	if strings.Contains(ep, "?") {
		sep = "&"
	}
	w := &walk{peer: p, j: j, user: user, method: "GET", target: ep + sep + q.Encode(), site: "cross-site"}
	for hop := 0; hop < 20; hop++ {
		answer, err := w.step()
		if err != nil {
			return nil, err
		}
		if answer != nil {
			return g, g.finish(p, answer, state)
		}
	}
	return nil, fmt.Errorf("no end after 20 requests, at %s", w.target)
}

// step sends a request and reads what comes; the answer is that for the client, nil before the end.
func (w *walk) step() (answer url.Values, err error) {
	cur, err := url.Parse(w.target)
	if err != nil {
		return nil, err
	}
	st, body, h, err := w.do(w.method, w.target, w.form, w.headers(), w.j)
	if err != nil {
		return nil, err
	}
	if loc := h.Get("Location"); st >= 300 && st < 400 && loc != "" {
		next, err := cur.Parse(loc)
		if err != nil {
			return nil, err
		}
		if w.home(next) {
			return next.Query(), nil
		}
		if st != 307 && st != 308 {
			w.method, w.form = "GET", nil
		}
		w.target = next.String()
		return nil, nil
	}
	if st != 200 {
		return nil, fmt.Errorf("%s %s: status %d %s", w.method, cur.Path, st, short(body))
	}
	return w.submit(cur, body)
}

func (w *walk) headers() map[string]string {
	hdr := map[string]string{
		"Accept": "text/html,application/xhtml+xml", "Accept-Language": "en",
		"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": w.site, "Sec-Fetch-User": "?1",
	}
	if w.referer != "" {
		hdr["Referer"] = w.referer
	}
	if w.method == "POST" {
		hdr["Origin"] = originOf(w.referer)
	}
	return hdr
}

// home says whether an address is the client's.
func (w *walk) home(next *url.URL) bool {
	return strings.HasPrefix(next.String(), w.t.Clients.Web.RedirectURI)
}

// submit fills in the form of a page, which is sent by the next step. The answer is that of response_mode=form_post.
func (w *walk) submit(cur *url.URL, body []byte) (answer url.Values, err error) {
	forms, base, err := parseForms(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	f := choose(forms)
	if f == nil {
		return nil, fmt.Errorf("%s: no form on the page: %s", cur.Path, short(body))
	}
	if bytes.Equal(body, w.last) {
		return nil, fmt.Errorf("%s: the same page came twice", cur.Path)
	}
	w.last = body
	vals, action, err := f.fill(w.user, time.Now())
	if err != nil {
		return nil, err
	}
	if base != "" {
		if b, err := cur.Parse(base); err == nil {
			cur = b
		}
	}
	next, err := cur.Parse(action)
	if err != nil {
		return nil, err
	}
	if w.home(next) {
		return vals, nil
	}
	w.referer = w.target
	w.site = "same-origin"
	if originOf(w.referer) != originOf(next.String()) {
		w.site = "same-site"
	}
	if f.method == "POST" {
		w.method, w.form, w.target = "POST", vals, next.String()
		return nil, nil
	}
	next.RawQuery = vals.Encode()
	w.method, w.form, w.target = "GET", nil, next.String()
	return nil, nil
}

func originOf(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return "null"
	}
	return u.Scheme + "://" + u.Host
}

func (g *grant) finish(p *peer, q url.Values, state string) error {
	if e := q.Get("error"); e != "" {
		return fmt.Errorf("authorization error %s: %s", e, q.Get("error_description"))
	}
	if q.Get("state") != state {
		return errors.New("state does not match")
	}
	if iss := q.Get("iss"); iss != "" && iss != p.t.Issuer {
		return errors.New("iss in the response does not match")
	}
	if g.code = q.Get("code"); g.code == "" {
		return errors.New("no code in the response")
	}
	return nil
}
