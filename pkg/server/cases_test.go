// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// nodes3 starts a provider of three nodes that keeps its mails, with anna enrolled. It stands behind a proxy, so that a
// test can come from any address.
func nodes3(t *testing.T, change ...func(*config.Config)) (p *idptest.IDP, nodes []*idptest.Node, id string) {
	t.Helper()
	return logged3(t, nil, change...)
}

func logged3(t *testing.T, log *idptest.Log, change ...func(*config.Config)) (p *idptest.IDP, nodes []*idptest.Node, id string) {
	t.Helper()
	setup := idptest.Setup{Change: func(c *config.Config) {
		idptest.WithMail(c)
		c.Proxies = []string{"127.0.0.1"}
		for _, f := range change {
			f(c)
		}
	}}
	if log != nil {
		setup.Log = log
	}
	p = idptest.New(t, setup)
	id = p.AddEnrolled(t, anna, "acme")
	return p, []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}, id
}

// lcg is a small generator: the same order in every run.
type lcg uint64

func (g *lcg) below(n int) int {
	*g = *g*6364136223846793005 + 1442695040888963407
	return int(uint64(*g) >> 33 % uint64(n))
}

// addSecond adds an authenticator on the account page and returns its secret and the page after it.
func addSecond(t *testing.T, p *idptest.IDP, b *idptest.Browser) ([]byte, *idptest.Page) {
	t.Helper()
	setup := b.Own(t, anna).Press(t, "#two-factor", "Add another authenticator", nil).Prove(t, anna)
	secret := setup.Key(t)
	p.NextStep()
	done := setup.Code(t, idptest.CodeOf(t, secret, p.Now()))
	if done.H1() == "Set-up complete" {
		done = done.Submit(t, nil)
	}
	if got := done.Find("#two-factor form[action$='/rename']").Length(); got != 2 {
		t.Fatalf("%d authenticators after adding one (%d %q, alert %q)", got, done.Status, done.H1(), done.Alert())
	}
	return secret, done
}

// passed says whether the browser has come back to the app; anything but the question again, with the words
// for a wrong code, is an error: a wait would hide what the code is worth.
func passed(t *testing.T, p *idptest.IDP, page *idptest.Page) bool {
	t.Helper()
	if strings.HasPrefix(page.URL.String(), p.RP.URL) {
		return true
	}
	if page.Status != 200 || page.H1() != "Enter your code" || !strings.HasPrefix(page.Alert(), "That code did not work.") {
		t.Errorf("a refused code: %d %q at %s, alert %q, want the words for a wrong code", page.Status, page.H1(), page.URL, page.Alert())
	}
	return false
}

// shown is one code of one authenticator.
type shown struct {
	of   int
	step time.Time
	code string
}

func (s shown) String() string {
	return fmt.Sprintf("authenticator %d, %s", s.of, s.step.Format("15:04:05"))
}

// asked opens a sign-in at a node, up to the question for a code.
func asked(t *testing.T, p *idptest.IDP, n *idptest.Node) *idptest.Page {
	t.Helper()
	page := p.BrowserAt(t, n).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.H1() != "Enter your code" {
		t.Fatalf("no code is asked: %d %q, alert %q", page.Status, page.H1(), page.Alert())
	}
	return page
}

// refusesOld posts the code that was used last, and one of those whose windows are over, and returns these with it.
func refusesOld(t *testing.T, p *idptest.IDP, page *idptest.Page, used, late []shown) []shown {
	t.Helper()
	if len(used) > 0 && passed(t, p, page.Code(t, used[len(used)-1].code)) {
		t.Errorf("%v: accepted twice", used[len(used)-1])
	}
	i := slices.IndexFunc(used, func(u shown) bool { return p.Now().Sub(u.step) >= time.Minute && !slices.Contains(late, u) })
	if i < 0 {
		return late
	}
	if passed(t, p, page.Code(t, used[i].code)) {
		t.Errorf("%v: accepted after its window", used[i])
	}
	return append(late, used[i])
}

// TestTwoAuthenticatorsThreeNodes is SF-02, SF-04 and SF-06 for two authenticators of one account: 20 real codes of ten
// steps, in an order that mixes the two and is early or late by a step. Each is accepted once, whichever of the three
// nodes it is posted to again, and none after its window.
func TestTwoAuthenticatorsThreeNodes(t *testing.T) { //nolint:gocognit // one story of twenty codes on a moved clock
	p, nodes, _ := nodes3(t)
	second, _ := addSecond(t, p, p.Browser(t))
	secrets := [2][]byte{idptest.Secret(), second}
	p.Advance(5 * time.Minute)
	begin := p.Now().Truncate(30 * time.Second)
	p.Advance(begin.Add(30 * time.Second).Sub(p.Now()))
	begin = p.Now()
	order, node := lcg(4), 0
	var next [2]int
	var used, late []shown
	for clock := 0; len(used) < 20; clock++ {
		for _, of := range [][]int{{0, 1}, {1, 0}}[order.below(2)] {
			// A step is posted early, in time or late, as its window allows, and never after it.
			for next[of] < 10 && next[of] <= clock+1 && (next[of] < clock || order.below(3) == 0) {
				at := begin.Add(time.Duration(next[of]) * 30 * time.Second)
				c := shown{of, at, idptest.CodeOf(t, secrets[of], at)}
				next[of]++
				// Every node but the one that took the code before.
				node = (node + 1 + order.below(2)) % 3
				page := asked(t, p, nodes[node])
				late = refusesOld(t, p, page, used, late)
				if !passed(t, p, page.Code(t, c.code)) {
					t.Errorf("%v: refused at %s", c, p.Now().Format("15:04:05"))
				}
				used = append(used, c)
			}
		}
		p.NextStep()
	}
	if len(late) < 10 {
		t.Errorf("%d codes were posted after their windows, want at least 10", len(late))
	}
	// Codes that were never used are as dead after their window; what is refused here is given back by the code that passes.
	p.Advance(5 * time.Minute)
	for of, secret := range secrets {
		page := asked(t, p, nodes[of])
		for _, old := range []int{-4, -2} {
			if passed(t, p, page.Code(t, idptest.CodeOf(t, secret, p.Now().Add(time.Duration(old)*30*time.Second)))) {
				t.Errorf("authenticator %d: an unused code is accepted %d steps later", of, -old)
			}
		}
		if !passed(t, p, page.Code(t, idptest.CodeOf(t, secret, p.Now()))) {
			t.Errorf("authenticator %d: the code of now is refused", of)
		}
	}
}
