// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestSF09SF13ThreeNodes: wrong codes over three nodes reach the cap, and the right code after it locks the authenticator
// instead of passing. Whatever began before is refused on every node: a code of the app that is not redeemed yet, refresh,
// the remembered device, a parked sign-in, the page for recovery codes, the account page. Only a new set-up helps.
func TestSF09SF13ThreeNodes(t *testing.T) { //nolint:gocognit // one story: what began before the lock, and ends with it
	p, nodes, _ := nodes3(t, func(c *config.Config) { c.Guesses.Cap = 10 })
	list := newCodes(t, p.BrowserAt(t, nodes[0]).Own(t, anna))
	device := rememberAt(t, p, nodes[1])
	guess(t, p, nodes, 10)
	p.Advance(2 * time.Hour)
	device = device.passesEverywhere(t, p, nodes)
	app := p.BrowserAt(t, nodes[1])
	app.SetCookie(device.name, device.value)
	signIn := func() url.Values {
		t.Helper()
		p.Advance(time.Second) // prompt=login wants a password that is younger than the request
		p.RP.OAuth.Scopes = []string{"openid", "offline_access"}
		return p.RP.Answer(t, app.Get(t, p.RP.AuthURL(idptest.With("prompt", "login"))).Login(t, anna, idptest.Password))
	}
	status, tok := token(t, p, nodes[2], redeem(p, signIn()))
	refresh, _ := tok["refresh_token"].(string)
	if status != http.StatusOK || refresh == "" {
		t.Fatalf("redeem before the lock: %d %v", status, tok)
	}
	unredeemed := redeem(p, signIn())
	device.value = app.Cookie("lgd_")
	parked, lost := asked(t, p, nodes[2]), asked(t, p, nodes[0])
	lost = lost.Follow(t, lost.Find("a[href$='/recovery']").AttrOr("href", ""))
	if lost.Find("input[name=recovery_code]").Length() != 1 {
		t.Fatalf("no page for a recovery code: %d %q", lost.Status, lost.H1())
	}
	if page := asked(t, p, nodes[1]).Code(t, p.Code(t, 0)); page.Status != http.StatusBadRequest || page.Find("main form").Length() != 0 {
		t.Fatalf("the right code after ten wrong ones: %d %q, want it locked", page.Status, page.H1())
	}
	for what, form := range map[string]url.Values{
		"code": unredeemed, "refresh": {"grant_type": {"refresh_token"}, "refresh_token": {refresh}},
	} {
		for i, n := range nodes {
			if status, body := token(t, p, n, form); status != http.StatusBadRequest || body["error"] != "invalid_grant" {
				t.Errorf("%s at node %d: %d %v, want invalid_grant", what, i, status, body)
			}
		}
	}
	for what, page := range map[string]*idptest.Page{
		"parked sign-in": parked.Code(t, p.Code(t, 1)), "recovery code": lost.Submit(t, url.Values{"recovery_code": {list[0]}}),
	} {
		if page.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %q at %s, want it refused", what, page.Status, page.H1(), page.URL)
		}
	}
	for i, n := range nodes {
		page := device.with(t, p, n, idptest.Password)
		if strings.HasPrefix(page.URL.String(), p.RP.URL) || page.Find("#totp-key").Length() != 0 {
			t.Errorf("node %d: the remembered device leads to %q at %s", i, page.H1(), page.URL)
		}
		if page.Find("input[name=code]").Length() != 0 && strings.HasPrefix(page.Code(t, p.Code(t, 1)).URL.String(), p.RP.URL) {
			t.Errorf("node %d: a code passes the lock", i)
		}
	}
	oneTicket(t, p, nodes, p.Ticket(t, anna))
}

// redeem is the app's request for the tokens of an answer.
func redeem(p *idptest.IDP, answer url.Values) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {p.RP.OAuth.RedirectURL}, "code_verifier": {p.RP.Verifier},
	}
}

