// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// pushed pushes the app's request and returns the address that opens it.
func pushed(t *testing.T, p *idptest.IDP, rp *idptest.RelyingParty, change ...func(url.Values)) string {
	t.Helper()
	u, err := url.Parse(rp.AuthURL(change...))
	if err != nil {
		t.Fatal(err)
	}
	status, body := rp.Call(t, "/par", u.Query())
	uri, _ := body["request_uri"].(string)
	if status != http.StatusCreated || uri == "" {
		t.Fatalf("push: %d %v", status, body)
	}
	return p.Issuer + "/authorize?" + url.Values{"client_id": {rp.ID}, "request_uri": {uri}}.Encode()
}

// TestPushedRequestTwoTabs: a pushed request survives a reload and stands in two tabs; one of them ends in a code.
func TestPushedRequestTwoTabs(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	p.AddAccount(t, "paul@plain.example", "plain")
	rp := p.NewRP(t, "par", func(c *client.Client) { c.RequirePushed, c.Company = true, "plain" })
	b := p.Browser(t)
	if answer := rp.Answer(t, b.Get(t, rp.AuthURL())); answer.Get("error") != "invalid_request" || answer.Get("state") != "state-of-the-app" {
		t.Errorf("a request that was not pushed: %v", answer)
	}
	address := pushed(t, p, rp)
	b.Get(t, address)
	first, second := b.Get(t, address), b.Get(t, address)
	tok := rp.Exchange(t, first.Login(t, "paul@plain.example", idptest.Password))
	if tok.Claims["nonce"] != "nonce-of-the-app" {
		t.Errorf("claims %v", tok.Claims)
	}
	// The other tab goes on in the session that the first one made, and ends without a code.
	end := second.Login(t, "paul@plain.example", idptest.Password)
	if strings.HasPrefix(end.URL.String(), rp.URL) || end.Status != http.StatusBadRequest {
		t.Errorf("the other tab ended at %s with %d", end.URL, end.Status)
	}
	if again := b.Get(t, address); again.Status != http.StatusBadRequest || !strings.HasPrefix(again.URL.String(), p.Issuer) {
		t.Errorf("opened after the answer: %s %d", again.URL, again.Status)
	}
	// With the session, a new one is answered at once; and by an error, where nobody may be asked.
	if answer := rp.Answer(t, b.Get(t, pushed(t, p, rp))); answer.Get("code") == "" {
		t.Errorf("in the session: %v", answer)
	}
	address = pushed(t, p, rp, idptest.With("prompt", "none"))
	stranger := p.Browser(t)
	if answer := rp.Answer(t, stranger.Get(t, address)); answer.Get("error") != "login_required" {
		t.Errorf("prompt=none: %v", answer)
	}
	if again := stranger.Get(t, address); again.Status != http.StatusBadRequest {
		t.Errorf("opened after an error: %d", again.Status)
	}
}

// TestPushedRequestRaces: one pushed request opened 48 times at once over three nodes on one real Redis, in a live
// session, and one code comes of it.
func TestPushedRequestRaces(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	p.AddAccount(t, "paul@plain.example", "plain")
	rp := p.NewRP(t, "par", func(c *client.Client) { c.Company = "plain" })
	nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
	browsers := make([]*idptest.Browser, 48)
	for i := range browsers {
		if i < 3 {
			browsers[i] = p.BrowserAt(t, nodes[i])
			rp.Exchange(t, browsers[i].Get(t, rp.AuthURL()).Login(t, "paul@plain.example", idptest.Password))
			continue
		}
		browsers[i] = browsers[i%3]
	}
	address := pushed(t, p, rp)
	var mu sync.Mutex
	codes := 0
	together(len(browsers), func(i int) {
		page := browsers[i].Get(t, address)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case strings.HasPrefix(page.URL.String(), rp.URL) && rp.Answer(t, page).Get("code") != "":
			codes++
		case page.Status != http.StatusBadRequest:
			t.Errorf("%s: %d %q", page.URL, page.Status, page.H1())
		}
	})
	if codes != 1 {
		t.Errorf("%d codes for one pushed request, want 1", codes)
	}
}
