// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

const anna = "anna@acme.example"

// onRedis starts a provider of three nodes on one real Redis, with anna enrolled.
func onRedis(t *testing.T) (*idptest.IDP, []*idptest.Node) {
	t.Helper()
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	p.AddEnrolled(t, anna, "acme")
	return p, []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
}

// together runs f n times at once, all of them let go in one moment.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	ready.Add(n)
	for i := range n {
		done.Go(func() {
			ready.Done()
			<-start
			f(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// Test200PostsOfOneCode: 200 parallel posts of one valid code in 200 flows, over three nodes on one real Redis, and
// exactly one passes (SF-02, RFC 6238 §5.2).
func Test200PostsOfOneCode(t *testing.T) {
	const flows = 200
	p, nodes := onRedis(t)
	pages := make([]*idptest.Page, flows)
	for i := range pages {
		b := p.BrowserAt(t, nodes[i%3])
		pages[i] = b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
		if got := pages[i].H1(); got != "Enter your code" {
			t.Fatalf("flow %d: %d %q %q", i, pages[i].Status, got, pages[i].Alert())
		}
	}
	code := p.Code(t, 0)
	var mu sync.Mutex
	passed := 0
	together(flows, func(i int) {
		page := pages[i].Code(t, code)
		mu.Lock()
		defer mu.Unlock()
		if strings.HasPrefix(page.URL.String(), p.RP.URL) {
			passed++
		} else if page.Status >= 500 {
			t.Errorf("flow %d: %d", i, page.Status)
		}
	})
	if passed != 1 {
		t.Errorf("%d of %d posts of one code passed, want 1", passed, flows)
	}
}

// Test64Redemptions: 64 parallel redemptions of one code over three nodes: one success, then the grant is dead
// (RFC 6749 §4.1.2).
func Test64Redemptions(t *testing.T) {
	p, nodes := onRedis(t)
	answer := p.RP.Answer(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {p.RP.OAuth.RedirectURL}, "code_verifier": {p.RP.Verifier},
	}
	var mu sync.Mutex
	var won []map[string]any
	together(64, func(i int) {
		status, body := token(t, p, nodes[i%3], form)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case status == http.StatusOK:
			won = append(won, body)
		case status != http.StatusBadRequest || body["error"] != "invalid_grant":
			t.Errorf("redemption %d: %d %v", i, status, body)
		}
	})
	if len(won) != 1 {
		t.Fatalf("%d of 64 redemptions succeeded, want 1", len(won))
	}
	access, _ := won[0]["access_token"].(string)
	if live := p.RP.Introspect(t, access); live["active"] != false {
		t.Errorf("the grant lives on after a replay: %v", live)
	}
}

// Test50Refreshes: 50 parallel uses of one refresh token over three nodes give one successor.
func Test50Refreshes(t *testing.T) {
	p, nodes := onRedis(t)
	p.RP.OAuth.Scopes = append(p.RP.OAuth.Scopes, "offline_access")
	tok := p.RP.Exchange(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tok.RefreshToken}}
	var mu sync.Mutex
	var next []string
	together(50, func(i int) {
		status, body := token(t, p, nodes[i%3], form)
		mu.Lock()
		defer mu.Unlock()
		if status != http.StatusOK {
			t.Errorf("refresh %d: %d %v", i, status, body)
			return
		}
		s, _ := body["refresh_token"].(string)
		next = append(next, s)
	})
	// Each answer seals the successor anew: they are one generation if the newest use of any makes all the others the
	// generation before, which the grace still takes.
	for _, s := range next {
		if status, body := p.RP.Refresh(t, s); status != http.StatusOK {
			t.Fatalf("a successor is not of the one generation: %d %v", status, body)
		}
	}
}

func token(t *testing.T, p *idptest.IDP, n *idptest.Node, form url.Values) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Addr+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Host = strings.TrimPrefix(p.Issuer, "http://")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(p.RP.ID, p.RP.OAuth.ClientSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return res.StatusCode, body
}