// TestSF10ThreeNodes: four wrong codes stay four, whatever is new: the cookie, the node, the app, a node that has started
// again, signing out. The fifth makes everybody without a remembered device wait, with the right code too.
func TestSF10ThreeNodes(t *testing.T) {
	p, nodes, _ := nodes3(t)
	signedIn := p.Browser(t)
	p.RP.Exchange(t, signedIn.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Code(t, p.Code(t, 0)))
	p.NextStep()
	for i := range 4 {
		if page := wrong(t, p, nodes[i%3], i); page.Status != http.StatusOK {
			t.Fatalf("wrong code %d: %d", i+1, page.Status)
		}
	}
	signedIn.Get(t, "/logout").Submit(t, nil)
	nodes[2].Stop()
	nodes[2] = p.AddNode(t)
	app := p.NewRP(t, "another", func(*client.Client) {})
	fifth := p.BrowserAt(t, nodes[2]).Get(t, app.AuthURL()).Login(t, anna, idptest.Password).Code(t, "000005")
	if fifth.Status != http.StatusOK {
		t.Fatalf("the fifth wrong code: %d", fifth.Status)
	}
	for i, n := range nodes {
		page := asked(t, p, n).Code(t, p.Code(t, 0))
		if page.Status != http.StatusTooManyRequests || page.Header.Get("Retry-After") == "" {
			t.Errorf("node %d: the right code after five wrong ones: %d %q, want a wait", i, page.Status, page.H1())
		}
	}
}

// TestSF12ThreeNodes: 10,000 posts of strangers who name the victim and have no password move none of her counters.
func TestSF12ThreeNodes(t *testing.T) {
	p, nodes, _ := nodes3(t)
	before := counters(t, p)
	var done sync.WaitGroup
	for worker := range 8 {
		done.Go(func() {
			b := p.BrowserAt(t, nodes[worker%3])
			flow := strings.TrimSuffix(b.Get(t, p.RP.AuthURL()).URL.Path, "/login")
			b.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			paths := []string{
				flow + "/factor", flow + "/enrol", flow + "/recovery", flow + "/consent", "/account/recovery", "/account/add",
				"/flow/" + strings.Repeat("A", 22) + "/factor", "/link/" + strings.Repeat("A", 43),
			}
			for i := range 1250 {
				form := url.Values{
					"username": {anna}, "account": {anna}, "code": {fmt.Sprintf("%06d", i)}, "recovery_code": {"AAAA-BBBB-CCCC-DDDD"}, "ticket": {"x"},
				}
				if page := b.Post(t, paths[i%len(paths)], form); page.Status >= 500 && page.Status != http.StatusServiceUnavailable { // a busy node may say so
					t.Errorf("%s: %d", paths[i%len(paths)], page.Status)
				}
			}
		})
	}
	done.Wait()
	if after := counters(t, p); after != before {
		t.Errorf("counters %s, before %s", after, before)
	}
	p.RP.Exchange(t, asked(t, p, nodes[2]).Code(t, p.Code(t, 0)))
	wrong(t, p, nodes[0], 1)
	if after := counters(t, p); after == before {
		t.Errorf("a wrong code after the password does not count: %s", after)
	}
}

// counters are those of the only account there is: wrong codes, waits and units of each lane.
func counters(t *testing.T, p *idptest.IDP) string {
	t.Helper()
	var out []string
	for _, k := range p.Store.Redis().Keys() {
		if !strings.HasSuffix(k, ":mfa") {
			continue
		}
		for _, field := range []string{"state", "fu", "fk", "wu", "wk", "bu", "bk", "rfu", "rfk"} {
			out = append(out, field+"="+p.Store.Redis().HGet(k, field))
		}
	}
	if len(out) != 9 {
		t.Fatalf("counters = %v, want those of one account", out)
	}
	return strings.Join(out, " ")
}
